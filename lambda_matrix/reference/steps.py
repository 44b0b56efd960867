"""What a run is made of: the question that it answers, and the steps of answering it. No I/O."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from lambda_matrix.reference.run_input import Message
from lambda_matrix.reference.wire import BodyEvent, Interrupt, Usage
from lambda_matrix.reference.workspace import Arrival


@frozen
class Pause:
    """Wait for so many seconds."""

    seconds: float


@frozen
class Silence:
    """Say nothing for ever; only the closing of the connection ends it."""


@frozen
class BreakOff:
    """Close the connection without an end of the run."""


@frozen
class BareFrame:
    """Send a frame that is no event."""

    text: str


@frozen
class WriteFile:
    """Put a file into the workspace, at a path relative to it; one of the same name is replaced."""

    workspace: Path
    path: str
    content: bytes


@frozen
class Spend:
    """Claim that the run has used this, whatever it said."""

    usage: Usage


@frozen
class Ask:
    """End the run with these interrupts; they expire after so many seconds, if they do."""

    interrupts: tuple[Interrupt, ...]
    expire_in: float | None = None


@frozen
class Fail:
    """End the run with RUN_ERROR; `usage` is what it has cost all the same."""

    message: str
    code: str
    usage: Usage | None = None


Step = BodyEvent | Pause | Silence | BreakOff | BareFrame | WriteFile | Spend | Ask | Fail


@frozen
class Question:
    """What a run is about.

    Attributes:
        text: the newest message of the person.
        arrivals: the files that came with it, as they were found.
        conversation: every message that is known, this one included, in order.
        message_id: the id of the newest message.
        thread_id: the thread, as a decimal number.
        key: unique to the request and the same for each of its attempts; ids are made of it.
        pace: seconds from word to word where an answer is slow.
        workspace: where files can be written, if they can.
        state: the state that the client has, as JSON.
    """

    text: str
    arrivals: tuple[Arrival, ...]
    conversation: tuple[Message, ...]
    message_id: str
    thread_id: str
    key: str
    pace: float
    workspace: Path | None
    state: object = None

    @property
    def argument(self) -> str:
        """The text after the first word."""
        return "".join(self.text.split(maxsplit=1)[1:]).strip()
