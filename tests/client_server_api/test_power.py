from __future__ import annotations

import math
from typing import Any, get_args

import pytest

from lambda_matrix.client_server_api.power import Action, CreateInfo, Power, PowerLevels
from lambda_matrix.ids import UserId

BOT, OWNER, OTHER, ANNA = map(UserId, ("@bot:h", "@owner:h", "@other:h", "@anna:h"))
LEVELS = PowerLevels(
    users={OWNER: 100, ANNA: 50},
    users_default=-1,
    events={"m.room.name": 50, "m.sticker": 0, "m.room.message": -1},
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
    assert found.may(BOT, "kick")
    assert not found.may(OTHER, "kick")
    assert found.may(OTHER, "invite")
    assert found.may_send(OTHER, "m.room.message")
    assert found.may_set(OTHER, "m.room.name")
    assert power("12", None).of(OTHER) == math.inf


def test_what_is_needed() -> None:
    found = power("11", LEVELS)
    nobody = UserId("@nobody:h")

    assert found.may_send(nobody, "m.room.message")
    assert not found.may_send(nobody, "m.sticker")
    assert found.may_set(ANNA, "m.room.name")
    assert found.may_set(ANNA, "m.room.topic")
    assert not found.may_set(nobody, "m.room.topic")
    assert not found.may(nobody, "invite")


@pytest.mark.parametrize("action", get_args(Action))
def test_each_action_has_its_level(action: Action) -> None:
    others: dict[str, Any] = dict.fromkeys(get_args(Action), 0)

    for needed in (10, 11):
        levels = PowerLevels(users={ANNA: 10}, **{**others, action: needed})
        assert power("11", levels).may(ANNA, action) is (needed == 10)
