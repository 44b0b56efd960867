"""`!agent`, `!settings`, `!set`: what a person chooses."""

from typing import assert_never

from attrs import evolve, frozen

from lambda_matrix import __version__
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.conversation.catalogue.settings import (
    AgentLine,
    ChatFacts,
    Dashboard,
    SettingFacts,
)
from lambda_matrix.conversation.command_table import CommandName, Place, spoken_name
from lambda_matrix.conversation.nearest import nearest
from lambda_matrix.conversation.setting_table import described
from lambda_matrix.conversation.settings import (
    SetLanguage,
    SetReplyStyle,
    SetStreaming,
    SetThreads,
    SettingChange,
    SetToolLines,
    Threads,
    changed,
)
from lambda_matrix.store import choices
from lambda_matrix.store.people import Pick
from lambda_matrix.store.records import RoomKind
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.people import People
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.contexts import Contexts


@frozen
class SettingCommands:
    """The commands about what a person chose."""

    _means: Means
    _people: People
    _bindings: Bindings
    _contexts: Contexts

    async def select_agent(self, order: Order, choice: str | None) -> None:
        """Choose the agent of the sender's next chats; None lists those that they may use."""
        theirs = self._means.agents.agents_for(order.sender)
        if choice is None:
            await self._list_agents(order, theirs)
            return
        found = _find(theirs, choice)
        if found is None:
            near = nearest(choice, [entry.id for entry in theirs])
            await self._means.reply(order.message, order.texts.settings.no_such_agent(choice, near))
            return
        settings = await self._people.settings(order.sender)
        text = order.texts.settings.agent_selected(found.name, self._agent_here(order))
        reply = self._means.reply_to(order.message, text)
        await self._people.choose(order.message, evolve(settings, agent=found.id), reply)

    async def _list_agents(self, order: Order, theirs: tuple[AgentEntry, ...]) -> None:
        selected = await self._people.agent_of_new_chats(order.sender)
        lines = [
            AgentLine(
                id=entry.id,
                name=entry.name,
                is_selected=entry.id == selected,
                is_here=order.room.kind is RoomKind.CHAT and entry.id == order.room.agent,
            )
            for entry in theirs
        ]
        reply = self._means.reply_to(order.message, order.texts.settings.agents(lines))
        pick = Pick("agent", tuple(entry.id for entry in theirs))
        await self._means.store.transact(
            choices.show_list, order.message, pick, reply, self._means.ourselves
        )
        self._means.outbox.wake([order.room_id])

    def _agent_here(self, order: Order) -> str | None:
        """Return the name of this chat's agent; None where there is none."""
        if order.room.kind is not RoomKind.CHAT or order.room.agent is None:
            return None
        entry = self._means.agents.get(order.room.agent)
        return order.room.agent if entry is None else entry.name

    async def show(self, order: Order) -> None:
        """Show all that the sender may want to know of themselves and of this place."""
        way = await self._means.way_to_chats(order.sender)
        agent = await self._people.agent_of_new_chats(order.sender)
        entry = self._means.agents.get(agent)
        dashboard = Dashboard(
            person=order.sender,
            space=None if way is None else way.space,
            agent=agent if entry is None else entry.name,
            chat=await self._chat(order),
            settings=await self._facts(order),
            version=__version__,
        )
        await self._means.reply(order.message, order.texts.settings.dashboard(dashboard))

    async def _chat(self, order: Order) -> ChatFacts | None:
        name, number = self._agent_here(order), order.room.platform_chat_id
        if name is None or number is None or order.room.agent is None:
            return None
        context = await self._contexts.counted(number, order.message.event_id)
        return ChatFacts(
            agent=name,
            platform_chat_id=number,
            messages=0 if context is None else context.message_count,
            is_archived=order.room.archived,
            is_stale=self._means.agents.get(order.room.agent) is None,
        )

    async def list_all(self, order: Order) -> None:
        """Say what can be set, and how it is set now."""
        text = order.texts.settings.all(await self._facts(order))
        await self._means.reply(order.message, text)

    async def _facts(self, order: Order) -> SettingFacts:
        threads = Threads.OWN if order.room.own_threads else Threads.SHARED
        return SettingFacts(
            language=order.texts.language,
            settings=await self._people.settings(order.sender),
            threads=threads if order.room.kind is RoomKind.CHAT else None,
        )

    async def change(self, order: Order, change: SettingChange) -> None:
        """Change one setting: the sender's, or this chat's."""
        match change:
            case SetThreads(threads):
                await self._set_threads(order, change, is_own=threads is Threads.OWN)
            case SetLanguage() | SetStreaming() | SetReplyStyle() | SetToolLines():
                settings = changed(await self._people.settings(order.sender), change)
                texts = self._means.languages.chosen(settings.language)
                reply = self._means.reply_to(order.message, texts.settings.changed(change))
                await self._people.choose(order.message, settings, reply)
            case _:
                assert_never(change)

    async def _set_threads(self, order: Order, change: SetThreads, *, is_own: bool) -> None:
        """Give the chat's threads contexts of their own, or the chat's."""
        async with self._bindings.changing(order.room_id):
            binding = await self._bindings.of(order.room_id)
            if binding is None:
                language = order.texts.language
                command = spoken_name(CommandName.SET, language, self._means.policy.command_prefix)
                written = " ".join((command, *described(change, language)))
                await self._means.reply(
                    order.message, order.texts.commands.not_here(written, Place.LOBBY)
                )
                return
            await self._bindings.note(order.room_id, evolve(binding, own_threads=is_own))
            reply = self._means.reply_to(order.message, order.texts.settings.changed(change))
            await self._means.store.transact(
                choices.choose_threads, order.message, reply, self._means.ourselves, is_own=is_own
            )
        self._means.outbox.wake([order.room_id])


def _find(theirs: tuple[AgentEntry, ...], choice: str) -> AgentEntry | None:
    """Return the agent of that id, name or place in the list."""
    wanted = choice.casefold()
    if wanted.isdecimal() and 0 < int(wanted) <= len(theirs):
        return theirs[int(wanted) - 1]
    return next(
        (entry for entry in theirs if wanted in {entry.id, entry.name.casefold()}),
        None,
    )
