"""A homeserver that limits, falls away, garbles, or loses what it did: nothing lost or doubled."""

from __future__ import annotations

import pytest

from lambda_matrix.demo.view import text_at
from tests.lab.chatting import Chatting, Stack, open_chatting
from tests.lab.proxy import Answer, Fault, Hold, Loss, bad_gateway, rate_limited

SENDS = r"^PUT .*/send/m\.room\.message/"
SYNCS = r"^GET .*/sync\?"
FAULTS: dict[str, Fault] = {
    "a 429": rate_limited(200),
    "a 502 in HTML": bad_gateway(),
    "a 500": Answer(500),
    "a 504 without a body": Answer(504, b"", {}),
    "a 200 that is no JSON": Answer(200, b"<html>captive portal</html>", {}),
    "a lost request": Loss.REQUEST,
    "a lost answer": Loss.ANSWER,
    "half an answer": Loss.HALF,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_of_sending_neither_loses_nor_doubles(
    chatting: Chatting, fault: Fault
) -> None:
    rule = chatting.proxy.spoil(SENDS, fault, times=2)
    question = await chatting.say("hello")
    answer = await chatting.answer(question)
    # What the homeserver has done comes back as an echo, and that may settle it before a retry.
    assert rule.hits == 2 or (fault in {Loss.ANSWER, Loss.HALF} and rule.hits == 1)
    assert answer.text.startswith("You said: hello")
    after = await chatting.ask("next")
    assert after.text.startswith("You said: next")
    found = chatting.view.answer(question, chatting.bot)
    assert found is not None
    assert found.doubled == ()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_of_sync_neither_loses_nor_doubles(chatting: Chatting, fault: Fault) -> None:
    await chatting.ask("before")
    rule = chatting.proxy.spoil(SYNCS, fault, times=2)
    questions = [await chatting.say(f"number {n}") for n in range(3)]
    for number, question in enumerate(questions):
        answer = await chatting.answer(question)
        assert answer.text.startswith(f"You said: number {number}")
        assert answer.doubled == ()
    assert rule.hits == 2


async def test_a_slow_answer_through_faults_keeps_its_one_event(chatting: Chatting) -> None:
    chatting.proxy.spoil(SENDS, Loss.ANSWER, times=1)
    question = await chatting.say("slow 4 through it all")
    await chatting.growing(question)
    chatting.proxy.spoil(SENDS, rate_limited(500), times=2)
    chatting.proxy.spoil(SENDS, Loss.ANSWER, times=1)
    answer = await chatting.answer(question)
    assert answer.text.startswith("You said: slow 4 through it all")
    assert answer.doubled == ()
    assert len(answer.parts) == 1


async def test_the_same_transaction_is_sent_again_byte_for_byte(chatting: Chatting) -> None:
    chatting.proxy.spoil(SENDS, bad_gateway(), times=2, containing=b"You said: hello")
    await chatting.ask("hello")
    sends = [one for one in chatting.proxy.made(SENDS) if b"You said: hello" in one.body]
    assert len(sends) == 3
    assert len({(one.target, one.body) for one in sends}) == 1


async def test_faults_of_typing_and_receipts_hurt_nobody(chatting: Chatting) -> None:
    chatting.proxy.spoil("/typing/|/receipt/", Answer(500))
    answer = await chatting.ask("slow 3 all the same")
    assert answer.text.startswith("You said: slow 3")


async def test_a_final_that_is_refused_for_good_blocks_nothing(chatting: Chatting) -> None:
    forbidden = Answer(403, b'{"errcode":"M_FORBIDDEN","error":"a policy says no"}')
    chatting.proxy.spoil(SENDS, forbidden, containing=b"You said: poison")
    refused = await chatting.say("poison")
    assert (await chatting.ask("next")).text.startswith("You said: next")
    told = chatting.view.answer(refused, chatting.bot)
    assert told is None or "refused" in told.text


async def test_a_room_that_it_was_thrown_out_of_stops_no_other(chatting: Chatting) -> None:
    # In a room of the person's own: in the bot's rooms nobody has the power to do this.
    person, bot = chatting.person, chatting.bot
    room = await person.create_room(bot, is_direct=True)
    await person.wait_for(room, lambda view: view.said_by(bot), what="the bot's first words")
    hold = Hold()
    held = chatting.proxy.spoil(SENDS, hold, times=1)
    await chatting.say("!help", room)
    await hold.caught.wait()
    await person.call("POST", "rooms", room, "kick", body={"user_id": bot})
    chatting.proxy.mend(held)
    assert (await chatting.ask("here?")).text.startswith("You said: here?")
    await person.invite(room, bot)
    await person.wait_for(
        room, lambda view: text_at(view.state["m.room.member", bot], "membership") == "join"
    )
    await chatting.ask("!status", room)


async def test_a_homeserver_that_goes_away_is_waited_for(chatting: Chatting) -> None:
    there, chatting.proxy.upstream = chatting.proxy.upstream, "http://127.0.0.1:1"
    question = await chatting.say("are you there?")
    failed = len(chatting.proxy.made(SYNCS))
    await chatting.proxy.wait_made(SYNCS, failed + 2, within=30)
    chatting.proxy.upstream = there
    answer = await chatting.answer(question, within=60)
    assert answer.text.startswith("You said: are you there?")


async def test_a_sync_that_hangs_does_not_stop_the_sending(chatting: Chatting) -> None:
    question = await chatting.say("slow 3 while sync hangs")
    await chatting.growing(question)
    hold = Hold()
    rule = chatting.proxy.spoil(SYNCS, hold, times=1)
    await hold.caught.wait()
    await chatting.answer(question)
    chatting.proxy.mend(rule)


async def test_a_dead_session_ends_with_its_own_code_and_keeps_everything(
    stack: Stack,
) -> None:
    await stack.service.start()
    async with open_chatting(stack) as chatting:
        await chatting.ask("hello")
        dead = Answer(401, b'{"errcode":"M_UNKNOWN_TOKEN","error":"gone","soft_logout":false}')
        rule = stack.proxy.spoil(".*", dead)
        child = stack.service.child
        assert child is not None
        question = await chatting.say("are you still there?")
        assert await child.wait() == 70
        assert "Traceback" not in stack.service.log
        stack.proxy.mend(rule)
        (stack.settings.directory / "state" / "session.json").unlink()
        await stack.service.start()
        assert (await chatting.answer(question)).text.startswith("You said: are you still")


async def test_a_soft_logout_is_logged_in_again(chatting: Chatting) -> None:
    soft = Answer(401, b'{"errcode":"M_UNKNOWN_TOKEN","error":"soft","soft_logout":true}')
    await chatting.ask("before")
    chatting.proxy.spoil(SYNCS, soft, times=1)
    chatting.proxy.spoil("^GET .*/whoami", soft, times=1)
    await chatting.say("a sync that is not answered by a timeout")
    await chatting.proxy.wait_made("^POST .*/login", 2)
    assert (await chatting.ask("after")).text.startswith("You said: after")
