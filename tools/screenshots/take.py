"""take.py: Hydrogen's pictures of a person who meets Lambda, into docs/images. `make screenshots`.

A real Synapse, the service as it is shipped, a real client in a real browser. Only the agent's
answers are prepared. The person's other device (bare HTTP) tells when something has happened.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pictures
import trio
from agent import PreparedAgent, open_agent
from attrs import frozen
from browser import DESKTOP, PHONE, Browser, BrowserError, Screen, open_browser
from talks import ENGLISH, RUSSIAN, Exchange, Talk

from lambda_matrix.demo.bare_http import CallError, Json
from lambda_matrix.demo.homeserver import Homeserver, HomeserverSettings, Limits, open_homeserver
from lambda_matrix.demo.own_programs import open_service
from lambda_matrix.demo.person import NotSeenError, Person, open_person
from lambda_matrix.demo.processes import ChildError
from lambda_matrix.demo.settings_files import ServiceSettings, to_toml
from lambda_matrix.demo.view import RoomView
from lambda_matrix.ids import EventId, RoomId, UserId

_SERVER_NAME = "example.org"
_WITHIN = 30.0


@frozen
class World:
    """What the pictures of one language are taken of."""

    talk: Talk
    homeserver: Homeserver
    person: Person
    agent: PreparedAgent
    browser: Browser
    bot: UserId
    images: Path
    directory: Path


@frozen
class Session:
    """A person's story, picture by picture."""

    world: World

    async def tell(self) -> None:
        """All of it.

        Raises:
          BrowserError: something was not to be seen.
          NotSeenError: something did not happen.
        """
        direct, chat = await self._meet()
        await self._converse(chat)
        await self._on_the_phone(chat)
        await self._sign_in(DESKTOP)
        await self._work(await self._new_chat(chat, self.world.talk.work_chat))
        await self._look(await self._new_chat(chat, self.world.talk.photo_chat))
        await self._ask_the_bot(direct)

    async def _meet(self) -> tuple[RoomId, RoomId]:
        world, browser = self.world, self.world.browser
        await self._sign_in(DESKTOP)
        direct = await world.person.direct_chat(world.bot)
        space = await self._invited(is_space=True)
        chat = await self._invited(is_space=False)
        await browser.open_room(direct, world.talk.help)
        await self._shoot("greeting", 620)
        await browser.open_room(space, "invited you")
        await self._shoot("invite", 480)
        for room in (space, chat):
            await self._accept(room)
        await browser.open_room(chat, world.talk.help)
        return direct, chat

    async def _converse(self, chat: RoomId) -> None:
        talk = self.world.talk
        for exchange in (talk.trip, talk.thanks):
            await self._ask(chat, exchange)
        await self._shoot("conversation", 655)

    async def _work(self, chat: RoomId) -> None:
        world, talk = self.world, self.world.talk
        for exchange in (talk.function, talk.formula):
            await self._ask(chat, exchange)
        await self._shoot("code", 770)
        await self._say(chat, talk.delete.question)
        await world.browser.see(talk.yes)
        await self._answered(chat, await self._say(chat, talk.yes))
        await self._shoot("confirmation", 560)
        question = await self._say(chat, talk.tool.question)
        await world.browser.see(talk.tool.see)
        await self._shoot("tool", 400)
        world.agent.go_on()
        await self._answered(chat, question)

    async def _look(self, chat: RoomId) -> None:
        world = self.world
        path = world.directory / "boat.png"
        await trio.Path(path).write_bytes(pictures.photo())
        await world.browser.send_picture(path)
        await world.browser.see(path.name)  # in the bot's word that it has got it
        await self._ask(chat, world.talk.photo)
        await self._ask(chat, world.talk.chart)
        await world.person.wait_for(
            chat,
            lambda view: [said for said in view.said_by(world.bot) if said.msgtype == "m.image"],
        )
        await self._shoot("images", 960)

    async def _ask_the_bot(self, direct: RoomId) -> None:
        world, talk = self.world, self.world.talk
        await world.browser.open_room(direct, talk.help)
        await self._answered(direct, await self._say(direct, talk.help))
        await self._shoot("help", 1000)
        for command in (talk.chats, talk.settings):
            await self._answered(direct, await self._say(direct, command))
        await self._shoot("chats", 840)

    async def _on_the_phone(self, chat: RoomId) -> None:
        world = self.world
        await self._sign_in(PHONE)
        await world.browser.open_room(chat, world.talk.thanks.see)
        await self._shoot("phone")

    async def _new_chat(self, chat: RoomId, name: str) -> RoomId:
        world = self.world
        await world.browser.open_room(chat, world.talk.thanks.see)
        await self._answered(chat, await self._say(chat, f"{world.talk.new} {name}"))
        new = await self._invited(is_space=False)
        await self._accept(new)
        await world.browser.open_room(new, world.talk.help)
        return new

    async def _accept(self, room: RoomId) -> None:
        await self.world.browser.open_room(room, "invited you")
        await self.world.browser.press("Accept")
        await self.world.person.wait_for(room, lambda view: view.membership == "join" or None)

    async def _sign_in(self, screen: Screen) -> None:
        world = self.world
        await world.browser.sign_in(world.homeserver.url, world.person.account, screen)

    async def _invited(self, *, is_space: bool) -> RoomId:
        world = self.world

        def find() -> RoomId | None:
            for room_id, view in world.person.rooms.items():
                invited = view.membership == "invite" and view.inviter == world.bot
                if invited and view.is_space == is_space:
                    return room_id
            return None

        return await world.person.wait_until(find, _WITHIN, "an invite")

    async def _ask(self, room: RoomId, exchange: Exchange) -> None:
        """Ask in the room that is open, and wait until the browser shows the answer."""
        await self._answered(room, await self._say(room, exchange.question))
        await self.world.browser.see(exchange.see)

    async def _say(self, room: RoomId, text: str) -> EventId:
        """Write in the browser, in the room that is open."""
        world = self.world
        await world.browser.type(text)

        def said(view: RoomView) -> EventId | None:
            last = view.said_by(world.person.user_id)[-1:]
            return last[0].event_id if last and last[0].body == text else None

        return await world.person.wait_for(room, said, _WITHIN, "what was written")

    async def _answered(self, room: RoomId, question: EventId) -> None:
        world = self.world
        await world.person.wait_for_answer(room, question, world.bot, _WITHIN)

    async def _read_everything(self) -> None:
        """Have nothing unread: Hydrogen counts even what is in the room that is open."""
        person = self.world.person
        for view in person.rooms.values():
            if view.membership == "join" and view.events:
                last = str(view.events[-1]["event_id"])
                await person.call("POST", "rooms", view.room_id, "receipt", "m.read", last, body={})

    async def _shoot(self, name: str, height: int | None = None) -> None:
        await self._read_everything()
        path = self.world.images / f"{name}.{self.world.talk.language.value}.png"
        await self.world.browser.shoot(path, height)
        size = await trio.to_thread.run_sync(pictures.shrink, path)
        print(f"{path.name}: {size // 1000} kB")


@asynccontextmanager
async def _open_world(
    homeserver: Homeserver, browser: Browser, talk: Talk, directory: Path, images: Path
) -> AsyncIterator[World]:
    """A service of this language with a bot of its own, and a person who has not met it."""
    bot = await homeserver.register(talk.bot, secrets.token_urlsafe(12))
    account = await homeserver.register(talk.person, secrets.token_urlsafe(12))
    workspace = directory / "workspace"
    workspace.mkdir(parents=True)
    files = {talk.chart_file: pictures.chart(talk.chart_title, talk.chart_bars)}
    async with (
        open_agent(PreparedAgent(talk.answers, files, workspace)) as agent,
        open_person(homeserver.url, account) as person,
    ):
        registry = directory / "registry.toml"
        registry.write_text(
            to_toml(
                {
                    "agent.main": {
                        "name": "Lambda",
                        "base_url": agent.url,
                        "workspace": str(workspace),
                    }
                }
            )
        )
        name: Json = {"displayname": talk.name}
        await person.call("PUT", "profile", account.user_id, "displayname", body=name)
        service = ServiceSettings(
            directory=directory / "service",
            homeserver_url=homeserver.url,
            bot=bot,
            agent_url=agent.url,
            agent_token="",
            server_name=homeserver.server_name,
            language=talk.language.value,
            more={"agents": {"registry": str(registry)}},
        )
        async with open_service(service):
            yield World(talk, homeserver, person, agent, browser, bot.user_id, images, directory)


async def _take(python: Path, images: Path, directory: Path) -> None:
    settings = HomeserverSettings(
        python=python,
        directory=directory / "homeserver",
        limits=Limits.UNLIMITED,
        server_name=_SERVER_NAME,
    )
    async with (
        open_homeserver(settings) as homeserver,
        open_browser(directory / "hydrogen") as browser,
    ):
        for talk in (ENGLISH, RUSSIAN):
            place = directory / talk.language.value
            async with _open_world(homeserver, browser, talk, place, images) as world:
                await Session(world).tell()


def main() -> None:
    """Take all the pictures; exit with what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synapse-python", type=Path, required=True)
    parser.add_argument("--images", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    images = arguments.images.absolute()
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lambda-matrix-screenshots-") as directory:
        try:
            trio.run(_take, arguments.synapse_python.absolute(), images, Path(directory))
        except* (BrowserError, NotSeenError, CallError, ChildError) as failed:
            sys.exit("\n".join(map(str, _leaves(failed))))


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
