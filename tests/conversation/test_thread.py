from collections.abc import Iterable

from hypothesis import given, strategies as st

from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    Interrupt,
    MessagesReplaced,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunInterrupted,
    StatePatched,
    StateReplaced,
    TextDelta,
    TextStarted,
    ThreadMessage,
    ToolArguments,
    ToolCall,
    ToolFinished,
    ToolReturned,
    ToolStarted,
)
from lambda_matrix.conversation.thread import RunMessages, bounded, settled

ASKED = RunInterrupted((Interrupt("i", "why"),))


def user(name: str, content: str = "?") -> ThreadMessage:
    return ThreadMessage(id=name, role="user", content=content)


def said(name: str, content: str = "", *calls: str) -> ThreadMessage:
    made = tuple(ToolCall(call, "n", "{}") for call in calls)
    return ThreadMessage(id=name, role="assistant", content=content, tool_calls=made)


def result(call: str, name: str | None = None, content: str = "done") -> ThreadMessage:
    return ThreadMessage(id=name or f"r-{call}", role="tool", content=content, tool_call_id=call)


def call(name: str, parent: str | None = None) -> tuple[AgentEvent, ...]:
    return (ToolStarted(name, "n", parent), ToolArguments(name, "{"), ToolArguments(name, "}"))


def returned(name: str) -> ToolReturned:
    return ToolReturned(name, f"r-{name}", "done")


def fed(*events: AgentEvent, known: Iterable[ThreadMessage] = ()) -> RunMessages:
    run = RunMessages(known)
    for event in events:
        run.feed(event)
    return run


def test_a_run_adds_what_was_said_and_done() -> None:
    run = fed(
        TextStarted("m1"),
        TextDelta("m1", "I'll "),
        TextDelta("m1", "look."),
        *call("t1", "m1"),
        *call("t2", "m1"),
        returned("t2"),
        ToolFinished("t2"),
        returned("t1"),
        FileOffered("a.png"),
        TextStarted("m2"),
        TextDelta("m2", "Sunny."),
        RunFinished(),
    )
    assert run.messages == (
        said("m1", "I'll look.", "t1", "t2"),
        result("t1"),
        result("t2"),
        said("m2", "Sunny."),
    )
    assert run.state is None
    assert run.problem is None


def test_calls_without_a_parent_are_of_one_message_until_a_result_comes() -> None:
    run = fed(*call("t1"), *call("t2"), returned("t1"), returned("t2"), *call("t3"), returned("t3"))
    assert run.messages == (
        said("t1.call", "", "t1", "t2"),
        result("t1"),
        result("t2"),
        said("t3.call", "", "t3"),
        result("t3"),
    )
    after_text = fed(TextStarted("m"), TextDelta("m", "Hm."), *call("t"), returned("t"))
    assert after_text.messages == (said("m", "Hm.", "t"), result("t"))


def test_a_parent_that_was_not_told_yet_is_a_message() -> None:
    run = fed(*call("t1", "m"), *call("t2", "m"), returned("t1"), returned("t2"))
    assert run.messages == (said("m", "", "t1", "t2"), result("t1"), result("t2"))


def test_what_a_broken_run_did_by_half_is_left_out() -> None:
    for end in ((), (RunFinished(),), (RunCancelled(),), (RunFailed("no"),)):
        run = fed(
            *call("t1"),
            returned("t1"),
            TextDelta("m", "Well"),
            ToolStarted("t2", "n", "m"),
            ToolStarted("t3", "n", "p"),
            ToolArguments("t4", "{}"),
            *end,
        )
        assert run.messages == (said("t1.call", "", "t1"), result("t1"), said("m", "Well"))


def test_a_call_that_waits_for_an_answer_is_kept() -> None:
    run = fed(*call("t1"), *call("t2"), returned("t2"), ASKED)
    assert run.messages == (said("t1.call", "", "t1", "t2"), result("t2"))


def test_what_subagents_do_is_no_part_of_it() -> None:
    inner = ToolStarted("t", "n", by_subagent=True)
    assert fed(inner, ToolArguments("t", "{}"), ASKED).messages == ()


def test_a_resumed_run_goes_on_with_the_calls_that_waited() -> None:
    known = (user("q"), said("m", "", "t1", "t2"), result("t1"))
    run = fed(
        *call("t2"),
        returned("t1"),
        returned("t2"),
        returned("unknown"),
        *call("t3", "m"),
        returned("t3"),
        TextDelta("m2", "Sunny."),
        known=known,
    )
    assert run.messages == (
        result("t2"),
        said("t3.call", "", "t3"),
        result("t3"),
        said("m2", "Sunny."),
    )
    assert settled((*known, *run.messages)) == (*known, *run.messages)


def test_a_snapshot_replaces_what_was_added_so_far() -> None:
    known = (user("q"), said("m", "Wait.", "t1"))
    snapshot = (
        *known,
        result("t1", "other"),
        said("m2", "", "t2"),
        result("t2", "other-2"),
        said("m3", "Sunny"),
    )
    run = fed(
        returned("t1"),
        *call("t2", "m2"),
        returned("t2"),
        TextDelta("gone", "?"),
        MessagesReplaced(snapshot),
        TextDelta("m3", "."),
        known=known,
    )
    assert run.messages == (
        result("t1", "other"),
        said("m2", "", "t2"),
        result("t2", "other-2"),
        said("m3", "Sunny."),
    )


def test_a_snapshot_of_a_thread_that_is_not_known_adds_what_follows_its_last_question() -> None:
    snapshot = (user("1"), said("2", "old"), user("3"), said("4", "new"))
    assert fed(MessagesReplaced(snapshot)).messages == (said("4", "new"),)


def test_the_state_is_that_of_the_end() -> None:
    run = RunMessages(state='{"a": 1}')
    assert run.state == '{"a": 1}'
    run.feed(StatePatched('[{"op": "add", "path": "/b", "value": 2}]'))
    assert run.state == '{"a": 1, "b": 2}'
    run.feed(StateReplaced("[]"))
    run.feed(StatePatched("[{}]"))
    assert run.state == "[]"
    assert run.problem is not None


def test_surrogates_are_put_together_or_lost() -> None:
    run = fed(
        TextDelta("m\ud83d", "\ud83d"),
        TextDelta("m\ud83d", "\ude00 \ud83d"),
        ToolStarted("t\ud83d", "n\ud83d", "m\ud83d"),
        ToolArguments("t\ud83d", '"\ud83d"'),
        ToolReturned("t\ud83d", "r\ud83d", "\ud83d"),
    )
    assert run.messages == (
        ThreadMessage(
            id="m\ufffd",
            role="assistant",
            content="\U0001f600 \ufffd",
            tool_calls=(ToolCall("t\ufffd", "n\ufffd", '"\ufffd"'),),
        ),
        ThreadMessage(id="r\ufffd", role="tool", content="\ufffd", tool_call_id="t\ufffd"),
    )


def test_a_settled_thread_has_no_loose_ends() -> None:
    thread = (
        result("t1"),
        user("q1"),
        said("m1", "Well", "t1", "t2"),
        said("m2", "", "t3"),
        user("q2"),
        said("m3", "", "t4"),
        result("t5"),
        result("t1", "again"),
    )
    told = (user("q1"), said("m1", "Well", "t1"), result("t1", "again"), user("q2"))
    assert settled(thread) == told
    assert settled(thread, waiting=True) == (*told, said("m3", "", "t4"))


TURNS = (
    user("q1"),
    said("m1", "", "t1"),
    result("t1", content="x" * 100),
    said("m2", "One."),
    user("q2"),
    said("m3", "Two."),
    user("q3"),
)


def test_what_fits_goes_whole() -> None:
    assert bounded(TURNS) == TURNS
    assert bounded(()) == ()


def test_an_older_turn_goes_without_its_tools_or_not_at_all() -> None:
    spoken = (user("q1"), said("m2", "One."))
    assert bounded(TURNS, size=100) == (*spoken, *TURNS[4:])
    assert bounded(TURNS, most=6) == (*spoken, *TURNS[4:])
    assert bounded(TURNS, most=4) == TURNS[4:]
    assert bounded(TURNS, most=2) == TURNS[6:]


def test_the_newest_turn_goes_however_much_it_is() -> None:
    assert bounded(TURNS, most=0, size=0) == TURNS[6:]
    waiting = (*TURNS, said("m4", "", "t4", "t5"), result("t5"))
    assert bounded(waiting, most=0, size=0) == (user("q3"), said("m4", "", "t5"), result("t5"))
    assert bounded(waiting, most=0, size=0, resuming=True) == waiting[6:]


def test_a_conversation_begins_with_a_question() -> None:
    assert bounded(TURNS[3:]) == TURNS[4:]
    assert bounded(TURNS[3:4]) == ()
    assert bounded((said("m", "", "t"),), resuming=True) == (said("m", "", "t"),)


names = st.sampled_from(["a", "b", "c", "\ud83d"])
deltas = st.text(max_size=3)
threads = st.lists(
    st.one_of(
        st.builds(user, names, deltas),
        st.builds(said, names, deltas, names, names),
        st.builds(said, names, deltas),
        st.builds(result, names, names),
    ),
    max_size=8,
).map(tuple)
events = st.one_of(
    st.builds(TextStarted, names),
    st.builds(TextDelta, names, deltas),
    st.builds(ToolStarted, names, names, st.none() | names, by_subagent=st.booleans()),
    st.builds(ToolArguments, names, deltas),
    st.builds(ToolReturned, names, names, deltas),
    st.builds(ToolFinished, names),
    st.builds(MessagesReplaced, threads),
    st.builds(StateReplaced, st.just("{}")),
    st.just(ASKED),
)


def check_form(thread: tuple[ThreadMessage, ...], waiting: frozenset[str] = frozenset()) -> None:
    """Check what model providers want: results right after their calls, and nothing loose."""
    due: list[str] = []
    for message in thread:
        if message.role == "tool":
            assert message.tool_call_id in due
            due.remove(message.tool_call_id)
            continue
        assert waiting.issuperset(due)
        due = [call.id for call in message.tool_calls]
        assert message.role == "user" or message.content or due
    assert waiting.issuperset(due)


@given(threads, st.integers(0, 8), st.integers(0, 40), st.booleans())
def test_what_goes_to_an_agent_is_always_well_formed(
    thread: tuple[ThreadMessage, ...],
    most: int,
    size: int,
    resuming: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    told = bounded(thread, most, size, resuming=resuming)
    calls = frozenset(call.id for message in thread for call in message.tool_calls)
    check_form(told, calls if resuming else frozenset())
    assert not told or resuming or told[0].role == "user"
    questions = [message for message in thread if message.role == "user"]
    kept = [message for message in told if message.role == "user"]
    assert kept == questions[len(questions) - len(kept) :]


@given(threads, st.lists(events, max_size=12))
def test_whatever_a_run_says_what_it_adds_is_well_formed(
    known: tuple[ThreadMessage, ...], happened: list[AgentEvent]
) -> None:
    run = fed(*happened, known=known)
    waits = ASKED in happened
    calls = frozenset(call.id for message in run.messages for call in message.tool_calls)
    late = [message for message in run.messages if message.tool_call_id not in {None, *calls}]
    known_calls = {call.id for message in known for call in message.tool_calls}
    assert {message.tool_call_id for message in late} <= known_calls
    own = tuple(message for message in run.messages if message not in late)
    check_form(own, calls if waits else frozenset())
    for message in run.messages:
        f"{message.id}{message.content}".encode()
