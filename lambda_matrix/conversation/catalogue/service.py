"""What is said of the service itself."""

from collections.abc import Callable

from attrs import frozen

from lambda_matrix.agent_events import RunFailure


@frozen(kw_only=True)
class AgentState:
    """An agent, and whether it was reached when it was last asked; None: it was not asked yet."""

    name: str
    is_up: bool | None


@frozen(kw_only=True)
class ServiceFigures:
    """What an admin is told besides: numbers, and nobody's names.

    `up_for` is how long the service has run, `oldest` how long the first waiting question has
    waited and `oldest_unsent` the first message; in seconds, None where there is none.
    """

    up_for: float
    rooms: int
    people: int
    running: int
    waiting: int
    oldest: float | None
    unsent: int
    oldest_unsent: float | None
    agents: tuple[AgentState, ...]


@frozen
class StatusFacts:
    """What `!status` tells.

    `failure` says why the agent could not be reached, None if it could. `waiting` counts this
    person's questions in line, `running` those at work. `sync_age` is how many seconds ago the
    homeserver last answered; None if it has not yet. `service` is for admins alone.
    """

    agent: str
    failure: RunFailure | None
    running: int
    waiting: int
    version: str
    sync_age: float | None
    service: ServiceFigures | None = None


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
