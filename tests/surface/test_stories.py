from __future__ import annotations

import pytest

from lambda_matrix.ids import (
    DeviceId,
    EventId,
    InstanceId,
    RequestId,
    RoomId,
    TransactionId,
)
from lambda_matrix.logs.fields import Fields, current
from lambda_matrix.matrix_events import AnswerState
from lambda_matrix.store.records import OutboxRow, Priority
from lambda_matrix.surface.stories import about_row


def row(request: str, question: str | None) -> OutboxRow:
    return OutboxRow(
        seq=1,
        transaction_id=TransactionId("t"),
        device_id=DeviceId("D"),
        created_at=0.0,
        room_id=RoomId("!r"),
        content=b"{}",
        replaces=None,
        root=None,
        root_lost=False,
        request=RequestId(request),
        question=None if question is None else EventId(question),
        part=0,
        parts=1,
        answer_state=AnswerState.FINAL,
        instance=InstanceId("i"),
        priority=Priority.FINAL,
        last_resort=False,
    )


@pytest.mark.parametrize(
    ("request_", "question", "fields"),
    [
        ("12ab", "$q", Fields(room="!r", event="$q", request="12ab")),
        ("queue:12ab", None, Fields(room="!r", request="12ab")),
        ("limit:12ab", None, Fields(room="!r", request="12ab")),
        ("waits:12ab", None, Fields(room="!r", request="12ab")),
        ("file:12ab:3", "$q", Fields(room="!r", event="$q", request="12ab")),
        ("reply:$q", "$q", Fields(room="!r", event="$q")),
        ("greeting:5", None, Fields(room="!r")),
    ],
)
def test_a_row_belongs_to_its_requests_story(
    request_: str, question: str | None, fields: Fields
) -> None:
    with about_row(row(request_, question)):
        assert current() == fields
