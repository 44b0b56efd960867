"""What a limited sync left out is read back: in order, bounded, and without holding up others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.ids import RoomId
from lambda_matrix.surface.gaps import AT_ONCE
from tests.lab.proxy import Answer, Hold, bad_gateway
from tests.lab.small_homeserver import ANNA, BOT
from tests.surface.bridging import TEXTS, Lab, Service, open_lab

MESSAGES = "GET .*/messages"


def refusal(status: int, errcode: str) -> Answer:
    return Answer(status, json.dumps({"errcode": errcode, "error": "no"}).encode())


async def chat_that_was_left_alone(lab: Lab) -> RoomId:
    """A chat that the service knows, with everything in it answered."""
    async with lab.chat() as service:
        await service.ask("Before")
        await trio.sleep(5)
        return service.room


def say_many(lab: Lab, room: RoomId, count: int) -> list[str]:
    questions = [lab.homeserver.say(room, ANNA, f"Q{number:03d}") for number in range(count)]
    lab.homeserver.timeline_limit = 3
    return [str(question) for question in questions]


async def all_answered(lab: Lab, room: RoomId, count: int) -> None:
    expected = [f"Answer to Q{number:03d}" for number in range(count)]
    await lab.homeserver.wait(lambda: f"Answer to Q{count - 1:03d}" in lab.homeserver.bodies(room))
    assert [body for body in lab.homeserver.bodies(room) if "Q" in body] == expected


async def test_a_gap_is_filled_in_order(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        say_many(lab, room, 150)
        async with lab.service():
            await all_answered(lab, room, 150)
        assert len(lab.agent.runs) == 151


async def test_a_gap_while_at_work_is_filled_too(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        hold = Hold()
        rule = lab.proxy.spoil("GET .*/sync", hold)
        lab.homeserver.say(service.room, ANNA, "A notice", msgtype="m.notice")
        await hold.caught.wait()
        say_many(lab, service.room, 20)
        lab.proxy.mend(rule)
        await all_answered(lab, service.room, 20)


async def test_a_gap_too_long_is_read_as_far_as_the_bound_and_confessed(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        lost = lab.homeserver.say(room, ANNA, "Lost")
        for number in range(2050):
            lab.homeserver.say(room, ANNA, f"noise {number}", msgtype="m.notice")
        say_many(lab, room, 5)
        async with lab.service():
            await all_answered(lab, room, 5)
            await trio.sleep(5)
            assert TEXTS.service.gap in lab.homeserver.bodies(room)
            assert not lab.homeserver.finals(room, lost)


async def test_a_gap_that_may_not_be_read_is_confessed(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        say_many(lab, room, 10)
        lab.proxy.spoil(MESSAGES, refusal(403, "M_FORBIDDEN"))
        async with lab.service():
            await lab.homeserver.wait(lambda: "Answer to Q009" in lab.homeserver.bodies(room))
            await trio.sleep(5)
            shown = lab.homeserver.bodies(room)
        assert shown.count(TEXTS.service.gap) == 1
        assert [body for body in shown if "Q" in body] == [f"Answer to Q{n:03d}" for n in (7, 8, 9)]
        assert "cannot be read" in caplog.text


async def test_a_token_that_the_homeserver_lost_is_done_without(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        say_many(lab, room, 10)
        lab.proxy.spoil(f"{MESSAGES}.*[?&]to=", refusal(400, "M_INVALID_PARAM"))
        async with lab.service():
            await all_answered(lab, room, 10)
            await trio.sleep(5)
        assert len(lab.agent.runs) == 11, "what is known ended the gap"
        assert TEXTS.service.gap not in lab.homeserver.bodies(room)


async def test_a_passing_error_leaves_the_gap_and_other_rooms_go_on(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        say_many(lab, room, 10)
        rule = lab.proxy.spoil(MESSAGES, bad_gateway())
        async with lab.service() as service:
            other = await service.new_chat()
            assert await service.ask("Elsewhere", other) == "Answer to Elsewhere"
            await trio.sleep(300)
            assert lab.agent.questions == ["Before", "Elsewhere"], "the room waits for its gap"
            lab.crash()
        async with lab.service():
            await trio.sleep(60)
            assert lab.agent.questions == ["Before", "Elsewhere"], "also after a crash"
            lab.proxy.mend(rule)
            await all_answered(lab, room, 10)


async def test_many_gaps_are_read_a_few_at_a_time(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            chats = [await service.new_chat() for _ in range(AT_ONCE + 2)]
            other = await service.new_chat()
            await trio.sleep(5)
        for room in chats:
            say_many(lab, room, 5)
        rule = lab.proxy.spoil(MESSAGES, Hold())
        async with lab.service() as service:
            assert await service.ask("Elsewhere", other) == "Answer to Elsewhere"
            assert len(lab.proxy.made(MESSAGES)) == AT_ONCE
            lab.proxy.mend(rule)
            for room in chats:
                await all_answered(lab, room, 5)


async def test_a_session_that_ends_meanwhile_loses_nothing(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        say_many(lab, room, 10)
        rule = lab.proxy.spoil(MESSAGES, refusal(401, "M_UNKNOWN_TOKEN"))
        async with lab.service():
            await lab.proxy.wait_made(MESSAGES, 2)
        lab.proxy.mend(rule)
        async with lab.service():  # after a new login
            await all_answered(lab, room, 10)


async def test_a_gap_at_which_the_homeserver_always_fails_holds_up_no_room_for_ever(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        say_many(lab, room, 10)
        lab.proxy.spoil(MESSAGES, refusal(500, "M_UNKNOWN"))
        async with lab.service():
            with trio.fail_after(600):
                await lab.homeserver.wait(
                    lambda: "Answer to Q009" in lab.homeserver.bodies(room), within=600
                )
                await lab.homeserver.wait(lambda: TEXTS.service.gap in lab.homeserver.bodies(room))


async def test_nothing_from_before_the_own_join_counts(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        lab.homeserver.member(room, BOT, "leave", ANNA)
        async with lab.service() as service:
            await service.caught_up()
        lab.homeserver.say(room, ANNA, "While you were out")
        lab.homeserver.member(room, BOT, "join", BOT)
        say_many(lab, room, 10)
        async with lab.service():
            await all_answered(lab, room, 10)
        assert "While you were out" not in lab.agent.questions


async def rebind(lab: Lab, service: Service, room: RoomId) -> None:
    """As the recovery of rooms does it after the database was lost."""
    await service.bind(room)
    assert lab.homeserver.rooms[room].membership(BOT) == "join"


async def test_after_the_loss_of_the_database_no_answered_question_is_answered_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
            for number in range(10):
                await service.ask(f"Question {number}")
            await trio.sleep(5)
        lab.lose_database()
        # Whose answer is gone lies before one that is there: nobody asks it again.
        redacted = lab.homeserver.sent(room)[0]
        redacted["content"] = {}
        waiting = lab.homeserver.say(room, ANNA, "Waiting")
        command = lab.homeserver.say(room, ANNA, "!help")
        lab.homeserver.say(room, BOT, "Help", **reply_to(command))
        for number in range(3):
            lab.homeserver.say(room, ANNA, f"noise {number}", msgtype="m.notice")
        lab.homeserver.timeline_limit = 2
        async with lab.service(live=False) as service:
            await service.caught_up()
            await rebind(lab, service, room)
            async with trio.open_nursery() as nursery:
                await nursery.start(service.bridge.run)
                answer = await lab.homeserver.answer(room, waiting)
                assert answer == "Answer to Waiting", "a reply to a command proves nothing"
                await trio.sleep(60)
                nursery.cancel_scope.cancel()
        assert lab.agent.questions == [*(f"Question {n}" for n in range(10)), "Waiting"]
        assert TEXTS.service.gap not in lab.homeserver.bodies(room)


def reply_to(command: str) -> dict[str, object]:
    """What a reply to a command looks like; it came out of turn, before the answers."""
    mark = {
        "question": command,
        "request": f"command:{command}",
        "part": 0,
        "parts": 1,
        "state": "final",
        "instance": "0000000000001-start",
    }
    return {"msgtype": "m.notice", "ru.coredump.lambda.answer": mark}


async def test_malformed_events_in_a_gap_hold_nothing_up(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_that_was_left_alone(lab)
        lab.homeserver.add(room, "m.room.message", {"msgtype": "m.text", "body": 5}, ANNA)
        say_many(lab, room, 10)
        async with lab.service():
            await all_answered(lab, room, 10)
