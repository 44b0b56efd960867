"""What is said of the service itself."""

from collections.abc import Callable

from attrs import frozen

from lambda_matrix.agent_events import RunFailure


@frozen
class StatusFacts:
    """What `!status` tells.

    `failure` says why the agent could not be reached, None if it could. `waiting` counts this
    person's questions in line, `running` those at work. `sync_age` is how many seconds ago the
    homeserver last answered; None if it has not yet.
    """

    agent: str
    failure: RunFailure | None
    running: int
    waiting: int
    version: str
    sync_age: float | None


@frozen(kw_only=True)
class ServiceTexts:
    """How the service is, and what got lost on the way."""

    status: Callable[[StatusFacts], str]
    gap: str
    """Some messages could not be read."""
    undeliverable: str
    """In place of a message that the homeserver refuses for good."""
    memory_lost: str
    """After the loss of the database: open confirmations, picks and staged files are gone."""
