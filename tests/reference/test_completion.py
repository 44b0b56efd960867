"""Streams of endpoints that are compatible in their own ways."""

import json
from typing import Any

import pytest

from lambda_matrix.reference.completion import Asking, Completion, Tokens
from lambda_matrix.reference.model_errors import ModelError, ModelFault, of_body, of_status


def taken(*deltas: Any, **more: Any) -> Completion:
    completion = Completion()
    for delta in deltas:
        completion.take(json.dumps({"choices": [{"delta": delta}]} | more))
    return completion


def test_text_comes_as_a_text_or_as_parts() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "lo"}, "odd"]
    assert taken({"content": "Hel"}, {"content": parts}, {"content": None}, None).text == "Hello"
    assert taken({"refusal": "No."}).text == "No."
    assert taken({"content": 7}).text == ""


@pytest.mark.parametrize("key", ["index", "id"])
def test_pieces_of_a_call_find_each_other(key: str) -> None:
    pieces = [
        {key: 1, "function": {"name": "a", "arguments": "{"}},
        {key: 2, "function": {"name": "b", "arguments": ""}},
        {key: 1, "function": {"arguments": "}"}},
    ]
    if key == "id":
        pieces = [piece | {"id": f"call_{piece['id']}"} for piece in pieces]
    completion = taken(*({"tool_calls": [piece]} for piece in pieces))
    assert completion.calls == (Asking("a", "{}"), Asking("b", ""))


def test_calls_without_index_and_id_are_told_apart_by_their_place() -> None:
    calls = [{"function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    assert taken({"tool_calls": [*calls, "odd"]}).calls == (Asking("a", "{}"), Asking("b", "{}"))


def test_usage_is_the_last_that_is_told() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    completion = taken({"content": "x"}, usage={"prompt_tokens": 1})
    assert completion.tokens == Tokens(1, 0)
    completion.take(json.dumps({"usage": usage}))
    assert completion.tokens == Tokens(3, 4)
    completion.take(json.dumps({"choices": [], "usage": None}))
    assert completion.tokens == Tokens(3, 4)
    assert Tokens(1, 2) + Tokens(3, 4) == Tokens(4, 6)


def test_an_answer_that_does_not_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [{"index": at, "function": {"name": "a"}} for at in range(65)]
    with pytest.raises(ModelError, match="more tools than there can be"):
        taken({"tool_calls": many})
    with pytest.raises(ModelError, match="does not end"):
        taken({"content": "x" * 1_000_001})
    monkeypatch.setattr("lambda_matrix.reference.completion._MOST_CHARACTERS", 10)
    with pytest.raises(ModelError, match="does not end"):
        taken({"reasoning": "x" * 100})


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"choices":{}}', "[" * 100_000])
def test_what_is_no_chunk_is_told(data: str) -> None:
    with pytest.raises(ModelError) as caught:
        Completion().take(data)
    assert caught.value.fault is ModelFault.GARBLED


def test_an_errors_words_are_for_the_journal_and_bounded() -> None:
    error = of_status(500, '{"error": {"message": "a\\nb", "code": 7}}', "Sat, 1 Jan 2000")
    assert str(error) == "HTTP status 500: a b"
    assert error.retry_after is None
    assert of_status(429, "", "3").retry_after == 3.0
    assert len(str(of_status(500, "x" * 1000))) == 300
    assert str(of_status(400, '{"detail": "odd"}')) == 'HTTP status 400: {"detail": "odd"}'
    assert str(of_body({"code": 429})) == 'an error in the stream: {"code": 429}'
    assert of_body({"code": 429}).fault is ModelFault.BUSY
    assert of_body(["odd"]).fault is ModelFault.BROKEN
