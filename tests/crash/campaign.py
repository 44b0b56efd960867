"""One run of the crash test: real homeserver, agent and service; the service is killed, and killed.

A question asked is a question answered: the run ends when everything is answered (or the patience
is), and what became of it is counted from what the homeserver shows the persons.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import trio
from attrs import define, field

from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.person import NotSeenError, Person, open_person
from lambda_matrix.demo.view import fold_messages
from lambda_matrix.ids import RoomId
from tests.crash.count import Asked, Tally, count_room
from tests.crash.plan import CHATS, Kill, Moment, Plan
from tests.lab.chatting import Stack, fresh_account, invited, onboard, open_stack
from tests.lab.proxy import Hold

_PATIENCE = 60.0
"""Seconds for everything to be answered after the last kill."""
_MOMENT_WITHIN = 8.0
"""Seconds for a moment to come; else the kill happens then."""

_SEND = r"^PUT .*/send/m\.room\.message/"
_HELD: dict[Moment, tuple[str, bytes, bool]] = {
    Moment.SYNC_ANSWER: (r"^GET .*/sync\?.*since=", b"", True),
    Moment.PREVIEW_ASKED: (_SEND, b'"open"', False),
    Moment.PREVIEW_DONE: (_SEND, b'"open"', True),
    Moment.FINAL_ASKED: (_SEND, b'"final"', False),
    Moment.FINAL_DONE: (_SEND, b'"final"', True),
    Moment.RECEIPT_DONE: (r"^POST .*/receipt/", b"", True),
}
"""Moments at which the proxy holds an exchange: pattern, part of the body, whether its answer."""


@define
class Run:
    """The state of one run."""

    plan: Plan
    stack: Stack
    people: dict[str, Person] = field(factory=dict)
    rooms: dict[str, RoomId] = field(factory=dict)
    asked: dict[str, list[Asked]] = field(factory=lambda: {chat: [] for chat in CHATS})
    sent: int = 0
    kills: int = 0
    late: int = 0
    _said: trio.Event = field(factory=trio.Event)

    async def perform(self) -> Tally:
        """Onboard, ask and kill at once, wait for the answers, count."""
        await self.stack.service.start()
        before = [kill for kill in self.plan.kills if kill.moment is Moment.ONBOARDING]
        after = [kill for kill in self.plan.kills if kill.moment is not Moment.ONBOARDING]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._kill_in_turn, before)
            nursery.start_soon(self._onboard)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._kill_in_turn, after)
            nursery.start_soon(self._ask)
        with suppress(NotSeenError):  # what is missing is counted as lost
            await self._wait_answered()
        await self.stack.service.stop()
        return await self._count()

    async def _onboard(self) -> None:
        anna, boris = self.people["anna"], self.people["boris"]
        direct = await anna.direct_chat(self.stack.bot)
        self._tell()
        first = await invited(anna, self.stack.bot, set(), is_space=False, within=_PATIENCE)
        await invited(anna, self.stack.bot, set(), is_space=True, within=_PATIENCE)
        await anna.join(first)
        await anna.say(direct, "!new")
        second = await invited(anna, self.stack.bot, {first}, is_space=False, within=_PATIENCE)
        await anna.join(second)
        other = await onboard(boris, self.stack, within=_PATIENCE)
        self.rooms = dict(zip(CHATS, (first, second, other.chat), strict=True))

    async def _ask(self) -> None:
        for question in self.plan.questions:
            await trio.sleep(question.pause)
            person, room = self._person(question.chat), self.rooms[question.chat]
            event_id = await person.say(room, question.text)
            asked = self.asked[question.chat]
            asked.append(Asked(event_id, question.text, len(asked) + 1))
            self.sent += 1
            self._tell()

    def _person(self, chat: str) -> Person:
        return self.people[chat.split(maxsplit=1)[0]]

    def _tell(self) -> None:
        self._said.set()
        self._said = trio.Event()

    # -- killing --

    async def _kill_in_turn(self, kills: list[Kill]) -> None:
        for kill in kills:
            with trio.move_on_after(_MOMENT_WITHIN) as patience:
                await self._wait_moment(kill)
            self.late += patience.cancelled_caught
            await self.stack.service.kill()
            self.stack.proxy.mend()
            self.kills += 1
            await self._start_again(kill)

    async def _start_again(self, kill: Kill) -> None:
        if kill.moment is Moment.STARTING:
            # Killed once more before it is ready.
            with trio.move_on_after(kill.delay):
                await self.stack.service.start()
            await self.stack.service.kill()
        await self.stack.service.start()

    async def _wait_moment(self, kill: Kill) -> None:
        if kill.moment in _HELD:
            pattern, containing, answer = _HELD[kill.moment]
            for turn in range(kill.nth):
                hold = Hold(answer=answer)
                rule = self.stack.proxy.spoil(pattern, hold, 1, containing)
                await hold.caught.wait()
                if turn + 1 < kill.nth:
                    self.stack.proxy.mend(rule)
            return  # held until the kill: there is nothing to delay
        if kill.moment is Moment.ONBOARDING:
            await self._said.wait()
        elif kill.moment is Moment.QUESTION:
            while self.sent < kill.nth:
                await self._said.wait()
        elif kill.moment is not Moment.STARTING:
            await self._wait_seen(kill)
        await trio.sleep(kill.delay)

    async def _wait_seen(self, kill: Kill) -> None:
        whole = kill.moment is Moment.ANSWER_SEEN
        anna = self.people["anna"]

        def seen() -> bool:
            answers = [
                anna.rooms[self.rooms[chat]].answer(asked.event_id, self.stack.bot)
                for chat in ("anna 1", "anna 2")
                for asked in self.asked[chat]
            ]
            return sum(answer is not None and answer.is_final >= whole for answer in answers) >= (
                kill.nth
            )

        await anna.wait_until(seen, float("inf"))

    # -- counting --

    async def _wait_answered(self) -> None:
        with trio.move_on_after(_PATIENCE):
            for chat, room in self.rooms.items():
                person = self._person(chat)
                for asked in self.asked[chat]:
                    await person.wait_for_answer(room, asked.event_id, self.stack.bot, _PATIENCE)
                # What comes late comes before the answer to this.
                fence = await person.say(room, "fence")
                await person.wait_for_answer(room, fence, self.stack.bot, _PATIENCE)

    async def _count(self) -> Tally:
        tally = Tally(kills=self.kills, late=self.late)
        for chat, room in self.rooms.items():
            messages = fold_messages(await self._person(chat).history(room))
            fences = {said.event_id for said in messages if said.body == "fence"}
            kept = [m for m in messages if not (m.mark and m.mark.question in fences)]
            others = [
                re.sub(r"^slow \S+ ", "", text)
                for other in CHATS
                if other != chat
                for text in self.plan.texts(other)
            ]
            tally.add(count_room(kept, self.asked[chat], others, self.stack.bot))
        tally.twice += self._doubled_rooms()
        return tally

    def _doubled_rooms(self) -> int:
        """How many rooms the bot made more than it was asked for."""
        doubled = 0
        for name, person in self.people.items():
            made = [view for view in person.rooms.values() if view.inviter == self.stack.bot]
            chats = sum(chat.startswith(name) for chat in CHATS)
            doubled += abs(len(made) - (1 + chats))
        return doubled


async def run_seed(plan: Plan, homeserver: Homeserver, directory: Path) -> Tally:
    """Perform a plan with a bot, an agent and people of its own."""
    async with open_stack(homeserver, directory) as stack, AsyncExitStack() as opened:
        run = Run(plan, stack)
        for name in ("anna", "boris"):
            account = await fresh_account(homeserver, name)
            run.people[name] = await opened.enter_async_context(
                open_person(homeserver.url, account)
            )
        return await run.perform()
