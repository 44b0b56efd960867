"""Agents that fail, each in its way, and what the person is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock
from trio_websocket import WebSocketRequest

from lambda_matrix.agent import websocket
from lambda_matrix.agent.registry import Registry
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.ids import AgentId
from tests.agent.servers import tcp_agent, websocket_agent
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import TEXTS, AgentRun, open_lab, say_nothing
from tests.surface.runs.test_answering import attempts


async def refuse(status: int, request: WebSocketRequest) -> None:
    await request.reject(status, body=b"no")


async def nobody(_: trio.SocketStream) -> None:
    """Serve nothing."""


async def hang_up(run: AgentRun) -> None:
    await run.start()
    await run.socket.aclose()


async def close_as_bad_input(run: AgentRun) -> None:
    await run.socket.aclose(code=1007)


async def speak_nonsense(run: AgentRun) -> None:
    await run.socket.send_message("nonsense")


async def speak_too_long(run: AgentRun) -> None:
    await run.start()
    await run.text("x" * (websocket.MAX_FRAME + 1))


async def report_an_error(run: AgentRun) -> None:
    await run.start()
    await run.say({"type": "RUN_ERROR", "message": "out of memory"})


async def drip(run: AgentRun) -> None:
    await run.start()
    while True:
        await trio.sleep(5)
        await run.say({"type": "CUSTOM", "name": "nothing", "value": {}})


FAILURES = {
    RunFailure.TRUNCATED: hang_up,
    RunFailure.INPUT_REFUSED: close_as_bad_input,
    RunFailure.BAD_FRAME: speak_nonsense,
    RunFailure.FRAME_TOO_LARGE: speak_too_long,
    RunFailure.RUN_ERROR: report_an_error,
    RunFailure.IDLE_TIMEOUT: say_nothing,
    RunFailure.RUN_TIMEOUT: drip,
}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.value)
async def test_each_failure_has_its_sentence(
    clock: MockClock, tmp_path: Path, failure: RunFailure, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Megabytes take real time to arrive, in which a clock that jumps would run ahead.
    monkeypatch.setattr(websocket, "MAX_FRAME", 1 << 18)
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(idle_timeout=30.0, run_timeout=100.0)
        lab.agent.behave = FAILURES[failure]
        async with lab.chat() as service:
            assert await service.ask("Anybody?") == TEXTS.answers.failure(failure)
            assert await attempts(service) == [(1, failure.value)]
            assert len(lab.agent.runs) == 1, "what reached the agent is not asked twice"


@pytest.mark.parametrize(
    ("status", "failure"),
    [(503, RunFailure.HANDSHAKE_REFUSED), (401, RunFailure.UNAUTHORIZED)],
    ids=["503", "401"],
)
async def test_a_refused_handshake_has_its_sentence(
    clock: MockClock, tmp_path: Path, status: int, failure: RunFailure
) -> None:
    async def handler(request: WebSocketRequest) -> None:
        await refuse(status, request)

    async with open_lab(clock, tmp_path) as lab, websocket_agent(handler) as url:
        lab.with_agent(base_url=url)
        async with lab.chat() as service:
            assert await service.ask("Anybody?") == TEXTS.answers.failure(failure)


async def test_an_agent_that_is_not_there_is_tried_again_then_told(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        there = lab.entry.base_url
        async with tcp_agent(nobody) as gone:
            pass
        lab.with_agent(base_url=gone)
        async with lab.chat() as service:
            began = trio.current_time()
            assert await service.ask("Anybody?") == TEXTS.answers.failure(RunFailure.UNREACHABLE)
            assert trio.current_time() - began >= 3.5
        assert there != gone


async def test_an_agent_that_is_no_longer_registered(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            pass
        lab.registry = Registry(AgentId("other"), {})
        async with lab.service() as service_without_agent:
            question = lab.homeserver.say(service.room, ANNA, "Anybody?")
            answer = await lab.homeserver.answer(service.room, question)
            assert answer == TEXTS.answers.failure(RunFailure.NO_AGENT)
            assert await attempts(service_without_agent) == [(1, "no_agent")]


async def test_a_room_whose_agent_hangs_holds_up_no_other(clock: MockClock, tmp_path: Path) -> None:
    async def hang_on_request(run: AgentRun) -> None:
        if run.question != "Hang":
            await run.answer("Here I am")

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        lab.agent.behave = hang_on_request
        question = lab.homeserver.say(service.room, ANNA, "Hang")
        await lab.agent.run()
        began = trio.current_time()
        for number in range(3):
            assert await service.ask(f"Question {number}", other) == "Here I am"
        assert trio.current_time() - began < 5
        assert not lab.homeserver.finals(service.room, question)


async def test_the_text_of_an_answer_that_broke_off_stays(clock: MockClock, tmp_path: Path) -> None:
    async def break_off(run: AgentRun) -> None:
        await run.start()
        await run.text("Half an answer")
        await run.socket.aclose()

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = break_off
        answer = await service.ask("Talk")
        assert answer.startswith("Half an answer\n\n")
        assert "broke off" in answer
