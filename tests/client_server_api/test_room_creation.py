from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_matrix.client_server_api.command_descriptions import CommandDescription
from lambda_matrix.client_server_api.initial_state import InitialState
from lambda_matrix.client_server_api.room_creation import (
    RoomCreation,
    creation_body,
)
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import MARKER_KEY, RoomMarker

BOT, OWNER = UserId("@bot:h"), UserId("@anna:h")
SPACE = RoomCreation(
    marker=RoomMarker("i1", "space", OWNER), name="Lambda", topic="Chats", invite=(OWNER,)
)
CHAT = RoomCreation(
    marker=RoomMarker("i2", "chat", OWNER),
    name="Chat",
    parent=RoomId("!space"),
    via=("h",),
    avatar="mxc://h/x",
    commands=(
        CommandDescription(name="a", description="A"),
        CommandDescription(name="b", description="B"),
    ),
    initial_state=(InitialState("m.x", {"a": 1}, "k"),),
)


def body_of(creation: RoomCreation, version: str) -> Any:
    return json.loads(creation_body(creation, bot=BOT, room_version=version))


@pytest.mark.parametrize("version", ["1", "6", "10", "11"])
def test_before_version_12_the_bot_stands_above_the_owner_by_number(version: str) -> None:
    levels = body_of(CHAT, version)["power_level_content_override"]

    assert levels["users"] == {OWNER: 100, BOT: 150}
    assert levels["events"]["m.room.tombstone"] == 100
    assert levels["events"]["m.room.encryption"] == 150


@pytest.mark.parametrize("version", ["12", "13", "org.example.v12"])
def test_from_version_12_on_the_bot_stands_above_all_by_being_the_creator(version: str) -> None:
    levels = body_of(CHAT, version)["power_level_content_override"]

    assert levels["users"] == {OWNER: 100}
    assert levels["events"]["m.room.tombstone"] == 150
    assert levels["events"]["m.room.encryption"] == 150


def test_a_space() -> None:
    body = body_of(SPACE, "12")

    assert body["creation_content"] == {
        "type": "m.space",
        MARKER_KEY: {"intent": "i1", "kind": "space", "owner": OWNER},
    }
    assert body["power_level_content_override"]["events_default"] == 100
    assert (body["name"], body["topic"], body["invite"]) == ("Lambda", "Chats", [OWNER])
    assert (body["preset"], body["visibility"]) == ("private_chat", "private")
    assert body["room_version"] == "12"


def test_a_chat_knows_its_space_from_the_start() -> None:
    body = body_of(CHAT, "12")

    assert "type" not in body["creation_content"]
    assert "topic" not in body
    assert "events_default" not in body["power_level_content_override"]
    states = {
        (state["type"], state["state_key"]): state["content"] for state in body["initial_state"]
    }
    assert states["m.space.parent", "!space"] == {"via": ["h"], "canonical": True}
    assert states["m.x", "k"] == {"a": 1}
    assert states["m.room.avatar", ""] == {"url": "mxc://h/x"}
    assert [content["command"] for kind, content in states.items() if "msc4391" in kind[0]] == [
        "a",
        "b",
    ]
    assert states["m.room.history_visibility", ""] == {"history_visibility": "shared"}
