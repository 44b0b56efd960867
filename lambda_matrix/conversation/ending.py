"""How an answer ends: the whole of what is left in the room when a run is over, however it went."""

from collections.abc import Iterable

from attrs import evolve, frozen

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

ASKED = "asked"
"""The outcome of a run that ended to ask."""
LONGEST_ANSWER = 200_000
"""Characters of an answer, a dozen events or so. What an agent says beyond is cut, with a word."""


@frozen
class Ending:
    """The final text (Markdown), and in a word how it came about (for the journal).

    `is_cut`: the run did not come to its own end. The last `own` paragraphs are not the agent's
    words, but ours about it.
    """

    text: str
    outcome: str
    is_cut: bool = False
    own: int = 0

    @property
    def asks(self) -> bool:
        """Whether it ends with a prompt: the agent waits for a person's word."""
        return self.outcome == ASKED


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
        return _under(draft, say.stopped_line, say.stopped, "stopped")
    if failure is not None:
        return _under(draft, say.broken_off_line, say.failure(failure), failure.value)
    match draft.outcome:
        case RunFailed(code=code):
            words = _own_words(code, texts)
            return _under(draft, say.broken_off_line, words, RunFailure.RUN_ERROR.value)
        case RunInterrupted(interrupts):
            prompt = texts.confirmations.prompt(prompt_lines(interrupts, thread), wait)
            text = with_line(_bounded(draft, texts).text, prompt)
            return Ending(text, ASKED, own=_paragraphs(prompt))
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
        return _bounded(draft, texts)
    if isinstance(draft.outcome, RunCancelled):
        return _instead(texts.answers.cancelled, "cancelled")
    if draft.files:
        return _instead(texts.answers.only_files(len(draft.files)), "answered")
    return _instead(texts.answers.empty, "empty")


def _bounded(draft: AnswerDraft, texts: Texts) -> Ending:
    text = draft.text
    if len(text) <= LONGEST_ANSWER:
        return Ending(text, "answered")
    line = texts.answers.cut_line
    return Ending(with_line(text[:LONGEST_ANSWER], line), "answered", own=_paragraphs(line))


def _under(draft: AnswerDraft, line: str, alone: str, outcome: str) -> Ending:
    if not draft.has_text:
        return evolve(_instead(alone, outcome), is_cut=True)
    text = with_line(draft.text[:LONGEST_ANSWER], line)
    return Ending(text, outcome, is_cut=True, own=_paragraphs(line))


def _instead(sentence: str, outcome: str) -> Ending:
    return Ending(sentence, outcome, own=_paragraphs(sentence))


def _paragraphs(text: str) -> int:
    return text.count("\n\n") + 1
