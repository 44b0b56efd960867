"""T1 with whatever a homeserver may tell: each message of somebody else's waits once, in order."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache

from hypothesis import given, settings
from sqlite_utils import Database

from lambda_matrix.client_server_api.parsing import parse_sync
from lambda_matrix.ids import DeviceId, EventId, InstanceId, RoomId, SyncToken, UserId
from lambda_matrix.matrix_events import ANSWER_KEY, JoinedRoom, SyncBatch
from lambda_matrix.store import intake, meta, timeline
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.schema import migrations
from tests.lab.effort import examples
from tests.lab.homeserver_answers import CHANCES, ME, ROOMS, drawing, encoded, spoilt
from tests.lab.schemas import Json
from tests.store.telling import joining

OURSELVES = Ourselves(UserId(ME), DeviceId("DEVICE"), InstanceId("5000-start"))


@cache
def _joined_everywhere() -> bytes:
    """The file of a database that knows nothing but that the bot is in each of the rooms."""
    connection = sqlite3.connect(":memory:")
    database = Database(connection)
    migrations.apply(database)
    with database.atomic():
        meta.begin_instance(database, OURSELVES)
    rooms = tuple(
        JoinedRoom(
            room_id=RoomId(room_id),
            timeline=(joining(f"$join{room_id}", OURSELVES.user_id, room=RoomId(room_id)),),
        )
        for room_id in ROOMS
    )
    _accept(database, SyncBatch(next_batch=SyncToken("s0"), joined=rooms))
    return connection.serialize()


@contextmanager
def open_database() -> Iterator[Database]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(_joined_everywhere())
        connection.execute("PRAGMA foreign_keys = ON")
        yield Database(connection)


def _accept(database: Database, batch: SyncBatch) -> None:
    with database.atomic():
        intake.accept_batch(database, batch, OURSELVES)


def read(answer: Json) -> SyncBatch:
    return parse_sync(encoded(answer), OURSELVES.user_id)


def is_said_to_us(event: Json) -> bool:
    """Whether the event is a text of somebody else's, and no edit of one."""
    content = event["content"]
    return (
        event["type"] == "m.room.message"
        and event["sender"] != ME
        and content.get("msgtype") in {"m.text", "m.emote"}
        and content.get("m.relates_to", {}).get("rel_type") != "m.replace"
    )


def answered_by(event: Json) -> set[str]:
    """The questions that an event of ours may answer."""
    content = event["content"]
    if event["sender"] != ME:
        return set()
    contents = (content, content.get("m.new_content", {}))
    return {each.get(ANSWER_KEY, {}).get("question") for each in contents}


@settings(max_examples=examples(400))
@given(CHANCES)
def test_each_message_of_somebody_else_waits_once_and_in_order(chance: random.Random) -> None:
    draws = drawing(chance)
    waits: dict[str, list[str]] = {room_id: [] for room_id in ROOMS}
    answered: set[str] = set()
    with open_database() as database:
        for _ in range(3):
            answer = draws.sync()
            batch = read(answer)
            for _ in range(chance.choice([1, 1, 2])):  # an answer may be told twice
                _accept(database, batch)
            for room_id, section in answer["rooms"]["join"].items():
                events = section["timeline"]["events"]
                waits[room_id] += [each["event_id"] for each in events if is_said_to_us(each)]
                answered |= set().union(*map(answered_by, events))
            for room_id, section in answer["rooms"]["leave"].items():
                waits[room_id].clear()
                answered |= set().union(*map(answered_by, section["timeline"]["events"]))
            assert meta.sync_token(database) == batch.next_batch
        for room_id, event_ids in waits.items():
            found = [
                row[0]
                for row in database.execute(
                    "SELECT event_id FROM inbox WHERE room_id = ? AND settled_at IS NULL"
                    " ORDER BY batch, place",
                    (room_id,),
                )
                if row[0] in event_ids
            ]
            assert found == [each for each in event_ids if each in found]
            assert set(event_ids) - set(found) <= answered
            assert all(timeline.is_known(database, EventId(each)) for each in found)


@settings(max_examples=examples(400))
@given(CHANCES)
def test_what_can_be_read_can_be_taken_in(chance: random.Random) -> None:
    draws = drawing(chance)
    with open_database() as database:
        for _ in range(2):
            answer = draws.sync()
            batch = read({**answer, "rooms": spoilt(answer["rooms"], chance)})
            _accept(database, batch)
            assert meta.sync_token(database) == batch.next_batch
