import pytest

from lambda_matrix.agent.backlog import MAX_WAITING, Backlog
from lambda_matrix.agent.errors import FrameTooLarge, IdleTimeout, Truncated
from lambda_matrix.agent_events import (
    RunFinished,
    TextDelta,
    TextStarted,
    ToolArguments,
    ToolStarted,
)


async def test_text_that_waits_is_merged_in_its_place() -> None:
    backlog = Backlog()
    backlog.put((TextStarted("a"), TextDelta("a", "1")))
    backlog.put((TextDelta("a", "2"), ToolStarted("t", "n"), TextDelta("a", "3")))
    backlog.put((TextDelta("b", "4"), TextDelta("b", "5"), RunFinished()))
    assert [event async for event in backlog] == [
        TextStarted("a"),
        TextDelta("a", "12"),
        ToolStarted("t", "n"),
        TextDelta("a", "3"),
        TextDelta("b", "45"),
        RunFinished(),
    ]


async def test_the_arguments_of_a_call_are_merged_too() -> None:
    backlog = Backlog()
    backlog.put((ToolArguments("t", "{"), ToolArguments("t", "}"), TextDelta("t", "1")))
    backlog.put((ToolArguments("u", "{}"), RunFinished()))
    assert [event async for event in backlog] == [
        ToolArguments("t", "{}"),
        TextDelta("t", "1"),
        ToolArguments("u", "{}"),
        RunFinished(),
    ]


async def test_a_failure_comes_after_what_was_said_and_the_first_is_the_cause() -> None:
    backlog = Backlog()
    backlog.put((TextDelta("a", "1"),))
    backlog.fail(Truncated("first"))
    backlog.fail(IdleTimeout("second"))
    assert await anext(backlog) == TextDelta("a", "1")
    with pytest.raises(Truncated):
        await anext(backlog)


async def test_what_waits_is_bounded_but_text_is_not_counted_by_its_pieces() -> None:
    backlog = Backlog()
    for _ in range(MAX_WAITING * 2):
        backlog.put((TextDelta("a", "x"),))
    with pytest.raises(FrameTooLarge):
        backlog.put((ToolStarted("t", "n"),) * (MAX_WAITING + 1))
