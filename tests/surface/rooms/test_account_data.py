"""What the bot keeps on the homeserver."""

import pytest

from lambda_matrix.surface.rooms.account_data import read_sequence, sequence_content


@pytest.mark.parametrize(
    ("content", "highest"),
    [(None, 0), ({}, 0), ({"highest": "7"}, 0), ({"highest": -3}, 0), ({"highest": 7}, 7)],
)
def test_a_sequence_that_cannot_be_read_begins_anew(
    content: dict[str, object] | None, highest: int
) -> None:
    assert read_sequence(content) == highest


def test_a_sequence_is_read_as_it_was_written() -> None:
    assert read_sequence(sequence_content(read_sequence({"highest": 7}))) == 7
