"""A service as it may be, for those who look at it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

from attrs import define, evolve, field

from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.client_server_api.backoff import HomeserverAway
from lambda_matrix.config.settings import HomeserverSection
from lambda_matrix.ids import AgentId, RequestId, RoomId, UserId
from lambda_matrix.pulse import Pulse
from lambda_matrix.service.monitoring.watched import Watched, watch
from lambda_matrix.service.status_line import StatusLine
from lambda_matrix.surface.overview import Overview
from lambda_matrix.surface.runs.running import RunAtWork
from tests.store.counting import NOTHING

HOMESERVER = HomeserverSection(
    url="https://matrix.example.org", user_id=UserId("@lambda:example.org")
)
ROOM = RoomId("!2B80H7IlWjsecret:example.org")
ANNA = UserId("@anna:example.org")
RUN = RunAtWork(ROOM, RequestId("5f2a"), AgentId("main"), ANNA, 72.5)
FIGURES = evolve(
    NOTHING,
    rooms=61,
    people=12,
    chats=37,
    waiting=3,
    longest_wait=12.5,
    held=1,
    owed=2,
    oldest_owed=1.5,
    parked=4,
)


def agent(agent_id: str, name: str) -> AgentEntry:
    return AgentEntry(
        id=AgentId(agent_id), name=name, base_url="ws://127.0.0.1:9", path="", token=None
    )


REGISTRY = Registry(
    AgentId("main"),
    MappingProxyType(
        {
            AgentId("main"): agent("main", "Lambda"),
            AgentId("evil"): agent("evil", '<script>alert("x")</script>'),
        }
    ),
)


@define(eq=False)
class Service:
    """One that can be made to be in any state."""

    watched: Watched
    pulse: Pulse
    line: StatusLine
    overview: Overview = field(factory=lambda: Overview(FIGURES, (RUN,)))

    def be_ready(self) -> None:
        self.pulse.answered()
        self.line.ready(self.overview)
        self.watched.overview = self.look

    async def look(self) -> Overview:
        return self.overview

    def be_idle(self) -> None:
        self.overview = Overview(
            evolve(FIGURES, waiting=0, longest_wait=None, owed=0, oldest_owed=None), ()
        )

    def lose_homeserver(self) -> None:
        self.line.homeserver(HomeserverAway(f"PUT /_matrix/rooms/%21abc%3Aexample.org/x of {ROOM}"))

    def warn(self, text: str) -> None:
        logging.getLogger("lambda_matrix.test").warning("%s", text)


@contextmanager
def service() -> Iterator[Service]:
    pulse = Pulse()
    line = StatusLine(pulse)
    line.enter("starting")
    with watch(line, pulse, HOMESERVER, lambda: REGISTRY) as watched:
        yield Service(watched, pulse, line)
