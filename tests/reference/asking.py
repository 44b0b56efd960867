"""A client of the bundled agent, in the open: what a service would send, frame by frame."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from ag_ui.core import Event
from ag_ui_validate.pytest_plugin import assert_valid_agui
from attrs import Factory, frozen
from pydantic import TypeAdapter
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    WebSocketConnection,
    wrap_client_stream,
)

from lambda_matrix.reference.admission import Admission
from lambda_matrix.reference.run import Agent
from lambda_matrix.reference.server import serve

TOKEN = "rehearsal-token"
_OFFICIAL_EVENT: TypeAdapter[Any] = TypeAdapter(Event)

Json = dict[str, Any]


def run_input(
    text: str | None,
    request: str,
    *,
    thread: str = "7",
    attempt: int = 1,
    message_id: str | None = None,
    **more: Any,
) -> Json:
    """Build the input of a run that asks `text`; the message's id is made of the request's."""
    message = {"id": message_id or f"${request}", "role": "user", "content": text}
    return {
        "threadId": thread,
        "runId": f"{request}.{attempt}",
        "protocolVersion": "1.0",
        "messages": [] if text is None else [message],
        "tools": [],
        "context": [],
        "forwardedProps": {"requestId": request, "locale": "en"},
    } | more


def resume_input(request: str, answers: Mapping[str, Any], **more: Any) -> Json:
    """Build the input of a run that decides interrupts: True, False, or a payload for each."""
    resume = [
        {"interruptId": interrupt_id, "status": "cancelled"}
        if answer is False
        else {
            "interruptId": interrupt_id,
            "status": "resolved",
            "payload": {"approved": True} if answer is True else answer,
        }
        for interrupt_id, answer in answers.items()
    ]
    return run_input(None, request, resume=resume, **more)


@frozen
class Heard:
    """What came back on one connection."""

    frames: tuple[str, ...]
    code: int

    @property
    def events(self) -> list[Json]:
        """The frames as JSON."""
        return [json.loads(frame) for frame in self.frames]

    @property
    def text(self) -> str:
        """The text of the answer."""
        return "".join(
            event["delta"] for event in self.events if event["type"] == "TEXT_MESSAGE_CONTENT"
        )

    @property
    def types(self) -> list[str]:
        """The events' types, in order."""
        return [event["type"] for event in self.events]

    def checked(self) -> "Heard":
        """Hold the stream against the official models and the official rules; return it."""
        for frame in self.frames:
            _OFFICIAL_EVENT.validate_python(json.loads(frame))
        assert_valid_agui(list(self.frames), max_warnings=0)
        return self


@frozen
class Line:
    """The way to one agent; `stop` stops it if it is served in this process."""

    url: str
    stop: trio.Event = Factory(trio.Event)

    @asynccontextmanager
    async def open(
        self,
        thread: str = "7",
        *,
        path: str = "/agent_ws/",
        headers: Sequence[tuple[bytes, bytes]] = ((b"Authorization", f"Bearer {TOKEN}".encode()),),
        subprotocols: Sequence[str] = (),
        host_header: str | None = None,
    ) -> AsyncIterator[WebSocketConnection]:
        """Open a WebSocket as the service does, on a socket that is closed whatever happens."""
        _, _, address = self.url.partition("://")
        host, _, port = address.partition(":")
        async with (
            await trio.open_tcp_stream(host, int(port)) as stream,
            trio.open_nursery() as nursery,
        ):
            socket = await wrap_client_stream(
                nursery,
                stream,
                host_header or address,
                f"{path}?thread_id={thread}",
                extra_headers=list(headers),
                subprotocols=list(subprotocols),
                max_message_size=2**24,
            )
            yield socket
            await socket.aclose()
            nursery.cancel_scope.cancel()

    async def refusal(self, thread: str = "7", **how: Any) -> ConnectionRejected:
        """Open a WebSocket that is to be refused; return how it was."""
        with pytest.RaisesGroup(ConnectionRejected) as caught:
            async with self.open(thread, **how):
                pass
        (rejected,) = caught.value.exceptions
        assert isinstance(rejected, ConnectionRejected)
        return rejected

    async def ask(self, run: Json, *, thread: str | None = None) -> Heard:
        """Make one run and listen to its end."""
        async with self.open(thread or run["threadId"]) as socket:
            await socket.send_message(json.dumps(run))
            return await listen(socket)

    async def say(self, text: str, request: str, **more: Any) -> Heard:
        """Ask a text; the stream is checked."""
        return (await self.ask(run_input(text, request, **more))).checked()


async def listen(socket: WebSocketConnection) -> Heard:
    """Take frames until the agent closes."""
    frames = []
    with suppress(ConnectionClosed):
        while True:
            frames.append(str(await socket.get_message()))
    assert socket.closed is not None
    return Heard(tuple(frames), socket.closed.code)


@asynccontextmanager
async def open_line(agent: Agent, *hosts: str) -> AsyncIterator[Line]:
    """Serve an agent in this process, on a free port."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    admission = Admission(TOKEN.encode())
    if hosts:
        admission = Admission(TOKEN.encode(), frozenset(hosts))
    line = Line(f"ws://127.0.0.1:{port}")
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, agent, admission, listeners, line.stop)
        yield line
        line.stop.set()


@frozen
class Program:
    """The agent as a process of its own."""

    line: Line
    process: trio.Process


@asynccontextmanager
async def open_program(
    folder: Path, *options: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Start `agent` with its state and token in `folder`, and end it if it still lives."""
    token_file = folder / "token"
    token_file.write_text(TOKEN)
    command = [
        *(sys.executable, "-c", "from lambda_matrix.reference.command import agent; agent()"),
        *("--port", "0", "--state", str(folder / "state"), "--token-file", str(token_file)),
        *options,
    ]
    start = partial(
        trio.run_process,
        command,
        stderr=subprocess.PIPE,
        check=False,
        env=os.environ | dict(environ or {}),
    )
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(start)
        yield Program(Line(await _address(process)), process)
        if process.returncode is None:
            process.terminate()


async def _address(process: trio.Process) -> str:
    """Read the log up to the line that tells where the agent listens."""
    assert process.stderr is not None
    log = ""
    async for data in process.stderr:
        log += data.decode()
        if found := re.search(r"listening on (ws://\S+)\n", log):
            return found[1]
    raise AssertionError(log)
