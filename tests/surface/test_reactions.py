"""What happens when somebody says something: who is answered, where, and who is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.texts import UnsupportedKind
from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import ANSWER_KEY
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import MALLORY, TEXTS, open_lab


async def test_who_has_no_access_is_not_heard(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.homeserver.say(service.room, MALLORY, "Let me in")
        lab.homeserver.say(service.room, MALLORY, "!help")
        await service.ask("Hello?")
        await trio.sleep(5)
        assert lab.agent.questions == ["Hello?"]
        assert len(lab.puts()) == 1
        assert "no access" in caplog.text


async def test_notices_edits_and_our_own_words_are_never_answered(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        first = lab.homeserver.say(service.room, BORIS, "I am a bot too", msgtype="m.notice")
        edited = {"rel_type": "m.replace", "event_id": first}
        new = {"msgtype": "m.text", "body": "!help"}
        lab.homeserver.say(
            service.room, ANNA, "* !help", **{"m.relates_to": edited, "m.new_content": new}
        )
        lab.homeserver.say(service.room, BOT, "I said so")
        lab.homeserver.add(
            service.room, "m.room.redaction", {"redacts": first}, ANNA, redacts=first
        )
        await service.ask("Hello?")
        await trio.sleep(5)
        assert lab.agent.questions == ["Hello?"]
        assert len(lab.puts()) == 1


async def test_an_emote_is_a_question(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        question = lab.homeserver.say(service.room, ANNA, "wonders", msgtype="m.emote")
        assert await lab.homeserver.answer(service.room, question) == "Answer to wonders"


@pytest.mark.parametrize(
    ("msgtype", "kind"),
    [
        ("m.image", UnsupportedKind.OTHER),  # one without an address: there is no file
        ("m.location", UnsupportedKind.LOCATION),
        ("org.example.other", UnsupportedKind.OTHER),
    ],
)
async def test_what_is_no_text_is_declined(
    clock: MockClock, tmp_path: Path, msgtype: str, kind: UnsupportedKind
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        message = lab.homeserver.say(service.room, ANNA, "cat.png", msgtype=msgtype)
        answer = await lab.homeserver.answer(service.room, message)
        assert answer == TEXTS.questions.unsupported(kind)
        assert lab.agent.runs == []


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("m.sticker", UnsupportedKind.STICKER),
        ("org.matrix.msc3381.poll.start", UnsupportedKind.POLL),
        ("org.matrix.msc3488.location", UnsupportedKind.LOCATION),
    ],
)
async def test_stickers_polls_and_places_have_their_sentences(
    clock: MockClock, tmp_path: Path, event_type: str, kind: UnsupportedKind
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        content = {"body": "wave", "url": "mxc://example.org/x", "info": {}}
        message = lab.homeserver.add(service.room, event_type, content, ANNA)
        answer = await lab.homeserver.answer(service.room, message)
        assert answer == TEXTS.questions.unsupported(kind)


async def test_an_unregistered_room_is_told_once(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        room = lab.homeserver.chat_of_bot(ANNA)
        for body in ("Hello?", "Anybody?", "!chats"):
            lab.homeserver.say(room, ANNA, body)
        lab.homeserver.say(room, ANNA, "cat.png", msgtype="m.image")
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(room)))
        await trio.sleep(60)
        assert lab.homeserver.bodies(room) == [TEXTS.onboarding.strange_room]
        assert lab.agent.runs == []
        assert f"unregistered:{room}" in caplog.text


async def test_among_several_people_only_what_is_said_to_us_is_answered(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room = await service.new_chat(ANNA, BORIS)
        lab.homeserver.say(room, BORIS, "Anna, what do you think?")
        mention = {"m.mentions": {"user_ids": [BOT]}}
        question = lab.homeserver.say(room, BORIS, "Lambda, and you?", **mention)
        assert await lab.homeserver.answer(room, question) == "Answer to and you?"
        command = lab.homeserver.say(room, ANNA, "!stop")
        assert await lab.homeserver.answer(room, command) == TEXTS.questions.nothing_to_stop
        (answer,) = lab.homeserver.finals(room, question)
        assert answer["m.relates_to"] == {"m.in_reply_to": {"event_id": question}}
        assert answer["m.mentions"] == {}
        assert lab.agent.questions == ["and you?"]


async def test_among_several_a_room_of_nobody_is_silent(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room = lab.homeserver.chat_of_bot(ANNA, BORIS)
        lab.homeserver.say(room, BORIS, "Anna, what do you think?")
        await service.caught_up()
        await trio.sleep(60)
        assert lab.homeserver.sent(room) == []


async def test_between_two_an_answer_at_once_is_no_reply(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("Hello?")
        (event,) = lab.homeserver.sent(service.room)
        assert "m.relates_to" not in event["content"]
        assert event["content"]["msgtype"] == "m.text"


async def test_an_event_that_breaks_something_is_let_go_after_three_tries(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        # A fact of an older version that this one cannot read any more.
        other = await service.new_chat()
        trigger = (
            "CREATE TRIGGER poison BEFORE INSERT ON requests WHEN new.text = 'Poison'"
            " BEGIN SELECT raise(ABORT, 'poisoned'); END"
        )
        await service.change(trigger)
        poison = lab.homeserver.say(service.room, ANNA, "Poison")
        after = lab.homeserver.say(service.room, ANNA, "After")
        began = trio.current_time()
        assert await service.ask("Elsewhere", other) == "Answer to Elsewhere"
        assert trio.current_time() - began < 1, "a fault in one room leaves others alone"
        assert await lab.homeserver.answer(service.room, after) == "Answer to After"
        apology = lab.homeserver.finals(service.room, poison)[0]["body"]
        assert apology == TEXTS.answers.failure(RunFailure.GAVE_UP)
        assert caplog.text.count("poisoned") == 3 * caplog.text.count("gave up on event")


async def test_everything_said_names_its_question(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        command = lab.homeserver.say(service.room, ANNA, "!help")
        await lab.homeserver.answer(service.room, command)
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        await lab.homeserver.answer(service.room, question)
        marks = [event["content"][ANSWER_KEY] for event in lab.homeserver.sent(service.room)]
        assert [mark["question"] for mark in marks] == [command, question]
        assert {mark["instance"] for mark in marks} == {service.ourselves.instance}


async def test_a_room_that_was_never_told_by_sync_is_left_alone(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        service.bridge.reactions.wake([RoomId("!unknown")])
        service.bridge.onboarding.lanes.wake([RoomId("!unknown")])
        await trio.sleep(1)
        assert lab.puts() == []
