"""How an answer ends."""

import pytest

from lambda_matrix.agent_events import (
    FileOffered,
    Interrupt,
    RunCancelled,
    RunFailed,
    RunFailure,
    RunFinished,
    RunInterrupted,
    RunOutcome,
    TextDelta,
)
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.ending import LONGEST_ANSWER, conclude
from lambda_matrix.conversation.texts import Language, texts

TEXTS = texts(Language.EN)


def draft(text: str = "", outcome: RunOutcome | None = None) -> AnswerDraft:
    made = AnswerDraft()
    if text:
        made.feed(TextDelta("m", text))
    if outcome is not None:
        made.feed(outcome)
    return made


def test_a_whole_answer_is_its_text() -> None:
    ending = conclude(draft("Hello", RunFinished()), None, TEXTS)
    assert (ending.text, ending.outcome) == ("Hello", "answered")


def test_a_stop_leaves_what_was_there() -> None:
    assert conclude(draft(), None, TEXTS, stopped=True).text == TEXTS.answers.stopped
    ending = conclude(draft("```\nHalf"), None, TEXTS, stopped=True)
    assert ending.text == f"```\nHalf\n```\n\n{TEXTS.answers.stopped_line}", "outside the code"
    assert ending.outcome == "stopped"


@pytest.mark.parametrize("failure", list(RunFailure))
def test_each_failure_has_its_sentence(failure: RunFailure) -> None:
    ending = conclude(draft(), failure, TEXTS)
    assert (ending.text, ending.outcome) == (TEXTS.answers.failure(failure), failure.value)
    assert (
        conclude(draft("Half"), failure, TEXTS).text == f"Half\n\n{TEXTS.answers.broken_off_line}"
    )


def test_what_an_agent_says_of_its_failure_is_for_the_journal() -> None:
    ending = conclude(draft(outcome=RunFailed("secret cause")), None, TEXTS)
    assert ending.text == TEXTS.answers.failure(RunFailure.RUN_ERROR)


def test_an_answer_without_a_word_says_so() -> None:
    assert conclude(draft(outcome=RunFinished()), None, TEXTS).text == TEXTS.answers.empty
    assert conclude(draft(outcome=RunCancelled()), None, TEXTS).text == TEXTS.answers.cancelled


def test_questions_and_files_of_the_agent_are_not_passed_over() -> None:
    made = draft("Ready.", RunInterrupted((Interrupt("i", "why", "Delete it?"),)))
    made.feed(FileOffered("report.pdf"))
    text = conclude(made, None, TEXTS).text
    assert text.startswith("Ready.")
    assert TEXTS.answers.file_not_sent("report.pdf") in text
    assert TEXTS.answers.interrupt(["Delete it?"]) in text


@pytest.mark.parametrize("failure", [None, RunFailure.TRUNCATED])
def test_an_answer_is_not_endless(failure: RunFailure | None) -> None:
    ending = conclude(draft("x" * LONGEST_ANSWER * 2, RunFinished()), failure, TEXTS)
    line = TEXTS.answers.cut_line if failure is None else TEXTS.answers.broken_off_line
    assert ending.text == f"{'x' * LONGEST_ANSWER}\n\n{line}"
