"""The two timeouts of a run, in hours that pass at once."""

import pytest
import trio
import trio.testing

from lambda_matrix.agent.backlog import Backlog
from lambda_matrix.agent.decoder import FrameDecoder
from lambda_matrix.agent.errors import AgentError, IdleTimeout, RunTimeout
from lambda_matrix.agent.session import _converse, _Patience
from lambda_matrix.ids import PlatformChatId, RunId
from tests.agent.servers import entry_at


class SlowFrames:
    """An agent that says something of no use, each time after a pause."""

    def __init__(self, pauses: list[float]) -> None:
        self._pauses = iter(pauses)
        self.closed: list[tuple[int, str]] = []

    async def receive(self) -> str:
        await trio.sleep(next(self._pauses, float("inf")))
        return '{"type": "OF_TOMORROW"}'

    async def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))


@pytest.mark.parametrize(
    ("pauses", "kind", "after"),
    [
        ([], IdleTimeout, 120),
        ([100, 100, 119], IdleTimeout, 319 + 120),
        ([100] * 100, RunTimeout, 900),
        ([0] * 10, IdleTimeout, 120),
    ],
)
async def test_silence_ends_a_run_and_so_does_its_length(
    autojump_clock: trio.testing.MockClock,
    pauses: list[float],
    kind: type[AgentError],
    after: float,
) -> None:
    del autojump_clock  # it is there to be in force
    backlog = Backlog()
    decoder = FrameDecoder(PlatformChatId(1), RunId("r"))
    frames = SlowFrames(pauses)
    begun = trio.current_time()
    patience = _Patience(entry_at("ws://h", idle_timeout=120.0, run_timeout=900.0))
    with patience.scope:
        await _converse(frames, decoder, backlog, patience)
    assert trio.current_time() - begun == pytest.approx(after)
    with pytest.raises(AgentError) as caught:
        await anext(backlog)
    assert type(caught.value) is kind
    assert frames.closed == [(1000, "cancelled")]
