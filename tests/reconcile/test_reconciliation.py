"""A start after something was lost: what the next one repairs, and that nobody notices."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.client_server_api.account_data import binding_content
from lambda_matrix.client_server_api.sync import SessionDeadError, tell_all
from lambda_matrix.ids import EventId, RoomId
from lambda_matrix.reconcile.reconciliation import Done, compare, reconcile
from lambda_matrix.reconcile.repairs import describe
from lambda_matrix.store import meta, people, retelling
from lambda_matrix.store.conversations import contexts, saved
from lambda_matrix.store.records import RoomKind
from lambda_matrix.store.topology import rooms
from tests.lab.proxy import Answer, Hold, Loss, rate_limited
from tests.lab.small_homeserver import ANNA, BORIS, BOT, SmallHomeserver
from tests.surface.bridging import TEXTS, Service, open_lab
from tests.surface.rooms.test_onboarding import links, onboarded

BINDING = "ru.coredump.lambda.binding"
MARKER = "ru.coredump.lambda.room"
CHILD = "m.space.child"
REFUSED = Answer(403, json.dumps({"errcode": "M_FORBIDDEN", "error": "no"}).encode())


async def plans(service: Service) -> list[str]:
    """What would be repaired now."""
    comparison = await compare(service.bridge.means, insist=False)
    return [describe(repair) for repair in comparison.repairs]


async def repaired(service: Service) -> tuple[Done, ...]:
    return await reconcile(service.bridge.means, service.bridge.bindings, service.bridge.spaces)


def said(homeserver: SmallHomeserver) -> dict[RoomId, list[str]]:
    return {room_id: homeserver.bodies(room_id) for room_id in homeserver.rooms}


async def test_after_loss_of_the_database_everything_goes_on(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service():
            lobby, space, chat = await onboarded(lab)
            ask = lab.homeserver.say
            for words in ("!set language ru", "Hello?", "!save Birds", "!clear"):
                await lab.homeserver.answer(chat, ask(chat, ANNA, words))
            await lab.homeserver.answer(lobby, ask(lobby, ANNA, "!new"))
            second = lab.homeserver.rooms_of_kind(ANNA, "chat")[1]
            await lab.homeserver.answer(second, ask(second, ANNA, "!set threads own"))
            asked = ask(second, ANNA, "In a thread", **in_thread(ask(second, ANNA, "Root")))
            await lab.homeserver.answer(second, asked)
            await lab.homeserver.answer(second, ask(second, ANNA, "!archive"))
        before = said(lab.homeserver)
        kept = dict(lab.homeserver.room_account_data)
        unanswered = lab.homeserver.say(chat, ANNA, "While you were away")
        lab.lose_database()
        async with lab.service(reconciling=True) as service:
            answer = await lab.homeserver.answer(chat, unanswered)
            assert answer == "Answer to While you were away"
            await trio.sleep(600)
            await service.caught_up()
            assert lab.homeserver.room_account_data == kept
            after = said(lab.homeserver)
            assert {**after, chat: after[chat][:-1]} == before
            assert await plans(service) == []
            number = kept[chat, BINDING]["platform_chat_id"]
            context = await service.store.transact(contexts.context, number)
            assert context is not None
            assert context.since_event == kept[chat, BINDING]["since_event"]
            threads = kept[second, BINDING]["threads"]
            of_second = await service.store.transact(contexts.all_of_room, second)
            assert {each.platform_chat_id for each in of_second} == {
                kept[second, BINDING]["platform_chat_id"],
                *threads.values(),
            }
            assert (await service.store.transact(people.settings, ANNA)).language is not None
            (birds,) = await service.store.transact(saved.saved_by, ANNA)
            assert birds.name == "Birds"
            lab.homeserver.direct_chat(ANNA)  # a repeated invite
            await trio.sleep(600)
            assert len(lab.homeserver.created) == 3
            assert links(lab, space, CHILD) == [chat, second]


def in_thread(root: EventId) -> dict[str, object]:
    return {"m.relates_to": {"rel_type": "m.thread", "event_id": root}}


async def test_with_a_warm_database_it_costs_one_request(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service():
            await onboarded(lab)
        asked = len(lab.proxy.made(""))
        async with lab.service(live=False, reconciling=True):
            made = [each.target for each in lab.proxy.made("")[asked:]]
            assert [
                target for target in made if "sync" not in target and "filter" not in target
            ] == ["/_matrix/client/v3/joined_rooms"]


async def test_rooms_from_before_there_were_bindings(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            _, space, _ = await onboarded(lab)
        old = [homeserver.chat_of_bot(ANNA) for _ in range(2)]
        for room_id in reversed(old):
            homeserver.add(space, CHILD, {"via": ["x"]}, BOT, state_key=room_id)
        lab.lose_database()
        async with lab.service(reconciling=True) as service:
            numbers = [homeserver.room_account_data[room, BINDING] for room in old]
            assert [each["owner"] for each in numbers] == [ANNA, ANNA]
            first = numbers[0]["platform_chat_id"]
            assert [each["platform_chat_id"] for each in numbers] == [first, first + 1]
            await service.caught_up()
            assert await plans(service) == []
            assert await service.ask("Hello?", old[0]) == "Answer to Hello?"
            assert len(homeserver.bodies(old[0])) == 1


async def test_half_a_chat_is_completed_and_its_command_answered(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            lobby, space, _ = await onboarded(lab)
            lab.proxy.spoil(f"PUT .*{CHILD}", Answer(502, b""))
            command = homeserver.say(lobby, ANNA, "!new Birds")
            await homeserver.wait(lambda: len(homeserver.created) == 3)
        lab.proxy.mend()
        lab.lose_database()
        async with lab.service(reconciling=True) as service:
            assert "Birds" in await homeserver.answer(lobby, command)
            birds = homeserver.created[-1]
            await homeserver.wait(lambda: bool(homeserver.bodies(birds)))
            await trio.sleep(600)
            assert len(homeserver.created) == 3
            assert homeserver.bodies(birds) == [TEXTS.onboarding.greeting_chat]
            assert birds in links(lab, space, CHILD)
            await service.caught_up()
            assert await plans(service) == []


async def test_a_new_chat_whose_reply_was_lost_is_pointed_to(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            lobby, _, _ = await onboarded(lab)
            rule = lab.proxy.spoil(
                f"PUT .*/rooms/{lobby.replace('!', '%21')}/send/", Answer(502, b"")
            )
            command = homeserver.say(lobby, ANNA, "!new Birds")
            await homeserver.wait(lambda: len(homeserver.created) == 3)
            birds = homeserver.created[-1]
            await homeserver.wait(lambda: bool(homeserver.bodies(birds)))
        lab.proxy.mend(rule)
        lab.lose_database()
        async with lab.service(reconciling=True):
            assert birds in await homeserver.answer(lobby, command)
            await trio.sleep(600)
            assert len(homeserver.created) == 3
            assert homeserver.bodies(birds) == [TEXTS.onboarding.greeting_chat]


async def test_a_space_without_its_first_chat_gets_it(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            lab.proxy.spoil("POST .*createRoom", REFUSED, containing=b'"kind": "chat"')
            lobby = homeserver.direct_chat(ANNA)
            await homeserver.wait(lambda: len(homeserver.created) == 1)
            await trio.sleep(60)
        lab.proxy.mend()
        lab.lose_database()
        greeted = len(homeserver.bodies(lobby))
        async with lab.service(reconciling=True):
            await homeserver.wait(lambda: len(homeserver.bodies(lobby)) > greeted)
            await trio.sleep(600)
            assert len(homeserver.created) == 2
            assert TEXTS.rooms.space_name in homeserver.bodies(lobby)[-1]


async def test_a_room_that_was_left_unnoticed_is_left(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service():
            _, _, chat = await onboarded(lab)
        lab.homeserver.rooms[chat].events.clear()  # nobody tells of it any more
        lab.homeserver.member(chat, BOT, "leave", ANNA)
        lab.homeserver.rooms[chat].events[-1] = (0, lab.homeserver.rooms[chat].events[-1][1])
        async with lab.service(live=False, reconciling=True) as service:
            room = await service.store.transact(rooms.room, chat)
            assert room is not None
            assert room.membership == "leave"
            assert await plans(service) == []


async def test_a_duplicate_is_left(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service():
            _, _, chat = await onboarded(lab)
        marker = lab.homeserver.rooms[chat].events[0][1]["content"][MARKER]
        twin = lab.homeserver._new_room(BOT, {MARKER: marker})
        lab.lose_database()
        async with lab.service(live=False, reconciling=True) as service:
            assert lab.homeserver.rooms[twin].membership(BOT) == "leave"
            assert lab.homeserver.forgotten == [twin]
            assert await plans(service) == []


@pytest.mark.parametrize("is_lost", [True, False])
async def test_what_was_done_by_hand_meanwhile_stays_done(
    clock: MockClock, tmp_path: Path, *, is_lost: bool
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            _, space, chat = await onboarded(lab)
        homeserver.add(space, CHILD, {}, ANNA, state_key=chat)
        if is_lost:
            lab.lose_database()
        async with lab.service(reconciling=True) as service:
            await homeserver.wait(lambda: TEXTS.rooms.archived in homeserver.bodies(chat))
            await service.caught_up()
            assert homeserver.room_account_data[chat, BINDING]["archived"] is True
            assert await service.ask("Hello?", chat) == TEXTS.rooms.archived_question
        async with lab.service(reconciling=True) as service:
            assert await plans(service) == []
            homeserver.add(space, CHILD, {"via": ["x"]}, ANNA, state_key=chat)
            await homeserver.wait(lambda: TEXTS.rooms.unarchived in homeserver.bodies(chat))


async def test_an_archived_chat_is_taken_out_and_a_missing_link_made(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            lobby, space, chat = await onboarded(lab)
            await homeserver.answer(lobby, homeserver.say(lobby, ANNA, "!new"))
            second = homeserver.created[-1]
        binding = homeserver.room_account_data[chat, BINDING]
        homeserver.keep_of_room(chat, BINDING, {**binding, "archived": True})
        events = homeserver.rooms[space].events
        homeserver.rooms[space].events = [
            each for each in events if each[1].get("state_key") != second
        ]
        lab.lose_database()
        async with lab.service(live=False, reconciling=True) as service:
            state = {
                e["state_key"]: e["content"]
                for e in homeserver.rooms[space].state()
                if e["type"] == CHILD
            }
            assert state[chat] == {}
            assert state[second]["via"]
            await service.caught_up()
            assert await plans(service) == []


async def test_a_lost_binding_is_put_back(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            _, _, chat = await onboarded(lab)
            await service.ask("!clear", chat)
            await service.caught_up()
        newer = lab.homeserver.room_account_data[chat, BINDING]
        lab.homeserver.keep_of_room(chat, BINDING, {**newer, "platform_chat_id": 1})
        async with lab.service(live=False, reconciling=True) as service:
            assert lab.homeserver.room_account_data[chat, BINDING] == newer
            await service.caught_up()
            assert await plans(service) == []


async def test_a_chat_that_went_on_elsewhere_goes_on_there(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service() as service:
            _, _, chat = await onboarded(lab)
            homeserver.member(chat, ANNA, "join", ANNA)
            await service.ask("Hello?", chat)
            new = homeserver.upgrade(chat, ANNA)
            homeserver.member(new, BOT, "invite", ANNA)
            await homeserver.wait(lambda: TEXTS.rooms.moved_here in homeserver.bodies(new))
            await service.caught_up()
        lab.lose_database()
        async with lab.service(reconciling=True) as service:
            for room_id, kind in ((chat, RoomKind.MOVED), (new, RoomKind.CHAT)):
                room = await service.store.transact(rooms.room, room_id)
                assert room is not None
                assert room.kind is kind
            assert await service.ask("Still there?", new) == "Answer to Still there?"
            assert homeserver.bodies(new).count(TEXTS.rooms.moved_here) == 1


async def test_an_upgrade_while_the_service_was_down_is_followed(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            _, _, chat = await onboarded(lab)
            homeserver.member(chat, ANNA, "join", ANNA)
        new = homeserver.upgrade(chat, ANNA)
        homeserver.member(new, BOT, "invite", ANNA)
        lab.lose_database()
        async with lab.service(reconciling=True) as service:
            await homeserver.wait(lambda: TEXTS.rooms.moved_here in homeserver.bodies(new))
            assert await service.ask("Hello?", new) == "Answer to Hello?"


async def test_what_is_refused_stops_nothing(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            _, space, chat = await onboarded(lab)
        homeserver.rooms[space].events = [
            each for each in homeserver.rooms[space].events if each[1].get("state_key") != chat
        ]
        lab.proxy.spoil(f"PUT .*{CHILD}", REFUSED)
        lab.lose_database()
        with caplog.at_level(logging.INFO):
            async with lab.service(live=False) as service:
                counted: list[tuple[int, int]] = []
                done = await reconcile(
                    service.bridge.means,
                    service.bridge.bindings,
                    service.bridge.spaces,
                    progress=lambda made, of: counted.append((made, of)),
                )
                assert [each.refusal is None for each in done] == [True, True, False, True]
                assert counted == [(n, 4) for n in range(1, 5)]
        ours = [each for each in caplog.messages if "reconciled" in each]
        assert len(ours) == 4
        assert sum(each.startswith("not reconciled: chat") for each in ours) == 1


@pytest.mark.parametrize("answer", [REFUSED, Answer(401, b'{"errcode": "M_UNKNOWN_TOKEN"}')])
async def test_a_homeserver_that_does_not_say_where_we_are(
    clock: MockClock, tmp_path: Path, answer: Answer
) -> None:
    """Then what was told has to do, so that nobody's rooms are unknown."""
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service():
            await onboarded(lab)
        lab.lose_database()
        lab.proxy.spoil("GET .*joined_rooms", answer)
        async with lab.service(live=False) as service:
            if answer is REFUSED:
                assert len(await repaired(service)) == 3
                assert await plans(service) == []
            else:
                with pytest.raises(SessionDeadError):
                    await repaired(service)


async def test_a_session_that_ends_meanwhile_is_the_end(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        old = lab.homeserver.chat_of_bot(ANNA)
        async with lab.service():
            _, space, _ = await onboarded(lab)
        lab.homeserver.add(space, CHILD, {"via": ["x"]}, BOT, state_key=old)
        lab.proxy.spoil("GET .*account_data", Answer(401, b'{"errcode": "M_UNKNOWN_TOKEN"}'))
        async with lab.service(live=False) as service:
            with pytest.raises(SessionDeadError):
                await repaired(service)


async def test_a_stranger_with_our_marker_gets_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        marker = {"intent": "forged", "kind": "space", "owner": BORIS}
        forged = lab.homeserver._new_room(BORIS, {MARKER: marker, "type": "m.space"})
        lab.homeserver.member(forged, BOT, "join", BOT)
        async with lab.service(live=False) as service:
            assert await plans(service) == []


async def test_what_was_missed_is_heard_when_all_is_told_again(
    clock: MockClock, tmp_path: Path
) -> None:
    """Whatever the reason: a link, a binding and settings that the store has never heard of."""
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, space, chat = await onboarded(lab)
        await service.ask("!set streaming off", chat)
        await service.ask("!clear", chat)
        await service.caught_up()
        for table in ("space_children", "kept_settings"):
            await service.change(f"DELETE FROM {table}")  # noqa: S608 - two names
        await service.change("UPDATE users SET streaming = 1")
        await service.change("UPDATE rooms SET creator = NULL, name = 'Old'")
        inbox = await service.store.transact(lambda db: db["inbox"].count)
        token = await service.store.transact(meta.sync_token)
        assert len(await plans(service)) == 1  # to link what is linked
        assert token is not None
        batch = await tell_all(service.client)
        await service.store.transact(retelling.accept_anew, batch, service.ourselves, token)
        (restored,) = await plans(service)
        assert restored == f"settings of {ANNA} restored"
        known = await service.store.transact(rooms.room, chat)
        assert known is not None
        assert (known.creator, known.name) == (BOT, TEXTS.rooms.chat_name(1))
        assert await service.store.transact(lambda db: db["inbox"].count) == inbox
        assert await service.store.transact(meta.sync_token) == token
        assert links(lab, space, CHILD) == [chat]


async def test_a_space_that_went_on_elsewhere_is_followed_once_more(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service() as service:
            _, space, chat = await onboarded(lab)
            homeserver.member(space, ANNA, "join", ANNA)
            new = homeserver.upgrade(space, ANNA)
            homeserver.rooms[new].events[0][1]["content"]["type"] = "m.space"
            homeserver.member(new, BOT, "invite", ANNA)
            await homeserver.wait(lambda: chat in links(lab, new, CHILD))
            await service.caught_up()
        before = said(homeserver)
        lab.lose_database()
        async with lab.service(reconciling=True) as service:
            await trio.sleep(600)
            for room_id, kind in ((space, RoomKind.MOVED), (new, RoomKind.SPACE)):
                room = await service.store.transact(rooms.room, room_id)
                assert room is not None
                assert room.kind is kind
            assert said(homeserver) == before
            assert await plans(service) == []


async def test_the_links_of_others_spaces_are_not_even_read(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        theirs = lab.homeserver._new_room(BORIS, {"type": "m.space"})
        lab.homeserver.member(theirs, BOT, "join", BOT)
        lab.homeserver.add(theirs, CHILD, {"via": ["x"]}, BORIS, state_key="!any")
        async with lab.service(live=False) as service:
            observed = (await compare(service.bridge.means)).observed
            assert [room.room_id for room in observed.rooms] == [theirs]
            assert observed.children == ()


async def test_an_older_database_is_brought_up_to_date(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            _, space, chat = await onboarded(lab)
            await service.caught_up()
            lab.crash()  # what is done from here on is lost
            for command in ("!clear", "!set threads own", "!archive"):
                await service.ask(command, chat)
        kept = lab.homeserver.room_account_data[chat, BINDING]
        said_before = said(lab.homeserver)
        with caplog.at_level(logging.INFO):
            async with lab.service(reconciling=True) as service:
                assert f"reconciled: chat {chat} of {ANNA} brought up to date" in caplog.text
                bound = await service.bridge.bindings.of(chat)
                assert bound is not None
                assert binding_content(bound) == kept
                assert await plans(service) == []
                await trio.sleep(600)
                assert said(lab.homeserver) == said_before
                assert lab.homeserver.room_account_data[chat, BINDING] == kept
                assert await service.ask("Hello?", chat) == TEXTS.rooms.archived_question
        assert links(lab, space, CHILD) == [chat]


async def test_cut_off_anywhere_the_next_start_does_the_rest(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            _, space, chat = await onboarded(lab)
            await service.ask("!set language ru", chat)
        old = lab.homeserver.chat_of_bot(ANNA)
        lab.homeserver.add(space, CHILD, {"via": ["x"]}, BOT, state_key=old)
        lab.lose_database()
        left: list[Path] = []

        def copy(made: int, _of: int) -> None:
            left.append(tmp_path / f"after {made}")
            shutil.copytree(lab.directory, left[-1])

        async with lab.service(live=False) as service:
            bridge = service.bridge
            done = await reconcile(bridge.means, bridge.bindings, bridge.spaces, progress=copy)
        assert len(done) == len(left) == 5
        numbers = set()
        for directory in left:
            lab.directory = directory
            async with lab.service(live=False, reconciling=True) as service:
                await service.caught_up()
                assert await plans(service) == []
                numbers.add(lab.homeserver.room_account_data[old, BINDING]["platform_chat_id"])
        assert len(numbers) == 1


async def test_an_onboarding_that_had_not_made_anything_goes_on(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold()
        async with lab.service():
            rule = lab.proxy.spoil("POST .*createRoom", hold)
            lobby = lab.homeserver.direct_chat(ANNA)
            await hold.caught.wait()
        lab.proxy.mend(rule)
        made = len(lab.homeserver.created)
        lab.lose_database()
        async with lab.service(reconciling=True):
            await lab.homeserver.wait(lambda: bool(lab.homeserver.bodies(lobby)))
            await trio.sleep(600)
            assert len(lab.homeserver.rooms_of_kind(ANNA, "space")) == 1
            assert len(lab.homeserver.rooms_of_kind(ANNA, "chat")) == 1
            assert len(lab.homeserver.bodies(lobby)) == 1
            assert len(lab.homeserver.created) - made <= 2


async def test_a_chat_that_was_made_after_what_the_database_knows_keeps_its_context(
    clock: MockClock, tmp_path: Path
) -> None:
    """Its intent is open again, but the homeserver says that it was done, and what came of it."""
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold()
        async with lab.service() as service:
            lab.proxy.spoil("POST .*createRoom", hold, containing=b'"kind": "chat"')
            lab.homeserver.direct_chat(ANNA)
            await hold.caught.wait()
            await service.caught_up()
            lab.crash()  # what is done from here on is lost
            hold.release()
            await lab.homeserver.wait(lambda: len(lab.homeserver.created) == 2)
            chat = lab.homeserver.created[1]
            await lab.homeserver.wait(lambda: bool(lab.homeserver.bodies(chat)))
            await service.ask("!clear", chat)
        lab.proxy.mend()
        kept = lab.homeserver.room_account_data[chat, BINDING]
        said_before = said(lab.homeserver)
        async with lab.service(reconciling=True) as service:
            await trio.sleep(600)
            assert lab.homeserver.room_account_data[chat, BINDING] == kept
            assert said(lab.homeserver) == said_before
            assert len(lab.homeserver.created) == 2
            await service.caught_up()
            assert await plans(service) == []


async def test_a_room_that_comes_while_it_is_asked_is_no_room_that_was_left(
    clock: MockClock, tmp_path: Path
) -> None:
    """As when a killed start's createRoom is still at work: what is told next says we are in it."""
    async with open_lab(clock, tmp_path) as lab, lab.service(live=False) as service:
        hold = Hold(answer=True)
        lab.proxy.spoil("GET .*joined_rooms", hold)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(repaired, service)
            await hold.caught.wait()
            late = lab.homeserver.chat_of_bot(ANNA)
            await service.caught_up()
            hold.release()
        assert await service.store.transact(rooms.is_joined, late)


@pytest.mark.parametrize("is_told", [True, False])
async def test_nobody_who_left_is_invited_again(
    clock: MockClock, tmp_path: Path, *, is_told: bool
) -> None:
    """Nor who may have left."""
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            lab.proxy.spoil("POST .*createRoom", REFUSED, containing=b'"kind": "chat"')
            lobby = homeserver.direct_chat(ANNA)
            await homeserver.wait(lambda: len(homeserver.created) == 1)
            await trio.sleep(60)
        lab.proxy.mend()
        (space,) = homeserver.created
        if is_told:
            homeserver.member(space, ANNA, "leave", ANNA)
        else:
            lab.proxy.spoil("GET .*/state/m.room.member/", REFUSED)
        lab.lose_database()
        async with lab.service(reconciling=True) as service:
            await trio.sleep(600)
            assert homeserver.created == [space]
            assert await plans(service) == []
            homeserver.direct_chat(ANNA)  # now they ask for it
            await homeserver.wait(lambda: len(homeserver.created) == 2)
            assert lobby not in homeserver.created


@pytest.mark.parametrize("answer", [Answer(500), rate_limited(60_000), Loss.REQUEST])
async def test_rooms_at_which_the_homeserver_fails_do_not_keep_the_service_from_starting(
    clock: MockClock, tmp_path: Path, answer: Answer | Loss, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service():
            _, space, chat = await onboarded(lab)
        old = [homeserver.chat_of_bot(ANNA) for _ in range(9)]
        for room_id in old:
            homeserver.add(space, CHILD, {"via": ["x"]}, BOT, state_key=room_id)
        homeserver.direct_chat(BORIS)
        lab.proxy.spoil(f"PUT .*account_data/{BINDING}", answer)
        lab.lose_database()
        async with lab.service(live=False) as service:
            bridge = service.bridge
            began = trio.current_time()
            done = await reconcile(bridge.means, bridge.bindings, bridge.spaces, patience=300)
            assert trio.current_time() - began < 301
            assert sum(each.refusal is not None for each in done) == len(old)
            restored = await service.store.transact(rooms.room, chat)
            assert restored is not None
            assert restored.kind is RoomKind.CHAT
            assert "left to the next start" in caplog.text
            lab.proxy.mend()
            assert len(await repaired(service)) == len(old)
            await service.caught_up()
            assert await plans(service) == []
