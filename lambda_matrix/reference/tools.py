"""The tools that a model has: what it is told of them, and its calls read strictly. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from attrs import NOTHING, fields, frozen

from lambda_matrix.reference.run_input import Call
from lambda_matrix.reference.strictness import make_converter, mapping

_PATH: Final = "The file's path in the conversation's folder, such as notes.txt"


@frozen
class ListFiles:
    """List the files of this conversation's folder, with their sizes in bytes."""


@frozen
class ReadFile:
    """Read a text file. A long one is given in parts: `offset` is where to begin, in characters."""

    path: str
    offset: int = 0


@frozen
class WriteFile:
    """Write a text file, whole. An existing one is overwritten if the person consents."""

    path: str
    content: str


@frozen
class SendFile:
    """Send a file of the folder to the person, with a caption or without."""

    path: str
    caption: str = ""


@frozen
class DeleteFile:
    """Delete a file of the folder, if the person consents."""

    path: str


Request = ListFiles | ReadFile | WriteFile | SendFile | DeleteFile

_REQUESTS: Mapping[str, type[Request]] = {
    "list_files": ListFiles,
    "read_file": ReadFile,
    "write_file": WriteFile,
    "send_file": SendFile,
    "delete_file": DeleteFile,
}
_MEANINGS: Mapping[str, str] = {
    "path": _PATH,
    "offset": "Characters to skip",
    "content": "The whole new text of the file",
    "caption": "A line that is shown with the file",
}


class BadCallError(ValueError):
    """A call that cannot be read; the text tells the model what is wrong, in one sentence."""


def read_call(call: Call) -> Request:
    """Read a call as the model has written it.

    Raises:
        BadCallError: there is no such tool, or its arguments are others.
    """
    kind = _REQUESTS.get(call.name)
    if kind is None:
        raise BadCallError(f"There is no tool {call.name}; there are {', '.join(_REQUESTS)}.")
    try:
        arguments = mapping(json.loads(call.arguments or "{}"))
        request: Request = _CONVERTER.structure(arguments, kind)
    except (ValueError, TypeError, KeyError, RecursionError):
        wanted = ", ".join(field.name for field in fields(kind)) or "none"
        raise BadCallError(
            f"The arguments of {call.name} must be a JSON object with: {wanted}."
        ) from None
    return request


def describe_tools() -> list[dict[str, object]]:
    """Return the tools as chat completions want them described."""
    return [_describe(name, kind) for name, kind in _REQUESTS.items()]


def _describe(name: str, kind: type[Request]) -> dict[str, object]:
    properties = {
        field.name: {
            "type": "integer" if field.name == "offset" else "string",
            "description": _MEANINGS[field.name],
        }
        for field in fields(kind)
    }
    parameters = {
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields(kind) if field.default is NOTHING],
    }
    description = " ".join((kind.__doc__ or "").replace("`", "").split())
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def _whole(value: object, _: object) -> int:
    """Take a number that is whole, also one that a model has written as 3.0."""
    if not isinstance(value, int | float) or isinstance(value, bool) or value != int(value):
        raise TypeError("a whole number is wanted")
    return max(0, int(value))


_CONVERTER = make_converter()
_CONVERTER.register_structure_hook(int, _whole)
