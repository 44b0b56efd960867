"""What the bot keeps on the homeserver."""

import json

import pytest
from attrs import evolve

from lambda_matrix.account_data import Binding, KeptSettings, SavedContext, Stretch, Unbound
from lambda_matrix.client_server_api.account_data import (
    PERSON_PREFIX,
    binding_content,
    person_content,
    person_key,
    read_binding,
    read_person,
    read_saved,
    read_sequence,
    saved_content,
    saved_key,
    sequence_content,
)
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.settings import PersonSettings, ReplyStyle
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId

ANNA = UserId("@anna:x")
SAVED = SavedContext(
    user_id=ANNA,
    name="Птицы",
    stretches=(
        Stretch(
            room_id=RoomId("!r"),
            first_event=EventId("$1"),
            last_event=EventId("$2"),
            platform_chat_id=PlatformChatId(7),
        ),
    ),
    agent=AgentId("main"),
    messages=4,
    size=100,
    saved_at=1_700_000_000.125,
)


@pytest.mark.parametrize(
    ("content", "highest"),
    [(None, 0), ({}, 0), ({"highest": "7"}, 0), ({"highest": -3}, 0), ({"highest": 7}, 7)],
)
def test_a_sequence_that_cannot_be_read_begins_anew(
    content: dict[str, object] | None, highest: int
) -> None:
    assert read_sequence(content) == highest


def test_a_sequence_is_read_as_it_was_written() -> None:
    assert read_sequence(sequence_content(read_sequence({"highest": 7}))) == 7


def test_what_was_saved_is_read_as_it_was_written() -> None:
    content = json.loads(json.dumps(saved_content((SAVED, SAVED))))
    assert read_saved(ANNA, content).saved == (SAVED, SAVED)
    assert saved_key(ANNA) == "ru.coredump.lambda.saved.@anna:x"


@pytest.mark.parametrize(
    "content", [None, {}, {"saved": 1}, {"saved": ["a"]}, {"saved": [{"name": "a"}]}]
)
def test_nothing_saved_is_nothing(content: dict[str, object] | None) -> None:
    assert read_saved(ANNA, content).saved == ()


@pytest.mark.parametrize("stretches", [[], None, ["a"], [{"room_id": "!r"}]])
def test_one_that_says_not_where_it_stands_is_left_out(stretches: object) -> None:
    (entry,) = json.loads(json.dumps(saved_content((SAVED,))))["saved"]
    assert read_saved(ANNA, {"saved": [{**entry, "stretches": stretches}, entry]}).saved == (SAVED,)


BINDING = Binding(
    owner=ANNA,
    agent=AgentId("main"),
    platform_chat_id=PlatformChatId(9),
    since_event=EventId("$3"),
    loaded=SAVED.stretches,
    archived=True,
    own_threads=True,
    threads=((EventId("$5"), PlatformChatId(8)), (EventId("$4"), PlatformChatId(6))),
)


@pytest.mark.parametrize("binding", [BINDING, evolve(BINDING, since_event=None, loaded=())])
def test_a_binding_is_read_as_it_was_written(binding: Binding) -> None:
    assert read_binding(json.loads(json.dumps(binding_content(binding)))) == binding


def test_an_emptied_binding_is_one_that_was_taken_away() -> None:
    assert read_binding({}) == Unbound()


@pytest.mark.parametrize("key", sorted(binding_content(BINDING)))
@pytest.mark.parametrize("value", [{"a": 0}, [1], 1.5, "", True, -1, None, "\ud800"])
def test_what_is_not_as_we_write_it_is_no_binding(key: str, value: object) -> None:
    changed = {**binding_content(BINDING), key: value}
    if changed == binding_content(BINDING) or changed["since_event"] is None:
        return
    assert read_binding({**binding_content(BINDING), key: value}) is None


@pytest.mark.parametrize("threads", [{"$1": 0}, {"": 3}, {"$1": True}, {"$1": 3, "$2": "4"}])
def test_nor_is_one_of_whose_threads_one_is_wrong(threads: object) -> None:
    assert read_binding({**binding_content(BINDING), "threads": threads}) is None


CHOSEN = PersonSettings(
    language=Language.RU,
    streaming=False,
    reply_style=ReplyStyle.PLAIN,
    tool_lines=False,
    agent=AgentId("other"),
)


@pytest.mark.parametrize("chosen", [CHOSEN, PersonSettings()])
def test_what_a_person_chose_is_read_as_it_was_written(chosen: PersonSettings) -> None:
    kept = read_person(ANNA, json.loads(json.dumps(person_content(chosen))))
    assert isinstance(kept, KeptSettings)
    assert person_content(chosen) == {
        "language": kept.language,
        "streaming": kept.streaming,
        "reply_style": kept.reply_style,
        "tool_lines": kept.tool_lines,
        "agent": kept.agent,
    }
    assert person_key(ANNA) == f"{PERSON_PREFIX}{kept.user_id}"


@pytest.mark.parametrize("key", sorted(person_content(CHOSEN)))
@pytest.mark.parametrize("value", [{"a": 1}, [], 7, "", "else\ud800"])
def test_what_is_not_as_we_write_it_is_no_choice(key: str, value: object) -> None:
    assert read_person(ANNA, {**person_content(CHOSEN), key: value}) is None
