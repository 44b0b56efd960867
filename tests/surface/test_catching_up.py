"""Whatever the clock says, a start is later than all before it, and the later one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.ids import InstanceId
from lambda_matrix.store import meta
from lambda_matrix.surface.bridge import AnotherInstanceError
from lambda_matrix.surface.catching_up import OTHERS_WAIT, announce, new_instance
from tests.lab.proxy import Answer
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import Lab, Service, open_lab

DAY = 86_400.0


def set_the_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr("time.time_ns", lambda: int(seconds * 1e9))


@pytest.mark.parametrize(
    "newest",
    [
        "0000000000000-aaaa",
        "1800000000000-ffffffff",
        "9999999999999-ffffffff",
        "9999999999999-ffffffff~ffffffff",
        "what is this",
    ],
)
def test_an_id_is_later_than_the_newest(newest: str) -> None:
    following = new_instance(InstanceId(newest))
    assert following > newest
    assert new_instance(following) > following


def test_no_two_starts_have_the_same_id() -> None:
    assert len({new_instance(InstanceId("9999999999998-x")) for _ in range(100)}) == 100


def test_the_clock_is_believed_if_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    set_the_clock(monkeypatch, 1_700_000_000)
    assert new_instance(None).startswith("1700000000000-")
    assert new_instance(InstanceId("1600000000000-ffff")).startswith("1700000000000-")


@pytest.mark.parametrize("jump", [-DAY, 0.0, DAY])
@pytest.mark.parametrize("loses", [False, True], ids=["warm", "the database is lost"])
async def test_a_start_after_a_jump_of_the_clock_goes_on(
    clock: MockClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    jump: float,
    *,
    loses: bool,
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        set_the_clock(monkeypatch, 1_700_000_000)
        async with lab.chat() as service:
            await service.ask("Before")
            room, before = service.room, service.ourselves.instance
        set_the_clock(monkeypatch, 1_700_000_000 + jump)
        if loses:
            lab.lose_database()
        async with lab.service() as service:
            assert service.ourselves.instance > before
            await service.bind(room)
            assert await service.ask("After", room) == "Answer to After"


@pytest.mark.parametrize("jump", [-DAY, DAY])
async def test_of_two_that_are_alive_the_later_start_goes_on(
    clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """On two machines: each has a database of its own."""
    async with open_lab(clock, tmp_path) as lab:
        set_the_clock(monkeypatch, 1_700_000_000)
        later = trio.Event()
        with pytest.RaisesGroup(AnotherInstanceError, flatten_subgroups=True):
            async with lab.chat() as first, trio.open_nursery() as nursery:
                await first.ask("Hello?")
                set_the_clock(monkeypatch, 1_700_000_000 + jump)
                nursery.start_soon(elsewhere, lab, first, later)
                await trio.sleep_forever()
        assert later.is_set()


async def elsewhere(lab: Lab, first: Service, later: trio.Event) -> None:
    """Another start on another machine, that outlives the first one."""
    lab.lose_database()
    with trio.CancelScope(shield=True):
        async with lab.service() as second:
            await second.bind(first.room)
            lab.homeserver.say(first.room, ANNA, "Is there anybody?")
            await lab.homeserver.wait(
                lambda: "Answer to Is there anybody?" in lab.homeserver.bodies(first.room)
            )
            await trio.sleep(60)  # it hears what the first one may say
            later.set()


async def test_a_later_start_is_heard_of_before_it_says_anything(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        with pytest.RaisesGroup(AnotherInstanceError, flatten_subgroups=True):
            async with lab.chat(announcing=True) as first, trio.open_nursery() as nursery:
                await first.ask("Hello?")
                said = len(lab.puts())
                nursery.start_soon(begin_elsewhere, lab)
                await trio.sleep_forever()
        assert len(lab.puts()) == said


async def test_one_that_was_heard_of_while_the_catch_up_ended_is_not_overlooked(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service(live=False) as service:
        await service.store.transact(meta.note_foreign, InstanceId("9999999999999-elsewhere"))
        with pytest.raises(AnotherInstanceError, match="started later"):
            await announce(service.store, service.client, service.ourselves)
        assert not lab.proxy.made("PUT .*/account_data/ru.coredump.lambda.instance")


async def begin_elsewhere(lab: Lab) -> None:
    lab.lose_database()
    async with lab.service(announcing=True):
        await trio.sleep_forever()


async def test_only_for_others_is_there_a_wait(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        waits = []
        for is_lost in (False, False, True, False):
            if is_lost:
                lab.lose_database()
            async with lab.service(live=False) as service:
                began = trio.current_time()
                await announce(service.store, service.client, service.ourselves)
                waits.append(trio.current_time() - began >= OTHERS_WAIT)
                await service.caught_up()
        assert waits == [False, False, True, False]


@pytest.mark.parametrize(
    "answer", [Answer(403, b'{"errcode":"M_FORBIDDEN","error":"no"}'), Answer(500)]
)
async def test_a_homeserver_that_keeps_no_account_data_is_no_reason_to_stay_away(
    clock: MockClock, tmp_path: Path, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.proxy.spoil("^PUT .*/account_data/ru.coredump.lambda.instance", answer)
        async with lab.chat(announcing=True) as service:
            assert await service.ask("Hello?") == "Answer to Hello?"
    assert "not announced to other instances" in caplog.text
