"""How an answer ends: the whole of what is left in the room when a run is over, however it went."""

from collections.abc import Iterable

from attrs import frozen

from lambda_matrix.agent_events import (
    RunCancelled,
    RunFailed,
    RunFailure,
    RunInterrupted,
    ThreadMessage,
)
from lambda_matrix.conversation.agent_faults import fault_of
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.interrupts import prompt_lines
from lambda_matrix.conversation.markdown import with_line
from lambda_matrix.conversation.texts import Texts

LONGEST_ANSWER = 200_000
"""Characters of an answer, a dozen events or so. What an agent says beyond is cut, with a word."""


@frozen
class Ending:
    """The final text (Markdown), and in a word how it came about (for the journal).

    `is_cut`: the run did not come to its own end.
    """

    text: str
    outcome: str
    is_cut: bool = False


def conclude(
    draft: AnswerDraft,
    failure: RunFailure | None,
    texts: Texts,
    *,
    stopped: bool = False,
    thread: Iterable[ThreadMessage] = (),
    wait: float | None = None,
) -> Ending:
    """Return the ending of an answer of which `draft` is all that came.

    Text that was there stays; what is missing is said in one line under it. A run that ended to
    ask is prompted for: `thread` knows the calls that it asks about, and the prompt expires in
    `wait` seconds. The agent's files are no part of the text: they are sent beside it.
    """
    say = texts.answers
    if stopped:
        text = _under(draft, say.stopped_line, say.stopped)
        return Ending(text, "stopped", is_cut=True)
    if failure is not None:
        text = _under(draft, say.broken_off_line, say.failure(failure))
        return Ending(text, failure.value, is_cut=True)
    match draft.outcome:
        case RunFailed(code=code):
            text = _under(draft, say.broken_off_line, _own_words(code, texts))
            return Ending(text, RunFailure.RUN_ERROR.value, is_cut=True)
        case RunInterrupted(interrupts):
            prompt = texts.confirmations.prompt(prompt_lines(interrupts, thread), wait)
            return Ending(with_line(_bounded(draft, texts), prompt), "asked")
        case _:
            return _whole(draft, texts)


def _own_words(code: str | None, texts: Texts) -> str:
    """Return what the agent's failure is to a person; its own words are for the journal."""
    fault = fault_of(code)
    if fault is None:
        return texts.answers.failure(RunFailure.RUN_ERROR)
    return texts.answers.agent_fault(fault)


def _whole(draft: AnswerDraft, texts: Texts) -> Ending:
    if draft.has_text:
        return Ending(_bounded(draft, texts), "answered")
    if isinstance(draft.outcome, RunCancelled):
        return Ending(texts.answers.cancelled, "cancelled")
    if draft.files:
        return Ending(texts.answers.only_files(len(draft.files)), "answered")
    return Ending(texts.answers.empty, "empty")


def _bounded(draft: AnswerDraft, texts: Texts) -> str:
    text = draft.text
    if len(text) <= LONGEST_ANSWER:
        return text
    return with_line(text[:LONGEST_ANSWER], texts.answers.cut_line)


def _under(draft: AnswerDraft, line: str, alone: str) -> str:
    return with_line(draft.text[:LONGEST_ANSWER], line) if draft.has_text else alone
