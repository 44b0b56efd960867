from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import fields

from lambda_matrix.logs.fields import Fields
from lambda_matrix.message_ids import MessageId

DOCUMENT = (Path(__file__).parents[2] / "docs/logging.md").read_text(encoding="utf-8")


def test_every_message_id_is_documented_once_and_no_other() -> None:
    assert sorted(re.findall(r"`([0-9a-f]{32})`", DOCUMENT)) == sorted(
        each.value for each in MessageId
    )


@pytest.mark.parametrize("name", [each.name for each in fields(Fields)])
def test_every_field_is_documented(name: str) -> None:
    assert f"| `LAMBDA_{name.upper()}` |" in DOCUMENT
    assert f"`{name}`" in DOCUMENT


def test_an_id_goes_into_a_record_as_it_is() -> None:
    assert MessageId.READY.extra == {"message_id": MessageId.READY.value}
