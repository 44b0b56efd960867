"""Events that we owe, and who we are."""

from __future__ import annotations

from enum import IntEnum

from attrs import frozen

from lambda_matrix.ids import (
    DeviceId,
    EventId,
    InstanceId,
    RequestId,
    RoomId,
    TransactionId,
    UserId,
)
from lambda_matrix.matrix_events import AnswerMark, AnswerState


@frozen
class Ourselves:
    """Who we are on the homeserver: whose echoes are our own, whose transaction ids are valid."""

    user_id: UserId
    device_id: DeviceId
    instance: InstanceId


class Priority(IntEnum):
    """Who goes first when the homeserver limits the rate."""

    FINAL = 0
    FIRST = 1
    CHANGE = 2  # of a room: a name, a Space's child, what is taken back
    PREVIEW = 3


@frozen(kw_only=True)
class Draft:
    """An event to be sent to `room_id`.

    `content` is its JSON. With `replaces` (a row) it lacks `m.relates_to`, which the outbox adds
    once that row's event id is known: always the same, so the bytes under the transaction id are.
    """

    room_id: RoomId
    content: bytes
    mark: AnswerMark
    priority: Priority = Priority.FINAL
    replaces: int | None = None
    last_resort: bool = False


@frozen(kw_only=True)
class OutboxRow:
    """A committed event on its way. `root` is the event id of the row that it replaces.

    `root_lost` says that the row to be replaced was refused for good: send it as a fresh event.
    `asked_at` is when the question was taken, if that is known, in seconds since the epoch.
    """

    seq: int
    transaction_id: TransactionId
    device_id: DeviceId
    created_at: float
    room_id: RoomId
    content: bytes
    replaces: int | None
    root: EventId | None
    root_lost: bool
    request: RequestId
    question: EventId | None
    part: int
    parts: int
    answer_state: AnswerState
    instance: InstanceId
    priority: Priority
    last_resort: bool
    asked_at: float | None = None

    @property
    def mark(self) -> AnswerMark:
        """The mark that the event carries."""
        return AnswerMark(
            question=self.question,
            request=self.request,
            part=self.part,
            state=self.answer_state,
            instance=self.instance,
            parts=self.parts,
        )
