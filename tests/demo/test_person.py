"""The person's client, on a real homeserver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lambda_matrix.demo.bare_http import CallError
from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.person import NotSeenError, Person, log_in, open_person
from lambda_matrix.ids import AccessToken, RoomId
from tests.lab.chatting import fresh_account


@pytest.fixture
async def anna(synapse: Homeserver) -> AsyncIterator[Person]:
    async with open_person(synapse.url, await fresh_account(synapse, "anna")) as person:
        yield person


@pytest.fixture
async def boris(synapse: Homeserver) -> AsyncIterator[Person]:
    async with open_person(synapse.url, await fresh_account(synapse, "boris")) as person:
        yield person


async def test_two_people_talk_edit_and_take_back(anna: Person, boris: Person) -> None:
    room = await anna.direct_chat(boris.user_id)
    await boris.wait_for(room, lambda view: view.inviter == anna.user_id)
    said = await anna.say(room, "hello")
    await boris.join(room)
    await anna.edit(room, said, "hello!")
    seen = await boris.wait_for(room, lambda view: view.messages[-1].versions[1:])
    assert seen == ("hello!",)
    await anna.redact(room, said)
    await boris.wait_for(room, lambda view: view.messages[-1].redacted)


async def test_a_long_absence_leaves_no_gap(anna: Person, boris: Person) -> None:
    room = await anna.create_room(boris.user_id)
    for number in range(120):
        await anna.say(room, str(number))
    await boris.join(room)
    await boris.wait_for(room, lambda view: len(view.messages) == 120)
    assert [said.body for said in boris.rooms[room].messages] == [str(n) for n in range(120)]
    assert len(await boris.history(room)) == len(boris.rooms[room].events)


async def test_a_file_is_sent_and_fetched(anna: Person, boris: Person) -> None:
    room = await anna.create_room(boris.user_id)
    await boris.join(room)
    await anna.send_file(room, "a b.txt", b"\0\xff", "text/plain", msgtype="m.image")
    (sent,) = await boris.wait_for(room, lambda view: view.messages)
    assert (sent.msgtype, sent.body) == ("m.image", "a b.txt")
    assert await boris.download(sent.address or "") == b"\0\xff"
    with pytest.raises(CallError, match="M_NOT_FOUND"):
        await boris.download("mxc://lambda.test/nothing")


async def test_leaving_and_inviting_are_seen(anna: Person, boris: Person) -> None:
    room = await anna.create_room()
    await anna.invite(room, boris.user_id)
    await boris.wait_for(room, lambda view: view.membership == "invite")
    await boris.join(room)
    await boris.leave(room)
    await boris.wait_for(room, lambda view: view.membership == "leave")


async def test_what_does_not_come_in_time_is_told_with_what_is_there(anna: Person) -> None:
    room = await anna.create_room(name="Quiet")
    await anna.say(room, "anybody?")
    await anna.wait_for(room, lambda view: view.messages)
    with pytest.raises(NotSeenError, match=r"an answer.*\n.*Quiet.*\n.*anybody\?"):
        await anna.wait_for(room, lambda _: None, within=0.05, what="an answer")


async def test_a_refused_call_says_what_and_why(anna: Person) -> None:
    with pytest.raises(CallError, match="M_FORBIDDEN") as refused:
        await anna.say(RoomId("!nowhere:lambda.test"), "hello")
    assert refused.value.status == 403


async def test_log_in_by_password(synapse: Homeserver) -> None:
    account = await fresh_account(synapse, "clara")
    again = await log_in(synapse.url, account.user_id, account.password)
    assert again.user_id == account.user_id
    assert again.device_id != account.device_id


async def test_a_dead_session_ends_the_client(synapse: Homeserver) -> None:
    account = await fresh_account(synapse, "dora")
    account = type(account)(account.user_id, "", AccessToken("wrong"), account.device_id)
    with pytest.RaisesGroup(pytest.RaisesExc(CallError, match="M_UNKNOWN_TOKEN")):
        async with open_person(synapse.url, account):
            pass
