from __future__ import annotations

import pytest

from lambda_matrix.agent import bounds
from lambda_matrix.agent.bounds import Bounds
from lambda_matrix.agent.errors import FrameTooLarge
from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    StatePatched,
    StateReplaced,
    TextDelta,
    TextStarted,
    ToolArguments,
    ToolFinished,
    ToolReturned,
    ToolStarted,
)

HALF = "x" * (bounds.MAX_SAID // 2)


@pytest.mark.parametrize(
    "event",
    [
        TextDelta("m", HALF),
        ToolArguments("t", HALF),
        ToolReturned("t", "m", HALF),
        StatePatched(HALF),
    ],
)
def test_what_is_kept_of_all_that_is_said_is_bounded(event: AgentEvent) -> None:
    run = Bounds()
    run.take((event,))
    run.take((TextDelta("another", HALF),))
    with pytest.raises(FrameTooLarge, match="characters of text"):
        run.take((TextDelta("m", "x"),))


@pytest.mark.parametrize("event", [TextStarted("m"), ToolStarted("t", "x"), FileOffered("x")])
def test_so_is_how_many_things_are_begun(event: AgentEvent) -> None:
    run = Bounds()
    run.take((event,) * bounds.MAX_BEGUN)
    run.take((TextDelta("m", "x"),))
    with pytest.raises(FrameTooLarge, match="messages, calls of tools and files"):
        run.take((event,))


@pytest.mark.parametrize("event", [StateReplaced(HALF), ToolFinished("t")])
def test_what_is_kept_once_may_come_often(event: AgentEvent) -> None:
    run = Bounds()
    for _ in range(10):
        run.take((event,) * bounds.MAX_BEGUN)


def test_all_frames_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_RUN", 10)
    run = Bounds()
    run.take_frame("12345")
    run.take_frame("67890")
    with pytest.raises(FrameTooLarge, match="a run of over 10 characters"):
        run.take_frame("1")
