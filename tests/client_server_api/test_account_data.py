"""What the bot keeps on the homeserver."""

import json

import pytest

from lambda_matrix.account_data import SavedContext, Stretch
from lambda_matrix.client_server_api.account_data import (
    read_saved,
    read_sequence,
    saved_content,
    saved_key,
    sequence_content,
)
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
    assert read_saved(ANNA, content) == (SAVED, SAVED)
    assert saved_key(ANNA) == "ru.coredump.lambda.saved.@anna:x"


@pytest.mark.parametrize(
    "content", [None, {}, {"saved": 1}, {"saved": ["a"]}, {"saved": [{"name": "a"}]}]
)
def test_nothing_saved_is_nothing(content: dict[str, object] | None) -> None:
    assert read_saved(ANNA, content) == ()


@pytest.mark.parametrize("stretches", [[], None, ["a"], [{"room_id": "!r"}]])
def test_one_that_says_not_where_it_stands_is_left_out(stretches: object) -> None:
    (entry,) = json.loads(json.dumps(saved_content((SAVED,))))["saved"]
    assert read_saved(ANNA, {"saved": [{**entry, "stretches": stretches}, entry]}) == (SAVED,)
