"""What happens to a row that the homeserver does not take, row by row of the table."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.matrix_events import ANSWER_KEY
from tests.lab.proxy import Answer, Fault, Hold, Loss, Rule, bad_gateway, rate_limited
from tests.lab.small_homeserver import ANNA, BOT
from tests.surface.bridging import SEND, TEXTS, AgentRun, Lab, Service, in_steps, open_lab


def refusal(status: int, errcode: str) -> Answer:
    return Answer(status, json.dumps({"errcode": errcode, "error": "no"}).encode())


FAULT_500 = refusal(500, "M_UNKNOWN")


@pytest.mark.parametrize(
    "fault",
    [Loss.REQUEST, Loss.ANSWER, Loss.HALF, bad_gateway(), FAULT_500, refusal(503, "M_UNKNOWN")],
    ids=["lost", "lost-answer", "half-answer", "502-html", "500", "503"],
)
async def test_what_passes_is_sent_again_as_it_was(
    clock: MockClock, tmp_path: Path, fault: Fault
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        # Four times: the transport itself repeats a request whose connection was cut.
        lab.proxy.spoil(SEND, fault, times=4)
        assert await service.ask("Hello?") == "Answer to Hello?"
        await trio.sleep(40)
        puts = lab.puts()
        # Where the homeserver had the event all the same its echo may come before the next try.
        assert len(puts) == 5 or (fault in {Loss.ANSWER, Loss.HALF} and len(puts) > 1)
        assert len({(put.target, put.body) for put in puts}) == 1
        assert lab.homeserver.bodies(service.room) == ["Answer to Hello?"]


async def deaf(lab: Lab, service: Service) -> Rule:
    """From the next answer of /sync on the service hears nothing more; return the rule."""
    rule = lab.proxy.spoil(r"GET .*/sync", Hold())
    syncs = len(lab.proxy.made(r"GET .*/sync"))
    lab.homeserver.say(service.room, ANNA, "Only a notice", msgtype="m.notice")
    await lab.proxy.wait_made(r"GET .*/sync", syncs + 1, within=600)
    return rule


async def test_a_lost_answer_of_a_put_that_was_done_is_no_second_event(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        go_on = trio.Event()

        async def wait(run: AgentRun) -> None:
            await go_on.wait()
            await run.answer("Here you are")

        lab.agent.behave = wait
        lab.homeserver.say(service.room, ANNA, "Hello?")
        await lab.agent.run()
        await deaf(lab, service)  # so no echo settles the row
        lab.proxy.spoil(SEND, Loss.ANSWER, times=3)
        go_on.set()
        await trio.sleep(60)
        assert lab.homeserver.bodies(service.room) == ["Here you are"]
        assert len(lab.puts()) == 4
        assert await service.rows("state") == [("sent",)]


async def test_429_slows_the_whole_account_down(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        lab.proxy.spoil(SEND, rate_limited(20_000), times=1)
        question = lab.homeserver.say(service.room, ANNA, "One")
        await lab.proxy.wait_made(SEND, within=600)
        began = trio.current_time()
        assert await service.ask("Two", other) == "Answer to Two"
        assert await lab.homeserver.answer(service.room, question) == "Answer to One"
        assert trio.current_time() - began >= 20
        assert len(lab.puts()) == 3
        assert len({(put.target, put.body) for put in lab.puts()}) == 2


async def test_previews_are_left_out_while_limited(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps(*(f"{n} " for n in range(30)), pause=1.0)
        lab.proxy.spoil(SEND, rate_limited(20_000), times=1, containing=b"m.replace")
        question = lab.homeserver.say(service.room, ANNA, "Count")
        await lab.homeserver.answer(service.room, question)
        refused = next(put for put in lab.puts() if put.status == 429)
        again = [put for put in lab.puts() if put.body == refused.body]
        assert len(again) == 1, "a preview is never sent again"
        assert len(lab.puts()) <= 4


async def test_a_500_for_ever_becomes_one_plain_notice(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.proxy.spoil(SEND, FAULT_500, containing=b"Answer to Poison")
        question = lab.homeserver.say(service.room, ANNA, "Poison")
        assert await lab.homeserver.answer(service.room, question) == TEXTS.service.undeliverable
        assert len(lab.puts(b"Answer to Poison")) == 6
        assert await service.ask("Next") == "Answer to Next"
        await trio.sleep(1)
        states = await service.rows("state, last_resort")
        assert states == [("undeliverable", 0), ("sent", 1), ("sent", 0)]
        assert lab.metrics.registry.get_sample_value("lambda_matrix_events_refused_total") == 1


async def test_500s_that_are_rare_enough_are_not_for_good(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        rule = lab.proxy.spoil(SEND, refusal(503, "M_UNKNOWN"))
        question = lab.homeserver.say(service.room, ANNA, "Patience")
        await trio.sleep(700)
        lab.proxy.mend(rule)
        assert await lab.homeserver.answer(service.room, question) == "Answer to Patience"
        assert len(lab.puts()) > 12, "a minute between tries at most"


@pytest.mark.parametrize(
    ("status", "errcode"),
    [
        (403, "M_FORBIDDEN"),
        (404, "M_NOT_FOUND"),
        (413, "M_TOO_LARGE"),
        (400, "M_BAD_JSON"),
    ],
)
async def test_what_never_will_is_said_in_one_notice(
    clock: MockClock, tmp_path: Path, status: int, errcode: str
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.proxy.spoil(SEND, refusal(status, errcode), containing=b"Answer to Poison")
        question = lab.homeserver.say(service.room, ANNA, "Poison")
        assert await lab.homeserver.answer(service.room, question) == TEXTS.service.undeliverable
        assert len(lab.puts(b"Answer to Poison")) == 1
        assert await service.ask("Next") == "Answer to Next"


async def test_what_is_refused_twice_is_left_and_the_next_goes_on(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        question = lab.homeserver.say(service.room, ANNA, "Poison")
        lab.proxy.spoil(SEND, refusal(403, "M_FORBIDDEN"), containing=question.encode())
        assert await service.ask("Next") == "Answer to Next"
        await trio.sleep(1)
        states = await service.rows("state")
        assert states == [("undeliverable",), ("undeliverable",), ("sent",)]
        assert "refuses an event for good" in caplog.text
        assert len(lab.puts(question.encode())) == 2


async def test_a_refused_root_makes_the_final_an_event_of_its_own(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("One ", "two")
        lab.proxy.spoil(SEND, refusal(400, "M_BAD_JSON"), containing=b'"state":"open"')
        assert await service.ask("Count") == "One two"
        (only,) = lab.homeserver.sent(service.room)
        assert "m.new_content" not in only["content"]
        assert "m.relates_to" not in only["content"]
        assert only["content"][ANSWER_KEY]["state"] == "final"


async def test_what_is_owed_to_a_room_that_was_left_waits_for_the_return(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        room = service.room
        hold = Hold()
        rule = lab.proxy.spoil(SEND, hold)
        lab.homeserver.say(room, ANNA, "Hello?")
        await hold.caught.wait()
        lab.homeserver.member(room, BOT, "leave", ANNA)
        lab.proxy.mend(rule)
        await trio.sleep(700)
        assert len(lab.puts()) == 1
        assert await service.rows("state, parked") == [("pending", 1)]
        lab.homeserver.member(room, BOT, "invite", ANNA)
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(room)))
        assert lab.homeserver.bodies(room)[0] == "Answer to Hello?"
        assert len({(put.target, put.body) for put in lab.puts(b"Hello?")}) == 1


async def test_a_403_learnt_before_sync_tells_parks_the_room(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        hold = Hold()
        rule = lab.proxy.spoil(SEND, hold)
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        await hold.caught.wait()
        await deaf(lab, service)
        lab.proxy.spoil(r"GET .*/joined_rooms", bad_gateway(), times=2)
        lab.homeserver.member(service.room, BOT, "leave", ANNA)
        lab.proxy.mend(rule)
        await trio.sleep(20)
        assert await service.rows("state, parked") == [("pending", 1)]
        assert not lab.homeserver.finals(service.room, question)
        assert len(lab.puts()) == 1


@pytest.mark.parametrize("errcode", ["M_USER_LOCKED", "M_USER_SUSPENDED"])
async def test_a_paused_account_keeps_everything(
    clock: MockClock, tmp_path: Path, errcode: str
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        rule = lab.proxy.spoil(SEND, refusal(403, errcode))
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        await trio.sleep(600)
        assert len(lab.puts()) <= 11, "asked slowly"
        lab.proxy.mend(rule)
        assert await lab.homeserver.answer(service.room, question) == "Answer to Hello?"


async def test_a_dead_session_keeps_the_row(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.proxy.spoil(SEND, refusal(401, "M_UNKNOWN_TOKEN"), times=3)
        assert await service.ask("Hello?") == "Answer to Hello?"
        assert len({(put.target, put.body) for put in lab.puts()}) == 1


async def crash_with_a_row(lab: Lab, *, arrived: bool) -> Service:
    """Leave an answer in the outbox whose PUT got no answer; the echo lies behind a gap."""
    async with lab.chat() as service:
        hold = Hold(answer=arrived)
        rule = lab.proxy.spoil(SEND, hold)
        lab.homeserver.say(service.room, ANNA, "Hello?")
        await hold.caught.wait()
        lab.crash()
    lab.proxy.mend(rule)
    return service


@pytest.mark.parametrize("arrived", [True, False], ids=["found", "not-found"])
@pytest.mark.parametrize("why", ["device", "age", "clock-set-back"])
async def test_a_row_that_may_be_forgotten_is_looked_for_before_any_put(
    clock: MockClock, tmp_path: Path, why: str, *, arrived: bool
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        before = await crash_with_a_row(lab, arrived=arrived)
        if why == "device":
            lab.homeserver.device_id = "ANOTHER"
        else:
            lab.homeserver.forget_transactions()
        puts_before = len(lab.puts())
        async with lab.service(live=False) as service:
            # As if its echo had been told to nobody.
            await service.change("UPDATE outbox SET state = 'pending', event_id = NULL")
            created = {"age": time.time() - 21 * 3600, "clock-set-back": time.time() + 3600}
            if why in created:
                await service.store.transact(
                    lambda db: (
                        db.execute("UPDATE outbox SET created_at = ?", (created[why],)).rowcount
                    )
                )
            for n in range(150):  # found on the second page, too
                lab.homeserver.say(before.room, ANNA, f"noise {n}", msgtype="m.notice")
            await service.caught_up()
            async with trio.open_nursery() as nursery:
                await nursery.start(service.bridge.run)
                await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(before.room)))
                await trio.sleep(5)
                nursery.cancel_scope.cancel()
            assert await service.rows("state") == [("sent",)]
        assert len(lab.homeserver.sent(before.room)) == 1
        assert len(lab.puts()) - puts_before == (0 if arrived else 1)
        looked = next(n for n, e in enumerate(lab.proxy.exchanges) if e.matches("GET .*/messages"))
        later = [e for e in lab.proxy.exchanges[looked:] if e.matches(SEND)]
        assert len(later) == (0 if arrived else 1)


async def test_looking_ends_at_a_bound(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        before = await crash_with_a_row(lab, arrived=False)
        async with lab.service(live=False) as service:
            await service.change("UPDATE outbox SET created_at = 0")
            for n in range(2100):
                lab.homeserver.say(before.room, ANNA, f"noise {n}", msgtype="m.notice")
            await service.caught_up()
            async with trio.open_nursery() as nursery:
                await nursery.start(service.bridge.run)
                await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(before.room)))
                nursery.cancel_scope.cancel()
        looks = [e for e in lab.proxy.made("GET .*/messages") if "to=" not in e.target]
        assert len(looks) == 20
