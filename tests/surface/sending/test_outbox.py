"""Everything goes out in its room's order, one at a time, whatever other rooms do."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import RoomId
from lambda_matrix.surface.sending.outbox import Preview
from tests.lab.proxy import Hold, rate_limited
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import SEND, TEXTS, in_steps, open_lab


async def test_the_answers_of_a_room_arrive_in_the_order_of_its_questions(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        hold = Hold()
        lab.proxy.spoil(SEND, hold, times=1)
        for number in range(4):
            lab.homeserver.say(service.room, ANNA, f"Q{number}")
        await hold.caught.wait()
        await trio.sleep(10)
        assert len(lab.agent.runs) == 4, "a slow homeserver holds up no run"
        assert len(lab.puts()) == 1, "one event of a room is on its way at a time"
        hold.release()
        await lab.homeserver.wait(lambda: len(lab.homeserver.sent(service.room)) == 4)
        assert lab.homeserver.bodies(service.room) == [f"Answer to Q{n}" for n in range(4)]


async def test_a_send_that_hangs_in_one_room_holds_up_no_other(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        hold = Hold()
        lab.proxy.spoil(SEND, hold, times=1)
        lab.homeserver.say(service.room, ANNA, "Slow")
        await hold.caught.wait()
        began = trio.current_time()
        assert await service.ask("Quick", other) == "Answer to Quick"
        assert trio.current_time() - began < 1
        hold.release()
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(service.room)))


async def test_a_preview_of_what_is_not_there_is_dropped(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        service.bridge.means.outbox.preview(service.room, Preview(404, b"{}"))
        service.bridge.means.outbox.preview(RoomId("!elsewhere"), Preview(404, b"{}"))
        service.bridge.means.outbox.drop_preview(RoomId("!elsewhere"))
        await trio.sleep(5)
        assert lab.puts() == []


async def test_what_was_owed_before_a_crash_goes_out_after_it(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            hold = Hold()
            rule = lab.proxy.spoil(SEND, hold)
            questions = [lab.homeserver.say(service.room, ANNA, f"Q{n}") for n in range(3)]
            await hold.caught.wait()
            await trio.sleep(5)
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            for number, question in enumerate(questions):
                answer = await lab.homeserver.answer(service.room, question)
                assert answer == f"Answer to Q{number}"
            await trio.sleep(5)
        assert lab.homeserver.bodies(service.room) == [f"Answer to Q{n}" for n in range(3)]
        assert len(lab.agent.runs) == 3


async def test_a_preview_that_waited_too_long_does_not_follow_the_final(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        hold = Hold()
        lab.proxy.spoil(SEND, hold, times=1)
        lab.agent.behave = in_steps("One ", "two ", "three", pause=4)
        question = lab.homeserver.say(service.room, ANNA, "Count")
        await hold.caught.wait()
        await trio.sleep(30)  # the answer is whole, the last preview waits behind its root
        hold.release()
        assert await lab.homeserver.answer(service.room, question) == "One two three"
        await trio.sleep(10)
        assert lab.homeserver.bodies(service.room) == ["One", "* One two three"]


async def test_no_preview_goes_through_a_door_that_another_room_closed(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        lab.agent.behave = in_steps(*(f"{number} " for number in range(12)))
        lab.homeserver.say(service.room, ANNA, "Count")
        await lab.homeserver.wait(lambda: len(lab.homeserver.sent(service.room)) == 2)
        lab.proxy.spoil(SEND, rate_limited(10_000), times=1, containing=b"nothing to stop")
        command = lab.homeserver.say(other, ANNA, "!stop")
        await lab.proxy.wait_made(SEND, len(lab.puts()) + 1)
        refused_at, puts = trio.current_time(), len(lab.puts())
        assert await lab.homeserver.answer(other, command) == TEXTS.questions.nothing_to_stop
        assert trio.current_time() - refused_at >= 9
        assert len(lab.puts()) == puts + 1, "the final went first, and nothing before it"


async def test_an_answer_that_cannot_be_begun_is_one_event(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        lab.proxy.spoil(SEND, rate_limited(20_000), times=1, containing=b"nothing to stop")
        command = lab.homeserver.say(other, ANNA, "!stop")
        await lab.proxy.wait_made(SEND, len(lab.puts()) + 1)
        lab.agent.behave = in_steps("One ", "two ", "three", pause=4)
        question = lab.homeserver.say(service.room, ANNA, "Count")
        assert await lab.homeserver.answer(service.room, question) == "One two three"
        assert lab.homeserver.bodies(service.room) == ["One two three"]
        assert await lab.homeserver.answer(other, command)


async def test_what_changes_a_room_takes_its_turn_and_tells_of_the_limit(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        outbox, client = service.bridge.means.outbox, service.bridge.means.client

        async def rename() -> None:
            await client.put_state(service.room, "m.room.name", "", {"name": "Birds"})

        lab.proxy.spoil("PUT .*/state/m.room.name", rate_limited(5_000), times=1)
        with pytest.raises(MatrixError):
            await outbox.in_turn(rename)
        began = trio.current_time()
        await outbox.in_turn(rename)
        assert trio.current_time() - began >= 4.9
