"""What a homeserver says of itself: versions, ways to log in, limits. Read as in `parsing`."""

from __future__ import annotations

import re

from attrs import frozen

from lambda_matrix.client_server_api.parsing_json import (
    id_at,
    integer_at,
    list_at,
    object_at,
    read_object,
    text_at,
)

_SPEC_VERSION = re.compile(r"v(\d{1,4})\.(\d{1,4})")


@frozen(order=True)
class SpecVersion:
    """A version of the specification, such as v1.11. Those of before v1.1 (r0.x) are none."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}"


@frozen
class RoomVersions:
    """`default` is the version of new rooms; `stable` tells whether the homeserver trusts it."""

    default: str
    stable: bool


@frozen
class RateLimit:
    """What an admin of Synapse has settled for an account: 0 messages a second is no limit."""

    messages_per_second: int
    burst_count: int

    @property
    def is_none(self) -> bool:
        """Whether the account may send as fast as it likes."""
        return self.messages_per_second == 0


def parse_versions(body: bytes) -> tuple[SpecVersion, ...]:
    """Read the answer of `/versions`, the oldest first (2.)."""
    named = list_at(read_object(body, "versions"), "versions")
    found = [_SPEC_VERSION.fullmatch(each) for each in named if isinstance(each, str)]
    return tuple(sorted(SpecVersion(int(each[1]), int(each[2])) for each in found if each))


def parse_login_flows(body: bytes) -> frozenset[str]:
    """Read the answer of `GET /login`: the types of login that the homeserver takes."""
    flows = list_at(read_object(body, "login"), "flows")
    types = [id_at(flow, "type") for flow in flows if isinstance(flow, dict)]
    return frozenset(each for each in types if each is not None)


def parse_well_known(body: bytes) -> str | None:
    """Read `/.well-known/matrix/client`: where the homeserver's API is, if it is said."""
    url = text_at(object_at(read_object(body, "well-known"), "m.homeserver"), "base_url")
    return url or None


def parse_room_versions(body: bytes) -> RoomVersions:
    """Read the room versions of `/capabilities`."""
    capabilities = object_at(read_object(body, "capabilities"), "capabilities")
    versions = object_at(capabilities, "m.room_versions")
    default = id_at(versions, "default") or "1"
    return RoomVersions(default, object_at(versions, "available").get(default) == "stable")


def parse_rate_limit(body: bytes) -> RateLimit | None:
    """Read the override of an account's rate limits; None where nothing was settled."""
    answer = read_object(body, "override_ratelimit")
    messages, burst = integer_at(answer, "messages_per_second"), integer_at(answer, "burst_count")
    return None if messages is None else RateLimit(messages, burst or 0)
