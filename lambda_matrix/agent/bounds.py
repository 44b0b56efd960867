"""How much an agent may say in one run.

What it says is kept in memory until the answer is there, and much of it afterwards: an agent out of
its mind must cost one answer, not the service. The bounds are far above what people read and models
write; docs/agent-wire.md tells agents of them.
"""

from typing import Final

from attrs import define

from lambda_matrix.agent.errors import FrameTooLarge
from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    StatePatched,
    TextDelta,
    TextStarted,
    ToolArguments,
    ToolReturned,
    ToolStarted,
)

MAX_RUN: Final = 256 << 20
"""Characters of all frames of one run: most of them may be states, of which the newest is kept."""
MAX_SAID: Final = 1 << 20
"""Characters of texts, arguments and results of tools, and changes of the state, together."""
MAX_BEGUN: Final = 10_000
"""Text messages, calls of tools and files, together."""


@define
class Bounds:
    """What one run has said so far."""

    _size: int = 0
    _said: int = 0
    _begun: int = 0

    def take_frame(self, frame: str) -> None:
        """Count a frame.

        Raises:
            FrameTooLarge: it is one too many.
        """
        self._size += len(frame)
        if self._size > MAX_RUN:
            raise FrameTooLarge(f"a run of over {MAX_RUN} characters")

    def take(self, events: tuple[AgentEvent, ...]) -> None:
        """Count what a frame means.

        Raises:
            FrameTooLarge: it is too much.
        """
        for event in events:
            match event:
                case TextDelta(_, more) | ToolArguments(_, more) | ToolReturned(_, _, more):
                    self._said += len(more)
                case StatePatched(patch):
                    self._said += len(patch)
                case TextStarted() | ToolStarted() | FileOffered():
                    self._begun += 1
                case _:
                    pass  # kept once, however often it comes
        if self._said > MAX_SAID:
            raise FrameTooLarge(f"a run with over {MAX_SAID} characters of text")
        if self._begun > MAX_BEGUN:
            raise FrameTooLarge(f"a run of over {MAX_BEGUN} messages, calls of tools and files")
