"""What happens in one run of the crash test, drawn from its seed alone."""

from __future__ import annotations

from enum import Enum
from random import Random

from attrs import frozen

CHATS = ("anna 1", "anna 2", "boris 1")
"""Chat rooms by their labels: the person, and which of the person's chats."""
_LONGEST_DELAY = 0.4
_MOST_KILLS = 2


class Moment(Enum):
    """After what the service is killed (and a random delay later, unless it is held there)."""

    ONBOARDING = "the invite was sent"
    STARTING = "the service was started again"
    QUESTION = "a question was sent"
    PREVIEW_SEEN = "a preview was seen"
    ANSWER_SEEN = "a whole answer was seen"
    SYNC_ANSWER = "the homeserver has given a sync's answer, which is on its way"
    PREVIEW_ASKED = "an answer's first event is on its way to the homeserver"
    PREVIEW_DONE = "the homeserver has an answer's first event, and has not said so"
    FINAL_ASKED = "a final is on its way to the homeserver"
    FINAL_DONE = "the homeserver has a final, and has not said so"
    RECEIPT_DONE = "the homeserver has a receipt, and has not said so"


_FIRST = tuple(moment for moment in Moment if moment is not Moment.STARTING)


@frozen
class Kill:
    """SIGKILL `delay` seconds after the moment has come for the `nth` time."""

    moment: Moment
    nth: int
    delay: float


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
    questions: tuple[Question, ...]
    kills: tuple[Kill, ...]

    def texts(self, chat: str) -> tuple[str, ...]:
        """What is asked in one chat, in order."""
        return tuple(question.text for question in self.questions if question.chat == chat)


def draw(seed: int) -> Plan:
    """The plan of a seed: the same one always."""
    random = Random(seed)  # noqa: S311  a seeded draw is the point
    chats = [chat for chat in CHATS for _ in range(random.randint(2, 3))]
    random.shuffle(chats)
    questions = tuple(
        Question(chat, _text(random, seed, number), random.uniform(0, 0.25))
        for number, chat in enumerate(chats)
    )
    # Every moment has its turn; what is drawn is how often it must come, and what follows it.
    kills = [Kill(_FIRST[seed % len(_FIRST)], random.randint(1, 3), _delay(random))]
    while len(kills) < _MOST_KILLS and random.random() < 0.5:
        kills.append(Kill(random.choice(tuple(Moment)), random.randint(1, 2), _delay(random)))
    return Plan(seed, questions, tuple(kills))


def _delay(random: Random) -> float:
    return random.uniform(0, _LONGEST_DELAY)


def _text(random: Random, seed: int, number: int) -> str:
    token = f"q{seed}-{number}"
    return f"slow {random.uniform(1.5, 3):.1f} {token}" if random.random() < 0.4 else token
