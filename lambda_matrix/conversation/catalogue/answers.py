"""What stands under an answer, or in its place."""

from collections.abc import Callable

from attrs import frozen

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.agent_faults import AgentFault


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
    agent_fault: Callable[[AgentFault], str]
    """The whole answer, if the agent itself says what it failed of before there was any text."""
    only_files: Callable[[int], str]
    """The whole answer, if the agent sends so many files without a word."""
