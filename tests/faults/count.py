"""Counts, from the persons' side alone, what became of everything that was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import define, fields, frozen

from lambda_matrix.demo.view import FILE, Answer, Message, find_answer
from lambda_matrix.ids import EventId, UserId


@define
class Tally:
    """Numbers. `asked` is all that wants an answer, questions and commands alike.

    `kills` are of the service, of them `late` at no moment of the plan's, because theirs did not
    come. `excused` are those of the answered that say that there is no answer, where the fault
    allows it. Those after it must all be 0.
    """

    runs: int = 0
    kills: int = 0
    late: int = 0
    asked: int = 0
    answered: int = 0
    excused: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    wrong_room: int = 0
    wrong_text: int = 0
    failed: int = 0

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        for each in fields(Tally):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def is_clean(self) -> bool:
        """Everything answered exactly once, in order, in its room, with its text."""
        wrong = (self.lost, self.doubled, self.out_of_order, self.wrong_room, self.wrong_text)
        return self.answered == self.asked and not any(wrong) and not self.failed


@frozen
class Asked:
    """What wants an answer: its event, its text, and how the answer begins, as an expression.

    `numbered`: the expression without the agent's memory, for where that may have suffered.
    `files` is how many come with the answer. Only what `waits` its turn is answered in order.
    """

    event_id: EventId
    text: str
    says: str
    numbered: str | None = None
    files: int = 0
    waits: bool = False

    @classmethod
    def question(cls, event_id: EventId, text: str, number: int) -> Asked:
        """A question; the rehearsing agent tells what it was asked, and its number.

        The number shows its memory: a question that reached it as two would shift all later ones.
        """
        said = rf"You said: {re.escape(text)}\n"
        numbered = rf"{said}\s*This is message {number} of this conversation"
        return cls(event_id, text, said, numbered, waits=True)


def count_room(
    messages: Sequence[Message],
    asked: Sequence[Asked],
    others: Iterable[str],
    bot: UserId,
    *,
    excuses: bool = False,
) -> Tally:
    """Count one room: `messages` are all of it, `others` the other rooms' texts."""
    tally = Tally(asked=len(asked))
    places: list[int] = []
    ours = {each.event_id for each in asked}
    by_bot = [said for said in messages if said.sender == bot]
    for each in asked:
        answer = find_answer(messages, each.event_id, bot)
        if answer is None or not answer.is_final:
            tally.lost += 1
            continue
        tally.answered += 1
        _judge(tally, each, answer, by_bot, excuses=excuses)
        if each.waits:
            places.append(messages.index(answer.parts[0]))
    tally.out_of_order = sum(a > b for a, b in pairwise(places))
    tally.wrong_room = sum(
        (said.mark is not None and said.mark.question not in {None, *ours})
        or any(re.search(rf"{re.escape(text)}\b", said.body) for text in others)
        for said in by_bot
    )
    return tally


def _judge(
    tally: Tally, asked: Asked, answer: Answer, by_bot: Sequence[Message], *, excuses: bool
) -> None:
    expected = asked.says if excuses or asked.numbered is None else asked.numbered
    says = re.compile(expected)
    right = says.match(answer.parts[0].body) is not None
    # A second answer without the mark of the first is a second answer all the same.
    again = [
        said
        for said in by_bot
        if asked.waits and says.match(said.body) and said.event_id != answer.parts[0].event_id
    ]
    files = [
        said
        for said in by_bot
        if said.mark and said.mark.question == asked.event_id and said.mark.request.startswith(FILE)
    ]
    tally.doubled += bool(answer.doubled) or bool(again) or len(files) > asked.files
    if right:
        tally.lost += len(files) < asked.files
    else:
        tally.excused += excuses
        tally.wrong_text += not excuses
