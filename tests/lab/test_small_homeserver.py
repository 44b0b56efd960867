"""The small homeserver does as a real one does, where the service's own client asks it.

What is asserted here is asserted of a real Synapse in `tests/client_server_api/test_synapse.py`.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import trio

from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.errors import FileTooLarge, MatrixError
from lambda_matrix.client_server_api.power import Power
from lambda_matrix.client_server_api.room_creation import RoomCreation
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.client_server_api.sync import SYNC_FILTER, sync_once
from lambda_matrix.ids import AccessToken, DeviceId, TransactionId, UserId
from lambda_matrix.matrix_events import RoomMarker, TextMessage, Tombstone, UnknownEvent
from tests.lab.small_homeserver import ANNA, BOT, TOKEN, SmallHomeserver, open_small_homeserver

SESSION = Session(BOT, DeviceId("LAMBDA_MATRIX"), AccessToken(TOKEN))
CHAT = RoomCreation(marker=RoomMarker("i", "chat", ANNA), name="Chat", invite=(ANNA,))


@pytest.fixture
async def homeserver() -> AsyncIterator[SmallHomeserver]:
    async with open_small_homeserver() as opened:
        yield opened


@pytest.fixture
async def client(homeserver: SmallHomeserver) -> AsyncIterator[Client]:
    async with open_client(homeserver.url, SESSION) as opened:
        yield opened


async def test_files(homeserver: SmallHomeserver, client: Client) -> None:
    homeserver.repository.upload_limit = 5
    source = trio.wrap_file(io.BytesIO(b"hello"))
    mxc = await client.media.upload(source, size=5, content_type="text/plain")
    of_anna = homeserver.repository.add(b"hi", "image/png")
    sink = io.BytesIO()

    info = await client.media.download(of_anna, trio.wrap_file(sink), max_bytes=2)

    assert homeserver.repository.files[mxc].content == b"hello"
    assert (info.content_type, sink.getvalue()) == ("image/png", b"hi")
    with pytest.raises(FileTooLarge):
        await client.media.upload(source, size=6, content_type="text/plain")
    with pytest.raises(MatrixError, match="M_NOT_FOUND"):
        await client.media.download("mxc://h/x", trio.wrap_file(sink), max_bytes=2)


async def test_history(homeserver: SmallHomeserver, client: Client) -> None:
    room = homeserver.chat_of_bot(ANNA)
    first, second, third = [homeserver.say(room, ANNA, body) for body in ("one", "two", "three")]
    newer = {"msgtype": "m.text", "body": "newest"}
    relation = {"rel_type": "m.replace", "event_id": first}
    homeserver.say(room, ANNA, "* newest", **{"m.new_content": newer, "m.relates_to": relation})
    await client.redact(room, second, TransactionId("t"))
    await client.redact(room, second, TransactionId("t"))

    edited = await client.event(room, first)
    context = await client.context(room, second)
    before = await client.messages(room, from_=context.before, limit=1)
    after = await client.messages(room, from_=context.after, limit=1, direction="f")

    assert isinstance(edited, TextMessage)
    assert edited.newest_body == "newest"
    assert isinstance(context.event, UnknownEvent)
    assert context.event.is_redacted
    assert [event.event_id for event in (*before.events, *after.events)] == [first, third]
    assert after.end is not None
    assert len((await client.messages(room, from_=after.end, direction="f")).events) == 2


async def test_rooms_and_what_becomes_of_them(homeserver: SmallHomeserver, client: Client) -> None:
    room = await client.create_room(CHAT)
    since = (await sync_once(client, None, await client.upload_filter(SYNC_FILTER), 0)).next_batch
    replacement = homeserver.upgrade(room, ANNA)
    homeserver.member(replacement, BOT, "invite", ANNA)
    await client.join(replacement)

    batch = await sync_once(client, since, await client.upload_filter(SYNC_FILTER), 0)
    states = {joined.room_id: joined.state for joined in batch.joined}
    create = await client.states.create_event(room)
    power = Power(create, await client.states.power_levels(room))

    assert states[room].tombstone == Tombstone(replacement, ANNA)
    assert states[replacement].predecessor == room
    assert (create.creator, create.marker) == (BOT, CHAT.marker)
    assert power.of(ANNA) == 100
    assert await client.states.power_levels(replacement) is None


async def test_the_picture_of_the_bot(client: Client) -> None:
    assert await client.account.avatar_url(BOT) is None
    await client.account.set_avatar_url("mxc://h/x")
    assert await client.account.avatar_url(BOT) == "mxc://h/x"
    assert await client.account.avatar_url(UserId("@other:h")) is None
