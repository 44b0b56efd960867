from __future__ import annotations

import base64
import hashlib

from lambda_matrix.client_server_api.command_descriptions import (
    CommandArgument,
    CommandDescription,
    description_event,
)
from lambda_matrix.client_server_api.initial_state import InitialState
from lambda_matrix.ids import UserId

BOT = UserId("@bot:h")


def key(name: str) -> str:
    return base64.b64encode(hashlib.sha256(f"{name}@bot:h".encode()).digest()).decode()


def test_a_command_without_arguments() -> None:
    command = CommandDescription(name="help", description="What works here")

    assert description_event(command, BOT) == InitialState(
        "org.matrix.msc4391.command_description",
        {
            "command": "help",
            "description": {"m.text": [{"body": "What works here"}]},
            "parameters": [],
        },
        state_key=key("help"),
    )


def test_a_command_with_arguments() -> None:
    command = CommandDescription(
        name="set",
        description="Change a setting",
        arguments=(
            CommandArgument(
                key="which", description="Which", is_optional=False, choices=("language", "style")
            ),
            CommandArgument(key="count", description="How many", kind="integer"),
            CommandArgument(key="value", description="To what"),
        ),
        aliases=("настройка",),
    )

    content = description_event(command, BOT).content

    assert content["aliases"] == ["настройка"]
    assert content["fi.mau.tail_parameter"] == "value"
    assert content["parameters"] == [
        {
            "key": "which",
            "schema": {
                "schema_type": "union",
                "variants": [
                    {"schema_type": "literal", "literal_type": "string", "value": "language"},
                    {"schema_type": "literal", "literal_type": "string", "value": "style"},
                ],
            },
            "description": {"m.text": [{"body": "Which"}]},
        },
        {
            "key": "count",
            "schema": {"schema_type": "primitive", "type": "integer"},
            "description": {"m.text": [{"body": "How many"}]},
            "optional": True,
        },
        {
            "key": "value",
            "schema": {"schema_type": "primitive", "type": "string"},
            "description": {"m.text": [{"body": "To what"}]},
            "optional": True,
        },
    ]


def test_the_rest_of_the_line_is_for_a_text_alone() -> None:
    for argument in (
        CommandArgument(key="n", description="Number", kind="integer"),
        CommandArgument(key="n", description="Which", choices=("a",)),
    ):
        command = CommandDescription(name="x", description="X", arguments=(argument,))
        assert "fi.mau.tail_parameter" not in description_event(command, BOT).content
