"""Counts, from the persons' side alone, what became of every question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import define, fields, frozen

from lambda_matrix.demo.view import Message, find_answer
from lambda_matrix.ids import EventId, UserId


@define
class Tally:
    """Numbers of questions, but for the first two; those after `answered` must all be 0.

    `late` is how many of the `kills` came at no moment of the plan's, because theirs did not come.
    """

    kills: int = 0
    late: int = 0
    asked: int = 0
    answered: int = 0
    lost: int = 0
    twice: int = 0
    out_of_order: int = 0
    wrong_room: int = 0
    wrong_text: int = 0

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        for each in fields(Tally):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def is_clean(self) -> bool:
        """Every question answered exactly once, in order, in its room, with its text."""
        wrong = (self.lost, self.twice, self.out_of_order, self.wrong_room, self.wrong_text)
        return self.answered == self.asked and not any(wrong)


@frozen
class Asked:
    """A question as it was sent: its event, its text, its number in its room."""

    event_id: EventId
    text: str
    number: int


def count_room(
    messages: Sequence[Message], asked: Sequence[Asked], others: Iterable[str], bot: UserId
) -> Tally:
    """Count one room: `messages` are all of it, `others` the other rooms' texts."""
    tally = Tally(asked=len(asked))
    places: list[int] = []
    ours = {question.event_id for question in asked}
    by_bot = [said for said in messages if said.sender == bot]
    for question in asked:
        answer = find_answer(messages, question.event_id, bot)
        if answer is None or not answer.is_final:
            tally.lost += 1
            continue
        tally.answered += 1
        saying = [said for said in by_bot if _is_answer_to(said, question)]
        tally.twice += bool(answer.doubled) or len(saying) > 1
        tally.wrong_text += len(saying) != 1 or saying[0].event_id != answer.parts[0].event_id
        places.append(messages.index(answer.parts[0]))
    tally.out_of_order = sum(a > b for a, b in pairwise(places))
    tally.wrong_room = sum(
        (said.mark is not None and said.mark.question not in {None, *ours})
        or any(re.search(rf"{re.escape(text)}\b", said.body) for text in others)
        for said in by_bot
    )
    return tally


def _is_answer_to(said: Message, question: Asked) -> bool:
    """The agent tells what it was asked, and which message of its conversation that is.

    The number shows its memory: a question that reached it as two would shift all later ones.
    """
    numbered = f"This is message {question.number} of this conversation"
    return said.body.startswith(f"You said: {question.text}\n") and numbered in said.body
