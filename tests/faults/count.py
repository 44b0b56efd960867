"""Counts, from the persons' side alone, what became of everything that was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from attrs import define, field, fields, frozen

from lambda_matrix.demo.view import FILE, Answer, Message, find_answer
from lambda_matrix.ids import EventId, UserId


@define
class Tally:
    """Numbers. `asked` is all that wants an answer, questions and commands alike.

    `kills` are of the service, of them `late` at no moment of the plan's, because theirs did not
    come. `excused` are those of the answered that say that there is no answer, where the fault
    allows it. Those after it must all be 0. `notes` tell of each of these, for people.
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
    notes: list[str] = field(factory=list, eq=False)

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        for name in (*NUMBERS, "notes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def is_clean(self) -> bool:
        """Everything answered exactly once, in order, in its room, with its text."""
        wrong = (self.lost, self.doubled, self.out_of_order, self.wrong_room, self.wrong_text)
        return self.answered == self.asked and not any(wrong) and not self.failed


NUMBERS: Final = tuple(each.name for each in fields(Tally) if each.name != "notes")
"""What is counted, in the order of the report."""


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
    excuse: str | None = None,
) -> Tally:
    """Count one room: `messages` are all of it, `others` the other rooms' texts.

    `excuse` is how an answer may begin that says that there is none, as an expression; what the
    agent remembers after one is not looked at.
    """
    tally = Tally(asked=len(asked))
    places: list[int] = []
    ours = {each.event_id for each in asked}
    by_bot = [said for said in messages if said.sender == bot]
    for each in asked:
        answer = find_answer(messages, each.event_id, bot)
        if answer is None or not answer.is_final:
            tally.lost += 1
            tally.notes.append(f"{each.text!r} has no answer: {answer and answer.text!r}")
            continue
        tally.answered += 1
        _judge(tally, each, answer, by_bot, excuse)
        if each.waits:
            places.append(messages.index(answer.parts[0]))
    tally.out_of_order = sum(a > b for a, b in pairwise(places))
    strange = re.compile("|".join(rf"{re.escape(text)}\b" for text in others) or "(?!)")
    for said in by_bot:
        answers_another = said.mark is not None and said.mark.question not in {None, *ours}
        if answers_another or strange.search(said.body):
            tally.wrong_room += 1
            tally.notes.append(f"from another room: {said.body!r}")
    return tally


def _judge(
    tally: Tally, asked: Asked, answer: Answer, by_bot: Sequence[Message], excuse: str | None
) -> None:
    said = answer.parts[0]
    is_loose = asked.numbered is None or excuse == "" or bool(tally.excused)
    says = re.compile(asked.says if is_loose else asked.numbered or "", re.DOTALL)
    # A second answer without the mark of the first is a second answer all the same.
    again = asked.waits and any(
        says.match(other.body) and other.event_id != said.event_id for other in by_bot
    )
    files = [
        other
        for other in by_bot
        if other.mark
        and other.mark.question == asked.event_id
        and other.mark.request.startswith(FILE)
    ]
    if answer.doubled or again or len(files) > asked.files:
        tally.doubled += 1
        tally.notes.append(f"{asked.text!r} is answered more than once")
    if says.match(said.body):
        if len(files) < asked.files and excuse == "":
            tally.excused += 1  # it is lost with the database, as docs/reliability.md says
        elif len(files) < asked.files:
            tally.lost += 1
            tally.notes.append(f"{asked.text!r} came without its file")
    elif excuse is not None and re.match(excuse, said.body):
        tally.excused += 1
    else:
        tally.wrong_text += 1
        tally.notes.append(f"{asked.text!r} wants {says.pattern!r}, and got {said.body!r}")
