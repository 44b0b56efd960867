"""What stands under an answer, or in its place."""

from collections.abc import Callable, Sequence

from attrs import frozen

from lambda_matrix.agent_events import RunFailure


@frozen(kw_only=True)
class AnswerTexts:
    """Lines under what an agent says, and sentences in place of it."""

    tool_line: Callable[[str], str]
    """One line under the growing answer: this tool is being used."""
    stopped_line: str
    """One line under what was there of an answer when it was stopped."""
    broken_off_line: str
    """One line under what was there of an answer when the agent failed."""
    cut_line: str
    """One line under as much of an answer as can be shown, if it was far too long."""
    stopped: str
    """The whole answer, if it was stopped before it had any text."""
    empty: str
    failure: Callable[[RunFailure], str]
    """The whole answer, if the run failed before it had any text."""
    cancelled: str
    """The whole answer, if the agent ended the run on purpose without any text."""
    interrupt: Callable[[Sequence[str]], str]
    """The agent asks for these to be confirmed, which cannot be done yet."""
    file_not_sent: Callable[[str], str]
    """The agent offers this file, which cannot be passed on yet."""
