"""The assistant on the wire: a scripted model, and real files, memory and HTTP."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import evolve

from lambda_matrix.reference import assistant, run
from lambda_matrix.reference.endpoint import Endpoint
from lambda_matrix.reference.memory import open_memory
from lambda_matrix.reference.model_settings import ModelSettings
from lambda_matrix.reference.run import Agent
from lambda_matrix.reference.speaking import Assistant
from lambda_matrix.secret import Secret
from tests.reference.asking import Heard, Json, Line, open_line, resume_input, run_input
from tests.reference.fake_endpoint import (
    DONE,
    FakeEndpoint,
    Reply,
    call,
    chunk,
    event,
    open_fake,
    refuse,
    say,
    transcript,
)

PICTURE = b"\x89PNG\r\n\x1a\n..."


@pytest.fixture
async def fake() -> AsyncIterator[FakeEndpoint]:
    async with open_fake() as fake:
        yield fake


def settings_of(fake: FakeEndpoint, **more: Any) -> ModelSettings:
    return ModelSettings(base_url=fake.url, model="fake-1", retries=1, **more)


def with_model(agent: Agent, fake: FakeEndpoint, **more: Any) -> Agent:
    """Return the agent with the fake as its model."""
    endpoint = Endpoint(fake.url, Secret("the-key"), idle_timeout=5)
    return evolve(agent, assistant=Assistant(endpoint, settings_of(fake, **more)))


@pytest.fixture
async def model(agent: Agent, fake: FakeEndpoint) -> AsyncIterator[Line]:
    """The agent with the fake as its model, served."""
    async with open_line(with_model(agent, fake)) as line:
        yield line


@pytest.fixture
def folder(agent: Agent) -> Path:
    """The folder of thread 7."""
    assert agent.workspace is not None
    folder = agent.workspace / "chats" / "7"
    folder.mkdir(parents=True)
    return folder


def attached(text: str, *parts: Json, message_id: str = "$q") -> Json:
    """Build a user's message with files."""
    return {"id": message_id, "role": "user", "content": [{"type": "text", "text": text}, *parts]}


def part(kind: str, place: str, mime_type: str = "x/y") -> Json:
    source = {"type": "file", "provider": "workspace", "value": place, "mimeType": mime_type}
    return {"type": kind, "source": source}


def inline(kind: str, content: bytes, mime_type: str) -> Json:
    value = base64.b64encode(content).decode()
    return {"type": kind, "source": {"type": "data", "value": value, "mimeType": mime_type}}


async def ask(line: Line, message: Json, request: str = "q") -> Heard:
    return (await line.ask(run_input("", request, messages=[message]))).checked()


async def test_an_answer_streams_and_is_remembered(model: Line, fake: FakeEndpoint) -> None:
    fake.script(say("Hel", "lo"), say("Again"))
    heard = await model.say("Hi", "q1")
    assert heard.types == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]
    assert heard.text == "Hello"
    assert heard.events[-1]["usage"] == [
        {"provider": "127.0.0.1", "inputTokens": 10, "outputTokens": 5, "model": "fake-1"}
    ]
    await model.say("And now?", "q2")
    assert fake.asked[1].messages == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "And now?"},
    ]
    assert fake.asked[0].headers["authorization"] == "Bearer the-key"
    assert fake.asked[0].json["stream_options"] == {"include_usage": True}


async def test_a_repeated_request_asks_the_model_once(model: Line, fake: FakeEndpoint) -> None:
    fake.script(say("Hello"))
    first = await model.say("Hi", "q")
    again = await model.say("Hi", "q", attempt=2)
    assert (again.text, again.events[-1]["usage"]) == (first.text, first.events[-1]["usage"])
    assert len(fake.asked) == 1


async def test_loaded_messages_come_before_the_question(model: Line, fake: FakeEndpoint) -> None:
    fake.script(say("A plum"), say("Yes"))
    loaded = [
        {"id": "$a", "role": "user", "content": "Apples?"},
        {"id": "$b", "role": "assistant", "content": "Pears."},
    ]
    newest = {"id": "$q", "role": "user", "content": "And?"}
    await model.ask(run_input("", "q", messages=[*loaded, newest]))
    await model.ask(
        run_input(
            "Sure?", "q2", messages=[*loaded, {"id": "$r", "role": "user", "content": "Sure?"}]
        )
    )
    assert [one["content"] for one in fake.asked[1].messages] == [
        "Apples?",
        "Pears.",
        "And?",
        "A plum",
        "Sure?",
    ]


async def test_tools_read_and_write_and_send(model: Line, fake: FakeEndpoint, folder: Path) -> None:
    (folder / "in.txt").write_text("apples")
    fake.script(
        call(("list_files", {}), ("read_file", {"path": "in.txt"}), text="I look."),
        call(
            ("write_file", {"path": "out/new.txt", "content": "pears"}),
            ("send_file", {"path": "out/new.txt", "caption": "Here"}),
        ),
        say("Done."),
        say("Fine."),
    )
    heard = await model.say("Go", "q")
    results = [one["content"] for one in heard.events if one["type"] == "TOOL_CALL_RESULT"]
    assert results == [
        '{"files": [{"path": "in.txt", "size": 6}]}',
        "apples",
        "Written: out/new.txt, 5 bytes.",
        "Sent to the person: out/new.txt, 5 bytes.",
    ]
    (custom,) = (one for one in heard.events if one["type"] == "CUSTOM")
    assert custom["name"] == "file"
    assert custom["value"] == {"path": "chats/7/out/new.txt", "caption": "Here"}
    assert (folder / "out" / "new.txt").read_text() == "pears"
    assert heard.text == "I look.Done."
    assert heard.events[-1]["usage"][0]["inputTokens"] == 50
    shown = fake.asked[2].messages
    assert [one["role"] for one in shown] == [
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
        "tool",
        "tool",
    ]
    names = [one["id"] for message in shown for one in message.get("tool_calls", ())]
    assert names == [one["tool_call_id"] for one in shown if one["role"] == "tool"]
    assert all(len(name) == 9 and name.isalnum() for name in names)
    await model.say("Thanks", "q2")
    assert fake.asked[3].messages[: len(shown)] == shown


@pytest.mark.parametrize(
    ("calls", "result"),
    [
        (("fly", {}), "There is no tool fly;"),
        (("read_file", "{broken"), "must be a JSON object with: path, offset."),
        (("read_file", {"path": 7}), "must be a JSON object"),
        (("read_file", {"path": "none.txt"}), "no such file"),
        (("read_file", {"path": "../../../secret"}), "must not lead upwards"),
        (("read_file", {"path": "/etc/passwd"}), "must be relative"),
        (("read_file", {"path": "chats/8/other.txt"}), "no such file"),
        (("read_file", {"path": "picture.png"}), "not text"),
        (("send_file", {"path": "none.txt"}), "no such file"),
        (("write_file", {"path": "picture.png/x", "content": ""}), "not a directory"),
        (("write_file", {"path": "folder", "content": ""}), "this is a folder"),
        (("write_file", {"path": "big", "content": "x" * 600_000}), "at most"),
        (("delete_file", {"path": "none.txt"}), "no such file"),
        (("delete_file", {"path": "folder"}), "this is a folder"),
    ],
)
async def test_a_call_that_cannot_be_done_is_told_to_the_model(
    model: Line, fake: FakeEndpoint, folder: Path, calls: tuple[str, object], result: str
) -> None:
    (folder / "picture.png").write_bytes(b"\0")
    (folder / "folder").mkdir()
    other = folder.parent / "8"
    other.mkdir()
    (other / "other.txt").write_text("other")
    fake.script(call(calls), say("I see."))
    heard = await model.say("Go", "q")
    assert heard.text == "I see."
    assert result in fake.asked[1].messages[-1]["content"]


async def test_a_long_file_is_read_in_parts(model: Line, fake: FakeEndpoint, folder: Path) -> None:
    (folder / "long.txt").write_text("a" * 16_000 + "b" * 10)
    fake.script(
        call(("read_file", {"path": "chats/7/long.txt"})),
        call(("read_file", {"path": "/workspace/chats/7/long.txt", "offset": 16_000.0})),
        say("Read."),
    )
    await model.say("Go", "q")
    assert fake.asked[1].messages[-1]["content"].endswith("a\n[10 characters more; offset 16000]")
    assert fake.asked[2].messages[-1]["content"] == "b" * 10


async def test_overwriting_and_deleting_wait_for_the_persons_word(
    model: Line, fake: FakeEndpoint, folder: Path
) -> None:
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    fake.script(
        call(
            ("write_file", {"path": "a.txt", "content": "new"}),
            ("write_file", {"path": "b.txt", "content": "b"}),
            ("delete_file", {"path": "b.txt"}),
        ),
        say("I have."),
    )
    asked = await model.say("Go", "q")
    first, second = asked.events[-1]["outcome"]["interrupts"]
    assert first["message"] == "May I overwrite the file a.txt?"
    assert second["message"] == "May I delete the file b.txt?"
    assert first["toolCallId"] == "q-0-call-1"
    assert first["responseSchema"]["required"] == ["approved"]
    assert (folder / "a.txt").read_text() == "a"
    decisions = {first["id"]: True, second["id"]: {"approved": False, "reason": "I need it"}}
    done = (await model.ask(resume_input("r", decisions))).checked()
    assert done.text == "I have."
    assert (folder / "a.txt").read_text() == "new"
    assert (folder / "b.txt").read_text() == "b"
    assert [one["content"] for one in fake.asked[1].messages[-3:]] == [
        "Written: a.txt, 3 bytes.",
        "The file says exactly this already.",
        "The person does not allow this; it was not done. The reason: I need it",
    ]
    (folder / "a.txt").write_text("changed since")
    again = (await model.ask(resume_input("r", decisions, attempt=2))).checked()
    assert again.text == "I have."
    assert (folder / "a.txt").read_text() == "changed since"
    assert len(fake.asked) == 2


async def test_what_was_consented_to_is_done_once_though_the_model_fails_after_it(
    model: Line, fake: FakeEndpoint, folder: Path
) -> None:
    (folder / "a.txt").write_text("a")
    fake.script(call(("delete_file", {"path": "a.txt"})), refuse(401), say("Deleted."))
    asked = await model.say("Go", "q", forwardedProps={"requestId": "q", "locale": "ru"})
    (interrupt,) = asked.events[-1]["outcome"]["interrupts"]
    assert interrupt["message"] == "Удалить файл a.txt?"
    failed = (await model.ask(resume_input("r", {interrupt["id"]: True}))).checked()
    assert failed.events[-1]["code"] == "model_key_refused"
    assert not (folder / "a.txt").exists()
    (folder / "a.txt").write_text("another one")
    done = (await model.ask(resume_input("r", {interrupt["id"]: True}, attempt=2))).checked()
    assert done.text == "Deleted."
    assert (folder / "a.txt").read_text() == "another one"
    assert fake.asked[2].messages[-1]["content"] == "Deleted: a.txt."


async def test_a_deed_that_cannot_be_written_down_in_time_is_not_done(
    model: Line, fake: FakeEndpoint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("a")
    fake.script(call(("delete_file", {"path": "a.txt"})))
    asked = await model.say("Go", "q")
    (interrupt,) = asked.events[-1]["outcome"]["interrupts"]
    monkeypatch.setattr(assistant, "_DEED_TIME", 0)
    heard = (await model.ask(resume_input("r", {interrupt["id"]: True}))).checked()
    assert heard.events[-1]["code"] == "storage"
    assert (folder / "a.txt").exists()


async def test_an_answer_that_cannot_be_written_down_in_time_is_none(
    model: Line, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.script(say("Hello"))
    monkeypatch.setattr(run, "_KEEPING_TIME", 0)
    assert (await model.say("Hi", "q")).events[-1]["code"] == "storage"


async def test_a_decision_may_come_after_the_conversation_has_gone_on(
    model: Line, fake: FakeEndpoint, folder: Path
) -> None:
    (folder / "a.txt").write_text("a")
    fake.script(call(("delete_file", {"path": "a.txt"})), say("Later."), say("Deleted."))
    asked = await model.say("Go", "q")
    (interrupt,) = asked.events[-1]["outcome"]["interrupts"]
    await model.say("What else?", "q2")
    assert "not decided yet" in fake.asked[1].messages[2]["content"]
    await model.ask(resume_input("r", {interrupt["id"]: True}))
    assert fake.asked[2].messages[2]["content"] == "Deleted: a.txt."
    assert fake.asked[2].messages[-1]["content"].endswith("delete_file: Deleted: a.txt.")


async def test_tools_are_called_only_so_often(
    agent: Agent, fake: FakeEndpoint, folder: Path
) -> None:
    again = call(("list_files", {}))
    fake.script(again, again, say("Enough."), again, again, again)
    async with open_line(with_model(agent, fake, tool_rounds=2)) as model:
        assert (await model.say("Go", "q")).text == "Enough."
        assert [one.json["tool_choice"] for one in fake.asked] == ["auto", "auto", "none"]
        endless = await model.say("Go on", "q2")
    assert endless.events[-1]["code"] == "tool_calls_endless"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refuse(401), "model_key_refused"),
        (refuse(403), "model_key_refused"),
        (refuse(402), "model_quota"),
        (refuse(404, "model_not_found"), "model_not_found"),
        (refuse(429, "insufficient_quota"), "model_quota"),
        (refuse(400, "context_length_exceeded"), "context_too_long"),
        (refuse(400, None, "This model's maximum context length is 10 tokens"), "context_too_long"),
        (refuse(400, "content_filter"), "content_filtered"),
        (refuse(422), "model_refused"),
        (refuse(504), "model_timeout"),
        (Reply([b"<h1>Not Found</h1>"], 404, "text/html"), "model_not_found"),
        (Reply([b'{"error": "gone"}'], 410, "application/json"), "model_refused"),
        (Reply([chunk({"content": "Hal"})], ending="cut"), "answer_cut"),
        (Reply([chunk({"content": "Hal"})]), "answer_cut"),
        (Reply([chunk({"content": "Hal"}), DONE]), "answer_cut"),
        (Reply([], ending="cut"), "answer_cut"),
        (Reply([event({"error": {"message": "down", "code": 401}})]), "model_key_refused"),
        (Reply([event({"error": "down"})]), "model_broken"),
        (Reply([b"data: {\n\n"]), "model_garbled"),
        (Reply([event([])]), "model_garbled"),
        (Reply([event({"choices": [1]})]), "model_garbled"),
        (Reply([b"data: " + b"x" * 1_100_000]), "model_garbled"),
        (Reply([b"{}"], content_type="application/json"), "model_garbled"),
        (say("Half of", finish="content_filter"), "content_filtered"),
        (say(), "model_silent"),
    ],
)
async def test_each_failure_of_the_model_has_its_code_and_sentence(
    agent: Agent, fake: FakeEndpoint, reply: Reply, code: str
) -> None:
    fake.script(*[reply] * 2)
    async with open_line(with_model(agent, fake)) as model:
        heard = await model.say("Hi", "q")
        assert heard.events[-1]["type"] == "RUN_ERROR"
        assert heard.events[-1]["code"] == code
        assert heard.events[-1]["message"].endswith(".")
        fake.replies.clear()
        fake.script(say("Well."))
        assert (await model.say("Hi", "q", attempt=2)).text == "Well."
        assert fake.asked[-1].messages == [{"role": "user", "content": "Hi"}]


async def test_a_failure_is_told_in_the_persons_language(model: Line, fake: FakeEndpoint) -> None:
    fake.script(refuse(401))
    heard = await model.say("Hi", "q", forwardedProps={"requestId": "q", "locale": "ru"})
    assert heard.events[-1]["message"] == "Языковая модель не принимает ключ агента."


async def test_usage_of_a_run_that_fails_is_told(model: Line, fake: FakeEndpoint) -> None:
    fake.script(call(("list_files", {})), refuse(401))
    heard = await model.say("Hi", "q")
    assert heard.events[-1]["usage"][0]["outputTokens"] == 7


async def test_an_endpoint_that_is_not_there_is_unreachable(agent: Agent) -> None:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    absent = FakeEndpoint(f"http://127.0.0.1:{port}/v1")
    brain = Assistant(Endpoint(absent.url), evolve(settings_of(absent), retries=0))
    async with open_line(evolve(agent, assistant=brain)) as model:
        heard = await model.say("Hi", "q")
    assert heard.events[-1]["code"] == "model_unreachable"


@pytest.mark.parametrize("pieces", [[], [chunk({"content": "Hal"})]])
async def test_a_model_that_falls_silent_is_given_up(
    agent: Agent, fake: FakeEndpoint, pieces: list[bytes]
) -> None:
    fake.script(Reply(pieces, ending="hang"))
    brain = Assistant(Endpoint(fake.url, idle_timeout=0.05), settings_of(fake))
    async with open_line(evolve(agent, assistant=brain)) as model:
        heard = await model.say("Hi", "q")
        assert heard.events[-1]["code"] == "model_timeout"
        await fake.gone.wait()


async def test_a_request_that_was_one_too_many_is_made_again(
    model: Line, fake: FakeEndpoint
) -> None:
    fake.script(refuse(429, None, "slow down", ("retry-after", "0")), say("Now."))
    assert (await model.say("Hi", "q")).text == "Now."
    fake.script(*[refuse(503, None, "later", ("retry-after", "0"))] * 2)
    assert (await model.say("Hi", "q2")).events[-1]["code"] == "model_broken"
    fake.script(*[refuse(429, None, "later", ("retry-after", "0"))] * 2)
    assert (await model.say("Hi", "q3")).events[-1]["code"] == "model_busy"


async def test_what_is_too_long_is_asked_with_less_of_the_past(
    model: Line, fake: FakeEndpoint
) -> None:
    for number in range(8):
        fake.script(say(f"Answer {number}"))
        await model.say(f"Question {number}", f"q{number}")
    too_long = refuse(400, "context_length_exceeded")
    fake.script(too_long, too_long, say("Short."))
    assert (await model.say("Last", "q")).text == "Short."
    lengths = [len(one.messages) for one in fake.asked[-3:]]
    assert lengths[0] == 17
    assert lengths[0] > lengths[1] > lengths[2] >= 1
    assert fake.asked[-1].messages[-1]["content"] == "Last"


async def test_a_conversation_that_is_broken_off_twice_is_taken_for_too_long(
    model: Line, fake: FakeEndpoint
) -> None:
    for number in range(3):
        fake.script(say(f"Answer {number}"))
        await model.say(f"Question {number}", f"q{number}")
    fake.script(*[Reply([], ending="cut")] * 2, say("Short."))
    assert (await model.say("Last", "q")).text == "Short."
    assert [len(one.messages) for one in fake.asked[-3:-1]] == [7, 7]
    assert len(fake.asked[-1].messages) < 7


async def test_the_provider_is_left_at_once_when_the_person_goes(
    model: Line, fake: FakeEndpoint, agent: Agent
) -> None:
    fake.script(Reply([chunk({"content": "Hal"})], ending="hang"), say("Whole."))
    async with model.open() as socket:
        await socket.send_message(json.dumps(run_input("Hi", "q")))
        while "Hal" not in await socket.get_message():
            pass
        await socket.aclose(1000, "cancelled")
    await fake.gone.wait()
    assert (await agent.memory.recall("7")).answers == {}
    assert (await model.say("Hi", "q", attempt=2)).text == "Whole."
    assert len(fake.asked[1].messages) == 1


async def test_images_are_shown_to_a_model_that_takes_them(
    agent: Agent, fake: FakeEndpoint, folder: Path
) -> None:
    (folder / "cat.png").write_bytes(PICTURE)
    (folder / "odd.tiff").write_bytes(b"II*\0")
    message = attached(
        "Who?",
        part("image", "chats/7/cat.png", "image/png"),
        part("image", "chats/7/odd.tiff"),
        part("image", "chats/7/none.png"),
        inline("image", b"GIF89a", "image/gif"),
        inline("image", b"RIFF....WEBPVP8 ", "image/webp"),
        part("video", "chats/7/film.mp4"),
    )
    fake.script(say("A cat."), say("Still."), say("I cannot see."))
    async with open_line(with_model(agent, fake, images=True)) as model:
        await ask(model, message)
        content = fake.asked[0].messages[0]["content"]
        await model.say("And?", "q2")
        later = fake.asked[1].messages[0]["content"]
    urls = [one["image_url"]["url"] for one in content[1:]]
    assert urls == [
        f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}",
        "data:image/gif;base64,R0lGODlh",
        f"data:image/webp;base64,{base64.b64encode(b'RIFF....WEBPVP8 ').decode()}",
    ]
    assert content[0]["text"].split("\n\n") == [
        "Who?",
        "[Image file cat.png: you see it here]",
        "[Image file odd.tiff: its format is none that can be looked at]",
        "[Image file none.png: it cannot be opened (no such file or directory)]",
        "[Image file, inline: you see it here]",
        "[Image file, inline: you see it here]",
        "[Video file film.mp4: you cannot watch it; it is there as chats/7/film.mp4]",
    ]
    assert [one["image_url"]["url"] for one in later[1:]] == urls[:1]
    async with open_line(with_model(agent, fake)) as model:
        await model.say("Now?", "q3")
    text = fake.asked[2].messages[0]["content"]
    assert "[Image file cat.png: you cannot look at it; it is there as chats/7/cat.png]" in text


async def test_a_voice_message_is_transcribed_once_and_remembered(
    agent: Agent, fake: FakeEndpoint, folder: Path
) -> None:
    (folder / "voice").write_bytes(b"OggS...")
    voice = attached("", part("audio", "chats/7/voice", "audio/ogg"))
    fake.script(transcript(" What is the time? "), say("Noon."), say("Yes."))
    async with open_line(with_model(agent, fake, transcription_model="ears")) as model:
        assert (await ask(model, voice)).text == "Noon."
        await model.ask(
            run_input("", "q2", messages=[voice, {"id": "$r", "role": "user", "content": "Sure?"}])
        )
    assert fake.asked[0].path == "/v1/audio/transcriptions"
    assert fake.asked[0].headers["content-type"].startswith("multipart/form-data")
    assert b'name="model"\r\n\r\nears' in fake.asked[0].body
    assert b'filename="voice.ogg"' in fake.asked[0].body
    assert b"OggS..." in fake.asked[0].body
    for asked in fake.asked[1:]:
        assert asked.messages[0]["content"].endswith("in it was said:\nWhat is the time?]")


async def test_a_voice_message_that_is_not_understood_is_told_to_the_model(
    agent: Agent, fake: FakeEndpoint, folder: Path
) -> None:
    (folder / "voice.ogg").write_bytes(b"OggS...")
    message = attached(
        "",
        part("audio", "chats/7/voice.ogg"),
        part("audio", "chats/7/none.ogg"),
        inline("audio", b"ID3", "audio/mpeg"),
    )
    odd = Reply([b"[]"], content_type="application/json")
    fake.script(refuse(400, None, "what format is this"), odd, say("Pardon?"))
    async with open_line(with_model(agent, fake, transcription_model="ears")) as model:
        assert (await ask(model, message)).text == "Pardon?"
        assert b'filename="voice.mp3"' in fake.asked[1].body
        text = fake.asked[2].messages[0]["content"]
        assert text.count("you cannot listen to it") == 3
        fake.script(refuse(401))
        failed = await ask(
            model, attached("", part("audio", "chats/7/voice.ogg"), message_id="$r"), "r"
        )
    assert failed.events[-1]["code"] == "model_key_refused"


async def test_documents_are_named_and_read_with_the_tool(
    model: Line, fake: FakeEndpoint, folder: Path
) -> None:
    other = folder.parent / "5"
    other.mkdir()
    (other / "old.txt").write_text("old")
    message = attached(
        "Read",
        part("document", "chats/5/old.txt", "text/plain"),
        part("document", "../../evil", "text/plain"),
        inline("document", "inline ☃".encode(), "text/plain"),
    )
    fake.script(
        call(
            ("list_files", {}),
            ("read_file", {"path": "chats/5/old.txt"}),
            ("write_file", {"path": "chats/5/old.txt", "content": "mine"}),
        ),
        say("Read."),
    )
    await ask(model, message)
    text = fake.asked[0].messages[0]["content"]
    assert "[Document file old.txt: it has come; it is there as chats/5/old.txt]" in text
    assert "[Document file, inline: it says:\ninline ☃]" in text
    listed, read, _ = (one["content"] for one in fake.asked[1].messages[-3:])
    assert json.loads(listed) == {"files": [{"path": "chats/5/old.txt"}]}
    assert read == "old"
    assert (other / "old.txt").read_text() == "old"


async def test_without_tools_documents_are_part_of_the_conversation(
    agent: Agent, fake: FakeEndpoint, folder: Path
) -> None:
    (folder / "a.txt").write_text("apples")
    (folder / "b.bin").write_bytes(b"\xff\0")
    message = attached(
        "",
        part("document", "chats/7/a.txt"),
        part("document", "chats/7/b.bin"),
        part("document", "/x"),
    )
    fake.script(say("Apples."))
    async with open_line(with_model(agent, fake, tools=False, parameters={"top_p": 0.5})) as model:
        await ask(model, message)
    asked = fake.asked[0].json
    assert "tools" not in asked
    assert asked["top_p"] == 0.5
    text = fake.asked[0].messages[0]["content"]
    assert text == (
        "[Document file a.txt: it says:\napples]\n\n[Document file b.bin: it is not text]\n\n"
        "[Document file x: it cannot be opened (the path must be relative)]"
    )


async def test_without_a_workspace_there_are_no_tools(fake: FakeEndpoint) -> None:
    fake.script(say("Hello"))
    with open_memory(None) as memory:
        async with open_line(with_model(Agent(memory), fake)) as model:
            await ask(model, attached("Hi", part("image", "chats/7/cat.png")))
    assert "tools" not in fake.asked[0].json


async def test_interrupts_of_the_rehearsal_do_not_confuse_a_model(
    agent: Agent, fake: FakeEndpoint
) -> None:
    async with open_line(agent) as line:
        asked = await line.say("confirm", "q")
    (interrupt,) = asked.events[-1]["outcome"]["interrupts"]
    fake.script(say("Well."))
    async with open_line(with_model(agent, fake)) as model:
        heard = await model.ask(resume_input("r", {interrupt["id"]: True}))
    assert heard.checked().text == "Well."
