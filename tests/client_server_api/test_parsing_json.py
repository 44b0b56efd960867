from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.errors import UnreadableAnswer
from lambda_matrix.client_server_api.parsing_json import (
    id_at,
    integer_at,
    is_id,
    list_at,
    object_at,
    raw_text,
    read_object,
    text_at,
    whole,
)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'"x"', b"{", b'{"a":' * 50_000, b'{"a": 1}x', b"\xff"],
)
def test_what_is_no_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer, match="whoami"):
        read_object(body, "whoami")


def test_one_bad_value_does_not_spoil_the_others() -> None:
    digits = b"9" * 10_000
    read = read_object(b'{"ok": 1, "huge": ' + digits + b', "bad": "\xff", "n": -12}', "sync")

    assert (read["ok"], read["n"]) == (1, -12)
    assert read["huge"] == float("inf")
    assert read["bad"] == "\ufffd"


def test_readers_of_a_container() -> None:
    container: dict[str, object] = {
        "object": {"a": 1},
        "list": [1],
        "id": "$x",
        "text": "a\ud800b",
        "integer": 2**53 - 1,
        "too_large": 2**53,
        "bool": True,
        "float": 1.0,
    }

    assert object_at(container, "object") == {"a": 1}
    assert object_at(container, "list") == object_at(container, "none") == {}
    assert list_at(container, "list") == [1]
    assert list_at(container, "object") == []
    assert id_at(container, "id") == "$x"
    assert id_at(container, "integer") is id_at(container, "none") is None
    assert text_at(container, "text") == "a\ufffdb"
    assert text_at(container, "list") is None
    assert integer_at(container, "integer") == 2**53 - 1
    for key in ("too_large", "bool", "float", "text", "none"):
        assert integer_at(container, key) is None


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("$x", True),
        ("x" * 255, True),
        ("x" * 256, False),
        ("ё" * 127, True),
        ("ё" * 128, False),
        ("", False),
        ("a\ud800", False),
        (5, False),
        (None, False),
    ],
)
def test_ids(value: object, *, good: bool) -> None:
    assert is_id(value) is good


@pytest.mark.parametrize(
    ("text", "made_whole"),
    [
        ("plain", "plain"),
        ("ёжик 🦔", "ёжик 🦔"),
        ("\ud800", "\ufffd"),
        ("🦔\udfff🦔", "🦔\ufffd🦔"),
    ],
)
def test_lone_surrogates_are_replaced(text: str, made_whole: str) -> None:
    assert whole(text) == made_whole


def test_raw_text_is_ascii_whatever_came() -> None:
    deep: object = []
    for _ in range(100_000):
        deep = [deep]

    assert raw_text({"a": "\ud800ё"}) == r'{"a": "\ud800\u0451"}'
    assert raw_text(deep) == "(nested too deeply)"
