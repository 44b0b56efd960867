"""The rehearsal: an agent without a model, which does what the first word of a message says.

Deterministic and without I/O: `rehearse()` and `resume()` give the steps of a run one by one, and
whoever performs the run takes them. Without a known word the answer shows what has come and what
is remembered, so that a person and a test can see whose memory it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import frozen

from lambda_matrix.reference import samples
from lambda_matrix.reference.run_input import Attachment, Decision, Message
from lambda_matrix.reference.steps import (
    Ask,
    BareFrame,
    BreakOff,
    Fail,
    Pause,
    Question,
    Silence,
    Step,
    WriteFile,
)
from lambda_matrix.reference.wire import (
    Custom,
    Interrupt,
    TextContent,
    TextEnd,
    TextStart,
    ToolArgs,
    ToolEnd,
    ToolResult,
    ToolStart,
)

_LONGEST_PAUSE = 24 * 3600.0
_LONGEST_ANSWER = 4000
_MOST_INTERRUPTS = 20
_QUOTE = 200
"""Characters of an earlier message that are quoted."""


@frozen
class Word:
    """A word that a message can begin with, and what it does."""

    names: tuple[str, ...]
    takes: str
    tells: str
    perform: Callable[[Question], Iterator[Step]]


def rehearse(question: Question) -> Iterator[Step]:
    """Give the steps of the run that answers a question."""
    word = find_word(question.text)
    return _show(question) if word is None else word.perform(question)


def echo(question: Question) -> Iterator[Step]:
    """Give the steps of the shortest answer: the same text, in one piece."""
    return _say(f"{question.key}-answer", [question.text])


def resume(question: Question, decisions: Sequence[Decision]) -> Iterator[Step]:
    """Give the steps of the run that goes on after the person has decided."""
    lines = [_decision_line(decision) for decision in decisions]
    return _say(f"{question.key}-answer", _pieces("Decided:\n\n" + "\n".join(lines)))


def find_word(text: str) -> Word | None:
    """Return the word that a message begins with, if it is one of the table's."""
    first = text.split(maxsplit=1)[:1]
    return _BY_NAME.get(first[0].casefold().rstrip(".,:;!")) if first else None


# -- what the words do --


def _show(question: Question) -> Iterator[Step]:
    return _say(f"{question.key}-answer", _pieces(_what_came(question)))


def _slow(question: Question) -> Iterator[Step]:
    pieces = _pieces(_what_came(question), words=1)
    seconds = _number(question.argument)
    pace = question.pace if seconds is None else min(seconds, _LONGEST_PAUSE) / len(pieces)
    return _say(f"{question.key}-answer", pieces, pace)


def _tool(question: Question) -> Iterator[Step]:
    call = f"{question.key}-call"
    words = len(question.text.split())
    yield ToolStart(call, "count_words")
    yield ToolArgs(call, json.dumps({"text": question.text}))
    yield ToolEnd(call)
    yield Pause(min(_number(question.argument) or 0.0, _LONGEST_PAUSE))
    yield ToolResult(f"{question.key}-result", call, json.dumps({"words": words}))
    text = f"The tool `count_words` has counted: **{words}**."
    yield from _say(f"{question.key}-answer", _pieces(text))


def _confirm(question: Question) -> Iterator[Step]:
    many = max(1, min(int(_number(question.argument) or 1), _MOST_INTERRUPTS))
    interrupts = tuple(
        Interrupt(
            id=f"{question.key}-confirm-{number}",
            reason="confirmation",
            message=f"Shall I pretend to delete report-{number}.txt?",
            response_schema={
                "type": "object",
                "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
                "required": ["approved"],
            },
        )
        for number in range(1, many + 1)
    )
    yield from _say(f"{question.key}-answer", _pieces("I may do this only with your word."))
    yield Ask(interrupts)


def _file(question: Question) -> Iterator[Step]:
    if question.workspace is None:
        text = "This agent has no workspace, so it can give no files."
        yield from _say(f"{question.key}-answer", _pieces(text))
        return
    number = [message.id for message in _asked(question)].index(question.message_id) + 1
    path = f"{question.thread_id}/rehearsal-{number}.txt"
    yield WriteFile(question.workspace, path, _what_came(question) + "\n")
    yield from _say(f"{question.key}-answer", _pieces(f"Here is a file: `{path}`."))
    yield Custom("file", {"path": path, "caption": f"Rehearsal file {number}"})


def _fail(_: Question) -> Iterator[Step]:
    yield Fail("this failure was asked for", "rehearsed")


def _hang(_: Question) -> Iterator[Step]:
    yield Silence()


def _break(question: Question) -> Iterator[Step]:
    yield TextStart(f"{question.key}-answer")
    yield TextContent(f"{question.key}-answer", "This sentence breaks")
    yield BreakOff()


def _garbage(_: Question) -> Iterator[Step]:
    yield BareFrame("{this is not JSON")
    yield BreakOff()


def _long(question: Question) -> Iterator[Step]:
    kilobytes = min(_number(question.argument) or 100.0, _LONGEST_ANSWER)
    return _say(f"{question.key}-answer", samples.long_answer(round(kilobytes * 1000)))


def _sample(text: str) -> Callable[[Question], Iterator[Step]]:
    return lambda question: _say(f"{question.key}-answer", _pieces(text))


def _recall(question: Question) -> Iterator[Step]:
    lines = [f"{n}. {m.role}: {_quoted(m.text)}" for n, m in enumerate(question.conversation, 1)]
    text = f"I remember of thread {question.thread_id}:\n\n" + "\n".join(lines)
    return _say(f"{question.key}-answer", _pieces(text))


def _help(question: Question) -> Iterator[Step]:
    lines = [
        f"- `{'`, `'.join(word.names)}`{word.takes and f' *{word.takes}*'}: {word.tells}"
        for word in WORDS
    ]
    text = "I rehearse. Begin a message with one of these words:\n\n" + "\n".join(lines)
    return _say(f"{question.key}-answer", _pieces(text))


WORDS: tuple[Word, ...] = (
    Word(("help", "помощь"), "", "lists these words", _help),
    Word(("slow", "медленно"), "[seconds]", "answers word by word, in all so long", _slow),
    Word(("tool", "инструмент"), "[seconds]", "uses a tool, which takes so long", _tool),
    Word(("confirm", "подтверди"), "[how many]", "asks for your word before it goes on", _confirm),
    Word(("file", "файл"), "", "writes a file and gives it to you", _file),
    Word(("recall", "вспомни"), "", "lists what is remembered of this conversation", _recall),
    Word(("long", "длинно"), "[kB]", "gives a long answer with tables and code", _long),
    Word(("table", "таблица"), "", "shows a table", _sample(samples.TABLE)),
    Word(("code", "код"), "", "shows a block of code", _sample(samples.CODE)),
    Word(("math", "формула"), "", "shows formulas", _sample(samples.MATH)),
    Word(("surrogate", "суррогат"), "", "says half a character", _sample(samples.SURROGATE)),
    Word(("fail", "ошибка"), "", "reports a failure", _fail),
    Word(("hang", "зависни"), "", "is silent for ever", _hang),
    Word(("break", "оборви"), "", "breaks off in the middle of a sentence", _break),
    Word(("garbage", "мусор"), "", "sends what is no event", _garbage),
)
_BY_NAME = {name: word for word in WORDS for name in word.names}


# -- how it is said --


def _what_came(question: Question) -> str:
    asked = _asked(question)
    number = [message.id for message in asked].index(question.message_id) + 1
    if number > 1:
        memory = f"before it you said: {_quoted(asked[number - 2].text)}"
    else:
        memory = "before it there was nothing."
    paragraphs = [
        f"You said: {question.text}",
        f"This is message {number} of this conversation (thread {question.thread_id}); {memory}",
    ]
    if question.attachments:
        paragraphs.append("With it came:\n\n" + "\n".join(map(_attached, question.attachments)))
    return "\n\n".join(paragraphs)


def _asked(question: Question) -> list[Message]:
    return [message for message in question.conversation if message.role == "user"]


def _attached(attachment: Attachment) -> str:
    place = f"`{attachment.place}`" if attachment.place else "inline"
    return f"- {attachment.kind}: {place} ({attachment.mime_type or 'of unknown type'})"


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTE else line[: _QUOTE - 1] + "…"


def _decision_line(decision: Decision) -> str:
    verdict = "done" if decision.approved else "left alone"
    reason = f" ({decision.reason})" if decision.reason else ""
    return f"- `{decision.interrupt_id}`: {verdict}{reason}"


def _pieces(text: str, words: int = 8) -> list[str]:
    """Cut a text into pieces of so many words; joined they are the text again."""
    parts = [part + " " for part in text.split(" ")]
    parts[-1] = parts[-1][:-1]
    pieces = ["".join(parts[at : at + words]) for at in range(0, len(parts), words)]
    return [piece for piece in pieces if piece]


def _say(message_id: str, pieces: Iterable[str], pace: float = 0.0) -> Iterator[Step]:
    yield TextStart(message_id)
    for piece in pieces:
        if pace:
            yield Pause(pace)
        if piece:
            yield TextContent(message_id, piece)
    yield TextEnd(message_id)


def _number(text: str) -> float | None:
    """Read the number that a text begins with: finite and above nothing, or it is no number."""
    try:
        number = float(text.split(maxsplit=1)[0].replace(",", "."))
    except (ValueError, IndexError):
        return None
    return number if math.isfinite(number) and number > 0 else None
