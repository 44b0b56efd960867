"""What the official schemas allow is read; what they do not allow harms nothing beside itself."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings

from lambda_matrix.client_server_api import parsing
from lambda_matrix.client_server_api.errors import UnreadableAnswer
from lambda_matrix.client_server_api.parsing_events import parse_event
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import (
    JoinedRoom,
    LeftRoom,
    MalformedEvent,
    TextMessage,
    TimelineEvent,
)
from tests.lab.effort import examples
from tests.lab.homeserver_answers import CHANCES, ME, drawing, encoded, spoilt
from tests.lab.schemas import Json, client_server

ROOM = RoomId("!room:example.org")
TEXTS = ("m.text", "m.notice", "m.emote")


def is_text(event: Json) -> bool:
    """Whether the event is a text by itself, no edit of one."""
    content = event["content"]
    relation = content.get("m.relates_to", {})
    return (
        event["type"] == "m.room.message"
        and content.get("msgtype") in TEXTS
        and relation.get("rel_type") != "m.replace"
    )


def rooms_of(answer: Json) -> Iterator[tuple[str, Json]]:
    """Each room's section of an answer."""
    for place in ("join", "leave"):
        yield from answer["rooms"][place].items()


def in_order(batch_rooms: tuple[JoinedRoom | LeftRoom, ...]) -> dict[str, list[TimelineEvent]]:
    return {room.room_id: list(room.timeline) for room in batch_rooms}


@settings(max_examples=examples(200))
@given(CHANCES)
def test_a_valid_answer_is_read_event_for_event(chance: random.Random) -> None:
    answer = drawing(chance).sync()
    batch = parsing.parse_sync(encoded(answer), UserId(ME))

    facts = in_order((*batch.joined, *batch.left))
    assert batch.next_batch == answer["next_batch"]
    assert facts.keys() == {room_id for room_id, _ in rooms_of(answer)}
    for room_id, section in rooms_of(answer):
        events = section["timeline"]["events"]
        assert [fact.event_id for fact in facts[room_id]] == [each["event_id"] for each in events]
        for event, fact in zip(events, facts[room_id], strict=True):
            assert isinstance(fact, TextMessage) or not is_text(event)


@settings(max_examples=examples(200))
@given(CHANCES)
def test_what_is_not_spoilt_is_read_as_ever(chance: random.Random) -> None:
    answer = drawing(chance).sync()
    bad = {**answer, "rooms": spoilt(answer["rooms"], chance)}
    good = parsing.parse_sync(encoded(answer), UserId(ME))
    batch = parsing.parse_sync(encoded(bad), UserId(ME))

    before, after = (in_order((*each.joined, *each.left)) for each in (good, batch))
    spoilt_sections = dict(_sections(bad))
    for room_id, section in rooms_of(answer):
        told = section["timeline"]["events"]
        left = _timeline(spoilt_sections.get(room_id))
        if told and len(left) == len(told):  # else it is no list of events any more
            assert len(after[room_id]) == len(told)
            for old, new, was, now in zip(told, left, before[room_id], after[room_id], strict=True):
                assert new != old or now == was


def _sections(answer: Json) -> Iterator[tuple[str, object]]:
    rooms = answer["rooms"]
    for place in ("leave", "join"):
        if isinstance(rooms, dict) and isinstance(rooms.get(place), dict):
            yield from rooms[place].items()


def _timeline(section: object) -> list[object]:
    timeline = section.get("timeline") if isinstance(section, dict) else None
    events = timeline.get("events") if isinstance(timeline, dict) else None
    return events if isinstance(events, list) else []


@settings(max_examples=examples(200))
@given(CHANCES)
def test_an_event_is_read_or_kept_as_malformed(chance: random.Random) -> None:
    for event in drawing(chance).timeline():
        bad = spoilt(event, chance)
        fact = parse_event(bad, ROOM)
        if isinstance(fact, MalformedEvent):
            assert json.dumps(bad) == fact.raw
        else:
            assert (fact.room_id, fact.event_id) == (ROOM, bad["event_id"])


PAGE = "/_matrix/client/v3/rooms/{roomId}/messages"
CONTEXT = "/_matrix/client/v3/rooms/{roomId}/context/{eventId}"
ONE = "/_matrix/client/v3/rooms/{roomId}/event/{eventId}"


@settings(max_examples=examples(50))
@given(CHANCES)
def test_a_page_of_valid_events_is_read_event_for_event(chance: random.Random) -> None:
    events = drawing(chance).timeline()
    answer = {**valid("get", PAGE, chance), "chunk": events}

    page = parsing.parse_page(encoded(answer), ROOM)

    assert page.events == tuple(parse_event(event, ROOM) for event in events)
    assert page.end == (answer.get("end") if "end" in answer else None)
    for event in events:
        about = {**valid("get", CONTEXT, chance), "event": event}
        context = parsing.parse_context(encoded(about), ROOM)
        assert context.event == parse_event(event, ROOM)
        assert parsing.parse_one_event(encoded(event), ROOM) == context.event


ANSWERS: dict[tuple[str, str], Callable[[bytes], object]] = {
    ("get", PAGE): lambda body: parsing.parse_page(body, ROOM),
    ("get", CONTEXT): lambda body: parsing.parse_context(body, ROOM),
    ("get", ONE): lambda body: parsing.parse_one_event(body, ROOM),
    ("get", "/_matrix/client/v3/capabilities"): parsing.parse_default_room_version,
    ("get", "/_matrix/client/v3/account/whoami"): parsing.parse_whoami,
    ("post", "/_matrix/client/v3/login"): parsing.parse_login,
    ("get", "/_matrix/client/v3/joined_rooms"): parsing.parse_joined_rooms,
    ("get", "/_matrix/client/v3/rooms/{roomId}/joined_members"): parsing.parse_joined_members,
    ("get", "/_matrix/client/v1/media/config"): parsing.parse_upload_limit,
    ("post", "/_matrix/client/v3/createRoom"): parsing.parse_room_id,
    ("post", "/_matrix/client/v3/join/{roomIdOrAlias}"): parsing.parse_room_id,
    (
        "put",
        "/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}",
    ): parsing.parse_event_id,
    ("post", "/_matrix/client/v3/user/{userId}/filter"): parsing.parse_filter_id,
    ("post", "/_matrix/media/v3/upload"): parsing.parse_content_uri,
}
"""What else the service asks, and who reads the answers."""


NAMES = ("user_id", "device_id", "access_token", "event_id", "room_id", "filter_id")


def valid(method: str, path: str, chance: random.Random) -> Json:
    """Draw an answer that the specification allows."""
    schema = client_server().at(
        *("paths", path, method, "responses", "200", "content", "application/json", "schema")
    )
    answer: Json = client_server().draw(schema, chance)
    return answer


@pytest.mark.parametrize("asked", ANSWERS, ids=lambda asked: asked[1].rpartition("v3/")[2])
@settings(max_examples=examples(40))
@given(chance=CHANCES)
def test_an_answer_is_read_or_unreadable(asked: tuple[str, str], chance: random.Random) -> None:
    answer = valid(*asked, chance)
    ANSWERS[asked](_with_names(answer))
    with suppress(UnreadableAnswer):
        ANSWERS[asked](encoded(spoilt(answer, chance)))


def _with_names(answer: Json) -> bytes:
    """The answer with names where the schema says no more than "a string"."""
    named = {key: key for key in NAMES if key in answer}
    if "content_uri" in answer:
        named["content_uri"] = "mxc://example.org/file"
    # The schema lets it be left out: who takes that for an empty room takes everybody for gone.
    joined = {"joined": answer.get("joined", {})}
    return encoded({**answer, **named, **joined})
