"""Long answers under Synapse's default rate limits (`make bench-limits`; docs/performance.md).

The account of a bot may send ten events at once and then one every five seconds, over all rooms,
edits included. What is measured is what a person sees of it. Times are those of the homeserver's
own events; nothing stands in anybody's path. Exit status 1 if an answer is not whole.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import trio
from access_log import AccessLog, switch_on
from attrs import frozen
from contenders import join_next
from report import Circumstances, commit, machine, synapse_version, table, write

from lambda_matrix.demo.homeserver import (
    Homeserver,
    HomeserverSettings,
    Limits,
    open_homeserver,
)
from lambda_matrix.demo.own_programs import Restartable, open_agent, service_program
from lambda_matrix.demo.person import Person, open_person
from lambda_matrix.demo.settings_files import ServiceSettings
from lambda_matrix.demo.view import object_at, text_at
from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.matrix_events import ANSWER_KEY

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
_PASSWORD = "of a throw-away homeserver"
_SECONDS = 40
"""How long the agent speaks."""
_WORDS = 400
_REST = 55.0
"""Seconds in which a homeserver forgives ten events."""
_ASIDE_AFTER = 15.0
"""Seconds into three long answers at which somebody asks something short in a fourth room."""
_WITHIN = 300.0


@frozen
class Seen:
    """What the person saw of one answer, in seconds from the question on."""

    first: float
    final: float
    edits: int
    is_whole: bool


@frozen
class Part:
    """One part of the measurement: its answers, what the account sent, and what was refused."""

    title: str
    answers: Sequence[Seen]
    sent: int
    refused: int


@frozen
class Scene:
    """The person, the chats, and the homeserver's log."""

    person: Person
    bot: UserId
    rooms: Sequence[RoomId]
    log: AccessLog

    async def long_answers(self, rooms: Sequence[RoomId]) -> Sequence[Seen]:
        """Ask for a long answer in each of the rooms at once."""
        words = " ".join(f"word-{number}" for number in range(_WORDS))
        asked = [(room, await self._say(room, f"slow {_SECONDS} {words}")) for room in rooms]
        return [await self._seen(room, question, words) for room, question in asked]

    async def short_answer(self, room: RoomId) -> Seen:
        """Ask for a short one."""
        return await self._seen(room, await self._say(room, "hello"), "hello")

    async def part(self, title: str, long: int, *, aside: bool = False) -> Sequence[Part]:
        """Measure `long` long answers at once, and perhaps a short one in another room."""
        say(f"{title}, after a rest")
        await trio.sleep(_REST)
        start = self.log.position()
        found: list[Sequence[Seen]] = []
        short: list[Seen] = []

        async def ask_long() -> None:
            found.append(await self.long_answers(self.rooms[:long]))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_long)
            if aside:
                await trio.sleep(_ASIDE_AFTER)
                short.append(await self.short_answer(self.rooms[long]))
        events = [each for each in self.log.requests(start, self.bot) if each.kind == "event"]
        refused = sum(each.status == 429 for each in events)
        parts = [Part(title, found[0], len(events) - refused, refused)]
        if short:
            parts.append(Part("a short one beside them", short, 0, 0))
        return parts

    async def _say(self, room: RoomId, text: str) -> EventId:
        return await self.person.say(room, text)

    async def _seen(self, room: RoomId, question: EventId, ending: str) -> Seen:
        answer = await self.person.wait_for_answer(room, question, self.bot, _WITHIN)
        events = await self.person.history(room)
        asked = next(_at(event) for event in events if text_at(event, "event_id") == question)
        times = list(_times_of(events, question))
        return Seen(
            first=times[0] - asked,
            final=times[-1] - asked,
            edits=len(times) - 1,
            is_whole=ending in answer.text and not answer.doubled,
        )


def _times_of(events: Sequence[object], question: EventId) -> Iterator[float]:
    """When each event of an answer was there."""
    for event in events:
        content = object_at(event, "content")
        newest = object_at(content, "m.new_content") or content
        if text_at(newest, ANSWER_KEY, "question") == question:
            yield _at(event)


def _at(event: object) -> float:
    at = event.get("origin_server_ts") if isinstance(event, dict) else None
    return at / 1000 if isinstance(at, int) else 0.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def run(homeserver: Homeserver, directory: Path) -> Sequence[Part]:
    bot = await homeserver.register("bot", _PASSWORD)
    account = await homeserver.register("person", _PASSWORD)
    log = await switch_on(homeserver, directory / "homeserver")
    async with AsyncExitStack() as opened:
        agent = await opened.enter_async_context(open_agent(directory / "agent"))
        settings = ServiceSettings(
            directory=directory / "service",
            homeserver_url=homeserver.url,
            bot=bot,
            agent_url=agent.url,
            agent_token=agent.token,
            server_name=homeserver.server_name,
        )
        service = Restartable(service_program(settings))
        opened.push_async_callback(service.stop)
        await service.start()
        person = await opened.enter_async_context(open_person(homeserver.url, account))
        await person.direct_chat(bot.user_id)
        await join_next(person, bot.user_id, is_space=True)
        rooms = [await join_next(person, bot.user_id, is_space=False)]
        while len(rooms) < 4:
            await person.say(rooms[0], "!new")
            rooms.append(await join_next(person, bot.user_id, is_space=False))
        scene = Scene(person, bot.user_id, rooms, log)
        return [
            *await scene.part("one long answer, the first ever", 1),
            *await scene.part("one long answer", 1),
            *await scene.part("three at once", 3, aside=True),
        ]


def report(parts: Sequence[Part], circumstances: Circumstances) -> str:
    rows = []
    for part in parts:
        firsts, finals = ([getattr(a, name) for a in part.answers] for name in ("first", "final"))
        rows.append(
            (
                part.title,
                _range(firsts),
                _range(finals),
                " ".join(str(answer.edits) for answer in part.answers),
                str(part.sent or "-"),
                str(part.refused if part.sent else "-"),
                "yes" if all(answer.is_whole for answer in part.answers) else "NO",
            )
        )
    head = ("", "first text s", "final s", "edits", "events in all", "429s in all", "whole")
    return (
        f"`{circumstances.command}` on {circumstances.date}, commit {circumstances.commit}, "
        f"{circumstances.seconds:.0f} s in all; {machine()}; Synapse {circumstances.synapse} on "
        f"SQLite with its default limits. A long answer: {_WORDS} words, of which the agent speaks "
        f"for {_SECONDS} s.\n\n" + table(head, rows)
    )


def _range(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{min(values):.1f} {median(values):.1f} {max(values):.1f}"


async def main(chosen: argparse.Namespace, directory: Path) -> int:
    began, measured = time.monotonic(), commit()
    settings = HomeserverSettings(
        python=chosen.synapse_python.absolute(),
        directory=directory / "homeserver",
        limits=Limits.DEFAULT,
    )
    async with open_homeserver(settings) as homeserver:
        parts = await run(homeserver, directory)
        synapse = await synapse_version(homeserver)
    text = report(
        parts,
        Circumstances(
            command="make bench-limits",
            date=time.strftime("%Y-%m-%d"),
            commit=measured,
            synapse=synapse,
            seconds=time.monotonic() - began,
        ),
    )
    print(text)
    if chosen.write:
        write(text, PAGE, "limits")
    return int(not all(answer.is_whole for part in parts for answer in part.answers))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synapse-python", type=Path, required=True, metavar="PYTHON")
    parser.add_argument("--write", action="store_true", help="also write docs/performance.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lambda-matrix-bench-") as temporary:
        sys.exit(trio.run(main, arguments, Path(temporary)))
