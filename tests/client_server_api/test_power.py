from __future__ import annotations

import math

import pytest

from lambda_matrix.client_server_api.power import CreateInfo, Power, PowerLevels
from lambda_matrix.ids import UserId

BOT, OWNER, OTHER, ANNA = map(UserId, ("@bot:h", "@owner:h", "@other:h", "@anna:h"))
LEVELS = PowerLevels(
    users={OWNER: 100, ANNA: 50},
    users_default=-1,
    events={"m.room.name": 50, "org.example.open": -1},
)


def power(version: str, levels: PowerLevels | None) -> Power:
    create = CreateInfo(creator=BOT, room_version=version, additional_creators=frozenset({OTHER}))
    return Power(create, levels)


@pytest.mark.parametrize("version", ["1", "10", "11"])
def test_until_version_11_creators_are_users_like_any(version: str) -> None:
    found = power(version, LEVELS)
    assert [found.of(user) for user in (BOT, OTHER, OWNER, ANNA)] == [-1, -1, 100, 50]


@pytest.mark.parametrize("version", ["12", "13", "org.example.v12"])
def test_from_version_12_on_creators_are_above_all(version: str) -> None:
    found = power(version, LEVELS)
    assert [found.of(user) for user in (BOT, OTHER, OWNER)] == [math.inf, math.inf, 100]
    assert found.may_set(OTHER, "m.room.tombstone")


def test_a_room_without_power_levels_is_its_creators() -> None:
    found = power("10", None)

    assert [found.of(user) for user in (BOT, OTHER)] == [100, 0]
    assert found.may_set(OTHER, "m.room.name")
    assert power("12", None).of(OTHER) == math.inf


def test_what_is_needed() -> None:
    found = power("11", LEVELS)
    nobody = UserId("@nobody:h")

    assert found.may_set(ANNA, "m.room.name")
    assert found.may_set(ANNA, "m.room.topic")
    assert not found.may_set(nobody, "m.room.topic")
    assert found.may_set(nobody, "org.example.open")
