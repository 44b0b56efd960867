"""A model of the kind that everybody's agents use (OpenAI's chat completions), without a model.

`python -m tests.agent.scripted_model` prints its port. It asks for `delete_file` when it is told to
delete something, says what its tools gave, and says what it has been told otherwise.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import trio

from tests.agent.servers import read_request, sse_head


async def _complete(stream: trio.SocketStream) -> None:
    _, body = await read_request(stream)
    asked = json.loads(body)
    with suppress(trio.BrokenResourceError):  # the agent's run was cut off
        if not asked.get("stream"):
            await stream.send_all(sse_head(kind="application/json") + _whole(asked["messages"]))
            return
        await stream.send_all(sse_head())
        for delta in _deltas(asked["messages"]):
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            await stream.send_all(_line({"choices": [choice]}))
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        await stream.send_all(_line({"choices": [last], "usage": usage}) + b"data: [DONE]\n\n")
        await stream.send_eof()


def _line(chunk: dict[str, Any]) -> bytes:
    whole = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
    return b"data: " + json.dumps({**whole, **chunk}).encode() + b"\n\n"


def _whole(messages: list[dict[str, Any]]) -> bytes:
    """Answer in one piece."""
    said: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": []}
    for delta in _deltas(messages):
        said["content"] += delta.get("content", "")
        for call in delta.get("tool_calls", ()):
            if "id" in call:
                said["tool_calls"].append(call)
            else:
                made = said["tool_calls"][call["index"]]["function"]
                made["arguments"] += call["function"]["arguments"]
    if not said["tool_calls"]:
        del said["tool_calls"]
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    whole = {"id": "c", "object": "chat.completion", "created": 0, "model": "scripted"}
    return json.dumps({**whole, "choices": [choice]}).encode()


def _deltas(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    last = messages[-1]
    yield {"role": "assistant", "content": ""}
    if last["role"] == "tool":
        returned = messages[max(n for n, each in enumerate(messages) if each.get("tool_calls")) :]
        yield from ({"content": f"{each['content']} "} for each in returned[1:])
        return
    asked = _told(last["content"])
    if "delete" not in asked:
        questions = [message for message in messages if message["role"] == "user"]
        yield {"content": f"{len(questions)}: {asked}"}
        return
    yield {"content": "Let me see."}
    for index, name in enumerate(name for name in ("a.txt", "b.txt") if name in asked):
        function = {"name": "delete_file", "arguments": ""}
        call = {"index": index, "id": f"call-{name}-{len(messages)}", "type": "function"}
        yield {"tool_calls": [{**call, "function": function}]}
        for piece in ('{"path": ', f'"{name}"}}'):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _told(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return ", ".join(
        part.get("text") or f"{len(part['image_url']['url'])} characters of an image"
        for part in content
    )


async def _serve() -> None:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    print(listener.socket.getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
    await trio.serve_listeners(_complete, [listener])


if __name__ == "__main__":
    trio.run(_serve)
