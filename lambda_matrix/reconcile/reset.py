"""A fresh start at the homeserver: which steps lead there, and taking them.

Theory. What is to be done is read from what is there, each time anew, and every step leaves less of
it: a reset that was cut off anywhere is simply done again. The order keeps every state in between
one that the service could be started in. Bindings go first, all of them, so that no room can come
back as a chat in which everything is remembered but half of its people's rooms are gone; then what
people chose; then the rooms, the Spaces last. A room is left and forgotten before the next.

The number sequence stays, in every kind of reset: an agent must never meet an old number with a
new conversation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import assert_never

from attrs import frozen

from lambda_matrix.client_server_api.account_data import PERSON_PREFIX, SAVED_PREFIX
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import (
    AccountPaused,
    CheckMembership,
    MatrixError,
    SessionDead,
    decide_retry,
)
from lambda_matrix.client_server_api.survey import Standing, Survey, SurveyedRoom
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.surface.patience import persist

logger = logging.getLogger(__name__)


@frozen
class Unbind:
    """Empty our account data of a room, so that it is bound to nothing."""

    room: SurveyedRoom
    kind: str


@frozen
class EmptyAccountData:
    """Empty our global account data of this type: what somebody chose, or saved."""

    kind: str


@frozen
class LeaveRoom:
    """Leave a room, or decline its invite."""

    room: SurveyedRoom


@frozen
class ForgetRoom:
    """Forget a room that was left."""

    room: SurveyedRoom


Step = Unbind | EmptyAccountData | LeaveRoom | ForgetRoom


@frozen
class Refusal:
    """A step that the homeserver refused for good, and what it said."""

    step: Step
    why: str


def plan_reset(survey: Survey) -> tuple[Step, ...]:
    """Return the steps, in order, after which the account has nothing but its numbers.

    Those are the number sequence, and the id of the newest start: neither must ever go back.
    """
    steps: list[Step] = [Unbind(room, kind) for room in survey.rooms for kind in room.bound]
    steps += [EmptyAccountData(kind) for kind, _ in survey.account_data if is_of_person(kind)]
    for room in in_order(survey.rooms):
        if room.standing is not Standing.LEFT:
            steps.append(LeaveRoom(room))
        steps.append(ForgetRoom(room))
    return tuple(steps)


def is_of_person(kind: str) -> bool:
    """Return whether global account data of this type is what somebody chose or saved."""
    return kind.startswith((PERSON_PREFIX, SAVED_PREFIX))


def in_order(rooms: Iterable[SurveyedRoom]) -> list[SurveyedRoom]:
    """Return the rooms as they are left: the Spaces after all others, else by their ids."""
    return sorted(rooms, key=lambda room: (room.is_space, room.room_id))


async def take_steps(
    client: Client, steps: Iterable[Step], began: Callable[[Step], None]
) -> tuple[Refusal, ...]:
    """Take the steps, telling `began` of each; return those that were refused.

    What is passing (a rate limit, a homeserver that is away) is waited out.

    Raises:
        SessionDeadError: the homeserver ended the session.
        MatrixError: it refuses everything, since the account is locked.
    """
    refused: list[Refusal] = []
    for step in steps:
        began(step)
        try:
            await _take(client, step)
        except MatrixError as error:
            if (refusal := _judge(step, error)) is not None:
                refused.append(refusal)
    return tuple(refused)


def _judge(step: Step, error: MatrixError) -> Refusal | None:
    """Return what is to be told of a step that failed; None if it need not have been taken."""
    decision = decide_retry(error)
    match decision:
        case SessionDead():
            raise SessionDeadError(
                "The homeserver ended the session.", soft_logout=decision.soft_logout
            ) from error
        case AccountPaused():
            raise error
        case CheckMembership() if isinstance(step, LeaveRoom):
            return None  # we are not there; if we are all the same, it cannot be forgotten
        case _:
            logger.warning("refused: %s: %s", step, error)
            return Refusal(step, error.message)


async def _take(client: Client, step: Step) -> None:
    match step:
        case Unbind(room, kind):
            await persist(lambda: client.account.put_room_data(room.room_id, kind, {}))
        case EmptyAccountData(kind):
            await persist(lambda: client.account.put_data(kind, {}))
        case LeaveRoom(room):
            await persist(lambda: client.leave(room.room_id))
        case ForgetRoom(room):
            await persist(lambda: client.forget(room.room_id))
        case _:
            assert_never(step)
