"""One request at work: quick and slow answers, queues, orderly stops, crashes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
import trio
from attrs import evolve
from sqlite_utils import Database
from trio.testing import MockClock

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.limits import Limits
from lambda_matrix.matrix_events import ANSWER_KEY
from tests.lab.proxy import Hold, Loss
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import (
    POLICY,
    SEND,
    TEXTS,
    AgentRun,
    Service,
    answer_at_once,
    in_steps,
    open_lab,
    say_nothing,
)


async def attempts(service: Service) -> list[tuple[int, str | None]]:
    """Each request's attempts, and its outcome."""
    query = "SELECT attempts, outcome FROM requests ORDER BY batch, place"
    return await service.store.transact(lambda db: db.execute(query).fetchall())


async def test_a_quick_answer_is_one_event_and_one_receipt(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert await service.ask("Hello?") == "Answer to Hello?"
        await trio.sleep(5)
        assert len(lab.puts()) == 1
        assert lab.homeserver.typing == []
        (question,) = (run.input["messages"][0]["id"] for run in lab.agent.runs)
        assert lab.homeserver.receipts == [(service.room, question)]


async def test_a_batch_of_messages_has_one_receipt(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        questions = [lab.homeserver.say(service.room, ANNA, f"Q{n}") for n in range(4)]
        for number, question in enumerate(questions):
            answer = await lab.homeserver.answer(service.room, question)
            assert answer == f"Answer to Q{number}"
        await trio.sleep(2)
        assert lab.homeserver.receipts == [(service.room, questions[-1])]
        assert lab.homeserver.bodies(service.room) == [f"Answer to Q{n}" for n in range(4)]


async def test_the_agent_is_told_what_it_needs(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("!!help is a word")
        run = await lab.agent.run()
        (row,) = await service.store.transact(
            lambda db: db.execute("SELECT request_id, platform_chat_id FROM requests").fetchall()
        )
        assert run.question == "!help is a word"
        assert run.input["threadId"] == str(row[1])
        assert run.input["runId"] == f"{row[0]}.1"


async def test_a_slow_answer_grows_in_one_event(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("One ", "two ", "three")
        question = lab.homeserver.say(service.room, ANNA, "Count")
        await lab.proxy.wait_made(SEND, within=60)
        roots = await service.rows("event_id", "answer_state = 'open'")
        assert len(roots) == 1, "the first event is a row before it is sent (T1b)"
        assert await lab.homeserver.answer(service.room, question) == "One two three"
        first, *edits = lab.homeserver.sent(service.room)
        assert first["content"]["body"] == "One"
        assert len(edits) >= 2
        for edit in edits:
            relation = edit["content"]["m.relates_to"]
            assert relation == {"rel_type": "m.replace", "event_id": first["event_id"]}
        states = [edit["content"][ANSWER_KEY]["state"] for edit in edits]
        assert states == ["open"] * (len(edits) - 1) + ["final"]
        await trio.sleep(1)
        assert [on for _, on in lab.homeserver.typing] == [True, False]


async def test_typing_is_said_again_before_it_runs_out(clock: MockClock, tmp_path: Path) -> None:
    async def think(run: AgentRun) -> None:
        await run.start()
        await trio.sleep(60)
        await run.text("After a minute")
        await run.finish()

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = think
        assert await service.ask("Think") == "After a minute"
        await trio.sleep(1)
        assert [on for _, on in lab.homeserver.typing] == [True, True, True, False]
        bodies = {body.removeprefix("* ") for body in lab.homeserver.bodies(service.room)}
        assert bodies == {"After a minute"}, "nothing was shown before there was text"


async def test_edits_come_ever_more_slowly_and_not_for_ever(
    clock: MockClock, tmp_path: Path
) -> None:
    at: list[float] = []
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps(*(f"{n} " for n in range(120)), pause=2.5)
        question = lab.homeserver.say(service.room, ANNA, "Count")
        while not lab.homeserver.finals(service.room, question):
            await lab.homeserver.wait(lambda: len(lab.homeserver.sent(service.room)) > len(at))
            at.append(trio.current_time())
        previews = lab.homeserver.bodies(service.room)[:-1]
        assert 15 < len(previews) <= 30
        pauses = [later - earlier for earlier, later in pairwise(at[:-1])]
        assert pauses[0] < 3
        assert pauses[-1] > 9


async def test_a_tool_is_shown_as_a_line_under_the_text(clock: MockClock, tmp_path: Path) -> None:
    async def use_a_tool(run: AgentRun) -> None:
        await run.start()
        await run.text("Let me see.")
        await trio.sleep(2)
        await run.say({"type": "TOOL_CALL_START", "toolCallId": "t", "toolCallName": "search"})
        await trio.sleep(3)
        await run.finish()

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = use_a_tool
        assert await service.ask("Look") == "Let me see."
        shown = lab.homeserver.bodies(service.room)
        assert any("search" in body for body in shown[1:-1])


async def test_a_preview_in_flight_is_waited_for_before_the_final(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        go_on = trio.Event()

        async def behave(run: AgentRun) -> None:
            await run.start()
            await run.text("One ")
            await trio.sleep(2)
            await run.text("two ")
            await go_on.wait()
            await run.text("three")
            await run.finish()

        lab.agent.behave = behave
        hold = Hold()
        lab.proxy.spoil(SEND, hold, times=1, containing=b"m.replace")
        question = lab.homeserver.say(service.room, ANNA, "Count")
        await hold.caught.wait()
        go_on.set()
        await trio.sleep(5)
        assert not lab.puts(b'"state":"final"'), "one event of a room is on its way at a time"
        hold.release()
        assert await lab.homeserver.answer(service.room, question) == "One two three"
        await trio.sleep(60)
        assert lab.homeserver.bodies(service.room) == ["One", "* One two", "* One two three"]


async def test_what_cannot_be_shown_at_once_is_not_shown_after_the_final(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("One ", "two ", "three")
        lab.proxy.spoil(SEND, Loss.REQUEST, times=2, containing=b"m.replace")
        assert await service.ask("Count") == "One two three"
        await trio.sleep(60)
        states = [e["content"][ANSWER_KEY]["state"] for e in lab.homeserver.sent(service.room)]
        assert states.count("final") == 1
        assert states[-1] == "final"


async def test_whoever_waits_for_long_is_told_once(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("Done", pause=20)
        homeserver, room = lab.homeserver, service.room
        homeserver.say(room, ANNA, "First")
        await lab.agent.run()
        questions = [homeserver.say(room, ANNA, f"Later {n}") for n in range(2)]
        await trio.sleep(2)
        assert TEXTS.questions.queued(2) not in homeserver.bodies(room)
        await trio.sleep(5)
        notices = [e for e in homeserver.sent(room) if e["content"]["msgtype"] == "m.notice"]
        assert [e["content"]["body"] for e in notices] == [TEXTS.questions.queued(2)]
        for question in questions:
            assert await homeserver.answer(room, question, 120) == "Done"
            root = homeserver.about(room, question)[0]["content"]
            assert root["m.relates_to"] == {"m.in_reply_to": {"event_id": question}}


async def test_a_short_wait_is_not_told(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("Done", pause=1)
        lab.homeserver.say(service.room, ANNA, "First")
        await lab.agent.run()
        await service.ask("Second")
        kinds = {event["content"]["msgtype"] for event in lab.homeserver.sent(service.room)}
        assert kinds == {"m.text"}


@pytest.mark.parametrize("behave", [say_nothing, in_steps("One ", pause=60)])
async def test_a_disk_that_refuses_keeps_nobody_from_stopping_the_service(
    clock: MockClock, tmp_path: Path, behave: Callable[[AgentRun], Awaitable[None]]
) -> None:
    """Neither the attempt to be given back nor the answer to be begun (T1b) is waited for."""
    databases: list[Database] = []
    async with open_lab(clock, tmp_path) as lab, trio.open_nursery() as disk:

        async def refuse() -> None:
            databases[0].execute("PRAGMA query_only = 1")
            await trio.sleep(3600)
            databases[0].execute("PRAGMA query_only = 0")

        async with lab.chat() as service:
            lab.agent.behave = behave
            await service.store.transact(databases.append)
            lab.homeserver.say(service.room, ANNA, "Hello?")
            await lab.agent.run()
            disk.start_soon(refuse)
            await trio.sleep(5)
            stopping = trio.current_time()
        assert trio.current_time() - stopping < 30
        disk.cancel_scope.cancel()


async def test_an_orderly_stop_gives_the_attempt_back(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = say_nothing
        async with lab.chat() as service:
            question = lab.homeserver.say(service.room, ANNA, "Think")
            await lab.agent.run()
            assert await attempts(service) == [(1, None)]
        for number in range(2, 7):  # more often than a question has attempts
            async with lab.service() as again:
                await lab.agent.run(number)
                assert await attempts(again) == [(1, None)]
        async with lab.service(live=False) as idle:
            assert await attempts(idle) == [(0, None)]
        assert not lab.homeserver.finals(service.room, question)


async def test_after_three_crashes_the_answer_is_a_sentence(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = say_nothing
        async with lab.chat() as service:
            room = service.room
            question = lab.homeserver.say(room, ANNA, "Think")
            await lab.agent.run()
            lab.crash()
        for number in (2, 3):
            async with lab.service():
                run = await lab.agent.run(number)
                assert run.input["runId"].endswith(f".{number}")
                lab.crash()
        async with lab.service() as service:
            answer = await lab.homeserver.answer(room, question)
            assert answer == TEXTS.answers.failure(RunFailure.GAVE_UP)
            assert await attempts(service) == [(3, "gave_up")]
        assert len(lab.agent.runs) == 3


@pytest.mark.parametrize("known", [True, False], ids=["answered", "unanswered"])
async def test_a_crash_after_t1b_goes_on_from_the_same_event(
    clock: MockClock, tmp_path: Path, *, known: bool
) -> None:
    """`known`: the homeserver had the event, but its answer never came."""
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = in_steps("Half", pause=3600)
        lab.homeserver.timeline_limit = 1  # no echo settles the row: it lies in a gap
        async with lab.chat() as service:
            hold = Hold(answer=known)
            rule = lab.proxy.spoil(SEND, hold)
            question = lab.homeserver.say(service.room, ANNA, "Talk")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        lab.agent.behave = in_steps("Whole ", "answer")
        async with lab.service():
            assert await lab.homeserver.answer(service.room, question) == "Whole answer"
            await trio.sleep(5)
        first, *more = lab.homeserver.sent(service.room)
        assert first["content"]["body"] == "Half"
        for event in more:
            assert event["content"]["m.relates_to"]["event_id"] == first["event_id"]
        puts = lab.puts(b'"body":"Half"')
        assert len({(put.target, put.body) for put in puts}) == 1
        assert len(lab.homeserver.finals(service.room, question)) == 1


async def test_a_long_answer_comes_in_parts_that_say_how_many_they_are(
    clock: MockClock, tmp_path: Path
) -> None:
    paragraphs = "\n\n".join(f"Paragraph {n} {'word ' * 200}" for n in range(90))

    async def talk(run: AgentRun) -> None:
        await run.answer(paragraphs)

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = talk
        question = lab.homeserver.say(service.room, ANNA, "Talk")
        await lab.homeserver.answer(service.room, question)
        await trio.sleep(5)
        finals = lab.homeserver.finals(service.room, question)
        places = [(each[ANSWER_KEY]["part"], each[ANSWER_KEY]["parts"]) for each in finals]
        assert len(finals) > 1
        assert places == [(number, len(finals)) for number in range(len(finals))]


async def test_interrupts_are_told(clock: MockClock, tmp_path: Path) -> None:
    async def want_consent(run: AgentRun) -> None:
        await run.start()
        interrupt = {"id": "i", "reason": "tool_call", "message": "Delete it?"}
        await run.finish(outcome={"type": "interrupt", "interrupts": [interrupt]})

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = want_consent
        answer = await service.ask("Do it")
        assert "Delete it?" in answer


async def test_a_question_that_has_to_wait_for_other_rooms_is_told_so(
    clock: MockClock, tmp_path: Path
) -> None:
    policy = evolve(POLICY, limits=Limits(runs=1))
    async with open_lab(clock, tmp_path) as lab, lab.chat(policy=policy) as service:
        lab.agent.behave = say_nothing
        other = await service.new_chat(ANNA)
        lab.homeserver.say(other, ANNA, "Think")
        await lab.agent.run()
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        notice = TEXTS.questions.too_many_runs(1)
        await lab.homeserver.wait(lambda: lab.homeserver.bodies(service.room) == [notice])
        lab.agent.behave = answer_at_once
        lab.homeserver.say(other, ANNA, "!stop")
        assert await lab.homeserver.answer(service.room, question) == "Answer to Hello?"


async def test_a_question_that_has_to_wait_for_other_people_is_told_so(
    clock: MockClock, tmp_path: Path
) -> None:
    policy = evolve(POLICY, runs=1, limits=Limits(runs=1))
    async with open_lab(clock, tmp_path) as lab, lab.chat(policy=policy) as service:
        lab.agent.behave = say_nothing
        other = await service.new_chat(BORIS)
        lab.homeserver.say(other, BORIS, "Think")
        await lab.agent.run()
        lab.homeserver.say(service.room, ANNA, "Hello?")
        busy = TEXTS.questions.busy
        await lab.homeserver.wait(lambda: lab.homeserver.bodies(service.room) == [busy])
