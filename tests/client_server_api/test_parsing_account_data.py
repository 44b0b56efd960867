"""What /sync says of the bot's own account data."""

from __future__ import annotations

import logging

import pytest

from lambda_matrix.account_data import Binding, KeptSaved, KeptSettings, NothingChosen, Unbound
from lambda_matrix.client_server_api import parsing
from lambda_matrix.client_server_api.account_data import (
    BINDING_KEY,
    binding_content,
    person_content,
    person_key,
    saved_key,
    sequence_content,
)
from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import AgentId, PlatformChatId, UserId
from lambda_matrix.matrix_events import SyncBatch
from tests.client_server_api.sync_answers import ME, ROOM, Json, answer, encoded, joined

ANNA = UserId("@anna:example.org")
BINDING = Binding(owner=ANNA, agent=AgentId("main"), platform_chat_id=PlatformChatId(7))


def parsed(value: object) -> SyncBatch:
    return parsing.parse_sync(encoded(value), UserId(ME))


def told(*events: object) -> Binding | Unbound | None:
    """What is said of a room with this account data."""
    section = {**joined(), "account_data": {"events": list(events)}}
    (room,) = parsed(answer(join={ROOM: section})).joined
    return room.binding


def binding(content: Json) -> Json:
    return {"type": BINDING_KEY, "content": content}


def test_a_room_that_says_nothing_of_its_binding() -> None:
    assert told() is None
    assert told("junk", {"type": 7}, {"type": "m.tag", "content": {}}) is None


def test_the_last_word_on_a_binding_counts() -> None:
    assert told(binding(binding_content(BINDING))) == BINDING
    assert told(binding(binding_content(BINDING)), binding({})) == Unbound()


def test_a_binding_of_somebody_elses_making_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert told(binding({"owner": 7})) is None
    assert caplog.messages == [f"the binding of {ROOM} is none of ours, and means nothing"]


def test_what_is_kept_of_people() -> None:
    chosen = PersonSettings(streaming=False)
    events: list[Json] = [
        {"type": person_key(ANNA), "content": person_content(chosen)},
        {"type": saved_key(ANNA), "content": {"saved": []}},
        {"type": "ru.coredump.lambda.sequence", "content": sequence_content(PlatformChatId(9))},
    ]
    batch = parsed({**answer(), "account_data": {"events": events}})
    assert batch.kept == (
        KeptSettings(
            user_id=ANNA,
            language=None,
            streaming=False,
            reply_style="formatted",
            tool_lines=True,
            agent=None,
        ),
        KeptSaved(ANNA, ()),
    )
    assert not batch.is_empty


def test_what_a_reset_emptied_means_nothing_chosen(caplog: pytest.LogCaptureFixture) -> None:
    events: list[Json] = [{"type": person_key(ANNA), "content": {}}]
    batch = parsed({**answer(), "account_data": {"events": events}})
    assert (batch.kept, caplog.messages) == ((NothingChosen(ANNA),), [])


def test_settings_of_somebody_elses_making_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    events = [{"type": person_key(ANNA), "content": {"language": "en"}}]
    with caplog.at_level(logging.WARNING):
        assert parsed({**answer(), "account_data": {"events": events}}).kept == ()
    assert caplog.messages == [f"the settings of {ANNA} are none of ours, and mean nothing"]


@pytest.mark.parametrize(
    ("content", "instance"),
    [
        ({"instance": "1700000000000-abcd"}, "1700000000000-abcd"),
        ({}, None),
        ({"instance": 5}, None),
        ({"instance": ""}, None),
    ],
)
def test_which_start_announced_itself(content: object, instance: str | None) -> None:
    events = [
        {"type": "ru.coredump.lambda.instance", "content": {"instance": "an earlier one"}},
        {"type": "ru.coredump.lambda.instance", "content": content},
    ]
    batch = parsed({**answer(), "account_data": {"events": events}})
    assert batch.instance == instance
    assert batch.is_empty is (instance is None)
