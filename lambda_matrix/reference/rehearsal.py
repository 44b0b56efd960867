"""The rehearsal: an agent without a model, which does what the first word of a message says.

Deterministic and without I/O: `rehearse()` and `resume()` give the steps of a run one by one, and
whoever performs the run takes them. Without a known word the answer shows what has come and what
is remembered, so that a person and a test can see whose memory it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from attrs import frozen

from lambda_matrix.reference import rehearsal_events as events, samples
from lambda_matrix.reference.rehearsal_files import FILE_KINDS, give_file
from lambda_matrix.reference.run_input import Decision
from lambda_matrix.reference.saying import (
    LONGEST_PAUSE,
    answer,
    count,
    number,
    pieces,
    quoted,
    say,
    what_came,
)
from lambda_matrix.reference.steps import (
    Ask,
    BareFrame,
    BreakOff,
    Fail,
    Question,
    Silence,
    Step,
)
from lambda_matrix.reference.wire import Interrupt, TextContent, TextStart

_LONGEST_ANSWER = 4000
_MOST_INTERRUPTS = 20
_PLAIN = ("plain", "просто")
_EXPIRING = ("expiring", "срочно")
APPROVAL_SCHEMA = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approved"],
}


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
    return answer(question, what_came(question)) if word is None else word.perform(question)


def echo(question: Question) -> Iterator[Step]:
    """Give the steps of the shortest answer: the same text, in one piece."""
    return say(f"{question.key}-answer", [question.text])


def resume(question: Question, decisions: Sequence[Decision]) -> Iterator[Step]:
    """Give the steps of the run that goes on after the person has decided."""
    lines = [_decision_line(decision) for decision in decisions]
    return answer(question, "Decided:\n\n" + "\n".join(lines))


def find_word(text: str) -> Word | None:
    """Return the word that a message begins with, if it is one of the table's."""
    first = text.split(maxsplit=1)[:1]
    return _BY_NAME.get(first[0].casefold().rstrip(".,:;!")) if first else None


# -- what the words do --


def _slow(question: Question) -> Iterator[Step]:
    parts = pieces(what_came(question), words=1)
    seconds = number(question.argument)
    pace = question.pace if seconds is None else min(seconds, LONGEST_PAUSE) / len(parts)
    return say(f"{question.key}-answer", parts, pace)


def _confirm(question: Question) -> Iterator[Step]:
    kinds = question.argument.casefold().split()
    plain = any(kind in _PLAIN for kind in kinds)
    many = count(question.argument, 1, _MOST_INTERRUPTS)
    interrupts = _as_langgraph(question, many) if plain else _with_schema(question, many)
    yield from answer(question, "I may do this only with your word.")
    yield Ask(interrupts, _expiry(kinds))


def _with_schema(question: Question, many: int) -> tuple[Interrupt, ...]:
    return tuple(
        Interrupt(
            id=f"{question.key}-confirm-{position}",
            reason="confirmation",
            message=f"Shall I pretend to delete report-{position}.txt?",
            response_schema=APPROVAL_SCHEMA,
        )
        for position in range(1, many + 1)
    )


def _as_langgraph(question: Question, many: int) -> tuple[Interrupt, ...]:
    """Ask as LangGraph's agents do: one interrupt for all, its meaning in the metadata alone."""
    requests = [
        {
            "name": "delete_file",
            "args": {"path": f"report-{position}.txt"},
            "description": f"Pretend to delete report-{position}.txt",
        }
        for position in range(1, many + 1)
    ]
    metadata = {"langgraph": {"raw": {"action_requests": requests}}}
    name = f"{question.key}-confirm"
    return (Interrupt(id=name, reason="langgraph:interrupt", metadata=metadata),)


def _expiry(kinds: Sequence[str]) -> float | None:
    """Return how long the person has, if the message says that it is for a while only."""
    for kind, following in pairwise([*kinds, ""]):
        if kind in _EXPIRING:
            return min(number(following) or 60.0, LONGEST_PAUSE)
    return None


def _fail(question: Question) -> Iterator[Step]:
    code = question.argument.split(maxsplit=1)[0] if question.argument else "rehearsed"
    yield Fail("this failure was asked for", code)


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
    kilobytes = min(number(question.argument) or 100.0, _LONGEST_ANSWER)
    return say(f"{question.key}-answer", samples.long_answer(round(kilobytes * 1000)))


def _sample(text: str) -> Callable[[Question], Iterator[Step]]:
    return lambda question: answer(question, text)


def _recall(question: Question) -> Iterator[Step]:
    lines = [f"{n}. {m.role}: {quoted(m.text)}" for n, m in enumerate(question.conversation, 1)]
    return answer(question, f"I remember of thread {question.thread_id}:\n\n" + "\n".join(lines))


def _history(question: Question) -> Iterator[Step]:
    before = question.conversation[:-1]
    lines = [f"I know {len(before)} messages from before this one (thread {question.thread_id})."]
    if before:
        for name, message in (("first", before[0]), ("last", before[-1])):
            lines.append(f"The {name} is {message.role}'s `{message.id}`: {quoted(message.text)}")
    return answer(question, "\n\n".join(lines))


def _help(question: Question) -> Iterator[Step]:
    lines = [
        f"- `{'`, `'.join(word.names)}`{word.takes and f' *{word.takes}*'}: {word.tells}"
        for word in WORDS
    ]
    text = "I rehearse. Begin a message with one of these words:\n\n" + "\n".join(lines)
    return answer(question, text)


WORDS: tuple[Word, ...] = (
    Word(("help", "помощь"), "", "lists these words", _help),
    Word(("slow", "медленно"), "[seconds]", "answers word by word, in all so long", _slow),
    Word(("tool", "инструмент"), "[seconds]", "uses a tool, which takes so long", events.use_tool),
    Word(("tools", "инструменты"), "[how many]", "uses several tools", events.use_tools),
    Word(
        ("confirm", "подтверди"),
        "[how many] [plain] [expiring seconds]",
        "asks for your word before it goes on; plain: as LangGraph does, without a schema",
        _confirm,
    ),
    Word(
        ("file", "файл"),
        f"[{FILE_KINDS}]",
        "writes a file and gives it to you, or one that cannot be had",
        give_file,
    ),
    Word(("recall", "вспомни"), "", "lists what is remembered of this conversation", _recall),
    Word(("history", "история"), "", "tells how much is known, the first and the last", _history),
    Word(("state", "состояние"), "", "counts visits in the shared state", events.change_state),
    Word(("usage", "расход"), "[in] [out]", "claims to have used so many tokens", events.spend),
    Word(("think", "подумай"), "", "thinks before it answers", events.think),
    Word(
        ("subagent", "субагент"),
        "",
        "lets a sub-agent speak, who is not to be heard",
        events.speak_through_another,
    ),
    Word(
        ("paragraphs", "абзацы"),
        "[how many]",
        "answers in several text messages",
        events.speak_in_paragraphs,
    ),
    Word(("chunks", "куски"), "", "answers in chunk events", events.speak_in_chunks),
    Word(("nothing", "ничего"), "", "ends well without a word", events.say_nothing),
    Word(("long", "длинно"), "[kB]", "gives a long answer with tables and code", _long),
    Word(("table", "таблица"), "", "shows a table", _sample(samples.TABLE)),
    Word(("code", "код"), "", "shows a block of code", _sample(samples.CODE)),
    Word(("math", "формула"), "", "shows formulas", _sample(samples.MATH)),
    Word(("surrogate", "суррогат"), "", "says half a character", _sample(samples.SURROGATE)),
    Word(("fail", "ошибка"), "[code]", "reports a failure, under this code", _fail),
    Word(("hang", "зависни"), "", "is silent for ever", _hang),
    Word(("break", "оборви"), "", "breaks off in the middle of a sentence", _break),
    Word(("garbage", "мусор"), "", "sends what is no event", _garbage),
)
_BY_NAME = {name: word for word in WORDS for name in word.names}


def _decision_line(decision: Decision) -> str:
    verdicts = decision.each or (decision.approved,)
    verdict = ", ".join("done" if approved else "left alone" for approved in verdicts)
    reason = f" ({decision.reason})" if decision.reason else ""
    return f"- `{decision.interrupt_id}`: {verdict}{reason}"
