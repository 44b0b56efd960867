"""What we say to an agent: AG-UI's RunAgentInput (AG-UI 1.0; docs/agent-wire.md)."""

import json
from typing import Literal

from attrs import field, frozen
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from lambda_matrix.ids import PlatformChatId, RequestId, RunId

PROTOCOL_VERSION = "1.0"


@frozen
class InputMessage:
    """One message of the conversation. `id` is the Matrix event id of what a person wrote."""

    id: str
    role: Literal["user", "assistant"]
    content: str


@frozen
class RunInput:
    """One attempt to have one question answered.

    `thread_id` alone selects the agent's memory. `run_id` is new for each attempt, `request_id`
    the same for all of them. `messages` are what this agent is to get: the new one, or the whole
    conversation (`history = "client"`).
    """

    thread_id: PlatformChatId
    run_id: RunId
    request_id: RequestId
    messages: tuple[InputMessage, ...]
    user: str
    room: str
    locale: Literal["ru", "en"]


@frozen
class _ForwardedProps:
    user: str
    room: str
    locale: str
    request_id: str


@frozen
class _RunAgentInput:
    thread_id: str
    run_id: str
    messages: tuple[InputMessage, ...]
    forwarded_props: _ForwardedProps
    protocol_version: str = PROTOCOL_VERSION
    # 1.0 may leave these three out; agents made for earlier versions want them there.
    state: dict[str, str] = field(factory=dict)
    tools: tuple[str, ...] = ()
    context: tuple[str, ...] = ()


def _make_converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(
        _ForwardedProps,
        make_dict_unstructure_fn(
            _ForwardedProps, converter, request_id=override(rename="requestId")
        ),
    )
    converter.register_unstructure_hook(
        _RunAgentInput,
        make_dict_unstructure_fn(
            _RunAgentInput,
            converter,
            thread_id=override(rename="threadId"),
            run_id=override(rename="runId"),
            forwarded_props=override(rename="forwardedProps"),
            protocol_version=override(rename="protocolVersion"),
        ),
    )
    return converter


_CONVERTER = _make_converter()


def encode_run_input(run: RunInput) -> bytes:
    """Give the RunAgentInput as JSON: the one frame, or the one request body, that opens a run.

    A lone surrogate, which JSON can smuggle in but UTF-8 cannot say, becomes a question mark.
    """
    wire = _RunAgentInput(
        thread_id=str(run.thread_id),
        run_id=run.run_id,
        messages=run.messages,
        forwarded_props=_ForwardedProps(
            user=run.user, room=run.room, locale=run.locale, request_id=run.request_id
        ),
    )
    text = json.dumps(_CONVERTER.unstructure(wire), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
