"""One run: real homeserver, agent and service, persons who talk, and the plan's faults.

What was said is answered: the run ends when everything is answered (or the patience is), and what
became of it is counted from what the homeserver shows the persons.
"""

from __future__ import annotations

import re
import signal
import traceback
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import trio
from attrs import frozen

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.texts_en.answers import why
from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.person import NotSeenError, open_person
from lambda_matrix.demo.processes import ChildError
from lambda_matrix.demo.view import fold_messages
from lambda_matrix.store.questions.requests import MAX_ATTEMPTS
from tests.faults import persons
from tests.faults.count import Tally, count_room
from tests.faults.fault import Stage
from tests.faults.own_homeserver import OwnHomeserver, open_own_homeserver
from tests.faults.plan import Plan
from tests.faults.supervised import Supervised
from tests.faults.world import World
from tests.lab.chatting import fresh_account, open_stack

_FENCE = "fence"


@frozen
class Lab:
    """What all runs share: a homeserver, and the interpreter of its environment."""

    homeserver: Homeserver
    synapse_python: Path
    is_long: bool


async def run_plan(plan: Plan, lab: Lab, directory: Path) -> Tally:
    """Perform a plan with a bot, an agent and people of its own, and count.

    A run is `failed`, with its reason in the notes, if a fault missed what it must see, a person
    did not even get a room or a reply to wait for, or a program that must run did not.
    """
    failed = Tally(runs=1, failed=1)
    try:
        return await _run_somewhere(plan, lab, directory)
    except* (AssertionError, ChildError, NotSeenError) as error:
        failed.notes += [str(leaf) for leaf in _leaves(error)]
        failed.notes.append("".join(traceback.format_exception(error)))
    return failed


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in _leaves(each)]


async def _run_somewhere(plan: Plan, lab: Lab, directory: Path) -> Tally:
    if not any(fault.own_homeserver for fault in plan.faults):
        return await _run(plan, lab, lab.homeserver, None, directory)
    async with open_own_homeserver(lab.synapse_python, directory / "homeserver") as own:
        return await _run(plan, lab, own.homeserver, own, directory)


async def _run(
    plan: Plan, lab: Lab, homeserver: Homeserver, own: OwnHomeserver | None, directory: Path
) -> Tally:
    async with (
        open_stack(homeserver, directory) as stack,
        trio.open_nursery() as supervisor,
        AsyncExitStack() as opened,
    ):
        service = Supervised(stack.service.program)
        world = World(plan, lab.is_long, stack, service, own)
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
    for fault in plan.faults:
        if fault.prepare is not None:
            fault.prepare(world)
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
    kills = sum(status == -signal.SIGKILL for status in world.service.ends)
    tally = Tally(runs=1, kills=kills, late=world.late)
    for chat, room in (world.rooms | world.closed).items():
        messages = fold_messages(await world.person(chat).history(room))
        fences = {said.event_id for said in messages if said.body == _FENCE}
        kept = [m for m in messages if not (m.mark and m.mark.question in fences)]
        others = [
            re.sub(r"^slow \S+ ", "", asked.text)
            for other, all_asked in world.asked.items()
            if other not in {chat, world.follows.get(chat)}
            for asked in all_asked
            if asked.waits
        ]
        asked = world.asked.get(chat, ())
        tally.add(count_room(kept, asked, others, world.bot, excuse=_excuse(world, kills)))
    _count_rooms(world, tally)
    return tally


def _excuse(world: World, kills: int) -> str | None:
    """How an answer may begin that says that there is none, as an expression; None for not."""
    if any(fault.excuses for fault in world.plan.faults):
        return ""
    return re.escape(why(RunFailure.GAVE_UP)) if kills >= MAX_ATTEMPTS else None


def _count_rooms(world: World, tally: Tally) -> None:
    """Count the rooms that the bot made more than it was asked for, or fewer."""
    for name, person in world.people.items():
        made = [view for view in person.rooms.values() if view.inviter == world.bot]
        if more := len(made) - world.made[name]:
            tally.doubled += max(more, 0)
            tally.lost += max(-more, 0)
            tally.notes.append(f"{name} has {more:+} rooms: {[view.name for view in made]}")
