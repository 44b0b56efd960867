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
    ThreadMessage,
    ToolCall,
)
from lambda_matrix.conversation.agent_faults import AgentFault, fault_of
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
    assert ending.outcome == "run_error"
    ending = conclude(draft("Half", RunFailed("secret", "model_busy")), None, TEXTS)
    assert ending.text == f"Half\n\n{TEXTS.answers.broken_off_line}"


@pytest.mark.parametrize("fault", AgentFault)
def test_a_code_that_is_known_has_its_sentence(fault: AgentFault) -> None:
    ending = conclude(draft(outcome=RunFailed("secret", fault.value)), None, TEXTS)
    assert ending.text == TEXTS.answers.agent_fault(fault)
    assert fault_of("out of cheese") is None


def test_an_answer_without_a_word_says_so() -> None:
    assert conclude(draft(outcome=RunFinished()), None, TEXTS).text == TEXTS.answers.empty
    assert conclude(draft(outcome=RunCancelled()), None, TEXTS).text == TEXTS.answers.cancelled


def test_what_the_agent_asks_stands_under_what_it_says() -> None:
    asks = RunInterrupted((Interrupt("i", "why", "Delete it?"), Interrupt("j", "tool_call")))
    ending = conclude(draft("Ready.", asks), None, TEXTS, wait=600.0)
    prompt = TEXTS.confirmations.prompt(["Delete it?", "tool_call"], 600.0)
    assert (ending.text, ending.outcome) == (f"Ready.\n\n{prompt}", "asked")
    assert conclude(draft("```\nx", asks), None, TEXTS).text.startswith("```\nx\n```\n\n")
    about = Interrupt("i", "tool_call", tool_call_id="c")
    call = ThreadMessage(id="m", role="assistant", tool_calls=(ToolCall("c", "rm", '{"a":1}'),))
    ending = conclude(draft(outcome=RunInterrupted((about,))), None, TEXTS, thread=[call])
    assert ending.text == TEXTS.confirmations.prompt(['rm({"a":1})'], None)


def test_files_without_a_word() -> None:
    made = draft(outcome=RunFinished())
    made.feed(FileOffered("report.pdf"))
    assert conclude(made, None, TEXTS).text == TEXTS.answers.only_files(1)
    made.feed(TextDelta("m", "There."))
    assert conclude(made, None, TEXTS).text == "There."


@pytest.mark.parametrize("failure", [None, RunFailure.TRUNCATED])
def test_an_answer_is_not_endless(failure: RunFailure | None) -> None:
    ending = conclude(draft("x" * LONGEST_ANSWER * 2, RunFinished()), failure, TEXTS)
    line = TEXTS.answers.cut_line if failure is None else TEXTS.answers.broken_off_line
    assert ending.text == f"{'x' * LONGEST_ANSWER}\n\n{line}"
