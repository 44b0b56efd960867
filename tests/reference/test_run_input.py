"""What an input may be. The official models are the judge; where we are stricter, it is said."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ag_ui.core import RunAgentInput
from pydantic import ValidationError

from lambda_matrix.reference.run_input import (
    Attachment,
    Decision,
    InputError,
    Message,
    is_thread_id,
    parse_input,
)
from tests.reference.asking import Json, resume_input, run_input

FULL: Json = {
    "threadId": "7",
    "runId": "r.2",
    "protocolVersion": "1.0",
    "parentRunId": "r.1",
    "state": {"any": 1},
    "messages": [
        {"id": "1", "role": "system", "content": "Be kind."},
        {"id": "2", "role": "developer", "content": "Be brief."},
        {"id": "3", "role": "user", "content": "Hello", "name": "Ann"},
        {
            "id": "4",
            "role": "assistant",
            "toolCalls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"id": "5", "role": "tool", "toolCallId": "c", "content": "3", "error": "none"},
        {"id": "6", "role": "reasoning", "content": "Hm."},
        {"id": "7", "role": "activity", "activityType": "plan", "content": {"steps": []}},
        {"id": "8", "role": "assistant", "content": "Hi."},
        {
            "id": "9",
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {
                    "type": "image",
                    "source": {
                        "type": "file",
                        "provider": "workspace",
                        "value": "7/a.png",
                        "mimeType": "image/png",
                    },
                },
                {"type": "audio", "source": {"type": "url", "value": "https://a/b"}},
                {
                    "type": "document",
                    "source": {"type": "data", "value": "QQ==", "mimeType": "text/plain"},
                },
                {"type": "text", "text": "at this."},
            ],
        },
    ],
    "tools": [{"name": "t", "description": "d", "parameters": {}}],
    "context": [{"description": "d", "value": "v"}],
    "forwardedProps": {"requestId": "r", "user": "@ann:example.org"},
    "resume": [{"interruptId": "i", "status": "resolved", "payload": {"approved": True}}],
}


def test_a_full_input_is_reduced_to_what_an_agent_needs() -> None:
    run = parse_input(json.dumps(FULL))
    assert (run.thread_id, run.run_id, run.request_id) == ("7", "r.2", "r")
    assert run.messages == (
        Message("3", "user", "Hello"),
        Message("8", "assistant", "Hi."),
        Message(
            "9",
            "user",
            "Look\nat this.",
            (
                Attachment("image", "7/a.png", "image/png"),
                Attachment("audio", "https://a/b"),
                Attachment("document", "", "text/plain", data="QQ=="),
            ),
        ),
    )
    assert run.decisions == (Decision("i", approved=True),)


def _broken(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Json]]:
    """Yield the full input with one thing in it missing, null, or of another type."""
    keys: list[str | int] = list(node) if isinstance(node, dict) else list(range(len(node)))
    for key in keys:
        here = (*path, key)
        for name, new in (
            ("null", None),
            ("number", 5),
            ("list", []),
            ("text", "?"),
            ("object", {}),
        ):
            yield f"{'.'.join(map(str, here))}={name}", _with(here, new)
        if isinstance(node, dict):
            yield f"{'.'.join(map(str, here))}-missing", _with(here, ...)
        if isinstance(node[key], dict | list):
            yield from _broken(node[key], here)


def _with(path: tuple[str | int, ...], new: object) -> Json:
    changed = copy.deepcopy(FULL)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    if new is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = new
    return changed


BROKEN = dict(_broken(FULL))


@pytest.mark.parametrize("name", BROKEN)
def test_the_official_models_refuse_what_is_refused(name: str) -> None:
    raw = BROKEN[name]
    try:
        RunAgentInput.model_validate(raw)
    except ValidationError:
        official = False
    else:
        official = True
    stricter = (
        official
        and (raw["threadId"] == "?" or isinstance(raw.get("forwardedProps"), dict))
        and name.startswith(("threadId=", "forwardedProps.requestId=", "resume.0.payload"))
    )
    try:
        parse_input(json.dumps(raw))
    except InputError:
        assert stricter or not official
    else:
        assert official


@pytest.mark.parametrize(
    "frame",
    [
        b"{}",
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "[" * 100_000,
        "1" * 10_000,
        json.dumps(run_input("x", "q", thread="07")),
        json.dumps(run_input("x", "q", thread="../7")),
        json.dumps(run_input("x", "q", thread="-7")),
        json.dumps(run_input("x", "q", thread="٧")),
        json.dumps(run_input("x", "q", thread="7\n")),
        json.dumps(run_input("x", "q", forwardedProps={"requestId": ""})),
    ],
    ids=lambda frame: repr(frame[:30]),
)
def test_malformed_input_is_refused_without_its_data(frame: str | bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_input(frame)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("props", [None, 5, [], {}, {"requestId": None}])
def test_without_a_request_id_the_run_is_its_own_request(props: object) -> None:
    run = parse_input(json.dumps(run_input("x", "q", forwardedProps=props)))
    assert run.request_id == "q.1"


@pytest.mark.parametrize(
    ("answer", "approved", "reason"),
    [
        (False, False, None),
        ({"approved": True}, True, None),
        ({"approved": False, "reason": "not now"}, False, "not now"),
        (None, True, None),
    ],
)
def test_a_decision_is_read_in_every_agents_form(
    answer: object, *, approved: bool, reason: str | None
) -> None:
    run = parse_input(json.dumps(resume_input("q", {"i": answer})))
    assert run.decisions == (Decision("i", approved, reason),)


@pytest.mark.parametrize(
    ("kinds", "each"),
    [(["approve"], (True,)), (["reject"], (False,)), (["approve", "reject"], (True, False))],
)
def test_decisions_of_langgraph_are_one_for_each_request(
    kinds: list[str], each: tuple[bool, ...]
) -> None:
    payload = {"decisions": [{"type": kind} for kind in kinds]}
    run = parse_input(json.dumps(resume_input("r", {"i": payload})))
    assert run.decisions == (Decision("i", all(each), each=each),)


@pytest.mark.parametrize("payload", [{"decisions": []}, {"decisions": [{}]}, {"decisions": ["ok"]}])
def test_decisions_that_say_nothing_are_refused(payload: Json) -> None:
    with pytest.raises(InputError):
        parse_input(json.dumps(resume_input("r", {"i": payload})))


def test_the_persons_language_goes_along() -> None:
    assert parse_input(json.dumps(run_input("x", "q"))).locale == "en"
    props = {"requestId": "q", "locale": "ru"}
    assert parse_input(json.dumps(run_input("x", "q", forwardedProps=props))).locale == "ru"
    assert parse_input(json.dumps(run_input("x", "q", forwardedProps={}))).locale == "en"


def test_a_thread_id_is_canonical_decimal() -> None:
    assert [text for text in ("0", "1", "9" * 19) if not is_thread_id(text)] == []
    assert [text for text in ("", "00", "+1", "1 ", "1.", "9" * 20) if is_thread_id(text)] == []
