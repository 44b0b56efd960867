"""Facts as JSON in a column and back, strictly: what comes out is what went in."""

from __future__ import annotations

from typing import cast, get_args

from cattrs.preconf.json import make_converter
from cattrs.strategies import configure_tagged_union

from lambda_matrix.account_data import Binding, SavedContext, Stretch
from lambda_matrix.agent_events import Interrupt, ResumeEntry, ThreadMessage
from lambda_matrix.matrix_events import (
    EncryptedMessage,
    MediaMessage,
    OtherMessage,
    Redaction,
    TextMessage,
)

Incoming = TextMessage | MediaMessage | OtherMessage | EncryptedMessage | Redaction
"""What may want a reaction, and so goes through the inbox."""

_converter = make_converter()
configure_tagged_union(Incoming, _converter, tag_name="fact")
INCOMING = get_args(Incoming)


def dump_fact(fact: Incoming) -> str:
    """Return the column's text."""
    return _converter.dumps(fact, unstructure_as=Incoming)


def load_fact(text: str) -> Incoming:
    """Return the fact that `dump_fact` wrote."""
    return _converter.loads(text, cast("type[Incoming]", Incoming))


def dump_stretches(stretches: tuple[Stretch, ...]) -> str | None:
    """Return stretches of history as a column's text; None for none."""
    return _converter.dumps(stretches) if stretches else None


def load_stretches(text: str | None) -> tuple[Stretch, ...]:
    """Return the stretches that `dump_stretches` wrote."""
    return () if text is None else _converter.loads(text, tuple[Stretch, ...])


def dump_binding(binding: Binding) -> str:
    """Return what a chat is bound to as a column's text."""
    return _converter.dumps(binding)


def load_binding(text: str) -> Binding:
    """Return the binding that `dump_binding` wrote."""
    return _converter.loads(text, Binding)


def dump_saved(saved: tuple[SavedContext, ...]) -> str:
    """Return what somebody saved as a column's text."""
    return _converter.dumps(saved)


def load_saved(text: str) -> tuple[SavedContext, ...]:
    """Return what `dump_saved` wrote."""
    return _converter.loads(text, tuple[SavedContext, ...])


def dump_message(message: ThreadMessage) -> str:
    """Return a message of a thread as a column's text."""
    return _converter.dumps(message)


def load_message(text: str) -> ThreadMessage:
    """Return the message that `dump_message` wrote."""
    return _converter.loads(text, ThreadMessage)


def dump_interrupts(interrupts: tuple[Interrupt, ...]) -> str | None:
    """Return what an agent waits to be told as a column's text; None for nothing."""
    return _converter.dumps(interrupts) if interrupts else None


def load_interrupts(text: str | None) -> tuple[Interrupt, ...]:
    """Return the interrupts that `dump_interrupts` wrote."""
    return () if text is None else _converter.loads(text, tuple[Interrupt, ...])


def dump_resume(entries: tuple[ResumeEntry, ...] | None) -> str | None:
    """Return a person's word on interrupts as a column's text; None for none."""
    return None if entries is None else _converter.dumps(entries)


def load_resume(text: str | None) -> tuple[ResumeEntry, ...] | None:
    """Return the word that `dump_resume` wrote."""
    return None if text is None else _converter.loads(text, tuple[ResumeEntry, ...])
