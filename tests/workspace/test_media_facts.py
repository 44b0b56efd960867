from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.workspace.media_facts import (
    MAX_THUMBNAIL,
    MAX_TOLD,
    MediaFacts,
    Thumbnail,
    from_bytes,
    to_bytes,
)

NUMBERS = st.none() | st.integers(1, 2**31 - 1)
SIDES = st.integers(1, 800)
THUMBNAILS = st.builds(
    Thumbnail,
    st.binary(min_size=1),
    st.sampled_from(["image/jpeg", "image/png"]),
    SIDES,
    SIDES,
)


@given(st.builds(MediaFacts, NUMBERS, NUMBERS, NUMBERS, st.none() | THUMBNAILS))
def test_what_is_told_is_understood(facts: MediaFacts) -> None:
    assert from_bytes(to_bytes(facts)) == facts


def test_the_largest_thumbnail_fits() -> None:
    facts = MediaFacts(1, 1, None, Thumbnail(b"x" * MAX_THUMBNAIL, "image/png", 1, 1))
    assert len(to_bytes(facts)) == MAX_TOLD
    assert from_bytes(to_bytes(facts)) == facts


@given(st.binary(max_size=60) | st.binary(min_size=25, max_size=25))
def test_anything_else_is_refused_or_a_fact(told: bytes) -> None:
    try:
        facts = from_bytes(told)
    except ValueError:
        return
    assert from_bytes(to_bytes(facts)) == facts


def test_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="no facts"):
        from_bytes(bytes(MAX_TOLD + 1))
