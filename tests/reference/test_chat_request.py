"""The window: what fits, in whole turns, and the last question always."""

from typing import Any

from hypothesis import given, strategies as st

from lambda_matrix.reference.chat_request import Limits, compose
from lambda_matrix.reference.run_input import Call, Message

WIDE = Limits(1000, 100_000)


def user(number: int, text: str = "Question") -> Message:
    return Message(f"u{number}", "user", text)


def agent(number: int, text: str = "Answer", calls: int = 0) -> list[Message]:
    """Build a message of the agent with so many calls, and their results."""
    made = [Call(f"a{number}-{at}", "read_file", "{}") for at in range(calls)]
    results = [Message(f"{one.id}-result", "tool", "apples", call_id=one.id) for one in made]
    return [Message(f"a{number}", "assistant", text, calls=tuple(made)), *results]


def test_the_newest_messages_win() -> None:
    conversation = [user(1), *agent(1), user(2), *agent(2), user(3, "Last")]
    assert len(compose(conversation, {}, WIDE)) == 5
    assert [one["content"] for one in compose(conversation, {}, Limits(3, 1000))] == [
        "Question",
        "Answer",
        "Last",
    ]
    assert len(compose(conversation, {}, Limits(2, 1000))) == 1
    assert len(compose(conversation, {}, Limits(1000, 18))) == 3
    assert len(compose(conversation, {}, Limits(0, 0))) == 1


def test_a_call_goes_with_its_result_and_both_with_their_question() -> None:
    conversation = [user(1), *agent(1, "", calls=2), *agent(2), user(2)]
    roles = [one["role"] for one in compose(conversation, {}, WIDE)]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert [one["role"] for one in compose(conversation, {}, Limits(4, 1000))] == ["user"]


def test_a_call_without_a_result_has_one_that_says_so() -> None:
    call, result = agent(1, calls=1)
    pending = compose([user(1), call], {}, WIDE)[-1]
    assert "not decided yet" in str(pending["content"])
    # a result that came when the conversation had gone on stands by its call all the same
    shown = compose([user(1), call, user(2), *agent(2), result], {}, WIDE)
    assert [one["role"] for one in shown] == ["user", "assistant", "tool", "user", "assistant"]
    assert shown[2]["content"] == "apples"


def test_a_conversation_may_begin_with_the_agent() -> None:
    assert [one["role"] for one in compose(agent(1), {}, WIDE)] == ["assistant"]
    assert compose([], {}, WIDE) == []


def test_names_of_calls_stay_what_they_are_when_the_conversation_grows() -> None:
    conversation = [user(1), *agent(1, calls=2), user(2), *agent(2, calls=1)]
    before = compose(conversation, {}, WIDE)
    after = compose([*conversation, user(3)], {}, WIDE)
    assert after[: len(before)] == before
    late = compose([*conversation, user(3)], {}, Limits(4, 1000))
    assert late[1] == before[5]


turns = st.lists(
    st.tuples(st.sampled_from(["user", "agent"]), st.text(max_size=30), st.integers(0, 3)),
    max_size=12,
)


@given(turns, st.integers(0, 12), st.integers(0, 200))
def test_whatever_is_shown_is_whole(
    told: list[tuple[str, str, int]], messages: int, characters: int
) -> None:
    conversation: list[Message] = []
    for number, (role, text, calls) in enumerate(told):
        conversation += [user(number, text)] if role == "user" else agent(number, text, calls)
    shown: list[dict[str, Any]] = compose(conversation, {}, Limits(messages, characters))
    asked = [call["id"] for one in shown for call in one.get("tool_calls", ())]
    assert [one["tool_call_id"] for one in shown if one["role"] == "tool"] == asked
    asked_last = next((one for one in reversed(conversation) if one.role == "user"), None)
    if asked_last is not None:
        assert {"role": "user", "content": asked_last.text} in shown
        assert shown[0]["role"] == "user"
