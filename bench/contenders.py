"""Who takes part: each bot as its own process, with its own account and its own rooms.

In each room is one person, the same one in all rooms of a bot.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import trio
from asker import Asker, open_asker
from attrs import evolve, field, frozen

from lambda_matrix.demo.bare_http import open_caller
from lambda_matrix.demo.homeserver import Account, Homeserver
from lambda_matrix.demo.own_programs import Restartable, open_agent, service_program
from lambda_matrix.demo.person import Person, open_person
from lambda_matrix.demo.processes import Child, ChildError, Program, running
from lambda_matrix.demo.settings_files import NO_LIMITS, ServiceSettings
from lambda_matrix.ids import RoomId, UserId

_HERE = Path(__file__).parent
_READY_WITHIN = 30.0
_PROBE_EVERY = 0.5
_PASSWORD = "of a throw-away homeserver"


@frozen
class Ground:
    """Where the contenders run."""

    homeserver: Homeserver
    directory: Path
    rooms: int
    profile: Path | None = None
    """Where the service's profile goes; None to run it as it is."""


@frozen
class Contender:
    """A bot that is ready, its rooms, and the person in them. `agent` is the service's alone."""

    name: str
    user_id: UserId
    asker: Asker
    rooms: tuple[RoomId, ...]
    bot: int
    agent: int | None = None

    @property
    def processes(self) -> Mapping[str, int]:
        """The process ids to watch."""
        return {"bot": self.bot} | ({} if self.agent is None else {"agent": self.agent})


Open = Callable[[Ground], AbstractAsyncContextManager[Contender]]


@asynccontextmanager
async def _peer(
    name: str, program: str, more: Mapping[str, str], ground: Ground
) -> AsyncIterator[Contender]:
    """A bot of a few lines: it gets rooms that it is in already, and is asked until it answers."""
    homeserver, stem = ground.homeserver, "-".join(name.replace(",", "").split())
    account = await homeserver.register(f"{stem}-bot", _PASSWORD)
    person = await homeserver.register(f"{stem}-person", _PASSWORD)
    rooms = await _rooms_with(homeserver, person, account, ground.rooms)
    environment = {
        "BOT_HOMESERVER": homeserver.url,
        "BOT_USER": account.user_id,
        "BOT_TOKEN": account.access_token,
        "BOT_DEVICE": account.device_id,
        **more,
    }
    log = ground.directory / f"{stem}.log"
    started = Program(name, [sys.executable, str(_HERE / program)], log, environment)
    async with (
        running(started) as child,
        open_asker(homeserver.url, person, account.user_id) as asker,
    ):
        await _wait_answering(child, asker, rooms[0])
        yield Contender(name, account.user_id, asker, rooms, child.pid)


async def _wait_answering(child: Child, asker: Asker, room: RoomId) -> None:
    with trio.move_on_after(_READY_WITHIN):
        while child.returncode is None:
            if (await asker.ask(room, within=_PROBE_EVERY)).answered is not None:
                return
    raise child.failure("does not answer")


async def _rooms_with(
    homeserver: Homeserver, person: Account, bot: Account, many: int
) -> tuple[RoomId, ...]:
    rooms: list[RoomId] = []
    client = ("_matrix", "client", "v3")
    async with open_caller(homeserver.url) as caller:
        for _ in range(many):
            body = {"preset": "private_chat", "invite": [bot.user_id]}
            token = person.access_token
            made = await caller.call("POST", *client, "createRoom", body=body, token=token)
            rooms.append(RoomId(str(made["room_id"])))
            token = bot.access_token
            await caller.call("POST", *client, "join", rooms[-1], body={}, token=token)
    return tuple(rooms)


@asynccontextmanager
async def _service(ground: Ground) -> AsyncIterator[Contender]:
    """The service and the bundled agent; the rooms are chats, made as a person makes them."""
    homeserver = ground.homeserver
    account = await homeserver.register("service-bot", _PASSWORD)
    person = await homeserver.register("service-person", _PASSWORD)
    async with AsyncExitStack() as opened:
        agent = await opened.enter_async_context(
            open_agent(ground.directory / "agent", ["--mode", "echo"])
        )
        settings = ServiceSettings(
            more=NO_LIMITS,
            directory=ground.directory / "service",
            homeserver_url=homeserver.url,
            bot=account,
            agent_url=agent.url,
            agent_token=agent.token,
            server_name=homeserver.server_name,
        )
        program = service_program(settings)
        if ground.profile is not None:
            program = under("profiled.py", program, ground.profile)
        service = Restartable(program)
        opened.push_async_callback(service.stop)
        await service.start()
        async with open_person(homeserver.url, person) as someone:
            rooms = await _chats(someone, account.user_id, ground.rooms)
        asker = await opened.enter_async_context(
            open_asker(homeserver.url, person, account.user_id)
        )
        bot, other = pid_of(service), pid_of(agent.program)
        yield Contender("lambda-matrix", account.user_id, asker, rooms, bot, other)


def under(script: str, program: Program, into: Path) -> Program:
    """The same program under a script that writes into a file what it has seen."""
    arguments = program.command[program.command.index("run") :]
    command = [sys.executable, str(_HERE / script), str(into), *arguments]
    return evolve(program, command=command)


def pid_of(program: Restartable) -> int:
    if program.child is None:
        raise ChildError(f"{program.program.name} is not running")
    return program.child.pid


async def _chats(person: Person, bot: UserId, many: int) -> tuple[RoomId, ...]:
    await person.direct_chat(bot)
    await join_next(person, bot, is_space=True)
    rooms = [await join_next(person, bot, is_space=False)]
    while len(rooms) < many:
        await person.say(rooms[0], "!new")
        rooms.append(await join_next(person, bot, is_space=False))
    return tuple(rooms)


async def join_next(
    person: Person, bot: UserId, *, is_space: bool, within: float = _READY_WITHIN
) -> RoomId:
    """Join the Space or chat that the bot invites to next, `within` so many seconds."""

    def find() -> RoomId | None:
        invites = (
            room_id
            for room_id, view in person.rooms.items()
            if view.membership == "invite" and view.inviter == bot and view.is_space == is_space
        )
        return next(invites, None)

    room = await person.wait_until(find, within, "the bot's invite")
    await person.join(room)
    return room


@frozen
class Entry:
    """A line of the programme: a name, what it is made of, and how it is started."""

    name: str
    made_of: str
    open: Open = field(repr=False)


def _bot(name: str, program: str, made_of: str, **more: str) -> Entry:
    return Entry(name, made_of, partial(_peer, name, program, more))


SERVICE = Entry(
    "lambda-matrix",
    f"lambda-matrix {version('lambda-matrix')}, `run` with `agent --mode echo`",
    _service,
)
PEERS = (
    _bot(
        "bare httpx loop",
        "floor_bot.py",
        f"httpx {version('httpx')} on trio {version('trio')}: the floor",
    ),
    _bot(
        "bare loop, m.mentions",
        "floor_bot.py",
        "the same, with the empty `m.mentions` that the service's events have",
        BOT_EXTRA='{"m.mentions": {}}',
    ),
    _bot("matrix-nio", "nio_bot.py", f"matrix-nio {version('matrix-nio')}, asyncio"),
    _bot("mautrix", "mautrix_bot.py", f"mautrix {version('mautrix')}, asyncio"),
)
