"""A stock deepagents agent (LangGraph), as its users have it: nothing of this project.

`python langgraph_agent.py`, in an environment of its own (`.venv-agents`), prints its port, then
serves one run per WebSocket at `/ws` and the adapter's own event stream at `/sse`. The model is
whatever `OPENAI_BASE_URL` has; it does not stream if the one argument is `whole`.
"""

import socket
import sys

import uvicorn
from ag_ui.core import RunAgentInput
from ag_ui_langgraph import (  # type: ignore[import-not-found]  # in .venv-agents alone
    LangGraphAgent,
    add_langgraph_fastapi_endpoint,
)
from deepagents import create_deep_agent  # type: ignore[import-not-found]  # likewise
from fastapi import FastAPI, WebSocket  # type: ignore[import-not-found]  # likewise
from langchain_openai import ChatOpenAI  # type: ignore[import-not-found]  # likewise
from langgraph.checkpoint.memory import (  # type: ignore[import-not-found]  # likewise
    InMemorySaver,
)

deleted: list[str] = []


def delete_file(path: str) -> str:
    """Delete a file, if its owner agrees."""
    deleted.append(path)
    return f"Deleted {', '.join(deleted)}."


agent = LangGraphAgent(
    name="deep",
    graph=create_deep_agent(
        model=ChatOpenAI(
            model="scripted", api_key="none", disable_streaming=sys.argv[1:] == ["whole"]
        ),
        tools=[delete_file],
        checkpointer=InMemorySaver(),
        interrupt_on={"delete_file": True},
    ),
    emit_interrupt_outcome=True,
)
app = FastAPI()
add_langgraph_fastapi_endpoint(app, agent, "/sse")


@app.websocket("/ws")  # type: ignore[untyped-decorator]  # as FastAPI is not there for mypy
async def over_websocket(websocket: WebSocket) -> None:
    await websocket.accept()
    run_input = RunAgentInput.model_validate_json(await websocket.receive_text())
    async for event in agent.clone().run(run_input):
        await websocket.send_text(event.model_dump_json(by_alias=True, exclude_none=True))
    await websocket.close()


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
        uvicorn.Server(uvicorn.Config(app, ws="wsproto", log_level="warning")).run([listener])
