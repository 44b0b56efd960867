"""Rows to records: a record's fields are its table's columns, in one place for all tables."""

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
import cattrs

T = TypeVar("T")

_converter = cattrs.Converter(forbid_extra_keys=True)
_converter.register_structure_hook(bool, lambda value, _: bool(value))
_converter.register_structure_hook(bytes, lambda value, _: bytes(value))
_converter.register_structure_hook_func(
    lambda kind: kind == frozenset[str], lambda value, _: frozenset(value.split())
)


def fields(record: type[Any]) -> tuple[str, ...]:
    """Return the names of the record's fields, which are the names of the columns."""
    return tuple(field.name for field in attrs.fields(record))


def columns(record: type[Any]) -> str:
    """Return the column list of a SELECT that `read` takes."""
    return ", ".join(fields(record))


def read(record: type[T], row: Sequence[object]) -> T:
    """Return the record that a row with these `columns` is."""
    return _converter.structure(dict(zip(fields(record), row, strict=True)), record)
