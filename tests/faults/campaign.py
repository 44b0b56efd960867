"""One run: real homeserver, agent and service, persons who talk, and the plan's faults.

What was said is answered: the run ends when everything is answered (or the patience is), and what
became of it is counted from what the homeserver shows the persons.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import trio

from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.person import NotSeenError, open_person
from lambda_matrix.demo.view import fold_messages
from tests.faults import persons
from tests.faults.count import Tally, count_room
from tests.faults.fault import Stage
from tests.faults.plan import Plan
from tests.faults.supervised import Supervised
from tests.faults.world import World
from tests.lab.chatting import fresh_account, open_stack

_FENCE = "fence"


async def run_plan(plan: Plan, homeserver: Homeserver, directory: Path, *, is_long: bool) -> Tally:
    """Perform a plan with a bot, an agent and people of its own.

    Raises:
        AssertionError: a fault missed what it must see.
        NotSeenError: a person did not even get a room, or a reply to wait for.
        ChildError: a program that must run did not.
    """
    async with (
        open_stack(homeserver, directory) as stack,
        trio.open_nursery() as supervisor,
        AsyncExitStack() as opened,
    ):
        service = Supervised(stack.service.program)
        world = World(plan, is_long, stack, service)
        for name in ("anna", "boris"):
            account = await fresh_account(homeserver, name)
            world.people[name] = await opened.enter_async_context(
                open_person(homeserver.url, account)
            )
        supervisor.start_soon(service.keep)
        await _perform(world)
        tally = await _count(world)
        supervisor.cancel_scope.cancel()
    return tally


async def _perform(world: World) -> None:
    """Onboard, talk through the faults, wait for the answers, stop."""
    plan = world.plan
    async with trio.open_nursery() as faults:
        _begin(world, faults, Stage.ONBOARDING)
        world.service.start()
        await persons.onboard(world)
        _begin(world, faults, Stage.TALKING)
        # What the first fault wants said is what is said.
        await persons.talk(world, plan.faults[0].meanwhile)
    with suppress(NotSeenError):  # what is missing is counted as lost
        await _wait_answered(world)
    await world.service.stop()


def _begin(world: World, faults: trio.Nursery, stage: Stage) -> None:
    for fault in world.plan.faults:
        if fault.stage is stage:
            faults.start_soon(fault.happen, world, world.plan.draw_for(fault))


async def _wait_answered(world: World) -> None:
    with trio.move_on_after(world.patience):
        for chat, room in world.rooms.items():
            person = world.person(chat)
            for asked in world.asked.get(chat, ()):
                await world.answer(chat, asked)
            # What comes late comes before the answer to this.
            fence = await world.say(person, room, _FENCE)
            await person.wait_for_answer(room, fence, world.bot, world.patience)


async def _count(world: World) -> Tally:
    tally = Tally(runs=1, kills=world.kills, late=world.late)
    excuses = any(fault.excuses for fault in world.plan.faults)
    for chat, room in world.rooms.items():
        messages = fold_messages(await world.person(chat).history(room))
        fences = {said.event_id for said in messages if said.body == _FENCE}
        kept = [m for m in messages if not (m.mark and m.mark.question in fences)]
        others = [
            re.sub(r"^slow \S+ ", "", asked.text)
            for other, all_asked in world.asked.items()
            if other != chat
            for asked in all_asked
            if asked.waits
        ]
        tally.add(count_room(kept, world.asked.get(chat, ()), others, world.bot, excuses=excuses))
    tally.doubled += _doubled_rooms(world)
    return tally


def _doubled_rooms(world: World) -> int:
    """How many rooms the bot made more, or fewer, than it was asked for."""
    doubled = 0
    for name, person in world.people.items():
        made = [view for view in person.rooms.values() if view.inviter == world.bot]
        doubled += abs(len(made) - world.made[name])
    return doubled
