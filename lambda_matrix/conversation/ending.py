"""How an answer ends: the whole of what is left in the room when a run is over, however it went."""

from attrs import frozen

from lambda_matrix.agent_events import (
    RunCancelled,
    RunFailed,
    RunFailure,
    RunInterrupted,
)
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.markdown import with_line
from lambda_matrix.conversation.texts import Texts

LONGEST_ANSWER = 200_000
"""Characters of an answer, a dozen events or so. What an agent says beyond is cut, with a word."""


@frozen
class Ending:
    """The final text (Markdown), and in a word how it came about (for the journal)."""

    text: str
    outcome: str


def conclude(
    draft: AnswerDraft, failure: RunFailure | None, texts: Texts, *, stopped: bool = False
) -> Ending:
    """Return the ending of an answer of which `draft` is all that came.

    Text that was there stays; what is missing is said in one line under it.
    """
    if stopped:
        return Ending(_under(draft, texts.answers.stopped_line, texts.answers.stopped), "stopped")
    if failure is None and isinstance(draft.outcome, RunFailed):
        failure = RunFailure.RUN_ERROR
    if failure is not None:
        return Ending(
            _under(draft, texts.answers.broken_off_line, texts.answers.failure(failure)),
            failure.value,
        )
    paragraphs = [draft.text] if draft.has_text else []
    paragraphs += [texts.answers.file_not_sent(file.path) for file in draft.files]
    if isinstance(draft.outcome, RunInterrupted):
        asked = [each.message or each.reason for each in draft.outcome.interrupts]
        paragraphs.append(texts.answers.interrupt(asked))
    if paragraphs:
        return Ending(_bounded("\n\n".join(paragraphs), texts), "answered")
    if isinstance(draft.outcome, RunCancelled):
        return Ending(texts.answers.cancelled, "cancelled")
    return Ending(texts.answers.empty, "empty")


def _bounded(text: str, texts: Texts) -> str:
    return (
        text
        if len(text) <= LONGEST_ANSWER
        else with_line(text[:LONGEST_ANSWER], texts.answers.cut_line)
    )


def _under(draft: AnswerDraft, line: str, alone: str) -> str:
    return with_line(draft.text[:LONGEST_ANSWER], line) if draft.has_text else alone
