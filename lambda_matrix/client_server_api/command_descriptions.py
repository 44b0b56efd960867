"""Commands as state of a room, for clients that offer them (MSC4391, "In-room bot commands").

Nothing depends on it: a client that does not know of it shows nothing, and one that does sends a
message with the command spelled out (`TextMessage.command`). Each command is an event of its own,
whose key is a digest of its name and of whose it is, so that bots do not get in each other's way.
The MSC is not stable: the names have its prefix, and `fi.mau.tail_parameter` is its author's.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final, Literal

from attrs import frozen

from lambda_matrix.client_server_api.initial_state import InitialState
from lambda_matrix.ids import UserId

EVENT_TYPE: Final = "org.matrix.msc4391.command_description"


@frozen(kw_only=True)
class CommandArgument:
    """One argument: `key` is its name on the wire, `description` a sentence for people.

    `choices`, where there are any, are all that it may be.
    """

    key: str
    description: str
    kind: Literal["string", "integer", "boolean"] = "string"
    is_optional: bool = True
    choices: tuple[str, ...] = ()


@frozen(kw_only=True)
class CommandDescription:
    """One command: `name` without a prefix, `description` a sentence for people.

    The last argument, if it is a string, is the rest of the line as it was typed.
    """

    name: str
    description: str
    arguments: tuple[CommandArgument, ...] = ()
    aliases: tuple[str, ...] = ()


def description_event(command: CommandDescription, bot: UserId) -> InitialState:
    """Give the state event that describes a command of `bot`'s."""
    content: dict[str, object] = {
        "command": command.name,
        "description": _text(command.description),
        "parameters": [_parameter(argument) for argument in command.arguments],
    }
    if command.aliases:
        content["aliases"] = list(command.aliases)
    last = command.arguments[-1] if command.arguments else None
    if last is not None and last.kind == "string" and not last.choices:
        content["fi.mau.tail_parameter"] = last.key
    return InitialState(EVENT_TYPE, content, state_key=_state_key(command.name, bot))


def _state_key(name: str, bot: UserId) -> str:
    return base64.b64encode(hashlib.sha256(f"{name}{bot}".encode()).digest()).decode()


def _parameter(argument: CommandArgument) -> dict[str, object]:
    parameter: dict[str, object] = {
        "key": argument.key,
        "schema": _schema(argument),
        "description": _text(argument.description),
    }
    if argument.is_optional:
        parameter["optional"] = True
    return parameter


def _schema(argument: CommandArgument) -> dict[str, object]:
    if not argument.choices:
        return {"schema_type": "primitive", "type": argument.kind}
    return {
        "schema_type": "union",
        "variants": [
            {"schema_type": "literal", "literal_type": "string", "value": choice}
            for choice in argument.choices
        ],
    }


def _text(text: str) -> dict[str, object]:
    return {"m.text": [{"body": text}]}
