"""Structuring JSON strictly: nothing is coerced, and what is not as it should be is an error.

cattrs by itself turns `None` into `"None"`, `[]` into a model of defaults and a string into a tuple
of letters; the hooks here forbid it. Names are camelCase on the wire and snake_case here.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar, get_args, get_origin

from attrs import AttrsInstance, fields_dict
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from lambda_matrix.agent.errors import BadFrame
from lambda_matrix.agent_events import JsonText
from lambda_matrix.conversation import agent_state

JsonObject = dict[str, Any]
"""A JSON object that nothing here looks into."""

ToolContent = str | tuple[JsonObject, ...]

_Model = TypeVar("_Model", bound=AttrsInstance)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a string is due")
    return value


def _integer(value: object, _: object) -> int:
    """Take a count or a time; JSON does not tell 12 from 12.0, but tells both from true."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise TypeError(f"{type(value).__name__} where an integer is due")
    if not 0 <= value < 2**53:
        raise ValueError("an integer out of range")
    return value


def _object(value: object, _: object) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} where an object is due")
    return value


def _tool_content(value: object, _: object) -> str | tuple[JsonObject, ...]:
    if isinstance(value, list):
        return tuple(_object(part, None) for part in value)
    return _text(value, None)


def _literal(value: object, kind: Any) -> str:
    if not isinstance(value, str) or value not in get_args(kind):
        raise ValueError(f"none of {', '.join(get_args(kind))}")
    return value


def _is_literal(kind: Any) -> bool:
    origin: object = get_origin(kind)
    return origin is Literal


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[object, object], tuple[Any, ...]]:
    item = get_args(kind)[0]
    structure_item = converter.get_structure_hook(item)

    def structure(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):  # cattrs would take the letters of a string
            raise TypeError(f"{type(value).__name__} where an array is due")
        return tuple(structure_item(part, item) for part in value)

    return structure


def _model_hook(model: type[_Model], converter: Converter) -> Callable[[object, object], _Model]:
    renames: Any = {name: override(rename=_camel(name)) for name in fields_dict(model)}
    structure = make_dict_structure_fn(model, converter, **renames)

    def strictly(value: object, _: object) -> _Model:
        return structure(_object(value, None), model)  # cattrs would take [] for all defaults

    return strictly


def strict_converter(models: Iterable[type[AttrsInstance]]) -> Converter:
    """Return a converter that structures `models` from JSON, and raises where a type differs.

    A model is registered after those that its fields name. Structuring raises KeyError for a
    missing field, TypeError or ValueError for a malformed one.
    """
    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    converter.register_structure_hook_func(lambda kind: kind == JsonObject, _object)
    converter.register_structure_hook_func(lambda kind: kind == ToolContent, _tool_content)
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    for model in models:
        converter.register_structure_hook(model, _model_hook(model, converter))
    return converter


def json_text(value: object) -> JsonText:
    """Give a JSON value as the text under which it is kept and passed on.

    Raises:
        BadFrame: it is nested deeper than anything that means something.
    """
    try:
        return agent_state.json_text(value)
    except ValueError as error:
        raise BadFrame(f"a value of {error}") from error
