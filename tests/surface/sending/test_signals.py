"""Typing and receipts: said in passing, never owed."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from lambda_matrix.ids import EventId
from tests.lab.proxy import Hold, Loss, bad_gateway
from tests.surface.bridging import in_steps, open_lab


async def test_what_is_not_taken_is_dropped(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.proxy.spoil("PUT .*/typing/", bad_gateway())
        lab.proxy.spoil("POST .*/receipt/", Loss.REQUEST)
        lab.agent.behave = in_steps("Done", pause=3)
        assert await service.ask("Hello?") == "Done"
        await trio.sleep(10)
        assert len(lab.proxy.made("PUT .*/typing/")) == 2
        assert len(lab.proxy.made("POST .*/receipt/")) == 1


async def test_only_the_newest_is_said(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        hold = Hold()
        lab.proxy.spoil("PUT .*/typing/", hold, times=1)
        signals = service.bridge.signals
        signals.typing(service.room, on=True)
        await hold.caught.wait()
        signals.typing(service.room, on=False)
        signals.typing(service.room, on=True)
        signals.typing(service.room, on=False)
        hold.release()
        await trio.sleep(1)
        assert lab.homeserver.typing == [(service.room, True), (service.room, False)]
        for number in range(5):
            signals.read(service.room, EventId(f"$event{number}"))
        await trio.sleep(1)
        assert lab.homeserver.receipts == [(service.room, "$event4")]
