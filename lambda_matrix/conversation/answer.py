"""An answer in the making: what an agent says during a run, folded into one text."""

import re
from collections.abc import Callable
from typing import assert_never

from attrs import define, field

from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    MessagesReplaced,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunInterrupted,
    RunOutcome,
    StatePatched,
    StateReplaced,
    TextDelta,
    TextStarted,
    ToolArguments,
    ToolFinished,
    ToolReturned,
    ToolStarted,
)
from lambda_matrix.conversation.markdown import with_line

_BLANK_HEAD = re.compile(r"\A(?:[ \t\r]*\n)+")


@define
class AnswerDraft:
    """The answer so far. Each text message of the run is a paragraph of it, in order of beginning.

    Takes whatever comes: a delta of a message that never began begins it, a tool that ends without
    having begun is nothing. Appending costs no more for a long answer than for a short one.
    """

    _paragraphs: dict[str, list[str]] = field(factory=dict)
    _tools: dict[str, str] = field(factory=dict)
    _files: list[FileOffered] = field(factory=list)
    _outcome: RunOutcome | None = None
    _has_text: bool = False

    def feed(self, event: AgentEvent) -> None:
        """Take in what the agent says next."""
        match event:
            case TextStarted(message_id):
                self._paragraphs.setdefault(message_id, [])
            case TextDelta(message_id, delta):
                self._paragraphs.setdefault(message_id, []).append(delta)
                self._has_text = self._has_text or not _is_blank(delta)
            case ToolStarted(tool_call_id, name):
                self._tools[tool_call_id] = name
            case ToolArguments() | ToolReturned():
                pass  # between the agent and its tool
            case StateReplaced() | StatePatched() | MessagesReplaced():
                pass  # for the thread's next run, not for the person
            case ToolFinished(tool_call_id):
                self._tools.pop(tool_call_id, None)
            case FileOffered():
                self._files.append(event)
            case RunFinished() | RunInterrupted() | RunCancelled() | RunFailed():
                self._outcome = event
                self._tools.clear()
            case _:
                assert_never(event)

    @property
    def text(self) -> str:
        """The answer so far, as Markdown."""
        return "\n\n".join(filter(None, map(_joined, self._paragraphs.values())))

    @property
    def has_text(self) -> bool:
        """Whether there is anything in `text`."""
        return self._has_text

    @property
    def outcome(self) -> RunOutcome | None:
        """How the run ended; None while it goes on, and for one that broke off."""
        return self._outcome

    @property
    def files(self) -> tuple[FileOffered, ...]:
        """The files that the agent offered, in order."""
        return tuple(self._files)

    def preview(self, tool_line: Callable[[str], str]) -> str:
        """Return `text`, and under it one line for the newest tool that is at work.

        `tool_line` words it, given the tool's name. Empty if there is neither.
        """
        if not self._tools:
            return self.text
        newest = next(reversed(self._tools.values()))
        return with_line(self.text, tool_line(newest))


def _joined(pieces: list[str]) -> str:
    """Return the text of `pieces`, without the blank lines around it."""
    if len(pieces) > 1:
        pieces[:] = ["".join(pieces)]  # the next time they need no joining
    return _BLANK_HEAD.sub("", pieces[0]).rstrip() if pieces else ""


def _is_blank(text: str) -> bool:
    return not text or text.isspace()
