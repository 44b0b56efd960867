"""An agent that gives prepared answers, at a pace that pictures can be taken of.

It speaks what docs/agent-wire.md has, as any agent does; nothing in the service knows of it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, assert_never

import trio
from attrs import define, field, frozen
from trio_websocket import ConnectionClosed, WebSocketRequest, serve_websocket

_SUBPROTOCOL = "ag-ui.v1+json"
Json = dict[str, Any]


@frozen
class Say:
    """A piece of the answer."""

    text: str


@frozen
class UseTool:
    """A tool is at work until the picture of it is taken."""

    name: str


@frozen
class Send:
    """A file for the person, one of the agent's `files`."""

    name: str


@frozen
class Ask:
    """The run ends here, and goes on with `then` when the person has agreed."""

    message: str
    then: str


Step = Say | UseTool | Send | Ask


@define
class PreparedAgent:
    """Its answers, by question, and what `files` it can send. `go_on` lets one that waits go on."""

    answers: Mapping[str, Sequence[Step]]
    files: Mapping[str, bytes]
    workspace: Path
    url: str = ""
    _gate: trio.Event = field(factory=trio.Event)
    _after: dict[str, str] = field(factory=dict)

    def go_on(self) -> None:
        """Go on, as the picture is taken."""
        self._gate.set()
        self._gate = trio.Event()

    async def serve(self, request: WebSocketRequest) -> None:
        """Answer one connection, which is one run."""
        socket = await request.accept(subprotocol=_SUBPROTOCOL)
        try:
            asked = json.loads(await socket.get_message())
            async for event in self._run(asked):
                await socket.send_message(json.dumps(event))
            await socket.aclose()
        except ConnectionClosed:
            return  # the person has stopped it

    async def _run(self, asked: Json) -> AsyncIterator[Json]:
        run = {"threadId": asked["threadId"], "runId": asked["runId"]}
        yield {"type": "RUN_STARTED", **run}
        ended = {"type": "RUN_FINISHED", **run}
        for number, step in enumerate(self._steps(asked)):
            match step:
                case Say(text):
                    yield {"type": "TEXT_MESSAGE_CHUNK", "messageId": "said", "delta": text}
                case UseTool(name):
                    call = {"toolCallId": f"call-{number}"}
                    yield {"type": "TOOL_CALL_START", "toolCallName": name, **call}
                    yield {"type": "TOOL_CALL_END", **call}
                    await self._gate.wait()
                    result = {"messageId": f"result-{number}", "content": "done"}
                    yield {"type": "TOOL_CALL_RESULT", **call, **result}
                case Send(name):
                    path = f"chats/{asked['threadId']}/{name}"
                    there = trio.Path(self.workspace, path)
                    await there.parent.mkdir(parents=True, exist_ok=True)
                    await there.write_bytes(self.files[name])
                    value = {"path": path}
                    yield {"type": "CUSTOM", "name": "file", "value": value}
                case Ask(message, then):
                    self._after[asked["threadId"]] = then
                    interrupt = {"id": "ask", "reason": "confirmation", "message": message}
                    ended["outcome"] = {"type": "interrupt", "interrupts": [interrupt]}
                case _:
                    assert_never(step)
        yield ended

    def _steps(self, asked: Json) -> Sequence[Step]:
        if asked.get("resume"):
            return [Say(self._after[asked["threadId"]])]
        return self.answers[_question(asked)]


def _question(asked: Json) -> str:
    """The text of the newest message, the files of which are left out."""
    content = asked["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return str(next(part["text"] for part in content if part["type"] == "text"))


@asynccontextmanager
async def open_agent(agent: PreparedAgent) -> AsyncIterator[PreparedAgent]:
    """Serve it on a free port of loopback for the length of the block."""
    async with trio.open_nursery() as nursery:
        serve = partial(serve_websocket, agent.serve, "127.0.0.1", 0, ssl_context=None)
        server = await nursery.start(serve)
        agent.url = f"ws://127.0.0.1:{server.port}"
        yield agent
        nursery.cancel_scope.cancel()
