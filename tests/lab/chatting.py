"""A person who talks with the bot: the real service, agent and homeserver, and a proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

from attrs import define, evolve, frozen

from lambda_matrix.demo.homeserver import Account, Homeserver
from lambda_matrix.demo.own_programs import AgentPlace, Restartable, agent_place, service_program
from lambda_matrix.demo.person import Person, open_person
from lambda_matrix.demo.settings_files import NO_LIMITS, ServiceSettings, Table, write_service_files
from lambda_matrix.demo.view import Answer, Message, RoomView
from lambda_matrix.ids import EventId, RoomId, UserId
from tests.lab.product import PRODUCT
from tests.lab.proxy import Proxy, open_proxy

_number = count(1)


async def fresh_account(homeserver: Homeserver, name: str, *, admin: bool = False) -> Account:
    """A user that no other test has: `name` with a number."""
    return await homeserver.register(f"{name}{next(_number)}", f"password of {name}", admin=admin)


@frozen
class Stack:
    """The service (not yet started), its bot, the agent, and the proxy before the homeserver."""

    homeserver: Homeserver
    proxy: Proxy
    agent: AgentPlace
    service: Restartable
    bot: UserId
    settings: ServiceSettings

    async def restart_with(self, **tables: Table) -> None:
        """Start the service (again) with these keys added to its configuration."""
        await self.service.stop()
        more = {**self.settings.more, **tables}
        write_service_files(evolve(self.settings, more=more))
        await self.service.start()


@asynccontextmanager
async def open_stack(
    homeserver: Homeserver,
    directory: Path,
    *,
    idle_timeout: float = 120,
    run_timeout: float = 900,
    more: Mapping[str, Table] = {},
    start_agent: bool = True,
) -> AsyncIterator[Stack]:
    """All of it but a person; what the service asks of the homeserver must be as the spec says."""
    bot = await fresh_account(homeserver, "bot")
    async with (
        open_proxy(homeserver.url) as proxy,
        AsyncExitStack() as stack,
    ):
        workspace = directory / "agents" / "main"
        workspace.mkdir(parents=True)
        agent = agent_place(directory / "agent", ["--workspace", str(workspace)], PRODUCT)
        stack.push_async_callback(agent.program.stop)
        if start_agent:
            await agent.program.start()
        settings = ServiceSettings(
            directory=directory / "service",
            homeserver_url=proxy.url,
            bot=bot,
            agent_url=agent.url,
            agent_token=agent.token,
            server_name=homeserver.server_name,
            idle_timeout=idle_timeout,
            run_timeout=run_timeout,
            workspace=workspace,
            more={**NO_LIMITS, **more},
        )
        service = Restartable(service_program(settings, PRODUCT))
        stack.push_async_callback(service.stop)
        yield Stack(homeserver, proxy, agent, service, bot.user_id, settings)
    assert proxy.findings == []


@define
class Talk:
    """One person in the bot's Space and first chat; `ask` and the like speak in that chat."""

    person: Person
    bot: UserId
    direct: RoomId
    space: RoomId
    chat: RoomId

    @property
    def view(self) -> RoomView:
        """What the person sees of the first chat."""
        return self.person.rooms[self.chat]

    async def say(self, text: str, room: RoomId | None = None) -> EventId:
        return await self.person.say(room or self.chat, text)

    async def answer(
        self, question: EventId, room: RoomId | None = None, within: float = 30
    ) -> Answer:
        """The whole answer to a question."""
        return await self.person.wait_for_answer(room or self.chat, question, self.bot, within)

    async def ask(self, text: str, room: RoomId | None = None, within: float = 30) -> Answer:
        """Say something, and return the whole answer."""
        return await self.answer(await self.say(text, room), room, within)

    async def growing(
        self, question: EventId, room: RoomId | None = None, within: float = 30
    ) -> Message:
        """Wait until the first preview of an answer is there."""
        return await self.person.wait_for(
            room or self.chat,
            lambda view: answer.parts[0] if (answer := view.answer(question, self.bot)) else None,
            within,
            "a preview",
        )

    async def heard(self, words: str, room: RoomId | None = None, within: float = 30) -> Message:
        """Wait until the bot has said these words."""
        return await self.person.wait_for(
            room or self.chat,
            lambda view: next((one for one in view.said_by(self.bot) if words in one.body), None),
            within,
            f"{words!r}",
        )

    async def new_chat(self, command: str = "!new") -> RoomId:
        """Have another chat made, and join it."""
        known = set(self.person.rooms)
        await self.say(command)
        room = await invited(self.person, self.bot, known, is_space=False)
        await self.person.join(room)
        return room


@define
class Chatting(Talk):
    """One person who talks with the bot of a stack."""

    stack: Stack

    @property
    def service(self) -> Restartable:
        return self.stack.service

    @property
    def proxy(self) -> Proxy:
        return self.stack.proxy


async def invited(
    person: Person, bot: UserId, known: set[RoomId], *, is_space: bool, within: float = 30
) -> RoomId:
    """Wait for the bot's invite to a room (or Space) that is not among the known ones."""

    def find() -> RoomId | None:
        for room_id, view in person.rooms.items():
            invite = view.membership == "invite" and view.inviter == bot
            if invite and view.is_space == is_space and room_id not in known:
                return room_id
        return None

    what = f"an invite of {bot} to a {'Space' if is_space else 'chat'}"
    return await person.wait_until(find, within, what)


async def meet(person: Person, bot: UserId, within: float = 30) -> Talk:
    """Invite the bot into a direct chat, and join the Space and the chat that it makes."""
    known = set(person.rooms)
    direct = await person.direct_chat(bot)
    space = await invited(person, bot, known, is_space=True, within=within)
    chat = await invited(person, bot, known, is_space=False, within=within)
    await person.join(space)
    await person.join(chat)
    return Talk(person, bot, direct, space, chat)


async def onboard(person: Person, stack: Stack, within: float = 30) -> Chatting:
    """`meet` the bot of a stack."""
    met = await meet(person, stack.bot, within)
    return Chatting(met.person, met.bot, met.direct, met.space, met.chat, stack)


@asynccontextmanager
async def open_chatting(stack: Stack, name: str = "anna") -> AsyncIterator[Chatting]:
    """A new person, onboarded by a service that runs already."""
    account = await fresh_account(stack.homeserver, name)
    async with open_person(stack.homeserver.url, account) as person:
        yield await onboard(person, stack)
