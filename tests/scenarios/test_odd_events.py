"""Events that no well-behaved client sends: skipped, and the room goes on."""

from __future__ import annotations

import pytest

from lambda_matrix.demo.bare_http import Json
from tests.lab.chatting import Chatting
from tests.lab.proxy import Rewrite

ODD: dict[str, tuple[str, Json]] = {
    "relations that are text": (
        "m.room.message",
        {"msgtype": "m.notice", "body": "x", "m.relates_to": "m.replace"},
    ),
    "a mark of the bot's that is not the bot's": (
        "m.room.message",
        {"msgtype": "m.notice", "body": "x", "ru.coredump.lambda.answer": {"part": "one"}},
    ),
    "an unknown type": ("org.example.unheard-of", {"a": {"b": {"c": [1, None, True]}}}),
    "a poll": ("org.matrix.msc3381.poll.start", {"question": {"body": "?"}}),
    "deep nesting": ("org.example.deep", {"a": [[[[[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]]]]]}),
    "a huge unknown event": ("org.example.huge", {"text": "x" * 60_000}),
}

MALFORMED: dict[str, bytes] = {
    "no body": b'{"msgtype":"m.text"}',
    "a body that is a number": b'{"msgtype":"m.text","body":7}',
    "a body that is an object": b'{"msgtype":"m.text","body":{"a":[]}}',
    "no msgtype": b'{"body":"hello"}',
    "a msgtype that is a list": b'{"msgtype":["m.text"],"body":"x"}',
    "empty content": b"{}",
    "content that is text": b'"text"',
    "content that is null": b"null",
    "a lone surrogate": b'{"msgtype":"m.notice","body":"\\ud83d"}',
    "an edit of nothing": (
        b'{"msgtype":"m.text","body":"* x","m.new_content":5,'
        b'"m.relates_to":{"rel_type":"m.replace","event_id":"$nothing"}}'
    ),
    "relations that are a number": b'{"msgtype":"m.notice","body":"x","m.relates_to":5}',
}


async def test_no_odd_event_stops_anything(chatting: Chatting) -> None:
    for name, (event_type, content) in ODD.items():
        await chatting.person.send(chatting.chat, content, event_type)
        assert (await chatting.ask(name)).text.startswith(f"You said: {name}")
    assert "Traceback" not in chatting.service.log


async def test_no_malformed_event_stops_anything(chatting: Chatting) -> None:
    """Synapse takes none of these from a client, but hands on what other servers send."""
    for name, content in MALFORMED.items():
        malformed = Rewrite(rb'\{[^{}]*"MALFORMED"[^{}]*\}', content)
        rule = chatting.proxy.spoil("/sync", malformed)
        await chatting.say("MALFORMED")
        assert (await chatting.ask(name)).text.startswith(f"You said: {name}")
        chatting.proxy.mend(rule)
    assert "Traceback" not in chatting.service.log


async def test_a_huge_question_is_answered(chatting: Chatting) -> None:
    answer = await chatting.ask("x" * 60_000, within=60)
    assert "".join(part.body for part in answer.parts).count("x") >= 60_000


async def test_odd_texts_are_answered(chatting: Chatting) -> None:
    for text in ("\u202eabc", "a\x01b", "\N{FAMILY}\u200d" * 500, "```", "| a |\n| - |", "$x$"):
        await chatting.ask(text)


@pytest.mark.parametrize("msgtype", ["m.image", "m.file", "m.audio", "m.video", "m.location"])
async def test_what_cannot_be_had_or_read_gets_a_sentence(chatting: Chatting, msgtype: str) -> None:
    content: Json = {
        "msgtype": msgtype,
        "body": "holiday.bin",
        "url": "mxc://lambda.test/abc",
        "geo_uri": "geo:0,0",
    }
    message = await chatting.person.send(chatting.chat, content)
    said = await chatting.answer(message)
    assert said.parts[0].msgtype == "m.notice"
    assert ("would not give me" in said.text) is (msgtype != "m.location")


async def test_state_of_every_kind_stops_nothing(chatting: Chatting) -> None:
    odd: list[tuple[str, str, Json]] = [
        ("m.room.name", "", {"name": ""}),
        ("m.room.topic", "", {"topic": ""}),
        ("m.room.pinned_events", "", {"pinned": "none"}),
        ("m.space.parent", "!nowhere:lambda.test", {"via": "not a list"}),
        ("org.example.state", "key", {"a": 1}),
    ]
    for event_type, key, content in odd:
        path = ("rooms", chatting.chat, "state", event_type, key)
        await chatting.person.call("PUT", *path, body=content)
    assert (await chatting.ask("hello")).text.startswith("You said: hello")
