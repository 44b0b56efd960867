from __future__ import annotations

import cattrs
import pytest
from attrs import frozen

from lambda_matrix.store.records import Priority, RoomKind
from lambda_matrix.store.rows import columns, fields, read


@frozen
class Sample:
    name: str | None
    told: frozenset[str]
    busy: bool
    kind: RoomKind
    priority: Priority
    content: bytes


def test_a_records_fields_are_its_columns() -> None:
    assert fields(Sample) == ("name", "told", "busy", "kind", "priority", "content")
    assert columns(Sample) == "name, told, busy, kind, priority, content"


def test_a_row_is_read_into_the_records_types() -> None:
    expected = Sample(None, frozenset({"a", "b"}), True, RoomKind.CHAT, Priority.FIRST, b"x")  # noqa: FBT003 - a record's field
    assert read(Sample, (None, "a b", 1, "chat", 1, b"x")) == expected
    assert read(Sample, ("n", "", 0, "space", 0, b"")).told == frozenset()


def test_a_row_of_another_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        read(Sample, ("n", "a"))


def test_a_value_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(cattrs.BaseValidationError):
        read(Sample, ("n", "", 0, "castle", 0, b""))
