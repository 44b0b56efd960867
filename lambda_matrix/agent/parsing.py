"""From the text of one frame to one of `frames.py`, structured strictly.

cattrs would turn `None` into `"None"`; the hooks of `strictness.py` forbid that.
"""

import json
from collections.abc import Callable
from typing import Final, NoReturn

from lambda_matrix.agent.errors import BadFrame
from lambda_matrix.agent.frames import (
    IGNORED_TYPES,
    USED_TYPES,
    FileValue,
    Frame,
    Ignored,
    Outcome,
    TokenUsage,
    UnknownEvent,
    UsedFrame,
    WireInterrupt,
)
from lambda_matrix.agent.strictness import strict_converter

_CONVERTER: Final = strict_converter(
    (TokenUsage, WireInterrupt, Outcome, FileValue, *USED_TYPES.values())
)
_STRUCTURE: Final[dict[str, Callable[[object, object], UsedFrame]]] = {
    name: _CONVERTER.get_structure_hook(model) for name, model in USED_TYPES.items()
}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_JSON: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def parse_frame(text: str) -> Frame:
    """Read one frame.

    Raises:
        BadFrame: it is not JSON, not an event, or a known event that is malformed.
    """
    try:
        value = _JSON.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"a frame is not JSON: {error}") from error
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise BadFrame("a frame is JSON, but no AG-UI event: it has no type")
    structure = _STRUCTURE.get(kind)
    if structure is None:
        return Ignored(kind) if kind in IGNORED_TYPES else UnknownEvent(kind)
    try:
        return structure(value, None)
    except KeyError as error:
        raise BadFrame(f"{kind} has no {error.args[0]}") from error
    except (TypeError, ValueError) as error:
        raise BadFrame(f"{kind} is malformed: {error}") from error


def parse_file(value: object) -> FileValue | None:
    """Read the value of `CUSTOM` `file`; None if it is not of our form (others use that name)."""
    try:
        return _CONVERTER.structure(value, FileValue)
    except (KeyError, TypeError, ValueError):
        return None
