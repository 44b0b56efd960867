"""Rows as the operations give them out, and the shapes in which they take them in."""

from lambda_matrix.store.records.contexts import Context, Exchange, NewContext, Thread
from lambda_matrix.store.records.files import FetchedFile, OfferedFile, StagedFile
from lambda_matrix.store.records.intake import Accepted, Gap, Look
from lambda_matrix.store.records.outbox import Draft, Ourselves, OutboxRow, Priority
from lambda_matrix.store.records.requests import (
    Attempt,
    Confirmation,
    Done,
    Question,
    Request,
    Stopped,
)
from lambda_matrix.store.records.rooms import Intent, Room, RoomKind

__all__ = [
    "Accepted",
    "Attempt",
    "Confirmation",
    "Context",
    "Done",
    "Draft",
    "Exchange",
    "FetchedFile",
    "Gap",
    "Intent",
    "Look",
    "NewContext",
    "OfferedFile",
    "Ourselves",
    "OutboxRow",
    "Priority",
    "Question",
    "Request",
    "Room",
    "RoomKind",
    "StagedFile",
    "Stopped",
    "Thread",
]
