"""A stock pydantic-ai agent, as its users have it: no network, no model, nothing of this project.

`python stock_agent.py` prints its port, then serves one run per WebSocket at `/ws` and
pydantic-ai's own event stream at `/sse`. The few lines of `over_websocket` are all that a stock
agent needs to be reached so.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import uvicorn
from ag_ui.core import BaseEvent, RunAgentInput, StateSnapshotEvent
from pydantic import BaseModel, ValidationError
from pydantic_ai import Agent, DeferredToolRequests, RunContext
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ToolReturn,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.ui import StateDeps
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

SUBPROTOCOL = "ag-ui.v1+json"
WORDS = ("It is ", "sunny in Paris, ", "**very** sunny.")


class Shared(BaseModel):
    """The state that goes to and fro."""

    deleted: list[str] = []


async def think(
    messages: list[ModelMessage], _: AgentInfo
) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
    """Call the tools first, then answer: what a model does, without one."""
    asked, done = "", 0
    for part in (part for message in messages for part in message.parts):
        if isinstance(part, UserPromptPart):
            asked, done = told(part), 0
        elif isinstance(part, ToolReturnPart):
            done += 1
    returned = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if done:
        for word in WORDS if "weather" in asked else [f"{part.content} " for part in returned]:
            yield word
    elif "weather" in asked or "delete" in asked:
        yield "Let me see. "
        wanted = (name for name in ("a.txt", "b.txt") if name in asked)
        calls = [DeltaToolCall("delete_file", f'{{"path": "{name}"}}') for name in wanted]
        if "weather" in asked:
            calls.append(DeltaToolCall("get_weather", '{"city": "Paris"}'))
        for call in calls:
            yield {calls.index(call): call}
    else:
        yield f"{len(messages)}: {asked}"


def told(prompt: UserPromptPart) -> str:
    """Say what a person wrote and sent."""
    if isinstance(prompt.content, str):
        return prompt.content
    return ", ".join(
        f"{part.media_type} of {len(part.data)} bytes" if isinstance(part, BinaryContent) else part
        for part in prompt.content
        if isinstance(part, BinaryContent | str)
    )


agent = Agent(
    FunctionModel(stream_function=think),
    deps_type=StateDeps[Shared],
    output_type=[str, DeferredToolRequests],
)


@agent.tool_plain
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


@agent.tool(requires_approval=True)
def delete_file(context: RunContext[StateDeps[Shared]], path: str) -> ToolReturn[str]:
    """Delete a file, if its owner agrees."""
    deleted = context.deps.state.deleted
    deleted.append(path)
    changed = StateSnapshotEvent(snapshot={"deleted": deleted})
    return ToolReturn(f"Deleted {', '.join(deleted)}.", metadata=[changed])


def started(run_input: RunAgentInput) -> AsyncIterator[BaseEvent]:
    return AGUIAdapter(agent=agent, run_input=run_input).run_stream(deps=StateDeps(Shared()))


async def over_websocket(websocket: WebSocket) -> None:
    offered = websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    try:
        text = await websocket.receive_text()
        try:
            run_input = RunAgentInput.model_validate_json(text)
        except ValidationError as error:
            await websocket.close(1007, f"{error.error_count()} errors in RunAgentInput")
            return
        async with aclosing(started(run_input)) as events:  # type: ignore[type-var]  # an async generator behind an AsyncIterator
            async for event in events:
                await websocket.send_text(event.model_dump_json(by_alias=True, exclude_none=True))
        await websocket.close(1000)
    except WebSocketDisconnect:
        pass  # the run is cancelled with its generator


async def over_sse(request: Request) -> Response:
    return await AGUIAdapter.dispatch_request(request, agent=agent, deps=StateDeps(Shared()))


app = Starlette(
    routes=[WebSocketRoute("/ws", over_websocket), Route("/sse", over_sse, methods=["POST"])]
)

if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
        uvicorn.Server(uvicorn.Config(app, ws="wsproto", log_level="warning")).run([listener])
