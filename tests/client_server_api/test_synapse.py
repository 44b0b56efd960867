"""The client against a real Synapse, without rate limits: what the fake can only claim."""

from __future__ import annotations

import io
import math
import secrets
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import trio
from attrs import evolve

from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.command_descriptions import (
    CommandArgument,
    CommandDescription,
)
from lambda_matrix.client_server_api.errors import (
    CheckMembership,
    FileTooLarge,
    MatrixError,
    Refused,
    decide_retry,
)
from lambda_matrix.client_server_api.login import BadLogin, Credentials, open_session
from lambda_matrix.client_server_api.media import MediaInfo
from lambda_matrix.client_server_api.power import Power
from lambda_matrix.client_server_api.room_creation import RoomCreation
from lambda_matrix.client_server_api.session import Session, write_session
from lambda_matrix.client_server_api.sync import (
    SYNC_FILTER,
    SessionDeadError,
    sync_forever,
    sync_once,
)
from lambda_matrix.client_server_api.transport import open_transport
from lambda_matrix.demo.homeserver import Account, Homeserver
from lambda_matrix.ids import (
    AccessToken,
    DeviceId,
    EventId,
    FilterId,
    RoomId,
    SyncToken,
    TransactionId,
    UserId,
)
from lambda_matrix.matrix_events import (
    JoinedRoom,
    MediaMessage,
    MemberChange,
    Membership,
    OtherMessage,
    Redaction,
    RoomMarker,
    SpaceChild,
    StateChange,
    SyncBatch,
    TextMessage,
    Tombstone,
    UnknownEvent,
)
from tests.client_server_api.conftest import SpecificationCheck
from tests.lab.chatting import fresh_account

HELLO = b'{"msgtype":"m.text","body":"hello","m.mentions":{}}'


@pytest.fixture
async def bot(synapse: Homeserver) -> Account:
    return await fresh_account(synapse, "clientbot")


@pytest.fixture
async def client(
    synapse: Homeserver, bot: Account, observed: SpecificationCheck
) -> AsyncIterator[Client]:
    session = Session(bot.user_id, bot.device_id, bot.access_token)
    async with open_client(synapse.url, session, observe=observed) as opened:
        yield opened


@pytest.fixture
async def anna(synapse: Homeserver, observed: SpecificationCheck) -> AsyncIterator[Client]:
    account = await fresh_account(synapse, "clientanna")
    session = Session(account.user_id, account.device_id, account.access_token)
    async with open_client(synapse.url, session, observe=observed) as opened:
        yield opened


def transaction() -> TransactionId:
    return TransactionId(secrets.token_hex(8))


def chat_for(owner: UserId, intent: str = "i1") -> RoomCreation:
    marker = RoomMarker(intent, "chat", owner)
    return RoomCreation(marker=marker, name="Chat", topic="Talk", invite=(owner,))


async def only_room(client: Client, since: SyncToken | None, room_id: RoomId) -> JoinedRoom:
    """The room's section in the next batch."""
    batch = await sync_once(client, since, await client.upload_filter(SYNC_FILTER), 0)
    (room,) = (room for room in batch.joined if room.room_id == room_id)
    return room


async def test_login_whoami_and_logging_in_again(
    synapse: Homeserver, bot: Account, observed: SpecificationCheck, tmp_path: Path
) -> None:
    credentials = Credentials(user_id=bot.user_id, password=bot.password)
    async with open_transport(synapse.url, observe=observed) as transport:
        first = await open_session(transport, credentials, tmp_path / "session.json")
        again = await open_session(transport, credentials, tmp_path / "session.json")

        wrong = evolve(credentials, password="wrong")
        with pytest.raises(BadLogin):
            await open_session(transport, wrong, tmp_path / "other.json")

        write_session(tmp_path / "dead.json", evolve(first, access_token=AccessToken("syt_gone")))
        with pytest.raises(SessionDeadError) as caught:
            await open_session(transport, credentials, tmp_path / "dead.json")

    assert first == again
    assert (first.user_id, first.device_id) == (bot.user_id, DeviceId("LAMBDA_MATRIX"))
    assert not caught.value.soft_logout


async def test_the_account(client: Client) -> None:
    await client.account.set_display_name("Лямбда")
    assert await client.account.get_data("ru.coredump.test") is None
    await client.account.put_data("ru.coredump.test", {"next": 7})
    assert await client.account.get_data("ru.coredump.test") == {"next": 7}


@pytest.mark.parametrize("version", [None, "10", "11", "12"])
async def test_a_space_and_a_chat_in_it_in_every_version(
    client: Client, anna: Client, bot: Account, version: str | None
) -> None:
    client._default_room_version = version
    owner = anna.session.user_id
    space_marker = RoomMarker("s1", "space", owner)
    space = await client.create_room(
        RoomCreation(marker=space_marker, name="Lambda", invite=(owner,))
    )
    chat = await client.create_room(evolve(chat_for(owner), parent=space, via=("lambda.test",)))
    await client.put_state(space, "m.space.child", chat, {"via": ["lambda.test"]})

    batch = await sync_once(anna, None, await anna.upload_filter(SYNC_FILTER), 0)
    assert {(one.room_id, one.inviter, one.room_type) for one in batch.invited} == {
        (space, bot.user_id, "m.space"),
        (chat, bot.user_id, None),
    }
    await anna.join(space, ("lambda.test",))
    await anna.join(chat)
    assert await anna.joined_rooms() == {space, chat}
    assert await client.joined_members(chat) == {bot.user_id, owner}

    room = await only_room(anna, None, chat)
    assert room.state.creator == bot.user_id
    assert room.state.marker == RoomMarker("i1", "chat", owner)
    assert room.state.name == "Chat"
    assert room.state.room_version == (version or await client.default_room_version())
    assert room.state.joined_member_count == 2
    assert (await only_room(anna, None, space)).state.room_type == "m.space"
    with pytest.raises(MatrixError) as caught:  # encryption is nobody's but the bot's
        await anna.put_state(chat, "m.room.encryption", "", {"algorithm": "m.megolm.v1.aes-sha2"})
    assert decide_retry(caught.value) == CheckMembership()
    await anna.put_state(chat, "m.room.name", "", {"name": "Renamed"})
    assert (await only_room(anna, None, chat)).state.name == "Renamed"


async def test_events_come_back_as_what_they_are(client: Client, anna: Client) -> None:
    chat = await client.create_room(chat_for(anna.session.user_id))
    await anna.join(chat)
    batch = await sync_once(client, None, await client.upload_filter(SYNC_FILTER), 0)
    question = await anna.put_event(chat, "m.room.message", transaction(), HELLO)
    same = transaction()
    first = await client.put_event(chat, "m.room.message", same, HELLO)
    assert await client.put_event(chat, "m.room.message", same, HELLO) == first
    edited = (
        b'{"msgtype":"m.text","body":"* newer","m.new_content":{"msgtype":"m.text","body":"newer"},'
        b'"m.relates_to":{"rel_type":"m.replace","event_id":"%s"}}' % first.encode()
    )
    await client.put_event(chat, "m.room.message", transaction(), edited)
    await anna.put_event(
        chat, "m.sticker", transaction(), b'{"body":"cat","url":"mxc://a/b","info":{}}'
    )
    await anna.redact(chat, question, transaction(), "a slip")
    await client.typing(chat, on=True)
    await client.typing(chat, on=False)
    await client.read_receipt(chat, question)

    room = await only_room(client, batch.next_batch, chat)

    redacted, echo, edit, sticker, redaction = room.timeline
    assert redacted.event_id == question
    assert isinstance(echo, TextMessage)
    assert (echo.event_id, echo.transaction_id) == (first, same)
    assert isinstance(edit, TextMessage)
    assert (edit.body, edit.replaces) == ("newer", first)
    assert isinstance(sticker, OtherMessage)
    assert isinstance(redaction, Redaction)
    assert redaction.redacts == question


async def test_a_gap_is_paged_over(client: Client, anna: Client) -> None:
    chat = await client.create_room(chat_for(anna.session.user_id))
    await anna.join(chat)
    since = (await sync_once(client, None, await client.upload_filter(SYNC_FILTER), 0)).next_batch
    sent = [await anna.put_event(chat, "m.room.message", transaction(), HELLO) for _ in range(60)]

    room = await only_room(client, since, chat)
    page = await client.messages(chat, from_=room.prev_batch, to=since, limit=100)

    assert room.limited
    assert [fact.event_id for fact in room.timeline] == sent[10:]
    assert [fact.event_id for fact in reversed(page.events)] == sent[:10]


async def test_being_thrown_out_and_what_is_no_longer_allowed(
    client: Client, anna: Client, bot: Account
) -> None:
    chat = await anna.create_room(evolve(chat_for(bot.user_id), invite=()))
    await anna.invite(chat, bot.user_id)
    filter_id = await client.upload_filter(SYNC_FILTER)
    batch = await sync_once(client, None, filter_id, 0)
    (invited,) = batch.invited
    assert (invited.room_id, invited.inviter) == (chat, anna.session.user_id)
    await client.join(chat)
    await client.account.put_room_data(chat, "ru.coredump.test", {"agent": "main"})
    assert await client.account.get_room_data(chat, "ru.coredump.test") == {"agent": "main"}
    last_words = await anna.put_event(chat, "m.room.message", transaction(), HELLO)
    content = {"membership": "leave", "reason": "enough"}
    await anna.put_state(chat, "m.room.member", bot.user_id, content)

    batch = await sync_once(client, batch.next_batch, filter_id, 0)
    (left,) = batch.left
    assert last_words in [fact.event_id for fact in left.timeline]
    kick = left.timeline[-1]
    assert isinstance(kick, MemberChange)
    assert (kick.target, kick.membership) == (bot.user_id, Membership.LEAVE)
    with pytest.raises(MatrixError) as caught:
        await client.put_event(chat, "m.room.message", transaction(), HELLO)
    assert decide_retry(caught.value) == CheckMembership()
    await client.forget(chat)
    await anna.leave(chat)


async def test_what_synapse_refuses_for_good(client: Client, anna: Client) -> None:
    chat = await client.create_room(chat_for(anna.session.user_id))
    floating = b'{"msgtype":"m.text","body":"x","y":1.5}'

    with pytest.raises(MatrixError) as caught:
        await client.put_event(chat, "m.room.message", transaction(), floating)

    assert (caught.value.errcode, decide_retry(caught.value)) == ("M_BAD_JSON", Refused())


async def test_the_loop_survives_a_filter_and_a_token_of_another_life(
    client: Client, anna: Client
) -> None:
    chat = await client.create_room(chat_for(anna.session.user_id))
    await anna.join(chat)
    taken: list[SyncBatch] = []
    heard: list[EventId] = []
    filters: list[FilterId] = []

    async def on_batch(batch: SyncBatch) -> None:
        taken.append(batch)
        for room in batch.joined:
            heard.extend(fact.event_id for fact in room.timeline if isinstance(fact, TextMessage))
        if heard:
            scope.cancel()
        await trio.lowlevel.checkpoint()

    async def on_filter(filter_id: FilterId) -> None:
        await trio.lowlevel.checkpoint()
        filters.append(filter_id)

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            await nursery.start(
                partial(
                    sync_forever,
                    client,
                    since=SyncToken("s0_nonsense"),
                    filter_id=FilterId("4711"),
                    on_batch=on_batch,
                    on_filter=on_filter,
                )
            )
            said = await anna.put_event(chat, "m.room.message", transaction(), HELLO)

    assert heard == [said]
    assert len(filters) == 1
    assert chat in {room.room_id for room in taken[0].joined}


async def test_a_file_of_20_megabytes_there_and_back(
    client: Client, anna: Client, tmp_path: Path
) -> None:
    size = 20 * 2**20
    with (tmp_path / "up").open("wb") as file:
        file.write(secrets.token_bytes(size))
    assert await client.media.upload_limit() == 50 * 2**20

    async with await trio.open_file(tmp_path / "up", "rb") as source:
        mxc = await client.media.upload(
            source, size=size, content_type="application/zip", filename="кот.zip"
        )
    async with await trio.open_file(tmp_path / "down", "wb") as sink:
        info = await anna.media.download(mxc, sink, max_bytes=size)

    assert info == MediaInfo("application/zip", size)
    assert (tmp_path / "down").read_bytes() == (tmp_path / "up").read_bytes()
    with pytest.raises(FileTooLarge):
        async with await trio.open_file(tmp_path / "down", "wb") as sink:
            await anna.media.download(mxc, sink, max_bytes=size - 1)
    assert not (tmp_path / "down").stat().st_size
    with pytest.raises(MatrixError) as caught:
        async with await trio.open_file(tmp_path / "down", "wb") as sink:
            await anna.media.download("mxc://lambda.test/nothing", sink, max_bytes=size)
    assert caught.value.errcode == "M_NOT_FOUND"
    assert await client.joined_rooms() == set(), "the connections are good as before"


async def test_a_file_that_synapse_does_not_take(client: Client, tmp_path: Path) -> None:
    size = 51 * 2**20
    with (tmp_path / "up").open("wb") as file:
        file.truncate(size)

    async with await trio.open_file(tmp_path / "up", "rb") as source:
        with pytest.raises(FileTooLarge):
            await client.media.upload(source, size=size, content_type="application/zip")


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_who_may_do_what_in_every_version(
    client: Client, anna: Client, bot: Account, version: str
) -> None:
    client._default_room_version = version
    owner = anna.session.user_id
    chat = await client.create_room(chat_for(owner))

    create = await client.states.create_event(chat)
    power = Power(create, await client.states.power_levels(chat))

    assert (create.creator, create.room_version) == (bot.user_id, version)
    assert create.marker == RoomMarker("i1", "chat", owner)
    assert power.of(bot.user_id) == (math.inf if version == "12" else 150)
    assert power.of(owner) == 100
    assert power.may_set(bot.user_id, "m.room.tombstone")
    assert power.may_set(owner, "m.room.tombstone") is (version != "12")
    assert not power.may_set(owner, "m.room.encryption")
    assert power.may_set(owner, "m.room.name")
    with pytest.raises(MatrixError) as caught:  # who is not in the room is told nothing
        await anna.states.power_levels(chat)
    assert caught.value.errcode == "M_FORBIDDEN"


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_a_room_that_goes_on_in_another(client: Client, anna: Client, version: str) -> None:
    client._default_room_version = version
    chat = await client.create_room(chat_for(anna.session.user_id))
    space = await client.create_room(
        RoomCreation(marker=RoomMarker("s", "space", anna.session.user_id), name="Space")
    )
    since = (await sync_once(client, None, await client.upload_filter(SYNC_FILTER), 0)).next_batch
    other = await client.create_room(chat_for(anna.session.user_id))
    await client.put_state(chat, "m.room.tombstone", "", {"body": "", "replacement_room": other})
    await client.put_state(space, "m.space.child", chat, {"via": ["lambda.test"]})
    await client.put_state(space, "m.space.child", other, {})

    state = (await only_room(client, since, chat)).state
    children = (await only_room(client, since, space)).state.children

    me = client.session.user_id
    assert state.tombstone == Tombstone(other, me)
    assert set(children) == {
        SpaceChild(chat, has_via=True, sender=me),
        SpaceChild(other, has_via=False, sender=me),
    }


async def test_history_tells_the_newest_text_and_what_was_taken_back(
    client: Client, anna: Client
) -> None:
    chat = await client.create_room(chat_for(anna.session.user_id))
    await anna.join(chat)
    sent = [await anna.put_event(chat, "m.room.message", transaction(), HELLO) for _ in range(3)]
    edit = (
        b'{"msgtype":"m.text","body":"* newer","m.new_content":{"msgtype":"m.text","body":"newer"},'
        b'"m.relates_to":{"rel_type":"m.replace","event_id":"%s"}}' % sent[0].encode()
    )
    await anna.put_event(chat, "m.room.message", transaction(), edit)
    await anna.redact(chat, sent[1], transaction())

    page = await client.messages(chat)
    edited = await client.event(chat, sent[0])
    redacted = await client.event(chat, sent[1])
    context = await client.context(chat, sent[1])
    before = await client.messages(chat, from_=context.before, limit=1)
    after = await client.messages(chat, from_=context.after, limit=1, direction="f")

    assert isinstance(edited, TextMessage)
    assert (edited.body, edited.newest_body) == ("hello", "newer")
    of_history = next(
        fact for fact in page.events if isinstance(fact, TextMessage) and fact.event_id == sent[0]
    )
    assert of_history.newest_body == "newer"
    assert isinstance(redacted, UnknownEvent)
    assert redacted.is_redacted
    assert context.event == redacted
    assert [fact.event_id for fact in before.events] == [sent[0]]
    assert [fact.event_id for fact in after.events] == [sent[2]]
    with pytest.raises(MatrixError) as caught:
        await client.event(chat, EventId("$nothing"))
    assert caught.value.errcode == "M_NOT_FOUND"


async def test_a_picture_of_the_bot_and_of_a_room(client: Client, anna: Client) -> None:
    file = trio.wrap_file(io.BytesIO(b"no picture, but nobody looks"))
    mxc = await client.media.upload(file, size=28, content_type="image/png")
    await client.account.set_avatar_url(mxc)
    creation = evolve(chat_for(anna.session.user_id), avatar=mxc)

    chat = await client.create_room(creation)
    await anna.join(chat)

    assert await anna.account.avatar_url(client.session.user_id) == mxc
    assert await anna.account.avatar_url(UserId("@nobody:lambda.test")) is None
    kinds = [
        fact.type for fact in (await anna.messages(chat)).events if isinstance(fact, StateChange)
    ]
    assert "m.room.avatar" in kinds


async def test_a_room_is_born_with_twenty_commands(client: Client, anna: Client) -> None:
    commands = tuple(
        CommandDescription(
            name=f"command{number}",
            description="What it does",
            arguments=(CommandArgument(key="name", description="Of what"),),
        )
        for number in range(20)
    )
    chat = await client.create_room(evolve(chat_for(anna.session.user_id), commands=commands))

    facts = (await client.messages(chat)).events

    described = [fact for fact in facts if isinstance(fact, StateChange) and "msc4391" in fact.type]
    assert len({fact.state_key for fact in described}) == 20


async def test_files_come_as_what_they_are(client: Client, anna: Client) -> None:
    chat = await client.create_room(chat_for(anna.session.user_id))
    await anna.join(chat)
    content = (
        b'{"msgtype":"m.image","body":"look","filename":"cat.png","url":"mxc://lambda.test/x"}'
    )
    await anna.put_event(chat, "m.room.message", transaction(), content)

    picture = (await client.messages(chat)).events[0]

    assert isinstance(picture, MediaMessage)
    assert (picture.filename, picture.caption) == ("cat.png", "look")
