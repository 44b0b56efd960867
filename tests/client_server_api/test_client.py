from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.errors import BadTransportSetting
from lambda_matrix.client_server_api.parsing import Context
from lambda_matrix.client_server_api.room_creation import RoomCreation
from lambda_matrix.ids import EventId, FilterId, RoomId, SyncToken, TransactionId, UserId
from lambda_matrix.matrix_events import MalformedEvent, RoomMarker, TextMessage
from tests.client_server_api.conftest import ME, SESSION
from tests.client_server_api.fake_homeserver import FakeHomeserver
from tests.client_server_api.sync_answers import event

ROOM, EVENT = RoomId("!r:example.org"), EventId("$e")
CAPABILITIES: dict[str, object] = {
    "capabilities": {"m.room_versions": {"default": "12", "available": {"12": "stable"}}}
}


async def test_a_filter(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("POST .*filter", {"filter_id": "7"})

    assert await client.upload_filter(b'{"room":{}}') == "7"

    assert homeserver.asked[0].body == b'{"room":{}}'


async def test_events(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("PUT .*/(send|state|redact)/", {"event_id": "$sent"})
    homeserver.on("(PUT .*typing|POST .*receipt)", {})
    t1, t2, t3 = map(TransactionId, "123")

    assert await client.put_event(ROOM, "m.room.message", t1, b'{"body" : "x"}') == "$sent"
    assert await client.put_state(ROOM, "m.room.name", "", {"name": "x"}) == "$sent"
    assert await client.redact(ROOM, EVENT, t2) == "$sent"
    assert await client.redact(ROOM, EVENT, t3, "asked for") == "$sent"
    await client.typing(ROOM, on=True, timeout_ms=5000)
    await client.typing(ROOM, on=False)
    await client.read_receipt(ROOM, EVENT)

    assert [one.body for one in homeserver.asked][:1] == [b'{"body" : "x"}']
    assert [one.json for one in homeserver.asked[1:]] == [
        {"name": "x"},
        {},
        {"reason": "asked for"},
        {"typing": True, "timeout": 5000},
        {"typing": False},
        {},
    ]


async def test_pages(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on(
        "messages",
        {"chunk": [event(room_id=ROOM)], "start": "a", "end": "b"},
        {"chunk": [], "start": "b"},
    )

    first = await client.messages(ROOM, from_=SyncToken("a&b"), to=SyncToken("z"), limit=5)
    last = await client.messages(ROOM, direction="f")

    assert (len(first.events), first.end) == (1, "b")
    assert (last.events, last.end) == ((), None)
    assert homeserver.asked[0].target.endswith("?dir=b&limit=5&from=a%26b&to=z")
    assert homeserver.asked[1].target.endswith("?dir=f&limit=100")


async def test_one_event_and_where_it_lies(homeserver: FakeHomeserver, client: Client) -> None:
    there = event(room_id=ROOM)
    homeserver.on("GET .*/event/%24e$", there)
    homeserver.on(r"GET .*/context/%24e\?limit=0$", {"event": there, "start": "a", "end": "b"}, {})

    found = await client.event(ROOM, EVENT)
    context = await client.context(ROOM, EVENT)
    nothing = await client.context(ROOM, EVENT)

    assert isinstance(found, TextMessage)
    assert context == Context(found, SyncToken("a"), SyncToken("b"))
    assert isinstance(nothing.event, MalformedEvent)
    assert (nothing.before, nothing.after) == (None, None)


async def test_membership(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("POST .*/join/", {"room_id": ROOM})
    homeserver.on("POST .*/(leave|forget|invite)", {})
    homeserver.on("joined_rooms", {"joined_rooms": [ROOM]})
    homeserver.on("joined_members", {"joined": {ME: {}}})

    assert await client.join(ROOM, ("one.org", "two.org")) == ROOM
    await client.join(ROOM)
    await client.leave(ROOM)
    await client.leave(ROOM, "not allowed")
    await client.forget(ROOM)
    await client.invite(ROOM, UserId("@anna:example.org"))
    assert await client.joined_rooms() == {ROOM}
    assert await client.joined_members(ROOM) == {ME}

    assert [one.json for one in homeserver.of("leave$")] == [{}, {"reason": "not allowed"}]
    assert homeserver.asked[0].target.endswith("?via=one.org&via=two.org")
    assert homeserver.asked[1].target.endswith("%3Aexample.org")


async def test_rooms_are_made_in_the_default_version_asked_for_once(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("capabilities", CAPABILITIES)
    homeserver.on("createRoom", {"room_id": ROOM})
    owner = UserId("@anna:example.org")

    for kind in ("space", "chat"):
        creation = RoomCreation(
            marker=RoomMarker(f"intent of {kind}", kind, owner),
            name="Lambda",
            topic="…",
            invite=(owner,),
            parent=RoomId("!space") if kind == "chat" else None,
            via=("example.org",),
        )
        assert await client.create_room(creation) == ROOM

    assert len(homeserver.of("capabilities")) == 1
    assert [one.json["room_version"] for one in homeserver.of("createRoom")] == ["12", "12"]


async def test_sync_says_all_that_it_must(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("sync", {"next_batch": "s1"})

    await client.sync(since=None, filter_id=None, timeout_ms=0)
    batch = await client.sync(since=SyncToken("s1"), filter_id=FilterId("7"), timeout_ms=30_000)

    assert batch.next_batch == "s1"
    first, second = (one.target.split("?")[1].split("&") for one in homeserver.asked)
    always = {"set_presence=offline", "use_state_after=true"}
    assert set(first) == {"timeout=0", *always}
    assert set(second) == {"timeout=30000", "filter=7", "since=s1", *always}


async def test_a_bad_url_is_known_before_anything_is_asked() -> None:
    with pytest.raises(BadTransportSetting):
        async with open_client("matrix.example.org", SESSION):
            pass  # pragma: no cover - never entered


def test_a_session_never_shows_its_token() -> None:
    assert "secret-token" not in repr(SESSION)
