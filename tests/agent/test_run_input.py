import json
from typing import Any

from ag_ui.core import RunAgentInput
from attrs import evolve
from hypothesis import given, strategies as st

from lambda_matrix.agent.run_input import LARGE, RunInput, encode_run_input, encoded
from lambda_matrix.agent_events import Attachment, ResumeEntry, ThreadMessage, ToolCall
from lambda_matrix.ids import PlatformChatId, RequestId, RunId

text = st.text(st.characters())
json_text = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=3,
).map(json.dumps)
attachments = st.builds(
    Attachment,
    kind=st.sampled_from(["image", "audio", "video", "document"]),
    path=st.sampled_from(["a.png", "b.wav"]),
    mime_type=text,
    name=text,
)
messages = st.one_of(
    st.builds(
        ThreadMessage,
        id=text,
        role=st.just("user"),
        content=text,
        attachments=st.lists(attachments, max_size=2).map(tuple),
    ),
    st.builds(
        ThreadMessage,
        id=text,
        role=st.just("assistant"),
        content=text,
        tool_calls=st.lists(
            st.builds(ToolCall, id=text, name=text, arguments=text), max_size=2
        ).map(tuple),
    ),
    st.builds(ThreadMessage, id=text, role=st.just("tool"), content=text, tool_call_id=text),
)
runs = st.builds(
    RunInput,
    thread_id=st.integers(0, 2**63).map(PlatformChatId),
    run_id=text.map(RunId),
    request_id=text.map(RequestId),
    messages=st.lists(messages, max_size=4).map(tuple),
    user=text,
    room=text,
    locale=st.sampled_from(["ru", "en"]),
    resume=st.lists(
        st.builds(
            ResumeEntry,
            interrupt_id=text,
            status=st.sampled_from(["resolved", "cancelled"]),
            payload=st.none() | json_text,
        ),
        max_size=2,
    ).map(tuple),
    state=st.none() | json_text,
    inlined=st.none() | st.dictionaries(st.just("a.png"), st.binary(max_size=8)),
)


def said(text: str) -> str:
    """Say what is left of a text on its way: a lone surrogate is none for UTF-8."""
    return text.encode("utf-8", "replace").decode()


def test_the_input_says_what_the_wire_asks_for(run_input: RunInput) -> None:
    assert json.loads(encode_run_input(run_input)) == {
        "threadId": "1000",
        "runId": "q1.1",
        "protocolVersion": "1.0",
        "messages": [{"id": "$question", "role": "user", "content": "Как дела?"}],
        "state": {},
        "tools": [],
        "context": [],
        "forwardedProps": {
            "user": "@alice:example.org",
            "room": "!room",
            "locale": "ru",
            "requestId": "q1",
        },
    }


@given(runs)
def test_every_input_is_one_that_the_official_model_takes(run: RunInput) -> None:
    body = encode_run_input(run)
    official = RunAgentInput.model_validate_json(body)
    assert official.thread_id == str(run.thread_id)
    assert official.run_id == said(run.run_id)
    assert [message.id for message in official.messages] == [
        said(message.id) for message in run.messages
    ]
    assert [entry.interrupt_id for entry in official.resume or ()] == [
        said(entry.interrupt_id) for entry in run.resume
    ]
    # Whatever the official models had not known, they would have kept beside the rest.
    again = json.loads(official.model_dump_json(by_alias=True))
    assert again.keys() == json.loads(body).keys() - ({"state"} if run.state == "null" else set())
    for message in official.messages:
        assert not message.model_extra
        for call in getattr(message, "tool_calls", None) or ():
            assert not call.model_extra
    assert not official.model_extra


def wire_messages(run_input: RunInput, *messages: ThreadMessage, **more: Any) -> Any:
    return json.loads(encode_run_input(evolve(run_input, messages=messages, **more)))["messages"]


IMAGE = Attachment("image", "17/a.png", "image/png", "a.png")
SOUND = Attachment("audio", "17/b.ogg", "audio/ogg", "b.ogg")


def test_a_file_goes_by_its_path(run_input: RunInput) -> None:
    with_text = ThreadMessage(id="1", role="user", content="See?", attachments=(IMAGE, SOUND))
    without = ThreadMessage(id="2", role="user", attachments=(SOUND,))
    place = {"type": "file", "provider": "workspace"}
    seen = {
        "type": "image",
        "source": {**place, "value": "17/a.png", "mimeType": "image/png"},
        "metadata": {"name": "a.png"},
    }
    heard = {
        "type": "audio",
        "source": {**place, "value": "17/b.ogg", "mimeType": "audio/ogg"},
        "metadata": {"name": "b.ogg"},
    }
    assert wire_messages(run_input, with_text, without) == [
        {"id": "1", "role": "user", "content": [{"type": "text", "text": "See?"}, seen, heard]},
        {"id": "2", "role": "user", "content": [heard]},
    ]


def test_a_file_goes_within_the_message_or_is_named(run_input: RunInput) -> None:
    message = ThreadMessage(id="1", role="user", attachments=(IMAGE, SOUND))
    seen = {
        "type": "image",
        "source": {"type": "data", "value": "aW1hZ2U=", "mimeType": "image/png"},
        "metadata": {"name": "a.png"},
    }
    assert wire_messages(run_input, message, inlined={"17/a.png": b"image"}) == [
        {"id": "1", "role": "user", "content": [seen, {"type": "text", "text": "[b.ogg]"}]}
    ]


def test_a_tool_call_and_its_result_are_messages(run_input: RunInput) -> None:
    call = ToolCall("t", "search", '{"q": 1}')
    assert wire_messages(
        run_input,
        ThreadMessage(id="1", role="assistant", tool_calls=(call,)),
        ThreadMessage(id="2", role="tool", content="found", tool_call_id="t"),
        ThreadMessage(id="3", role="assistant"),
    ) == [
        {
            "id": "1",
            "role": "assistant",
            "toolCalls": [
                {
                    "id": "t",
                    "type": "function",
                    "function": {"name": "search", "arguments": '{"q": 1}'},
                }
            ],
        },
        {"id": "2", "role": "tool", "content": "found", "toolCallId": "t"},
        {"id": "3", "role": "assistant", "content": ""},
    ]


def test_a_resume_and_the_state_go_along(run_input: RunInput) -> None:
    resume = (
        ResumeEntry("i", "resolved", '{"approved": true}'),
        ResumeEntry("j", "cancelled"),
    )
    wire = json.loads(
        encode_run_input(evolve(run_input, messages=(), resume=resume, state='{"a": [1]}'))
    )
    assert wire["messages"] == []
    assert wire["state"] == {"a": [1]}
    assert wire["resume"] == [
        {"interruptId": "i", "status": "resolved", "payload": {"approved": True}},
        {"interruptId": "j", "status": "cancelled"},
    ]


async def test_what_is_large_is_encoded_aside(run_input: RunInput) -> None:
    image = Attachment("image", "a.png", "image/png", "a.png")
    call = ToolCall("t", "n", "x" * LARGE)
    for large in (
        evolve(run_input, inlined={"a.png": b"\0" * LARGE}),
        evolve(run_input, state=json.dumps("x" * LARGE)),
        evolve(run_input, messages=(ThreadMessage(id="1", role="assistant", tool_calls=(call,)),)),
        evolve(
            run_input,
            messages=(ThreadMessage(id="1", role="user", content="x", attachments=(image,)),),
        ),
    ):
        assert await encoded(large) == encode_run_input(large)


def test_a_lone_surrogate_does_not_stop_the_question(run_input: RunInput) -> None:
    torn = evolve(run_input, messages=(ThreadMessage(id="$e", role="user", content="torn \ud83d"),))
    official = RunAgentInput.model_validate_json(encode_run_input(torn))
    assert official.messages[0].content == "torn ?"
