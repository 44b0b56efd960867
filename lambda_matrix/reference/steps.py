"""What a run is made of: the question that it answers, and the steps of answering it. No I/O."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from lambda_matrix.reference.run_input import Attachment, Message
from lambda_matrix.reference.wire import BodyEvent, Interrupt


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
    """Put a file into the workspace; one of the same name is replaced."""

    workspace: Path
    path: str
    content: str


@frozen
class Ask:
    """End the run with these interrupts."""

    interrupts: tuple[Interrupt, ...]


@frozen
class Fail:
    """End the run with RUN_ERROR."""

    message: str
    code: str


Step = BodyEvent | Pause | Silence | BreakOff | BareFrame | WriteFile | Ask | Fail


@frozen
class Question:
    """What a run is about.

    Attributes:
        text: the newest message of the person.
        attachments: the files that came with it.
        conversation: every message that is known, this one included, in order.
        message_id: the id of the newest message.
        thread_id: the thread, as a decimal number.
        key: unique to the request and the same for each of its attempts; ids are made of it.
        pace: seconds from word to word where an answer is slow.
        workspace: where files can be written, if they can.
    """

    text: str
    attachments: tuple[Attachment, ...]
    conversation: tuple[Message, ...]
    message_id: str
    thread_id: str
    key: str
    pace: float
    workspace: Path | None

    @property
    def argument(self) -> str:
        """The text after the first word."""
        return "".join(self.text.split(maxsplit=1)[1:]).strip()
