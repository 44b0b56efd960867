import json
from typing import Any

import pytest
from ag_ui.core import Event as OfficialEvent
from pydantic import TypeAdapter

from lambda_matrix.reference.wire import (
    Custom,
    Event,
    Interrupt,
    Interrupted,
    RunError,
    RunFinished,
    RunStarted,
    Success,
    TextContent,
    TextEnd,
    TextStart,
    ToolArgs,
    ToolEnd,
    ToolResult,
    ToolStart,
    Usage,
    camel_case,
    encode,
)

_OFFICIAL: TypeAdapter[Any] = TypeAdapter(OfficialEvent)

EVERY_EVENT: tuple[Event, ...] = (
    RunStarted("7", "r.1"),
    TextStart("m"),
    TextContent("m", "half \ud83d, ☃"),
    TextEnd("m"),
    ToolStart("c", "count"),
    ToolArgs("c", "{}"),
    ToolEnd("c"),
    ToolResult("m2", "c", "3"),
    Custom("file", {"path": "7/a.txt", "caption_of": "x"}),
    RunFinished("7", "r.1", Success()),
    RunFinished("7", "r.1", Success(), (Usage("rehearsal", 1, 2),)),
    RunFinished("7", "r.1", Interrupted((Interrupt("i", "why"),))),
    RunFinished("7", "r.1", Interrupted((Interrupt("i", "why", "May I?", {"snake_case": True}),))),
    RunError("broken"),
    RunError("broken", "code"),
)


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: type(event).__name__)
def test_the_official_models_read_every_event_and_know_every_field(event: Event) -> None:
    frame = json.loads(encode(event))
    if isinstance(event, TextContent):  # pydantic refuses the lone surrogate that the wire allows
        frame["delta"] = frame["delta"].replace("\ud83d", "?")
    official = _OFFICIAL.validate_python(frame)
    assert official.model_dump(mode="json", by_alias=True, exclude_none=True) == frame
    assert type(official).model_fields.keys() >= set(official.model_fields_set)


def test_a_frame_is_ascii_without_nulls() -> None:
    frame = encode(TextContent("m", "☃\ud83d"))
    assert frame == '{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"\\u2603\\ud83d"}'
    assert "null" not in encode(RunError("broken"))


def test_only_field_names_are_respelled() -> None:
    assert camel_case("response_schema") == "responseSchema"
    assert '"snake_case":true' in encode(EVERY_EVENT[12])
