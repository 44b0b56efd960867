"""What a fault is: what it does to the world, when, and what the persons do meanwhile.

To add one: write `async def happen(world: World, draw: Random) -> None` in a module of this folder
(one for each family), name it in that module's `FAULTS`, and have `tests.faults.catalogue` know the
module. `happen` is begun when the run comes to the fault's `stage`, beside the persons' talk. It
does its evil at moments that it waits for (`world.moments`, the proxy) and returns when the world
is whole again: rules mended, processes running, disk writable. What it draws, it draws from `draw`,
which the seed alone feeds, so that a replay draws the same.

It judges nothing. What became of every question is counted afterwards by the one checker
(`tests.faults.count`), from what the persons saw. What a fault must promise beyond that (an exit
code, a line in the journal) it asserts; an AssertionError makes the seed fail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum, auto
from random import Random
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from tests.faults.world import World


class Stage(Enum):
    """When a fault begins."""

    ONBOARDING = auto()
    """As the persons invite the bot: nothing is there yet."""
    TALKING = auto()
    """As the persons, who have their chats, begin to talk."""


class Meanwhile(Enum):
    """What the persons do meanwhile (`tests.faults.persons`)."""

    ASK = auto()
    """They ask the plan's questions, without waiting for answers."""
    COMMAND = auto()
    """They go through the commands, each when the one before is answered; then they ask."""
    NOTHING = auto()
    """They say what the fault has them say (`world.ask`), and nothing else."""


@frozen(kw_only=True)
class Fault:
    """One fault, a row of the report.

    Attributes:
        name: The row; several faults may share one.
        happen: What it does; see the module's docstring.
        prepare: What is done before the service is started for the first time.
        stage: When it begins.
        meanwhile: What the persons do.
        combines: Whether it may happen together with another one.
        excuses: Whether an answer may be one sentence that says that there is none (an agent was
            killed under its question, a command is lost with the database). Such are counted
            apart, and what the agent remembers afterwards is not looked at.
        patience: Seconds that the answers may take after the fault.
        only_long: Whether it takes too long for the short form.
        missing: What this machine lacks for it, in a few words: it is left out then, which CI does
            not allow.
        own_homeserver: Whether it does things to the homeserver that others would feel.
    """

    name: str
    happen: Callable[[World, Random], Awaitable[None]]
    prepare: Callable[[World], None] | None = None
    stage: Stage = Stage.TALKING
    meanwhile: Meanwhile = Meanwhile.ASK
    combines: bool = True
    excuses: bool = False
    patience: float = 60
    only_long: bool = False
    own_homeserver: bool = False
    missing: str | None = None
