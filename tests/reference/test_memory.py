import json
import logging
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from lambda_matrix.ids import RequestId
from lambda_matrix.reference import memory as memory_module
from lambda_matrix.reference.memory import (
    Answer,
    Asked,
    Memory,
    MemoryInUseError,
    Record,
    open_memory,
)
from lambda_matrix.reference.run_input import Attachment, Call, Message
from lambda_matrix.reference.wire import Interrupt, Usage

USAGE = Usage("rehearsal", 1, 2)
ASKED = Message("$1", "user", "Hello \ud83d", (Attachment("image", "7/a.png"),))
SAID = Message("q-answer", "assistant", "Hi")
RECORD = Record(RequestId("q"), (ASKED,), Answer(("{}",), USAGE, (SAID,)))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with open_memory(tmp_path / "state") as memory:
        yield memory


async def _keep(memory: Memory, *records: Record, thread: str = "7") -> None:
    for record in records:
        await memory.keep(await memory.recall(thread), record)


async def test_a_thread_is_read_back_as_it_was_kept(tmp_path: Path) -> None:
    with open_memory(tmp_path / "state") as memory:
        await _keep(memory, RECORD)
    with open_memory(tmp_path / "state") as memory:
        thread = await memory.recall("7")
        assert list(thread.messages.values()) == [ASKED, SAID]
        assert await memory.answer_to(thread, RequestId("q")) == RECORD.answer
        assert await memory.answer_to(thread, RequestId("other")) is None
        assert (await memory.recall("8")).messages == {}


async def test_a_known_message_keeps_its_place_and_takes_its_newest_text(memory: Memory) -> None:
    edited = Message("$1", "user", "Hello again")
    await _keep(memory, RECORD, Record(RequestId("q2"), (edited, Message("$2", "user", "And?"))))
    thread = await memory.recall("7")
    assert list(thread.messages) == ["$1", "q-answer", "$2"]
    assert thread.messages["$1"] == edited
    assert [m.id for m in thread.with_messages([ASKED, Message("$3", "user", "")])][-1] == "$3"
    assert thread.messages["$1"] == edited


async def test_what_the_agent_did_it_knows_better_than_a_client(memory: Memory) -> None:
    called = Message("a", "assistant", "I look.", calls=(Call("c", "list_files", "{}"),))
    await _keep(memory, Record(RequestId("q"), (ASKED,), Answer((), USAGE, (called,))))
    thread = await memory.recall("7")
    resent = (Message("a", "assistant", "I look."), ASKED)
    assert thread.news_in(resent) == ()
    assert thread.with_messages(resent) == (ASKED, called)


async def test_a_transcript_is_kept_and_inline_data_is_not(memory: Memory) -> None:
    voices = (Attachment("audio", "", data="QQ=="), Attachment("audio", "", data="Qg=="))
    told = Message("$v", "user", "", voices)
    heard = tuple(
        evolve(one, data=None, transcript=text) for one, text in zip(voices, "ab", strict=True)
    )
    await _keep(
        memory, Record(RequestId("q"), (), Answer((), USAGE, (evolve(told, attachments=heard),)))
    )
    thread = await memory.recall("7")
    assert thread.news_in([told]) == ()
    (again,) = thread.with_messages([told])
    assert [(one.data, one.transcript) for one in again.attachments] == [
        ("QQ==", "a"),
        ("Qg==", "b"),
    ]


async def test_a_run_without_an_answer_is_not_answered(memory: Memory) -> None:
    await _keep(memory, Record(RequestId("q"), (ASKED,)))
    thread = await memory.recall("7")
    assert list(thread.messages) == ["$1"]
    assert await memory.answer_to(thread, RequestId("q")) is None


async def test_interrupts_are_open_until_they_are_decided(memory: Memory) -> None:
    asking = Answer((), USAGE, interrupts=(Interrupt("i", "why", None, {"type": "object"}),))
    await _keep(memory, Record(RequestId("q"), (), asking))
    thread = await memory.recall("7")
    assert thread.open_interrupts == {"i": Asked(asking.interrupts[0], RequestId("q"))}
    assert await memory.answer_to(thread, RequestId("q")) == asking
    await _keep(memory, Record(RequestId("r"), (), Answer((), USAGE, decided=("i", "unknown"))))
    assert (thread.open_interrupts, thread.decisions["i"]) == ({}, "r")


async def test_the_torn_line_of_a_crash_is_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_memory(tmp_path) as memory:
        await _keep(memory, RECORD)
    path = tmp_path / "7.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"request":"q2","mess')
    with open_memory(tmp_path) as memory, caplog.at_level(logging.WARNING):
        await _keep(memory, Record(RequestId("q3"), ()))
    assert "cut off by a crash" in caplog.text
    assert path.read_bytes().startswith(whole + b'{"request":"q3"')


@pytest.mark.parametrize(
    "line", [b"\0\0\0", b"[]", b'{"request":null,"messages":[]}', b'{"messages":"none"}']
)
async def test_a_line_that_cannot_be_read_is_skipped_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    with open_memory(tmp_path) as memory:
        await _keep(memory, RECORD)
    path = tmp_path / "7.jsonl"
    path.write_bytes(line + b"\n" + path.read_bytes())
    with open_memory(tmp_path) as memory, caplog.at_level(logging.WARNING):
        thread = await memory.recall("7")
        assert list(thread.messages) == ["$1", "q-answer"]
        assert await memory.answer_to(thread, RequestId("q")) == RECORD.answer
    assert "the line at byte 0 cannot be read" in caplog.text


async def test_a_line_that_rots_later_is_no_answer(memory: Memory) -> None:
    await _keep(memory, RECORD)
    thread = await memory.recall("7")
    assert thread.path is not None
    thread.path.write_bytes(b"x" * thread.path.stat().st_size)
    assert await memory.answer_to(thread, RequestId("q")) is None


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_leaves_no_half_line(memory: Memory) -> None:
    await _keep(memory, RECORD)
    thread = await memory.recall("7")
    assert thread.path is not None
    before = thread.path.read_bytes()
    with (
        _files_of_at_most(len(before) + 10),
        pytest.raises(OSError, match="File too large"),
    ):
        await _keep(memory, Record(RequestId("q2"), ()))
    assert thread.path.read_bytes() == before
    assert RequestId("q2") not in thread.answers


async def test_files_are_private_and_one_line_a_run(memory: Memory) -> None:
    await _keep(memory, RECORD, Record(RequestId("q2"), ()))
    assert memory.directory is not None
    path = memory.directory / "7.jsonl"
    assert [json.loads(line)["request"] for line in path.read_text().splitlines()] == ["q", "q2"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(memory.directory.stat().st_mode) == 0o700


async def test_a_thread_id_cannot_lead_elsewhere(memory: Memory) -> None:
    with pytest.raises(ValueError, match="decimal"):
        await memory.recall("../7")


async def test_without_a_folder_nothing_is_kept() -> None:
    with open_memory(None) as memory:
        await _keep(memory, RECORD)
        thread = await memory.recall("7")
        assert thread.messages == {}
        assert await memory.answer_to(thread, RequestId("q")) is None


async def test_only_some_threads_stay_at_hand(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "_THREADS_AT_HAND", 2)
    first = await memory.recall("1")
    await memory.recall("2")
    assert await memory.recall("1") is first
    await memory.recall("3")
    assert await memory.recall("1") is first
    second = await memory.recall("2")
    await memory.recall("1")
    await memory.recall("3")
    assert await memory.recall("2") is not second


def test_a_folder_has_one_agent(tmp_path: Path) -> None:
    with (
        open_memory(tmp_path),
        pytest.raises(MemoryInUseError, match="another agent is using the folder"),
        open_memory(tmp_path),
    ):
        pass
    with open_memory(tmp_path):
        assert [one.name for one in tmp_path.iterdir()] == ["lock"]
