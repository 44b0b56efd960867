"""A homeserver with many people in it, who have talked with the service for a while.

Everything is made by the service itself: invites, `!new`, questions and their answers. That takes
minutes, so what was made is kept, and each run works on a copy of it.
"""

from __future__ import annotations

import json
import random
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import trio
from attrs import asdict, define, evolve, frozen
from contenders import join_next

from lambda_matrix.demo.homeserver import (
    Account,
    Homeserver,
    HomeserverSettings,
    Limits,
    open_homeserver,
)
from lambda_matrix.demo.own_programs import open_agent, open_service
from lambda_matrix.demo.person import open_person
from lambda_matrix.demo.settings_files import NO_LIMITS, ServiceSettings
from lambda_matrix.demo.view import object_at, text_at
from lambda_matrix.ids import AccessToken, DeviceId, RoomId, UserId

_PASSWORD = "of a throw-away homeserver"
_SIDE_BY_SIDE = 4
"""People who are made at a time: enough to keep the homeserver busy."""
_PATIENCE = 300.0
"""Seconds for each step: what is made here is not measured, and the machine may be busy."""
_WORDS = ("the", "bridge", "of", "many", "rooms", "answers", "every", "question", "once", "and")
_QUESTION_WORDS = 60


@frozen
class Size:
    """How many people there are, the chats of each, and what was asked in each chat.

    A person's first chat is a long conversation, the others are short ones.
    """

    people: int
    chats: int
    long: int
    short: int


@frozen
class Resident:
    """A person, and their chats with the bot. Each has a Space and a direct chat as well."""

    account: Account
    chats: tuple[RoomId, ...]


@frozen
class Population:
    """Who lives on the homeserver. `seconds` is what it took to make them."""

    size: Size
    bot: Account
    people: tuple[Resident, ...]
    seconds: float

    @property
    def rooms(self) -> int:
        """The rooms that the bot is in."""
        return sum(len(person.chats) + 2 for person in self.people)


async def populated(kept: Path, python: Path, size: Size, say: Callable[[str], None]) -> Population:
    """The population that is kept in a directory; whoever is missing there is made now."""
    file = kept / "population.json"
    found = _read(file) if file.exists() else None
    if found is None or found.size != size:
        for made_before in (kept / "homeserver", kept / "service", kept / "agent"):
            shutil.rmtree(made_before, ignore_errors=True)
        found = None
    if found is None or len(found.people) < size.people:
        found = await _populate(kept, python, found, size, say)
    say(f"{found.rooms} rooms of {len(found.people)} people are kept in {kept}")
    return found


def copied(kept: Path, to: Path) -> None:
    """Copy what is kept: the homeserver, and what the service has on disk."""
    for part in ("homeserver", "service", "agent"):
        shutil.copytree(kept / part, to / part)


def settings_of(directory: Path, python: Path) -> HomeserverSettings:
    """How the populated homeserver runs.

    Without the cache of sync answers, which would give a second start without a token the first
    one's answer.
    """
    return HomeserverSettings(
        python=python,
        directory=directory / "homeserver",
        limits=Limits.UNLIMITED,
        sync_cache=False,
    )


async def _populate(
    kept: Path, python: Path, found: Population | None, size: Size, say: Callable[[str], None]
) -> Population:
    """Make whoever is missing; each that is done is kept, should this be broken off."""
    began = time.monotonic()
    async with AsyncExitStack() as opened:
        homeserver = await opened.enter_async_context(open_homeserver(settings_of(kept, python)))
        if found is None:
            found = Population(size, await homeserver.register("lambda", _PASSWORD), (), 0.0)
        missing = size.people - len(found.people)
        say(f"making {missing} people with {size.chats} chats each, which takes minutes")
        agent = await opened.enter_async_context(open_agent(kept / "agent", ["--mode", "echo"]))
        settings = ServiceSettings(
            more=NO_LIMITS,
            directory=kept / "service",
            homeserver_url=homeserver.url,
            bot=found.bot,
            agent_url=agent.url,
            agent_token=agent.token,
            server_name=homeserver.server_name,
        )
        await opened.enter_async_context(open_service(settings))
        making = _Making(kept / "population.json", homeserver, found, missing)
        async with trio.open_nursery() as nursery:
            for _ in range(_SIDE_BY_SIDE):
                nursery.start_soon(making.make_some, began, say)
    return making.found


@define
class _Making:
    """The people so far, and how many are still to be begun."""

    file: Path
    homeserver: Homeserver
    found: Population
    missing: int

    async def make_some(self, began: float, say: Callable[[str], None]) -> None:
        before = self.found.seconds
        while self.missing > 0:
            self.missing -= 1
            person = await _resident(self.homeserver, self.found.bot.user_id, self.found.size)
            people = (*self.found.people, person)
            took = time.monotonic() - began
            self.found = evolve(self.found, people=people, seconds=before + took)
            self.file.write_text(json.dumps(asdict(self.found)))
            if len(people) % 10 == 0:
                say(f"{len(people)} people after {took:.0f} s")


async def _resident(homeserver: Homeserver, bot: UserId, size: Size) -> Resident:
    """One more person: invites the bot, wants chats, and asks in each of them."""
    account = await homeserver.register(f"person-{secrets.token_hex(4)}", _PASSWORD)
    async with open_person(homeserver.url, account) as person:
        await person.direct_chat(bot)
        await join_next(person, bot, is_space=True, within=_PATIENCE)
        chats = [await join_next(person, bot, is_space=False, within=_PATIENCE)]
        while len(chats) < size.chats:
            await person.say(chats[0], "!new")
            chats.append(await join_next(person, bot, is_space=False, within=_PATIENCE))
        asked = [
            (room, await person.say(room, text))
            for room in chats
            for text in questions(room, size.long if room == chats[0] else size.short)
        ]
        for room, question in asked:
            await person.wait_for_answer(room, question, bot, _PATIENCE)
    return Resident(account, tuple(chats))


def questions(seed: str, many: int) -> Sequence[str]:
    """Questions of the length of a few sentences."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(_WORDS, k=_QUESTION_WORDS)) for _ in range(many)]


def _read(whole: Path) -> Population:
    kept = json.loads(whole.read_text())
    return Population(
        size=Size(**object_at(kept, "size")),
        bot=_account(object_at(kept, "bot")),
        people=tuple(
            Resident(
                _account(object_at(each, "account")),
                tuple(RoomId(str(room)) for room in each["chats"]),
            )
            for each in kept["people"]
        ),
        seconds=float(kept["seconds"]),
    )


def _account(kept: object) -> Account:
    user_id, password, token, device = (
        text_at(kept, key) or "" for key in ("user_id", "password", "access_token", "device_id")
    )
    return Account(UserId(user_id), password, AccessToken(token), DeviceId(device))
