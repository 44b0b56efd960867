"""The bridge at work between a small homeserver, a proxy that spoils, and an agent that obeys.

Everything is real but the homeserver and the passing of time: sockets, the store, the client, the
sync loop, WebSockets. The clock jumps whenever everybody waits, so that minutes of waiting take
none; the store works in the test's own thread, since the clock does not wait for other threads.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import trio
from attrs import define, evolve, field
from trio.testing import MockClock
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.agent.roster import Agents
from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.client_server_api.sync import sync_forever
from lambda_matrix.conversation.access import Access
from lambda_matrix.conversation.limits import Limits
from lambda_matrix.conversation.texts import Language, texts
from lambda_matrix.ids import (
    AccessToken,
    AgentId,
    DeviceId,
    EventId,
    InstanceId,
    PlatformChatId,
    RoomId,
    UserId,
)
from lambda_matrix.metrics import Metrics
from lambda_matrix.reconcile.reconciliation import reconcile
from lambda_matrix.store import meta
from lambda_matrix.store.records import Intent, Ourselves, RoomKind
from lambda_matrix.store.store import Store, open_store
from lambda_matrix.store.topology import intents
from lambda_matrix.surface import catching_up
from lambda_matrix.surface.bridge import Bridge
from lambda_matrix.surface.catching_up import CatchingUp
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.policy import Policy
from lambda_matrix.surface.wiring import build_bridge
from lambda_matrix.workspace.folder import Workspace
from tests.agent.servers import accept, entry_at, say, websocket_agent
from tests.lab.proxy import Exchange, Proxy, open_proxy
from tests.lab.small_homeserver import (
    ANNA,
    BOT,
    TOKEN,
    SmallHomeserver,
    open_small_homeserver,
)

R = TypeVar("R")

_NO_ROOM = RoomId("")
SEND = r"PUT .*/send/m\.room\.message/"
TEXTS = texts(Language.EN)
POLICY = Policy(
    access=Access(users=("@*:example.org",), deny=("@mallory:*",)),
    reject_denied_invites=True,
    command_prefix="!",
    name="Lambda",
    language=Language.EN,
    limits=Limits(burst=1000, waiting=1000),
    runs=100,
    file_bytes=1_000_000,
    files_in_line=3,
)
MALLORY = UserId("@mallory:example.org")


@define(eq=False)
class AgentRun:
    """One run on the agent's side."""

    socket: WebSocketConnection
    input: dict[str, Any]
    closed: trio.Event = field(factory=trio.Event)

    @property
    def question(self) -> str:
        """The newest message of the input."""
        content: str = self.input["messages"][-1]["content"]
        return content

    async def say(self, *frames: dict[str, Any]) -> None:
        await say(self.socket, *frames)

    async def start(self) -> None:
        ids = {"threadId": self.input["threadId"], "runId": self.input["runId"]}
        await self.say({"type": "RUN_STARTED", **ids})
        await self.say({"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"})

    async def text(self, delta: str) -> None:
        await self.say({"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": delta})

    async def finish(self, **more: object) -> None:
        ids = {"threadId": self.input["threadId"], "runId": self.input["runId"]}
        await self.say({"type": "TEXT_MESSAGE_END", "messageId": "m"})
        await self.say({"type": "RUN_FINISHED", **ids, **more})

    async def answer(self, text: str) -> None:
        """A whole answer."""
        await self.start()
        await self.text(text)
        await self.finish()


async def answer_at_once(run: AgentRun) -> None:
    await run.answer(f"Answer to {run.question}")


@define(eq=False)
class Agent:
    """An agent that does with each run what `behave` says."""

    behave: Callable[[AgentRun], Awaitable[None]] = answer_at_once
    runs: list[AgentRun] = field(factory=list)
    _changed: trio.Event = field(factory=trio.Event)

    @property
    def questions(self) -> list[str]:
        """What was asked so far."""
        return [run.question for run in self.runs]

    async def serve(self, request: WebSocketRequest) -> None:
        socket, run_input = await accept(request)
        run = AgentRun(socket, run_input)
        self.runs.append(run)
        self._tell()
        try:
            await self.behave(run)
            await socket.get_message()  # nothing comes but the other's goodbye
        except ConnectionClosed:
            run.closed.set()

    async def run(self, number: int = 1, within: float = 60) -> AgentRun:
        """Wait for the `number`th run."""
        with trio.fail_after(within):
            while len(self.runs) < number:
                await self._changed.wait()
        return self.runs[number - 1]

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


async def say_nothing(run: AgentRun) -> None:
    """Begin and fall silent."""
    await run.start()


def in_steps(*steps: str, pause: float = 2.0) -> Callable[[AgentRun], Awaitable[None]]:
    """Behave so: say one piece after the other, `pause` seconds apart."""

    async def behave(run: AgentRun) -> None:
        await run.start()
        for step in steps:
            await run.text(step)
            await trio.sleep(pause)
        await run.finish()

    return behave


@define(eq=False)
class Lab:
    """Everything that outlives a start of the service."""

    clock: MockClock
    homeserver: SmallHomeserver
    proxy: Proxy
    agent: Agent
    registry: Registry
    directory: Path
    metrics: Metrics = field(factory=Metrics)

    @property
    def entry(self) -> AgentEntry:
        return self.registry.agents[self.registry.default]

    def with_agent(self, **more: Any) -> None:
        """Change the agent's entry for later starts."""
        entry = evolve(self.entry, **more)
        self.registry = Registry(entry.id, MappingProxyType({entry.id: entry}))

    def puts(self, containing: bytes = b"") -> list[Exchange]:
        """Each time that the service sent a message, in order."""
        return [put for put in self.proxy.made(SEND) if containing in put.body]

    @asynccontextmanager
    async def service(
        self,
        *,
        policy: Policy = POLICY,
        live: bool = True,
        reconciling: bool = False,
        announcing: bool = False,
        prepare: Callable[[Store, Ourselves], Awaitable[None]] | None = None,
    ) -> AsyncIterator[Service]:
        """One start of the service, as `service.supervisor` does it; cancelled at the end.

        `prepare` has the store before anything begins; without `live` it only catches up. Rooms
        that tests have planted know nothing of `reconciling`, and tests that count requests
        nothing of `announcing`.
        """
        device = DeviceId(self.homeserver.device_id)
        session = Session(BOT, device, AccessToken(TOKEN))
        async with (
            open_store(self.directory, _directly) as store,
            open_client(self.proxy.url, session) as client,
        ):
            catch_up = await catching_up.begin(store, BOT, device)
            if prepare is not None:
                await prepare(store, Ourselves(BOT, device, InstanceId("0000000000000-before")))
            agents = Agents(self.registry)
            async with trio.open_nursery() as supervisor:
                await supervisor.start(_sync, client, store, catch_up)
                ourselves = await catch_up.over()
                bridge = build_bridge(
                    store=store,
                    client=client,
                    ourselves=ourselves,
                    agents=agents,
                    policy=policy,
                    workspaces=Workspaces(
                        agents, self.directory / "files", lambda root: Workspace(root, _directly)
                    ),
                    metrics=self.metrics,
                )
                catch_up.hand_over(bridge.take_in)
                if announcing:
                    await catching_up.announce(store, client, ourselves)
                if reconciling:
                    await reconcile(bridge.means, bridge.bindings, bridge.spaces)
                if live:
                    await supervisor.start(bridge.run)
                yield Service(self, store, client, bridge, ourselves)
                supervisor.cancel_scope.cancel()

    @asynccontextmanager
    async def chat(self, **more: Any) -> AsyncIterator[Service]:
        """A running service, and a chat of Anna's: `service.room`."""
        async with self.service(**more) as service:
            service.room = await service.new_chat()
            yield service

    def crash(self) -> None:
        """What is on disk now is what the next start finds, whatever this one still does."""
        fallen = self.directory.with_name(f"{self.directory.name}-after-crash")
        shutil.copytree(self.directory, fallen)
        self.directory = fallen

    def lose_database(self) -> None:
        self.directory = self.directory.with_name(f"{self.directory.name}-empty")


@define(eq=False)
class Service:
    """One start of the service."""

    lab: Lab
    store: Store
    client: Client
    bridge: Bridge
    ourselves: Ourselves
    room: RoomId = _NO_ROOM

    async def new_chat(self, *people: UserId) -> RoomId:
        """A chat room of the first of the people (Anna), bound to the agent."""
        room_id = self.lab.homeserver.chat_of_bot(*(people or (ANNA,)))
        await self.bind(room_id, people[0] if people else ANNA)
        await self.caught_up()
        return room_id

    async def bind(
        self, room_id: RoomId, owner: UserId = ANNA, kind: RoomKind = RoomKind.CHAT
    ) -> None:
        """Have the room be one of the owner's, as if it had been made for them."""
        agent = self.lab.registry.default
        number = PlatformChatId(1000 + len(self.lab.homeserver.rooms))
        intent = Intent(
            intent_id=f"intent of {room_id}",
            kind=kind,
            owner=owner,
            command=EventId("$bound"),
            origin=None,
            name=None,
            agent=agent,
            platform_chat_id=number if kind is RoomKind.CHAT else None,
            tries=1,
            room_id=room_id,
            done=False,
        )
        await self.store.transact(intents.complete, intent, "Chat", room_id, (), self.ourselves)

    async def caught_up(self) -> None:
        """Wait until the service has taken in all that there is."""
        while await self.store.transact(meta.sync_token) != f"s{self.lab.homeserver.position}":
            await self.bridge.rounds.wait_next()

    async def ask(self, body: str, room: RoomId | None = None) -> str:
        """Have Anna say something; return the final answer to it."""
        room_id = room or self.room
        homeserver = self.lab.homeserver
        return await homeserver.answer(room_id, homeserver.say(room_id, ANNA, body))

    async def rows(self, columns: str = "*", where: str = "1") -> list[tuple[Any, ...]]:
        """What stands in the outbox."""
        query = f"SELECT {columns} FROM outbox WHERE {where} ORDER BY seq"  # noqa: S608 - a test's own words
        return await self.store.transact(lambda db: db.execute(query).fetchall())

    async def change(self, statement: str, *values: object) -> None:
        """Plant something in the database that no public way leads to."""
        await self.store.transact(lambda db: db.execute(statement, values).rowcount)


async def _directly(call: Callable[[], R], /) -> R:
    """Make a blocking call of the store's here and now (`RunSync`)."""
    await trio.lowlevel.checkpoint()
    return call()


async def _sync(
    client: Client,
    store: Store,
    catch_up: CatchingUp,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    since = await store.transact(meta.sync_token)
    await sync_forever(
        client, since=since, filter_id=None, on_batch=catch_up.take_in, task_status=task_status
    )


@asynccontextmanager
async def open_lab(clock: MockClock, directory: Path) -> AsyncIterator[Lab]:
    """The homeserver, the proxy and the agent; all that the service asks must be as specified."""
    agent = Agent()
    async with (
        open_small_homeserver() as homeserver,
        open_proxy(homeserver.url) as proxy,
        websocket_agent(agent.serve) as agent_url,
    ):
        entry = entry_at(agent_url, idle_timeout=120.0)
        registry = Registry(AgentId("main"), MappingProxyType({entry.id: entry}))
        yield Lab(clock, homeserver, proxy, agent, registry, directory / "state")
    assert proxy.findings == []
