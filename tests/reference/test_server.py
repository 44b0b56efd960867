"""The agent on a real socket; the client is the one that the service's wire describes."""

import json
import socket as sockets
from functools import partial
from pathlib import Path

import pytest
import trio
from attrs import evolve

from lambda_matrix.reference import server
from lambda_matrix.reference.memory import Memory, open_memory
from lambda_matrix.reference.run import Agent, Mode
from lambda_matrix.reference.wire import SUBPROTOCOL
from tests.lab.log_ear import LogEar
from tests.reference.asking import (
    TOKEN,
    Heard,
    Json,
    Line,
    listen,
    open_line,
    resume_input,
    run_input,
)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "slow",
        "tool",
        "confirm 2",
        "file",
        "recall",
        "long 30",
        "table",
        "code",
        "math",
        "fail",
        "help",
        "surrogate",
        "tools 3",
        "confirm 2 plain",
        "confirm expiring 5",
        "file image",
        "file outside",
        "history",
        "state",
        "usage 10 20",
        "think",
        "subagent",
        "paragraphs 3",
        "chunks",
        "nothing",
    ],
)
async def test_every_stream_is_ag_ui(line: Line, text: str) -> None:
    heard = await line.ask(run_input(text, "q"))
    frames = tuple(frame.replace("\\ud83d", "") for frame in heard.frames)
    checked = Heard(frames, heard.code).checked()  # pydantic refuses a lone surrogate
    assert checked.types[0] == "RUN_STARTED"
    assert checked.types[-1] == ("RUN_ERROR" if text == "fail" else "RUN_FINISHED")
    assert heard.code == 1000
    assert ("\\ud83d" in "".join(heard.frames)) == (text == "surrogate")


async def test_each_thread_has_its_own_memory(line: Line) -> None:
    await line.say("Apples", "q1", thread="7")
    await line.say("Pears", "q2", thread="8")
    assert (await line.say("And?", "q3", thread="7")).text.endswith(
        "message 2 of this conversation (thread 7); before it you said: Apples"
    )
    assert (await line.say("And?", "q4", thread="8")).text.endswith("you said: Pears")


async def test_messages_that_are_known_are_not_taken_twice(line: Line) -> None:
    loaded = [
        {"id": "$a", "role": "user", "content": "Apples"},
        {"id": "$b", "role": "assistant", "content": "Aha"},
    ]
    question = {"id": "$c", "role": "user", "content": "And?"}
    await line.ask(run_input("", "q1", messages=[*loaded, question]))
    newest = {"id": "$d", "role": "user", "content": "recall"}
    heard = await line.ask(run_input("", "q2", messages=[*loaded, question, newest]))
    assert [entry.split(":")[0] for entry in heard.text.splitlines()[2:]] == [
        "1. user",
        "2. assistant",
        "3. user",
        "4. assistant",
        "5. user",
    ]


async def test_a_repeated_request_is_told_its_answer_again(line: Line, agent: Agent) -> None:
    assert agent.workspace is not None
    first = await line.say("file", "q")
    (agent.workspace / "chats" / "7" / "rehearsal-1.txt").unlink()
    again = await line.say("file", "q", attempt=2)
    assert again.text == first.text
    assert again.events[-2] == first.events[-2]
    assert {event.get("runId") for event in again.events} == {None, "q.2"}
    assert list((agent.workspace / "chats" / "7").iterdir()) == []
    assert "message 2 of" in (await line.say("Hello", "q2")).text


async def test_a_file_is_whole_and_its_folder_shared_with_the_group(
    line: Line, agent: Agent
) -> None:
    assert agent.workspace is not None
    heard = await line.say("file", "q")
    path = agent.workspace / heard.events[-2]["value"]["path"]
    assert path.read_text().startswith("You said: file")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_a_decision_is_told_once_and_its_repeat_again(line: Line) -> None:
    asked = await line.say("confirm 2", "q")
    outcome = asked.events[-1]["outcome"]
    assert outcome["type"] == "interrupt"
    first, second = (one["id"] for one in outcome["interrupts"])
    assert set(outcome["interrupts"][0]["responseSchema"]["properties"]) == {"approved", "reason"}
    part = (await line.ask(resume_input("r", {first: True}))).checked()
    assert part.events[-1]["code"] == "undecided_interrupt"
    answers = {first: True, second: False}
    told = (await line.ask(resume_input("r", answers))).checked()
    assert told.text == f"Decided:\n\n- `{first}`: done\n- `{second}`: left alone"
    for request in ("r", "another"):
        again = (await line.ask(resume_input(request, answers, attempt=2))).checked()
        assert again.text == told.text
    unknown = (await line.ask(resume_input("r2", {"nothing": True}))).checked()
    assert unknown.events[-1]["code"] == "unknown_interrupt"


async def test_a_decision_that_comes_too_late_does_nothing(line: Line) -> None:
    asked = await line.say("confirm expiring 0.001", "q")
    (interrupt,) = asked.events[-1]["outcome"]["interrupts"]
    assert interrupt["expiresAt"].endswith("Z")
    late = (await line.ask(resume_input("r", {interrupt["id"]: True}))).checked()
    assert late.events[-1]["code"] == "interrupt_expired"
    refused = (await line.ask(resume_input("r2", {interrupt["id"]: False}))).checked()
    assert refused.text.endswith("left alone")


async def test_what_came_is_told_as_it_was_found(line: Line, agent: Agent) -> None:
    assert agent.workspace is not None
    (agent.workspace / "chats" / "7").mkdir(parents=True)
    (agent.workspace / "chats" / "7" / "a.txt").write_bytes(b"apples")
    places = ["chats/7/a.txt", "/workspace/chats/7/a.txt", "chats/7/b.txt", "../a.txt"]
    sources: list[Json] = [
        {"type": "file", "provider": "workspace", "value": place, "mimeType": "text/plain"}
        for place in places
    ]
    sources += [
        {"type": "data", "value": value, "mimeType": "text/plain"} for value in ("YXBwbGVz", "?")
    ]
    parts = [{"type": "document", "source": source} for source in sources]
    content = [{"type": "text", "text": "Look"}, *parts]
    message = {"id": "$q", "role": "user", "content": content}
    heard = (await line.ask(run_input("", "q", messages=[message]))).checked()
    found = "6 bytes, sha256 f5903f51"
    assert [entry.rpartition("(text/plain): ")[2] for entry in heard.text.splitlines()[-6:]] == [
        found,
        found,
        "no such file or directory",
        "the path must not lead upwards",
        found,
        "the inline data is not base64",
    ]
    assert "YXBwbGVz" not in (agent.memory.directory or Path()).joinpath("7.jsonl").read_text()


async def test_what_a_subagent_says_and_thoughts_are_not_remembered(line: Line) -> None:
    await line.say("subagent", "q1")
    await line.say("think", "q2")
    await line.say("chunks", "q3")
    heard = await line.say("recall", "q4")
    assert "2. assistant: My sub-agent is done." in heard.text
    assert "4. assistant: I have thought about it." in heard.text
    assert "6. assistant: This answer came in chunks" in heard.text


async def test_claimed_usage_is_told(line: Line) -> None:
    heard = await line.say("usage 1000 20", "q")
    assert heard.events[-1]["usage"] == [
        {"provider": "rehearsal", "inputTokens": 1000, "outputTokens": 20}
    ]


async def test_an_input_that_asks_nothing_is_an_error_of_the_run(line: Line) -> None:
    heard = (await line.ask(run_input(None, "q"))).checked()
    assert heard.events[-1]["code"] == "nothing_asked"


@pytest.mark.parametrize("text", ["slow 3600", "hang"])
async def test_a_run_ends_when_its_client_goes(
    line: Line, ear: LogEar, agent: Agent, text: str
) -> None:
    async with line.open() as socket:
        await socket.send_message(json.dumps(run_input(text, "q")))
        await socket.get_message()
        await socket.aclose(1000, "cancelled")
    await ear.wait_for("run q.1: cut")
    thread = await agent.memory.recall("7")
    assert list(thread.messages) == ["$q"]
    assert thread.answers == {}
    heard = await line.say("Hello", "q", attempt=2)
    assert heard.text.startswith("You said: Hello")


async def test_a_run_ends_when_its_connection_is_cut(line: Line, ear: LogEar) -> None:
    with trio.CancelScope() as scope:
        async with line.open() as socket:
            await socket.send_message(json.dumps(run_input("hang", "q")))
            await socket.get_message()
            scope.cancel()
            await trio.lowlevel.checkpoint()
    await ear.wait_for("run q.1: cut")


async def test_the_newest_run_of_a_thread_wins(line: Line) -> None:
    async with line.open() as older:
        await older.send_message(json.dumps(run_input("hang", "q")))
        await older.get_message()
        assert (await line.say("Hello", "q", attempt=2)).code == 1000
        assert (await listen(older)).code == 1008


async def test_a_second_input_ends_the_run(line: Line) -> None:
    async with line.open() as socket:
        await socket.send_message(json.dumps(run_input("hang", "q")))
        await socket.send_message("more")
        heard = await listen(socket)
    assert (heard.types, heard.code) == (["RUN_STARTED"], 1008)


@pytest.mark.parametrize(
    ("text", "types"),
    [("break", ["RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT"])],
)
async def test_a_run_that_breaks_off_has_no_end(line: Line, text: str, types: list[str]) -> None:
    heard = await line.ask(run_input(text, "q"))
    assert (heard.types, heard.code) == (types, 1011)


async def test_garbage_is_no_json(line: Line) -> None:
    heard = await line.ask(run_input("garbage", "q"))
    with pytest.raises(json.JSONDecodeError):
        json.loads(heard.frames[1])


@pytest.mark.parametrize(
    "frame", ["", "{", b"{}", "{}", json.dumps(run_input("x", "q", thread="8"))]
)
async def test_an_unreadable_input_is_refused_before_any_event(
    line: Line, frame: str | bytes
) -> None:
    async with line.open("7") as socket:
        await socket.send_message(frame)
        assert await listen(socket) == Heard((), 1007)


async def test_an_oversized_input_is_refused(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MAX_INPUT", 1000)
    assert await line.ask(run_input("x" * 1000, "q")) == Heard((), 1009)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, []),
        (401, [(b"Authorization", b"Bearer wrong")]),
        (403, [(b"Authorization", f"Bearer {TOKEN}".encode()), (b"Origin", b"http://localhost")]),
    ],
)
async def test_a_stranger_is_refused_with_a_status(
    line: Line, status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    rejected = await line.refusal(headers=headers)
    assert rejected.status_code == status
    assert TOKEN.encode() not in (rejected.body or b"")


@pytest.mark.parametrize(
    ("status", "thread", "path"), [(404, "7", "/"), (400, "seven", "/agent_ws/")]
)
async def test_another_address_is_refused(line: Line, status: int, thread: str, path: str) -> None:
    rejected = await line.refusal(thread, path=path)
    assert rejected.status_code == status


async def test_another_host_name_is_refused(agent: Agent) -> None:
    async with open_line(agent, "agent.example.org") as line:
        rejected = await line.refusal()
    assert rejected.status_code == 421


async def test_too_many_connections_are_refused(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MAX_CONNECTIONS", 0)
    rejected = await line.refusal()
    assert rejected.status_code == 503


async def test_the_subprotocol_is_taken_if_offered(line: Line) -> None:
    async with line.open(subprotocols=["other", SUBPROTOCOL]) as socket:
        assert socket.subprotocol == SUBPROTOCOL
    async with line.open(subprotocols=["other"]) as socket:
        assert socket.subprotocol is None


async def test_who_says_nothing_is_let_go(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_INPUT_TIME", 0.01)
    async with line.open() as socket:
        assert await listen(socket) == Heard((), 1008)


@pytest.mark.parametrize("opening", [b"", b"GET /", b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_who_shakes_no_hands_is_let_go(
    line: Line, monkeypatch: pytest.MonkeyPatch, opening: bytes
) -> None:
    port = int(line.url.rpartition(":")[2])
    with monkeypatch.context() as patch:
        patch.setattr(server, "_HANDSHAKE_TIME", 0.01)
        async with await trio.open_tcp_stream("127.0.0.1", port) as raw:
            await raw.send_all(opening)
            async for _ in raw:
                pass
    await line.say("Hello", "q")


async def test_a_broken_handshake_is_the_strangers_concern_alone(line: Line, ear: LogEar) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", int(line.url.rpartition(":")[2])) as raw:
        await raw.send_all(
            b"GET /agent_ws/ HTTP/1.1\r\nHost: xn--\xff\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n"
        )
        await ear.wait_for("unforeseen fault")
    await line.say("Hello", "q")


async def test_a_client_that_does_not_read_is_let_go(
    line: Line, ear: LogEar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_SEND_TIME", 0.05)
    monkeypatch.setattr(server, "_CLOSING_TIME", 0.05)
    port = int(line.url.rpartition(":")[2])
    raw = trio.socket.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    await raw.connect(("127.0.0.1", port))
    async with trio.SocketStream(raw) as stream:
        await stream.send_all(
            b"GET /agent_ws/?thread_id=7 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        )
        await stream.receive_some()
        await stream.send_all(_unmasked(json.dumps(run_input("long 4000", "q")).encode()))
        await ear.wait_for("the client does not read")
    await line.say("Hello", "q", attempt=2)


def _unmasked(payload: bytes) -> bytes:
    """Frame a text as a client must, with a mask that changes nothing."""
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + b"\0\0\0\0" + payload


async def test_stopping_cuts_the_runs_and_says_so(line: Line) -> None:
    async with line.open() as socket:
        await socket.send_message(json.dumps(run_input("hang", "q")))
        await socket.get_message()
        line.stop.set()
        assert await listen(socket) == Heard((), 1001)


async def test_fifty_runs_at_once_stay_apart(line: Line) -> None:
    heard: dict[int, str] = {}

    async def ask(number: int) -> None:
        run = run_input(f"slow Number {number}.", f"q{number}", thread=str(number))
        heard[number] = (await line.ask(run)).checked().text

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(ask, number)
    assert heard == {
        number: f"You said: slow Number {number}.\n\nThis is message 1 of this conversation "
        f"(thread {number}); before it there was nothing."
        for number in range(50)
    }


@pytest.mark.parametrize("remembering", [True, False])
async def test_an_echo_is_the_text_in_one_piece(tmp_path: Path, *, remembering: bool) -> None:
    with open_memory(tmp_path if remembering else None) as memory:
        async with open_line(Agent(memory, Mode.ECHO)) as line:
            heard = await line.say("help me, ☃", "q")
            assert heard.text == "help me, ☃"
            assert heard.types.count("TEXT_MESSAGE_CONTENT") == 1
            assert (await line.say("other", "q", attempt=2)).text == (
                "help me, ☃" if remembering else "other"
            )


async def test_a_memory_that_cannot_be_read_or_written_fails_the_run_alone(
    line: Line, agent: Agent
) -> None:
    assert agent.memory.directory is not None
    (agent.memory.directory / "7.jsonl").mkdir()
    heard = (await line.ask(run_input("Hello", "q"))).checked()
    assert heard.events[-1]["code"] == "storage"
    await line.say("Hello", "q", thread="8")
    (agent.memory.directory / "8.jsonl").unlink()
    (agent.memory.directory / "8.jsonl").mkdir()
    heard = await line.ask(run_input("Hello", "q2", thread="8"))
    assert heard.events[-1]["code"] == "storage"


async def test_a_workspace_that_cannot_be_written_fails_the_run_alone(
    agent: Agent, tmp_path: Path
) -> None:
    (tmp_path / "no-folder").touch()
    async with open_line(evolve(agent, workspace=tmp_path / "no-folder")) as line:
        heard = (await line.ask(run_input("file", "q"))).checked()
    assert heard.events[-1]["code"] == "storage"


async def test_a_file_that_cannot_be_replaced_leaves_no_draft(line: Line, agent: Agent) -> None:
    assert agent.workspace is not None
    (agent.workspace / "chats" / "7" / "rehearsal-1.txt").mkdir(parents=True)
    heard = (await line.ask(run_input("file", "q"))).checked()
    assert heard.events[-1]["code"] == "storage"
    assert [one.name for one in (agent.workspace / "chats" / "7").iterdir()] == ["rehearsal-1.txt"]


async def test_what_was_not_answered_is_remembered_once(
    line: Line, ear: LogEar, agent: Agent
) -> None:
    for attempt in (1, 2):
        async with line.open() as socket:
            await socket.send_message(json.dumps(run_input("hang", "q", attempt=attempt)))
            await socket.get_message()
        await ear.wait_for(f"run q.{attempt}: cut")
    for attempt in (1, 2):
        heard = await line.say("fail", "q2", attempt=attempt)
        assert heard.types == ["RUN_STARTED", "RUN_ERROR"]
    assert agent.memory.directory is not None
    assert len((agent.memory.directory / "7.jsonl").read_text().splitlines()) == 2


async def test_a_fault_in_one_run_is_the_others_no_concern(
    agent: Agent, ear: LogEar, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_line(agent) as line:
        with monkeypatch.context() as patch:
            patch.setattr(Memory, "recall", partial(_faulty))
            assert (await line.ask(run_input("Hello", "q"))).code == 1006
            await ear.wait_for("unforeseen fault")
        await line.say("Hello", "q", attempt=2)


def _faulty(thread_id: str) -> None:
    raise RuntimeError(thread_id)
