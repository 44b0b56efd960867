"""The agent is killed, hangs, refuses, talks garbage or far too much, and is cut at every frame.

Each question gets one answer, and rooms that are not concerned notice nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import trio
from attrs import evolve

from lambda_matrix.demo.settings_files import write_service_files
from tests.faults.fault import Fault
from tests.faults.world import World
from tests.lab.agent_relay import (
    Harm,
    Misdeed,
    Relay,
    close_with,
    cut,
    fall_silent,
    flood,
    one_huge_frame,
    open_relay,
    send,
    text_frame,
)

_HARMED: Final = "anna 1"
_FIRST: Final = "Is it between?"
_SILENCE: Final = 3.0
"""Seconds of silence that the service grants an agent here."""
_MEGABYTE: Final = 1_000_000
_MOST_MEMORY: Final = 300
"""Megabytes that the service may ever have used; its unit allows 512."""


@asynccontextmanager
async def _put_between(world: World) -> AsyncIterator[Relay]:
    """Have the service talk to its agent through a relay, and no more afterwards."""
    settings = world.stack.settings
    async with open_relay(settings.agent_url) as relay:
        write_service_files(evolve(settings, agent_url=relay.url, idle_timeout=_SILENCE))
        await world.kill()
        await world.answer("anna 2", await world.ask("anna 2", _FIRST))
        yield relay
        await world.service.stop()
        write_service_files(settings)
        world.service.start()


async def _ask_harmed(world: World, relay: Relay, after: int, misdeed: Misdeed) -> str:
    """Ask something that ends badly, in one room; others are asked and answered meanwhile."""
    text = f"harmed {len(relay.done)}"
    harm = Harm(f'"{text}"', after, misdeed)
    relay.harms.append(harm)
    asked = await world.ask(_HARMED, text)
    unharmed = await world.ask("boris 1", f"beside it {len(relay.done)}")
    fine = await world.answer("boris 1", unharmed, within=20)
    assert fine.text.startswith(f"You said: {unharmed.text}"), fine.text
    answer = await world.answer(_HARMED, asked)
    relay.harms.remove(harm)
    assert harm in relay.done, "it was harmed"
    return answer.text


async def _assert_well(world: World) -> None:
    for chat in (_HARMED, "anna 2", "boris 1"):
        asked = await world.ask(chat, f"all is well {chat}")
        answer = await world.answer(chat, asked)
        assert answer.text.startswith(f"You said: {asked.text}"), answer.text
    assert "Traceback" not in world.service.log


async def _cut_at_every_frame(misdeed: Misdeed, world: World, _draw: Random) -> None:
    """For each frame of a run: it comes, and the next one does not."""
    async with _put_between(world) as relay:
        (frames,) = (count for asked, count in relay.frames.items() if _FIRST in asked)
        assert frames > 3, "a run has a beginning, words and an end"
        for after in range(frames):
            text = await _ask_harmed(world, relay, after, misdeed)
            assert "Traceback" not in text
        await _assert_well(world)


_BEGIN: Final[dict[str, object]] = {
    "type": "TEXT_MESSAGE_START",
    "messageId": "m",
    "role": "assistant",
}
_TEXT: Final[dict[str, object]] = {
    "type": "TEXT_MESSAGE_CONTENT",
    "messageId": "m",
    "delta": "far too much " * 4000,
}
_CALL: Final[dict[str, object]] = {
    "type": "TOOL_CALL_START",
    "toolCallId": "t",
    "toolCallName": "search",
}
_ALSO_SHORT: Final = ("text", "its state")
"""Of these floods: what is bounded as it is said, and what is bounded as bytes."""
_FLOODS: Final[Mapping[str, Misdeed]] = {
    "text": flood(_TEXT, 500 * _MEGABYTE, _BEGIN),
    "small words": flood({**_TEXT, "delta": "more "}, 500 * _MEGABYTE, _BEGIN),
    "one frame": one_huge_frame(500 * _MEGABYTE),
    "a tool's arguments": flood(
        {"type": "TOOL_CALL_ARGS", "toolCallId": "t", "delta": "x" * 50_000},
        500 * _MEGABYTE,
        _CALL,
    ),
    "its state": flood(
        {"type": "STATE_SNAPSHOT", "snapshot": {"a": "x" * 50_000}}, 500 * _MEGABYTE
    ),
    "what nobody knows": flood(
        {"type": "CUSTOM", "name": "x", "value": "x" * 50_000}, 500 * _MEGABYTE
    ),
}


async def _flood(misdeed: Misdeed, world: World, _draw: Random) -> None:
    async with _put_between(world) as relay:
        await _ask_harmed(world, relay, 2, misdeed)
        await _assert_well(world)
        child = world.service.child
        assert child is not None
        most = _most_memory(child.pid)
        assert most < _MOST_MEMORY, f"it took {most} MB"


def _most_memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1000


_GARBAGE: Final[Mapping[str, Misdeed]] = {
    "no JSON": send(text_frame("{not JSON")),
    "JSON of another kind": send(text_frame("[1, 2, 3]")),
    "an event without its fields": send(text_frame('{"type":"TEXT_MESSAGE_CONTENT"}')),
    "bytes that are no frames": send(b"\xff" * 1000),
    "HTTP": send(b"HTTP/1.1 500 Internal Server Error\r\n\r\n"),
    "text that is no UTF-8": send(b"\x81\x04\xff\xfe\xfd\xfc"),
    "a frame with a mask": send(b"\x81\x85abcdabcde"),
    "deep nesting": send(text_frame('{"type":"STATE_SNAPSHOT","snapshot":' + "[" * 100_000)),
    "silence": fall_silent,
    "another closing": close_with(1011),
}


async def _talk_garbage(world: World, draw: Random) -> None:
    async with _put_between(world) as relay:
        for misdeed in _GARBAGE.values():
            await _ask_harmed(world, relay, draw.randint(0, 3), misdeed)
        await _assert_well(world)


_REFUSALS: Final = (
    b"",
    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
)


async def _refuse(world: World, _draw: Random) -> None:
    async with _put_between(world) as relay:
        for number, refusal in enumerate(_REFUSALS):
            relay.refusal = refusal
            answer = await world.answer(_HARMED, await world.ask(_HARMED, f"refused {number}"))
            assert not answer.text.startswith("You said"), answer.text
        relay.refusal = None
        await _assert_well(world)


async def _kill(world: World, draw: Random) -> None:
    for _ in range(draw.randint(1, 4)):
        await trio.sleep(draw.uniform(0, 2))
        await world.agent.kill()
        await trio.sleep(draw.uniform(0, 1))
        await world.agent.start()
    await _assert_well(world)


async def _hang(world: World, draw: Random) -> None:
    """It is stopped for a moment, as a machine that swaps is: nothing is lost by that."""
    for _ in range(draw.randint(1, 3)):
        child = world.agent.child
        assert child is not None
        await trio.sleep(draw.uniform(0, 2))
        os.kill(child.pid, signal.SIGSTOP)
        await trio.sleep(draw.uniform(1, 4))
        os.kill(child.pid, signal.SIGCONT)


FAULTS: Final = (
    Fault(name="the agent is killed", happen=_kill, excuses=True),
    Fault(name="the agent hangs for a while", happen=_hang),
    Fault(name="the agent refuses", happen=_refuse, combines=False, excuses=True),
    Fault(name="the agent talks garbage", happen=_talk_garbage, combines=False, excuses=True),
    *(
        Fault(
            name=f"the agent {how} after each of its frames",
            happen=partial(_cut_at_every_frame, misdeed),
            combines=False,
            excuses=True,
        )
        for how, misdeed in {"is cut off": cut, "closes": close_with(1000)}.items()
    ),
    *(
        Fault(
            name=f"the agent says 500 MB: {what}",
            happen=partial(_flood, misdeed),
            combines=False,
            excuses=True,
            patience=120,
            only_long=what not in _ALSO_SHORT,
        )
        for what, misdeed in _FLOODS.items()
    ),
)
