"""A homeserver that is away ends a command after a while; one that is busy does not."""

from __future__ import annotations

import io

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lambda_matrix.client_server_api.exchange import Exchange
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.upkeep.presence import PATIENCE, Presence
from lambda_matrix.upkeep.terminal import Terminal


def answered(status: int | None) -> Exchange:
    return Exchange(
        kind="x",
        seconds=0.1,
        method="GET",
        url="http://hs/",
        request_headers={},
        request_body=b"",
        status=status,
    )


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def presence(said: io.StringIO) -> Presence:
    return Presence("http://hs", Terminal(io.StringIO(), said))


@pytest.mark.parametrize(
    ("status", "why"), [(None, "it does not answer"), (502, "it answers with status 502")]
)
async def test_who_stays_away_ends_it(
    autojump_clock: MockClock,
    presence: Presence,
    said: io.StringIO,
    status: int | None,
    why: str,
) -> None:
    presence.observe(answered(status))
    began = trio.current_time()
    await trio.sleep(1)
    presence.observe(answered(status))
    with pytest.raises(CommandError, match=f"^The homeserver http://hs is away: {why}") as ended:
        await presence.watch()
    assert ended.value.status is Exit.HOMESERVER_AWAY
    assert trio.current_time() == began + PATIENCE
    assert said.getvalue() == f"Waiting for the homeserver: {why}.\n"


async def test_who_answers_in_between_does_not(
    autojump_clock: MockClock, presence: Presence
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(presence.watch)
        for _ in range(5):
            for status in (None, 200, 503, 500):
                presence.observe(answered(status))
                await trio.sleep(PATIENCE - 1)
        nursery.cancel_scope.cancel()


async def test_a_limit_is_told_once(presence: Presence, said: io.StringIO) -> None:
    for _ in range(3):
        presence.observe(answered(429))
    assert said.getvalue().count("limits how fast") == 1


async def test_what_we_cut_off_ourselves_is_nobodys_fault(
    presence: Presence, said: io.StringIO
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(presence.watch)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        presence.observe(answered(None))  # as a request does that is cancelled
    assert said.getvalue() == ""
