from hypothesis import given, strategies as st

from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    MessagesReplaced,
    RunCancelled,
    RunFailed,
    RunFinished,
    StatePatched,
    StateReplaced,
    TextDelta,
    TextStarted,
    ThreadMessage,
    ToolArguments,
    ToolFinished,
    ToolReturned,
    ToolStarted,
)
from lambda_matrix.conversation.answer import AnswerDraft


def fed(*events: AgentEvent) -> AnswerDraft:
    draft = AnswerDraft()
    for event in events:
        draft.feed(event)
    return draft


def tool_line(name: str) -> str:
    return f"using {name}"


def test_nothing_was_said_yet() -> None:
    draft = AnswerDraft()
    assert draft.text == ""
    assert draft.preview(tool_line) == ""
    assert not draft.has_text
    assert draft.outcome is None
    assert draft.files == ()


def test_messages_are_paragraphs_in_the_order_in_which_they_began() -> None:
    draft = fed(
        TextStarted("m1"),
        TextStarted("m2"),
        TextDelta("m2", "two"),
        TextDelta("m1", "one"),
        TextDelta("m1", " more\n"),
    )
    assert draft.text == "one more\n\ntwo"


def test_a_delta_of_an_unknown_message_begins_it() -> None:
    assert fed(TextDelta("m1", "text")).text == "text"


def test_blank_messages_are_no_paragraphs() -> None:
    draft = fed(TextStarted("m1"), TextDelta("m2", "\n "), TextDelta("m3", ""))
    assert draft.text == ""
    assert not draft.has_text


def test_blanks_at_the_head_of_a_text_stay_and_blank_lines_go() -> None:
    assert fed(TextDelta("m1", "\n\n    code\n")).text == "    code"


def test_the_newest_tool_at_work_has_a_line_under_the_text() -> None:
    draft = fed(TextDelta("m", "text"), ToolStarted("t1", "search"), ToolStarted("t2", "read"))
    assert draft.preview(tool_line) == "text\n\nusing read"
    draft.feed(ToolFinished("t2"))
    assert draft.preview(tool_line) == "text\n\nusing search"
    draft.feed(ToolFinished("t1"))
    assert draft.preview(tool_line) == "text"
    assert draft.text == "text"


def test_a_tool_alone_is_its_line() -> None:
    assert fed(ToolStarted("t1", "search")).preview(tool_line) == "using search"


def test_a_tool_line_does_not_fall_into_open_code() -> None:
    draft = fed(TextDelta("m", "```py\nx = 1"), ToolStarted("t", "run"))
    assert draft.preview(tool_line) == "```py\nx = 1\n```\n\nusing run"


def test_a_tool_that_never_began_may_end() -> None:
    assert fed(ToolFinished("t1")).preview(tool_line) == ""


def test_files_are_kept_in_order() -> None:
    one, two = FileOffered("a.png", "A"), FileOffered("b.png")
    assert fed(one, two).files == (one, two)


def test_the_end_of_the_run_ends_its_tools() -> None:
    draft = fed(ToolStarted("t1", "search"), RunFinished())
    assert draft.outcome == RunFinished()
    assert draft.preview(tool_line) == ""
    assert fed(RunFailed("no")).outcome == RunFailed("no")
    assert fed(RunCancelled()).outcome == RunCancelled()


@given(st.lists(st.text(max_size=5)))
def test_looking_at_the_text_does_not_change_it(deltas: list[str]) -> None:
    looked_at, left_alone = AnswerDraft(), AnswerDraft()
    for delta in deltas:
        looked_at.feed(TextDelta("m", delta))
        left_alone.feed(TextDelta("m", delta))
        assert looked_at.has_text == bool(looked_at.text)
    assert looked_at.text == left_alone.text


def test_what_is_for_the_next_run_is_not_for_the_person() -> None:
    draft = fed(
        TextDelta("m1", "text"),
        ToolArguments("t1", "{}"),
        ToolReturned("t1", "m2", "secret"),
        StateReplaced("{}"),
        StatePatched("[]"),
        MessagesReplaced((ThreadMessage(id="m3", role="assistant", content="other"),)),
    )
    assert draft.preview(tool_line) == "text"
