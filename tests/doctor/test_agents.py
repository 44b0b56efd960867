from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio
from trio_websocket import WebSocketRequest

from lambda_matrix.agent.errors import AgentError, HandshakeRefused, InputRefused, Unauthorized
from lambda_matrix.agent.greeting import Answered, Welcomed
from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.doctor import agents
from lambda_matrix.doctor.examination import examine
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped
from lambda_matrix.ids import AgentId
from lambda_matrix.secret import Secret
from tests.agent.servers import entry_at, hang, tcp_agent, websocket_agent
from tests.doctor.telling import told


async def look(entry: AgentEntry) -> str:
    (check,) = agents.checks(Registry(entry.id, {entry.id: entry}))
    (examined,) = await examine("agents", [check])
    return told(examined.findings)


async def welcome(request: WebSocketRequest, *, begun: list[bool]) -> None:
    headers = dict(request.headers)
    if headers.get(b"authorization") != b"Bearer good":
        await request.reject(401)
        return
    socket = await request.accept()
    try:
        await socket.get_message()
    except Exception:  # noqa: BLE001 - whatever says that no message came
        begun.append(False)
    else:
        begun.append(True)


async def test_an_agent_opens_a_connection_and_no_run_is_begun() -> None:
    begun: list[bool] = []
    async with websocket_agent(partial(welcome, begun=begun)) as url:
        said = await look(entry_at(url, token=Secret("good")))
    assert "connects in 0." in said
    assert "Passed: agent main: would take a run, in 0." in said
    assert begun == [False]


@pytest.mark.parametrize(
    ("token", "what"), [(None, "wants a token"), (Secret("bad"), "refuses the token")]
)
async def test_a_wrong_token(token: Secret | None, what: str) -> None:
    async with websocket_agent(partial(welcome, begun=[])) as url:
        said = await look(entry_at(url, token=token))
    assert f"Failed: agent main: {what} (HTTP status 401 at the handshake)" in said


async def test_an_agent_that_is_away() -> None:
    said = await look(entry_at("ws://127.0.0.1:9"))
    assert said == "Failed: agent main: no connection to 127.0.0.1:9: Connection refused"


async def test_a_host_that_there_is_not() -> None:
    said = await look(entry_at("ws://nowhere.invalid"))
    assert said == "Failed: agent main: there is no host nowhere.invalid"


async def test_an_agent_that_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "_TIMEOUT", 0.05)
    async with tcp_agent(hang) as url:
        assert "no handshake within" in await look(entry_at(url))


async def answer(stream: trio.SocketStream, *, status: str, seen: list[bytes]) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        got = await stream.receive_some()
        if not got:
            return  # the connection alone was looked at
        data += got
    seen.append(data)
    await stream.send_all(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("405 Method Not Allowed", "Passed: agent main: takes POST alone, as it should"),
        ("200 OK", "Passed: agent main: answers (HTTP status 200); more would be a run"),
        ("404 Not Found", "Failed: agent main: nothing is at http://127.0.0.1:"),
        ("500 Oops", "Failed: agent main: HTTP status 500"),
        ("403 Forbidden", "Failed: agent main: refuses the token (HTTP status 403)"),
    ],
)
async def test_an_agent_over_http_is_asked_for_nothing(status: str, said: str) -> None:
    seen: list[bytes] = []
    async with tcp_agent(partial(answer, status=status, seen=seen), "http") as url:
        assert said in await look(entry_at(url, token=Secret("t0ken")))
    (request,) = seen
    assert request.startswith(b"GET / ")
    assert b"Bearer t0ken" in request


async def test_no_agents_are_known() -> None:
    (examined,) = await examine("agents", agents.checks(None))
    assert isinstance(examined.findings[0], Skipped)


ENTRY = AgentEntry(AgentId("main"), "Lambda", "ws://x", workspace=Path("/agents"))


@pytest.mark.parametrize(
    ("error", "status"),
    [(HandshakeRefused("no"), 69), (InputRefused("no"), 69), (Unauthorized("no"), 78)],
)
def test_each_refusal_says_what_to_do(error: AgentError, status: int) -> None:
    found = agents.judge_refusal(ENTRY, error)
    assert isinstance(found, Failed)
    assert found.status == status
    assert found.advice


@pytest.mark.parametrize(
    ("greeting", "kind"), [(Welcomed(), Passed), (Answered(200), Passed), (Answered(502), Failed)]
)
def test_each_greeting(greeting: Welcomed | Answered, kind: type[Finding]) -> None:
    assert isinstance(agents.judge_greeting(ENTRY, greeting, 0.1), kind)
