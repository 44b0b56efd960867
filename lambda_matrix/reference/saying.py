"""How the rehearsal says things: texts cut into pieces, numbers read from a message. No I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from lambda_matrix.reference.run_input import Message
from lambda_matrix.reference.steps import Pause, Question, Step
from lambda_matrix.reference.wire import TextContent, TextEnd, TextStart
from lambda_matrix.reference.workspace import Arrival

LONGEST_PAUSE = 24 * 3600.0
_QUOTE = 200
"""Characters of an earlier message that are quoted."""


def answer(question: Question, text: str) -> Iterator[Step]:
    """Say a text as the run's answer, a few words at a time."""
    return say(f"{question.key}-answer", pieces(text))


def say(message_id: str, parts: Iterable[str], pace: float = 0.0) -> Iterator[Step]:
    """Say one text message piece by piece, `pace` seconds apart."""
    yield TextStart(message_id)
    for part in parts:
        if pace:
            yield Pause(pace)
        if part:
            yield TextContent(message_id, part)
    yield TextEnd(message_id)


def pieces(text: str, words: int = 8) -> list[str]:
    """Cut a text into pieces of so many words; joined they are the text again."""
    parts = [part + " " for part in text.split(" ")]
    parts[-1] = parts[-1][:-1]
    joined = ["".join(parts[at : at + words]) for at in range(0, len(parts), words)]
    return [piece for piece in joined if piece]


def number(text: str) -> float | None:
    """Read the number that a text begins with: finite and above nothing, or it is no number."""
    try:
        found = float(text.split(maxsplit=1)[0].replace(",", "."))
    except (ValueError, IndexError):
        return None
    return found if math.isfinite(found) and found > 0 else None


def count(text: str, usual: int, most: int) -> int:
    """Read how many of something a text begins with: at least one, at most `most`."""
    return max(1, min(int(number(text) or usual), most))


def quoted(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _QUOTE else line[: _QUOTE - 1] + "…"


def asked(question: Question) -> list[Message]:
    """Return what the person has said in this conversation."""
    return [message for message in question.conversation if message.role == "user"]


def number_of(question: Question) -> int:
    """Return which of the person's messages this is, from 1."""
    return [message.id for message in asked(question)].index(question.message_id) + 1


def what_came(question: Question) -> str:
    """Return what was said, what came with it, and what is remembered from before."""
    position = number_of(question)
    if position > 1:
        memory = f"before it you said: {quoted(asked(question)[position - 2].text)}"
    else:
        memory = "before it there was nothing."
    paragraphs = [
        f"You said: {question.text}",
        f"This is message {position} of this conversation (thread {question.thread_id}); {memory}",
    ]
    if question.arrivals:
        paragraphs.append("With it came:\n\n" + "\n".join(map(_arrived, question.arrivals)))
    return "\n\n".join(paragraphs)


def _arrived(arrival: Arrival) -> str:
    attachment = arrival.attachment
    place = f"`{attachment.place}`" if attachment.place else "inline"
    found = arrival.fault or f"{arrival.size} bytes, sha256 {arrival.digest}"
    return f"- {attachment.kind}: {place} ({attachment.mime_type or 'of unknown type'}): {found}"
