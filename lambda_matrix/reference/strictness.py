"""A cattrs converter that coerces nothing.

cattrs makes `"None"` of a null and characters of a string where a list is wanted; the hooks here
do not let it. They raise what their callers can name: TypeError, ValueError, or KeyError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args, get_origin

import cattrs


def text(value: object, _: object = None) -> str:
    """Return the value if it is a string, else raise TypeError."""
    if not isinstance(value, str):
        raise TypeError("a string is wanted")
    return value


def mapping(value: object, _: object = None) -> Mapping[str, object]:
    """Return the value if it is a JSON object, else raise TypeError."""
    if not isinstance(value, dict):
        raise TypeError("an object is wanted")
    return value


def make_converter() -> cattrs.Converter:
    """Return a converter for classes of strings, literals, tuples, objects, and each other."""
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook(str, text)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    converter.register_structure_hook_func(lambda kind: kind == Mapping[str, object], mapping)
    converter.register_structure_hook_func(_is_literal, _literal)

    def tuple_hook(kind: type) -> Callable[[object, object], tuple[object, ...]]:
        member = get_args(kind)[0]

        def structure(value: object, _: object) -> tuple[object, ...]:
            if not isinstance(value, list | tuple):
                raise TypeError("an array is wanted")
            return tuple(converter.structure(item, member) for item in value)

        return structure

    converter.register_structure_hook_factory(_is_tuple, tuple_hook)
    return converter


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _is_literal(kind: object) -> bool:
    return get_origin(kind) is Literal


def _literal(value: object, kind: object) -> object:
    if value not in get_args(kind):
        raise ValueError("not one of the known words")
    return value
