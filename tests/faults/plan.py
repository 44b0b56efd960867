"""What happens in one run, drawn from its seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from attrs import frozen

from tests.faults.fault import Fault, Meanwhile

CHATS: Final = ("anna 1", "anna 2", "boris 1")
"""Chat rooms by their labels: the person, and which of the person's chats."""
_COMBINED: Final = 0.5
"""How many of the runs after the first round have two faults at once."""


def person_of(chat: str) -> str:
    """Whose chat it is, by its label."""
    return chat.split(maxsplit=1)[0]


@frozen
class Question:
    """What is said in which chat, `pause` seconds after the one before it."""

    chat: str
    text: str
    pause: float


@frozen
class Plan:
    """One run. `seed` gives all the rest."""

    seed: int
    faults: tuple[Fault, ...]
    questions: tuple[Question, ...]

    @property
    def name(self) -> str:
        """The row of the report that the run counts for."""
        return self.faults[0].name if len(self.faults) == 1 else "two faults at once"

    @property
    def title(self) -> str:
        """What happens, for people."""
        return " and ".join(fault.name for fault in self.faults)

    @property
    def is_short(self) -> bool:
        """Whether it is over soon, as runs go."""
        first = self.faults[0]
        return first.meanwhile is not Meanwhile.COMMAND and not first.only_long

    def draw_for(self, fault: Fault) -> Random:
        """What the fault draws from: the same always."""
        return Random(f"{self.seed} {self.faults.index(fault)}")  # noqa: S311  a seeded draw is the point


def draw(seed: int, faults: Sequence[Fault]) -> Plan:
    """The plan of a seed: the same one always. The first seeds have each fault once, alone."""
    random = Random(seed)  # noqa: S311  a seeded draw is the point
    chats = [chat for chat in CHATS for _ in range(random.randint(2, 3))]
    random.shuffle(chats)
    questions = tuple(
        Question(chat, _text(random, seed, number), random.uniform(0, 0.25))
        for number, chat in enumerate(chats)
    )
    return Plan(seed, _faults(random, seed, faults), questions)


def _faults(random: Random, seed: int, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    first = faults[seed % len(faults)]
    others = [other for other in faults if other.combines and other != first]
    if seed < len(faults) or not first.combines or not others or random.random() > _COMBINED:
        return (first,)
    return (first, random.choice(others))


def _text(random: Random, seed: int, number: int) -> str:
    token = f"q{seed}-{number}"
    return f"slow {random.uniform(1.5, 3):.1f} {token}" if random.random() < 0.4 else token
