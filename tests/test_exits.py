"""Each end has its exit status, and one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_matrix.client_server_api.login import BadLogin, NoHomeserver, WrongUser
from lambda_matrix.client_server_api.session import SessionFileUnusable
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.exits import CommandError, Ending, Exit, ending_of
from lambda_matrix.store.store import StoreDamagedError, StoreLockedError
from lambda_matrix.surface.bridge import AnotherInstanceError


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (BadLogin("Not accepted."), 78, "f: [homeserver] password or access token: Not accepted."),
        (WrongUser("Another's."), 78, "f: [homeserver] user_id: Another's."),
        (NoHomeserver("A web site."), 78, "f: [homeserver] url: A web site."),
        (SessionFileUnusable("Unwritable."), 78, "f: [state] directory: Unwritable."),
        (
            SessionDeadError("Logged out.", soft_logout=False),
            70,
            (
                "Logged out. The session has ended; everything stored is kept. Run "
                "`lambda-matrix login`, which clears the way for a new one, and start again."
            ),
        ),
        (ExceptionGroup("", [StoreDamagedError("Damaged.")]), 74, "Damaged."),
        (AnotherInstanceError("There is another."), 75, "There is another."),
        (
            ExceptionGroup("", [ExceptionGroup("", [OSError("x"), StoreLockedError("Held.")])]),
            75,
            "Held.",
        ),
        (ExceptionGroup("", [CommandError("Away.", Exit.HOMESERVER_AWAY)]), 69, "Away."),
    ],
)
def test_each_end_has_its_status(error: Exception, status: int, said: str) -> None:
    assert ending_of(error, Path("f")) == Ending(Exit(status), said)


def test_a_fault_of_the_program_has_none() -> None:
    assert ending_of(ZeroDivisionError("at work"), Path("f")) is None
