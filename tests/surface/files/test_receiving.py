"""People's files: staged, taken along, taken off, and what keeps them from coming in."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.agent.registry import Registry
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.catalogue.files import StagedLine
from lambda_matrix.ids import AgentId, EventId
from tests.lab.proxy import Answer, Hold, Loss
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import POLICY, TEXTS, Lab, Service, answer_at_once, open_lab

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
DOWNLOAD = r"GET .*/media/download/"
SAY = TEXTS.files
VOICE: dict[str, dict[str, str]] = {"org.matrix.msc3245.voice": {}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "agents" / "main"
    root.mkdir(parents=True)
    return root


@asynccontextmanager
async def open_chat(
    clock: MockClock, tmp_path: Path, root: Path | None, **more: Any
) -> AsyncIterator[tuple[Lab, Service]]:
    """A chat with an agent that has the workspace `root`."""
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root, **more)
        async with lab.chat() as service:
            yield lab, service


def send(lab: Lab, room: Any, name: str, content: bytes, **more: Any) -> EventId:
    """Have Anna send a file."""
    sender = more.pop("sender", ANNA)
    url = lab.homeserver.repository.add(content)
    info = {"mimetype": "application/octet-stream", "size": len(content)}
    file = {"msgtype": "m.file", "url": url, "info": info, **more}
    return lab.homeserver.say(room, sender, name, **file)


def line(name: str, content: bytes, mime_type: str = "image/png") -> StagedLine:
    return StagedLine(name, len(content), mime_type)


def refusal(status: int, errcode: str) -> Answer:
    return Answer(status, json.dumps({"errcode": errcode, "error": "no"}).encode())


async def told(lab: Lab, service: Service, file: EventId) -> str:
    return await lab.homeserver.answer(service.room, file)


def parts(lab: Lab, run: int = -1) -> list[dict[str, Any]]:
    """What the agent got as the newest message."""
    content: list[dict[str, Any]] = lab.agent.runs[run].input["messages"][-1]["content"]
    return content


def counted(lab: Lab, outcome: str) -> float | None:
    """How many of people's files are counted so."""
    labels = {"direction": "to_agent", "outcome": outcome}
    return lab.metrics.registry.get_sample_value("lambda_matrix_files_total", labels)


def chat_folder(lab: Lab, root: Path) -> Path:
    (folder,) = (root / "chats").iterdir()
    return folder


async def test_a_file_waits_and_goes_along_with_the_next_text(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        first = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, first) == SAY.staged(line("cat.png", PNG), 1)
        second = send(lab, service.room, "notes.txt", b"Hello")
        staged = SAY.staged(line("notes.txt", b"Hello", "text/plain"), 2)
        assert await told(lab, service, second) == staged
        question = lab.homeserver.say(service.room, ANNA, "What is it?")
        await lab.homeserver.answer(service.room, question)
        text, picture, notes = parts(lab)
        assert text == {"type": "text", "text": "What is it?"}
        assert picture["type"] == "image"
        assert picture["source"]["mimeType"] == "image/png"
        assert (root / picture["source"]["value"]).read_bytes() == PNG
        assert notes["type"] == "document"
        assert notes["metadata"] == {"name": "notes.txt"}
        await service.ask("And now?")
        assert lab.agent.questions[-1] == "And now?", "they went along once"
        assert counted(lab, "passed_on") == 2


async def test_a_caption_and_a_voice_are_questions_at_once(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        staged = send(lab, service.room, "first.png", PNG)
        await told(lab, service, staged)
        asked = send(lab, service.room, "What is it?", PNG, filename="cat.png", msgtype="m.image")
        await told(lab, service, asked)
        assert [part["type"] for part in parts(lab)] == ["text", "image", "image"]
        ogg = b"OggS" + bytes(100)
        info = {"mimetype": "audio/ogg"}
        voice = send(lab, service.room, "voice.ogg", ogg, msgtype="m.audio", info=info, **VOICE)
        await told(lab, service, voice)
        (sound,) = parts(lab)
        assert sound["type"] == "audio"
        assert "command:" not in str(lab.homeserver.finals(service.room, voice)), "no `Got`"


async def test_a_question_waits_for_its_files_and_commands_do_not(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        hold = Hold()
        lab.proxy.spoil(DOWNLOAD, hold, times=1)
        file = send(lab, service.room, "cat.png", PNG)
        await hold.caught.wait()
        question = lab.homeserver.say(service.room, ANNA, "What is it?")
        assert "cat.png" not in await service.ask("!files")
        assert lab.agent.runs == []
        hold.release()
        await lab.homeserver.answer(service.room, question)
        assert len(parts(lab)) == 2
        assert lab.homeserver.about(service.room, file) == [], "the answer says enough"


async def test_the_last_of_several_tells_of_all(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        hold = Hold()
        lab.proxy.spoil(DOWNLOAD, hold, times=1)
        files = [send(lab, service.room, "cat.png", PNG) for _ in range(3)]
        await hold.caught.wait()
        await service.caught_up()
        hold.release()
        last = SAY.staged(line("cat (3).png", PNG), 3)
        assert await told(lab, service, files[-1]) == last
        assert [lab.homeserver.about(service.room, file) for file in files[:2]] == [[], []]
        names = {path.name for path in chat_folder(lab, root).iterdir()}
        assert names == {"cat.png", "cat (2).png", "cat (3).png"}
        assert await told(lab, service, send(lab, service.room, "x", b"x")) == SAY.too_many(3)


async def test_files_are_listed_and_taken_off(clock: MockClock, tmp_path: Path, root: Path) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        assert await service.ask("!files") == SAY.staged_list(())
        assert await service.ask("!remove 1") == SAY.no_such_number(0)
        for name in ("a.png", "b.png", "c.png"):
            await told(lab, service, send(lab, service.room, name, PNG))
        names = ("a.png", "b.png", "c.png")
        lines = [line(name, PNG) for name in names]
        assert await service.ask("!files") == SAY.staged_list(lines)
        assert await service.ask("!remove 4") == SAY.no_such_number(3)
        assert await service.ask("!remove 2") == SAY.removed(["b.png"])
        folder = chat_folder(lab, root)
        assert {path.name for path in folder.iterdir()} == {"a.png", "c.png"}
        assert await service.ask("!remove all") == SAY.removed(["a.png", "c.png"])
        assert list(folder.iterdir()) == []
        await service.ask("Anything?")
        assert lab.agent.questions == ["Anything?"]


async def test_one_person_does_not_see_or_take_another_ones_files(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root)
        async with lab.service() as service:
            room = await service.new_chat(ANNA, BORIS)
            to_us = {"m.mentions": {"user_ids": [BOT]}}
            file = send(lab, room, "hers.png", PNG, **to_us)
            await lab.homeserver.answer(room, file)
            send(lab, room, "not for us.png", PNG)
            listing = lab.homeserver.say(room, BORIS, "!files")
            assert await lab.homeserver.answer(room, listing) == SAY.staged_list(())
            command = lab.homeserver.say(room, BORIS, "!remove all")
            assert await lab.homeserver.answer(room, command) == SAY.no_such_number(0)
            question = lab.homeserver.say(room, BORIS, "Lambda: well?", **to_us)
            assert await lab.homeserver.answer(room, question) == "Answer to well?"
            assert len(lab.proxy.made(DOWNLOAD)) == 1


@pytest.mark.parametrize("caption", [None, "What is it?"])
async def test_what_is_too_large_by_its_own_word_is_not_fetched(
    clock: MockClock, tmp_path: Path, root: Path, caption: str | None
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        info = {"size": POLICY.file_bytes + 1}
        more = {"filename": "big.bin"} if caption else {}
        file = send(lab, service.room, caption or "big.bin", b"", info=info, **more)
        refusal = SAY.too_large("big.bin", POLICY.file_bytes)
        expected = f"{refusal} {SAY.caption_only('big.bin')}" if caption else refusal
        assert await told(lab, service, file) == expected
        assert lab.proxy.made(DOWNLOAD) == []
        assert lab.agent.runs == []


async def test_what_turns_out_too_large_is_told_and_leaves_nothing(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.homeserver.repository.upload_limit = 1000
        liar = send(lab, service.room, "liar.bin", bytes(2000), info={"size": 1})
        assert await told(lab, service, liar) == SAY.too_large("liar.bin", 1000)
        assert counted(lab, "refused") == 1
        staged = send(lab, service.room, "small.txt", b"small")
        await told(lab, service, staged)
        asked = send(lab, service.room, "Well?", bytes(2000), info={}, filename="liar.bin")
        refusal = f"{SAY.too_large('liar.bin', 1000)} {SAY.caption_only('liar.bin')}"
        assert await told(lab, service, asked) == refusal
        assert lab.agent.runs == []
        await service.ask("Now?")
        assert [part["type"] for part in parts(lab)] == ["text", "document"], "small.txt waited on"
        assert [path.name for path in chat_folder(lab, root).iterdir()] == ["small.txt"]
        assert list((root / ".incoming").iterdir()) == []


async def test_what_is_of_a_type_that_is_not_taken_is_told_and_leaves_nothing(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    policy = evolve(POLICY, file_types=("image/*",))
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root)
        async with lab.chat(policy=policy) as service:
            picture = send(lab, service.room, "cat.png", PNG)
            assert await told(lab, service, picture) == SAY.staged(line("cat.png", PNG), 1)
            disguised = send(lab, service.room, "dog.png", b"%PDF-1.7\n" + bytes(100))
            refusal = SAY.type_refused("dog.png", "application/pdf")
            assert await told(lab, service, disguised) == refusal
            assert [path.name for path in chat_folder(lab, root).iterdir()] == ["cat.png"]
            assert list((root / ".incoming").iterdir()) == []


async def test_a_question_goes_on_without_a_file_that_is_refused(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        hold = Hold()
        lab.proxy.spoil(DOWNLOAD, hold, times=1)
        file = send(lab, service.room, "gone.png", PNG)
        lab.homeserver.repository.files.clear()
        await hold.caught.wait()
        question = lab.homeserver.say(service.room, ANNA, "What is it?")
        await service.caught_up()
        hold.release()
        assert await lab.homeserver.answer(service.room, question) == "Answer to What is it?"
        assert await told(lab, service, file) == SAY.not_fetched("gone.png")


async def test_passing_errors_are_waited_out_and_lasting_ones_told(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.proxy.spoil(DOWNLOAD, refusal(502, "M_UNKNOWN"), times=3)
        file = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, file) == SAY.staged(line("cat.png", PNG), 1)
        lab.proxy.spoil(DOWNLOAD, refusal(504, "M_UNKNOWN"))
        began = trio.current_time()
        lost = send(lab, service.room, "lost.png", PNG)
        assert await told(lab, service, lost) == SAY.not_fetched("lost.png")
        assert 200 < trio.current_time() - began < 600


async def test_a_file_that_never_begins_to_come_is_given_up(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.proxy.spoil(DOWNLOAD, Hold())
        send(lab, service.room, "lost.png", PNG)
        question = lab.homeserver.say(service.room, ANNA, "What is it?")
        assert await lab.homeserver.answer(service.room, question, within=900)
        assert SAY.not_fetched("lost.png") in lab.homeserver.bodies(service.room)


async def test_a_homeserver_that_is_away_is_waited_for(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        rule = lab.proxy.spoil(DOWNLOAD, Loss.REQUEST)
        file = send(lab, service.room, "cat.png", PNG)
        await trio.sleep(3600)
        lab.proxy.mend(rule)
        assert await told(lab, service, file) == SAY.staged(line("cat.png", PNG), 1)


async def test_no_question_waits_for_ever_for_a_file_that_we_stumble_over(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        await service.change(
            "INSERT INTO attachments (event_id, room_id, sender, name, url, agent,"
            " platform_chat_id) SELECT '$file', room_id, ?, 'odd.png', 'nowhere', agent,"
            " platform_chat_id FROM rooms WHERE room_id = ?",
            ANNA,
            service.room,
        )
        for each in service.bridge.others:
            await each.resume()
        question = lab.homeserver.say(service.room, ANNA, "What is it?")
        await trio.sleep(30)
        assert lab.agent.runs == []
        assert await lab.homeserver.answer(service.room, question) == "Answer to What is it?"
        assert SAY.not_fetched("odd.png") in lab.homeserver.bodies(service.room)


async def test_an_encrypted_file_is_declined(clock: MockClock, tmp_path: Path, root: Path) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        keys = {"url": "mxc://example.org/x", "v": "v2"}
        file = lab.homeserver.say(service.room, ANNA, "cat.png", msgtype="m.image", file=keys)
        assert await told(lab, service, file) == SAY.encrypted("cat.png")


async def test_an_agent_without_a_workspace_takes_no_files(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_chat(clock, tmp_path, None) as (lab, service):
        file = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, file) == SAY.no_workspace(lab.entry.name)
        voice = send(lab, service.room, "v.ogg", PNG, msgtype="m.audio", **VOICE)
        assert await told(lab, service, voice) == SAY.voice_not_heard


async def test_nothing_is_kept_for_an_agent_that_is_not_the_senders(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root, users=(BORIS,)) as (lab, service):
        refusal = TEXTS.answers.failure(RunFailure.NOT_ALLOWED)
        file = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, file) == refusal
        asked = send(lab, service.room, "What is it?", PNG, filename="cat.png", msgtype="m.image")
        assert await told(lab, service, asked) == f"{refusal} {SAY.caption_only('cat.png')}"
        assert lab.proxy.made(DOWNLOAD) == []


async def test_a_workspace_that_is_not_there_is_told_to_operator_and_person(
    clock: MockClock, tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    missing = root / "missing"
    async with open_chat(clock, tmp_path, missing) as (lab, service):
        assert f"The workspace {missing} cannot be used" in caplog.text
        file = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, file) == SAY.folder_broken("cat.png")


async def test_a_file_that_is_taken_back_is_deleted(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        file = send(lab, service.room, "secret.png", PNG)
        await told(lab, service, file)
        (kept,) = chat_folder(lab, root).iterdir()
        lab.homeserver.redact(service.room, file, ANNA)
        await service.ask("Do you have it?")
        assert lab.agent.questions == ["Do you have it?"]
        assert not kept.exists()


async def test_a_file_that_is_taken_back_on_its_way_is_not_kept(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        hold = Hold()
        lab.proxy.spoil(DOWNLOAD, hold, times=1)
        file = send(lab, service.room, "secret.png", PNG)
        await hold.caught.wait()
        question = lab.homeserver.say(service.room, ANNA, "What is it?")
        lab.homeserver.redact(service.room, file, ANNA)
        assert await lab.homeserver.answer(service.room, question) == "Answer to What is it?"
        hold.release()
        await told(lab, service, send(lab, service.room, "next.png", PNG))
        assert [path.name for path in chat_folder(lab, root).iterdir()] == ["next.png"]


async def test_staged_files_follow_into_a_fresh_context(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        await told(lab, service, send(lab, service.room, "cat.png", PNG))
        await service.ask("!clear")
        await service.ask("What is it?")
        thread = lab.agent.runs[-1].input["threadId"]
        _, picture = parts(lab)
        assert picture["source"]["value"] == f"chats/{thread}/cat.png"
        assert (root / picture["source"]["value"]).read_bytes() == PNG


async def test_retry_takes_the_files_along_again(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.proxy.spoil(DOWNLOAD, refusal(404, "M_NOT_FOUND"), times=1)
        asked = send(lab, service.room, "Well?", PNG, filename="cat.png")
        assert SAY.caption_only("cat.png") in await told(lab, service, asked)
        await service.ask("!retry")
        assert [part["type"] for part in parts(lab)] == ["text", "image"]


async def test_after_a_crash_a_file_on_its_way_is_fetched_again(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root)
        async with lab.chat() as service:
            room = service.room
            lab.proxy.spoil(DOWNLOAD, Loss.HALF)
            send(lab, room, "cat.png", PNG)
            await lab.proxy.wait_made(DOWNLOAD)
            question = lab.homeserver.say(room, ANNA, "What is it?")
            await service.caught_up()
            lab.crash()
        (root / ".incoming" / "left over").write_bytes(PNG[:50])
        lab.proxy.mend()
        async with lab.service():
            await lab.homeserver.answer(room, question)
            assert len(parts(lab)) == 2
            assert [path.name for path in chat_folder(lab, root).iterdir()] == ["cat.png"]
            assert list((root / ".incoming").iterdir()) == []


async def test_files_within_the_message_are_kept_by_ourselves(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_chat(clock, tmp_path, None, inline_files=True) as (lab, service):
        await told(lab, service, send(lab, service.room, "cat.png", PNG))
        await service.ask("What is it?")
        _, picture = parts(lab)
        assert picture["source"]["type"] == "data"
        assert list((lab.directory / "files" / "chats").iterdir())
        assert oct((lab.directory / "files").stat().st_mode & 0o777) == "0o700"


async def test_files_that_do_not_fit_into_the_message_are_told(
    clock: MockClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("lambda_matrix.surface.files.carrying.INLINE_BYTES", 150)
    async with open_chat(clock, tmp_path, None, inline_files=True) as (lab, service):
        await told(lab, service, send(lab, service.room, "a.png", PNG))
        await told(lab, service, send(lab, service.room, "b.png", PNG))
        await service.ask("What are they?")
        assert parts(lab)[2] == {"type": "text", "text": "[b.png]"}
        assert SAY.not_all_inline(["b.png"], 150) in lab.homeserver.bodies(service.room)
    assert caplog.text == "", "it is the person's to know, and nothing for the operator"


async def test_files_elsewhere_get_the_answer_that_texts_get(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, _):
        strange = lab.homeserver.chat_of_bot(ANNA)
        file = send(lab, strange, "cat.png", PNG)
        assert await lab.homeserver.answer(strange, file) == TEXTS.onboarding.strange_room
        lobby = lab.homeserver.direct_chat(ANNA)
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(lobby)))
        file = send(lab, lobby, "cat.png", PNG)
        assert await lab.homeserver.answer(lobby, file)
        assert lab.proxy.made(DOWNLOAD) == []


async def test_captions_count_against_the_limits(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    policy = evolve(POLICY, limits=evolve(POLICY.limits, burst=1, interval=60))
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root)
        lab.agent.behave = answer_at_once
        async with lab.chat(policy=policy) as service:
            first = send(lab, service.room, "Well?", PNG, filename="cat.png")
            await told(lab, service, first)
            second = send(lab, service.room, "Well?", PNG, filename="cat.png")
            assert len(lab.agent.runs) == 1
            assert await told(lab, service, second)
            assert len(lab.agent.runs) == 1
            assert len(lab.proxy.made(DOWNLOAD)) == 1


async def test_a_full_disk_is_told(
    clock: MockClock, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with open_chat(clock, tmp_path, root) as (lab, service):
        with monkeypatch.context() as patched:
            patched.setattr("lambda_matrix.workspace.incoming.os.link", full)
            file = send(lab, service.room, "cat.png", PNG)
            assert await told(lab, service, file) == SAY.disk_full("cat.png")
        again = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, again) == SAY.staged(line("cat.png", PNG), 1)


async def test_a_limit_that_is_not_known_is_no_limit(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.proxy.spoil(r"GET .*/media/config", refusal(403, "M_FORBIDDEN"))
        file = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, file) == SAY.staged(line("cat.png", PNG), 1)


async def test_an_agent_that_is_gone_takes_no_files(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        hold = Hold()
        lab.proxy.spoil(DOWNLOAD, hold, times=1)
        first = send(lab, service.room, "a.png", PNG)
        await hold.caught.wait()
        second = send(lab, service.room, "b.png", PNG)
        await service.ask("!files")
        other = evolve(lab.entry, id=AgentId("other"))
        await service.bridge.reload(POLICY, Registry(other.id, MappingProxyType({other.id: other})))
        hold.release()
        assert await told(lab, service, second) == SAY.no_workspace("main")
        third = send(lab, service.room, "c.png", PNG)
        assert await told(lab, service, third) == TEXTS.rooms.stale("main")
        assert lab.homeserver.about(service.room, first) == []


async def test_a_file_that_cannot_be_read_any_more_goes_along_by_name(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root, inline_files=True) as (lab, service):
        await told(lab, service, send(lab, service.room, "cat.png", PNG))
        await told(lab, service, send(lab, service.room, "dog.png", PNG))
        (chat_folder(lab, root) / "cat.png").unlink()
        await service.ask("What are they?")
        assert parts(lab)[1] == {"type": "text", "text": "[cat.png]"}
        assert parts(lab)[2]["source"]["type"] == "data"


async def test_what_cannot_be_deleted_is_told_to_the_operator(
    clock: MockClock, tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        await told(lab, service, send(lab, service.room, "cat.png", PNG))
        file = chat_folder(lab, root) / "cat.png"
        file.unlink()
        file.mkdir()
        assert await service.ask("!remove 1") == SAY.removed(["cat.png"])
        await told(lab, service, send(lab, service.room, "next.png", PNG))
        assert "a file that was taken off is not deleted" in caplog.text


async def test_an_archived_chat_takes_no_files(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        await service.change("UPDATE rooms SET archived = 1 WHERE room_id = ?", service.room)
        file = send(lab, service.room, "cat.png", PNG)
        assert await told(lab, service, file) == TEXTS.rooms.archived_question
