"""A stock pydantic-ai agent, as its users have it: no network, no model, nothing of this project.

`python stock_agent.py` prints its port, then serves one run per WebSocket at `/ws` and
pydantic-ai's own event stream at `/sse`. The few lines of `over_websocket` are all that a stock
agent needs to be reached so.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import uvicorn
from ag_ui.core import RunAgentInput
from pydantic import ValidationError
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

SUBPROTOCOL = "ag-ui.v1+json"
WORDS = ("It is ", "sunny in Paris, ", "**very** sunny.")


async def think(
    messages: list[ModelMessage], _: AgentInfo
) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
    """Ask the tool first, then answer: what a model does, without one."""
    if any(isinstance(part, ToolReturnPart) for part in messages[-1].parts):
        for word in WORDS:
            yield word
    else:
        yield {0: DeltaToolCall(name="get_weather", json_args='{"city": "Paris"}')}


agent = Agent(FunctionModel(stream_function=think))


@agent.tool_plain
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


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
        async with aclosing(AGUIAdapter(agent=agent, run_input=run_input).run_stream()) as events:  # type: ignore[type-var]  # an async generator behind an AsyncIterator
            async for event in events:
                await websocket.send_text(event.model_dump_json(by_alias=True, exclude_none=True))
        await websocket.close(1000)
    except WebSocketDisconnect:
        pass  # the run is cancelled with its generator


async def over_sse(request: Request) -> Response:
    return await AGUIAdapter.dispatch_request(request, agent=agent)


app = Starlette(
    routes=[WebSocketRoute("/ws", over_websocket), Route("/sse", over_sse, methods=["POST"])]
)

if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
        uvicorn.Server(uvicorn.Config(app, ws="wsproto", log_level="warning")).run([listener])
