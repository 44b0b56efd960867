"""Rows to records: a record's fields are its table's columns, in one place for all tables."""

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
import cattrs

from lambda_matrix.account_data import Stretch
from lambda_matrix.agent_events import ResumeEntry
from lambda_matrix.store.facts import load_resume, load_stretches

T = TypeVar("T")

_converter = cattrs.Converter(forbid_extra_keys=True)
_converter.register_structure_hook(bool, lambda value, _: bool(value))
_converter.register_structure_hook(bytes, lambda value, _: bytes(value))
_converter.register_structure_hook_func(
    lambda kind: kind == frozenset[str], lambda value, _: frozenset(value.split())
)
_converter.register_structure_hook_func(
    lambda kind: kind == (tuple[ResumeEntry, ...] | None), lambda value, _: load_resume(value)
)
_converter.register_structure_hook_func(
    lambda kind: kind == tuple[Stretch, ...], lambda value, _: load_stretches(value)
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
