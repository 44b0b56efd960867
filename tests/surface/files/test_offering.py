"""Agents' files: sent after their answers, once, and only what is the chat's."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import frozen
from PIL import Image
from trio.testing import MockClock

from lambda_matrix.ids import EventId
from lambda_matrix.matrix_events import ANSWER_KEY
from lambda_matrix.surface.files.offering import Offering
from lambda_matrix.workspace.imaging import Imaging
from lambda_matrix.workspace.media_facts import MediaFacts
from lambda_matrix.workspace.offered import OfferedFile
from tests.lab.proxy import Answer, Delay, Hold, Loss, rate_limited
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import SEND, TEXTS, AgentRun, Lab, Service, open_lab

UPLOAD = r"POST .*/media/v3/upload"
SAY = TEXTS.files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "agents" / "main"
    root.mkdir(parents=True)
    return root


@asynccontextmanager
async def open_chat(
    clock: MockClock, tmp_path: Path, root: Path | None
) -> AsyncIterator[tuple[Lab, Service]]:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root)
        async with lab.chat() as service:
            yield lab, service


def offering(
    *files: tuple[str, bytes | None], text: str = "Here you are.", **more: str
) -> Callable[[AgentRun], Awaitable[None]]:
    """Behave so: write files into the chat's folder (None: do not), and offer them.

    `{chat}` in a path is the chat's folder.
    """

    async def behave(run: AgentRun) -> None:
        chat = f"chats/{run.input['threadId']}"
        await run.start()
        for path, content in files:
            said = path.format(chat=chat)
            if content is not None:
                place = ROOT[0] / said
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            value = {"path": said, **more}
            await run.say({"type": "CUSTOM", "name": "file", "value": value})
        if text:
            await run.text(text)
        await run.finish()

    return behave


ROOT: list[Path] = []


@pytest.fixture(autouse=True)
def _root_of_agents(root: Path) -> None:
    ROOT[:] = [root]


def shown(lab: Lab, service: Service) -> list[dict[str, Any]]:
    """The files in the room, in order."""
    contents = [event["content"] for event in lab.homeserver.sent(service.room)]
    return [content for content in contents if "url" in content]


async def wait_shown(lab: Lab, service: Service, count: int = 1) -> list[dict[str, Any]]:
    await lab.homeserver.wait(lambda: len(shown(lab, service)) >= count)
    return shown(lab, service)


async def refused(lab: Lab, service: Service) -> str:
    """The first sentence in place of a file."""

    def notices() -> list[str]:
        contents = [event["content"] for event in lab.homeserver.sent(service.room)]
        return [
            content["body"]
            for content in contents
            if content[ANSWER_KEY]["request"].startswith("file:")
        ]

    await lab.homeserver.wait(lambda: bool(notices()))
    return notices()[0].strip("_")


def counted(lab: Lab, outcome: str) -> float | None:
    """How many of the agent's files are counted so."""
    labels = {"direction": "to_room", "outcome": outcome}
    return lab.metrics.registry.get_sample_value("lambda_matrix_files_total", labels)


def plain(sentence: str) -> str:
    """The sentence as the body of an event."""
    return sentence.strip("_")


async def test_a_file_that_an_answer_offers_is_sent_before_a_stop(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.agent.behave = offering(("{chat}/report.txt", b"all is well"))
        lab.proxy.spoil("POST .*/upload", Delay(lambda: 5.0))
        question = lab.homeserver.say(service.room, ANNA, "A report, please")
        await lab.homeserver.answer(service.room, question)
        assert not shown(lab, service)
        await service.bridge.draining.run()
        assert len(shown(lab, service)) == 1


async def test_a_file_follows_its_answer(clock: MockClock, tmp_path: Path, root: Path) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.agent.behave = offering(("{chat}/report.txt", b"all is well"), caption="The *report*")
        question = lab.homeserver.say(service.room, ANNA, "A report, please")
        assert await lab.homeserver.answer(service.room, question) == "Here you are."
        (file,) = await wait_shown(lab, service)
        assert (file["msgtype"], file["filename"], file["body"]) == (
            "m.file",
            "report.txt",
            "The *report*",
        )
        assert "<em>report</em>" in file["formatted_body"]
        assert file["info"] == {"mimetype": "text/plain", "size": 11}
        assert file["m.mentions"] == {}
        assert lab.homeserver.repository.files[file["url"]].content == b"all is well"
        assert "m.relates_to" not in file
        assert file[ANSWER_KEY]["question"] == question
        events = [event["content"] for event in lab.homeserver.sent(service.room)]
        assert [event["msgtype"] for event in events] == ["m.text", "m.file"]
        assert counted(lab, "passed_on") == 1


async def test_a_file_alone_is_an_answer(clock: MockClock, tmp_path: Path, root: Path) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.agent.behave = offering(("{chat}/a.txt", b"a"), text="")
        assert await service.ask("Send it") == TEXTS.answers.only_files(1)
        (file,) = await wait_shown(lab, service)
        assert file["body"] == "a.txt"
        assert "format" not in file


async def test_files_come_in_the_order_in_which_they_were_offered(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        names = [f"{n}.txt" for n in (3, 1, 2)]
        lab.agent.behave = offering(*((f"{{chat}}/{name}", name.encode()) for name in names))
        await service.ask("All of them")
        assert [file["body"] for file in await wait_shown(lab, service, 3)] == names


async def test_a_picture_comes_with_its_size_and_a_thumbnail(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    clock.autojump_threshold = 3  # the picture is looked at in a process of its own
    written = io.BytesIO()
    Image.effect_noise((1200, 900), 50).save(written, "PNG")
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.agent.behave = offering(("/workspace/{chat}/noise.png", None))
        folder = root / "chats" / "1001"
        folder.mkdir(parents=True)
        (folder / "noise.png").write_bytes(written.getvalue())
        await service.ask("Draw")
        (file,) = await wait_shown(lab, service)
        info = file["info"]
        assert (file["msgtype"], info["w"], info["h"]) == ("m.image", 1200, 900)
        small = lab.homeserver.repository.files[info["thumbnail_url"]]
        assert small.content_type == info["thumbnail_info"]["mimetype"]
        assert info["thumbnail_info"]["size"] == len(small.content)
        assert info["thumbnail_info"]["w"] <= 800
        assert set(info["thumbnail_info"]) == {"mimetype", "size", "w", "h"}


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("{chat}/never.txt", SAY.offered_missing("never.txt")),
        ("../../etc/passwd", SAY.offered_outside("passwd")),
        ("/etc/passwd", SAY.offered_outside("passwd")),
        ("chats/1/theirs.txt", SAY.offered_outside("theirs.txt")),
        ("{chat}/../1/theirs.txt", SAY.offered_outside("theirs.txt")),
        ("{chat}/link.txt", SAY.offered_unreadable("link.txt")),
        ("{chat}/folder", SAY.offered_unreadable("folder")),
        ("{chat}/pipe", SAY.offered_unreadable("pipe")),
        ("{chat}/twin.txt", SAY.offered_outside("twin.txt")),
        ("\ud800", SAY.offered_outside("�")),
        ("a" * 100_000, SAY.offered_missing("?")),
    ],
)
async def test_what_is_not_the_chats_is_not_sent(
    clock: MockClock,
    tmp_path: Path,
    root: Path,
    path: str,
    sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        folder = root / "chats" / "1001"
        (folder / "folder").mkdir(parents=True)
        (folder / "link.txt").symlink_to("/etc/passwd")
        os.mkfifo(folder / "pipe")
        (root / "secret.txt").write_text("secret", "utf-8")
        (folder / "twin.txt").hardlink_to(root / "secret.txt")
        theirs = root / "chats" / "1" / "theirs.txt"
        theirs.parent.mkdir()
        theirs.write_text("secret", "utf-8")
        lab.agent.behave = offering((path, None))
        caplog.set_level(logging.WARNING)
        await service.ask("Send it")
        told = await refused(lab, service)
        if len(path) < 1000:
            assert told == plain(sentence)
        assert lab.proxy.made(UPLOAD) == []
        assert "not sent: " in caplog.text
        assert shown(lab, service) == []
        assert counted(lab, "refused") == 1


async def test_what_the_homeserver_does_not_take_is_told(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.homeserver.repository.upload_limit = 10
        lab.agent.behave = offering(("{chat}/big.txt", b"x" * 11))
        await service.ask("Send it")
        told = SAY.offered_too_large("big.txt", 11, 10)
        assert await refused(lab, service) == plain(told)
        assert lab.proxy.made(UPLOAD) == []


@pytest.mark.parametrize("status", [403, 413])
async def test_an_upload_that_is_refused_is_told(
    clock: MockClock, tmp_path: Path, root: Path, status: int
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        body = b'{"errcode":"M_FORBIDDEN","error":"no"}' if status == 403 else b"{}"
        lab.proxy.spoil(UPLOAD, Answer(status, body))
        lab.agent.behave = offering(("{chat}/a.txt", b"a"))
        await service.ask("Send it")
        assert "a.txt" in await refused(lab, service)
        assert shown(lab, service) == []


async def test_passing_errors_of_an_upload_are_waited_out(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.proxy.spoil(UPLOAD, rate_limited(5000), times=1)
        lab.proxy.spoil(UPLOAD, Answer(503), times=2)
        lab.proxy.spoil(UPLOAD, Loss.REQUEST, times=1)
        lab.agent.behave = offering(("{chat}/a.txt", b"a"))
        await service.ask("Send it")
        (file,) = await wait_shown(lab, service)
        assert lab.homeserver.repository.files[file["url"]].content == b"a"


async def test_a_lost_answer_means_two_uploads_and_one_event(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.proxy.spoil(UPLOAD, Loss.ANSWER, times=1)
        lab.agent.behave = offering(("{chat}/a.txt", b"a"))
        await service.ask("Send it")
        await wait_shown(lab, service)
        await trio.sleep(60)
        assert len(shown(lab, service)) == 1
        assert len(lab.homeserver.repository.files) == 2


@pytest.mark.parametrize("pattern", [UPLOAD, SEND])
async def test_after_a_crash_a_file_is_sent_once(
    clock: MockClock, tmp_path: Path, root: Path, pattern: str
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root)
        async with lab.chat() as service:
            lab.agent.behave = offering(("{chat}/a.txt", b"a"))
            hold = Hold(answer=True)
            containing = b"" if pattern == UPLOAD else b"m.file"
            lab.proxy.spoil(pattern, hold, times=1, containing=containing)
            lab.homeserver.say(service.room, ANNA, "Send it")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend()
        room = service.room
        async with lab.service() as service:
            service.room = room
            await wait_shown(lab, service)
            await trio.sleep(60)
            assert len(shown(lab, service)) == 1
            assert (await service.rows("state", "request LIKE 'file:%'")) == [("sent",)]


async def test_a_question_taken_back_takes_its_file_along(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.agent.behave = offering(("{chat}/a.txt", b"a"))
        question = lab.homeserver.say(service.room, ANNA, "Send it")
        await wait_shown(lab, service)
        lab.homeserver.redact(service.room, question, ANNA)
        await lab.homeserver.wait(lambda: not shown(lab, service))
        hold = Hold()
        lab.proxy.spoil(UPLOAD, hold, times=1)
        question = lab.homeserver.say(service.room, ANNA, "Send it again")
        await hold.caught.wait()
        lab.homeserver.redact(service.room, question, ANNA)
        await service.ask("!help")
        hold.release()
        await trio.sleep(60)
        assert shown(lab, service) == []


async def test_what_a_stopped_run_had_offered_is_not_sent(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async def behave(run: AgentRun) -> None:
        await run.start()
        value = {"path": f"chats/{run.input['threadId']}/a.txt"}
        await run.say({"type": "CUSTOM", "name": "file", "value": value})

    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.agent.behave = behave
        lab.homeserver.say(service.room, ANNA, "Send it")
        await lab.agent.run()
        await service.ask("!stop")
        await trio.sleep(60)
        assert shown(lab, service) == []
        assert lab.proxy.made(UPLOAD) == []


@frozen
class Stumbling(Imaging):
    """Falls over what is called odd: plants a fault where none of ours is known."""

    async def describe(self, file: OfferedFile) -> MediaFacts:
        if "odd" in file.name:
            raise ZeroDivisionError(file.name)
        return await Imaging.describe(self, file)


async def test_a_file_that_we_stumble_over_holds_up_no_other(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_chat(clock, tmp_path, root) as (lab, service):
        (sending,) = (each for each in service.bridge.others if isinstance(each, Offering))
        sending._imaging = Stumbling()
        lab.agent.behave = offering(("{chat}/odd.txt", b"1"), ("{chat}/b.txt", b"2"))
        await service.ask("Send them")
        await trio.sleep(60)
        assert shown(lab, service) == []
        (file,) = await wait_shown(lab, service)
        assert file["body"] == "b.txt"
        assert await refused(lab, service) == plain(SAY.offered_unreadable("odd.txt"))


async def test_an_agent_without_a_workspace_sends_no_files(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_chat(clock, tmp_path, None) as (lab, service):
        lab.agent.behave = offering(("{chat}/a.txt", None))
        await service.ask("Send it")
        assert await refused(lab, service) == plain(SAY.offered_missing("a.txt"))


async def test_a_file_stands_where_its_answer_stands(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=root)
        async with lab.service() as service:
            service.room = await service.new_chat(ANNA, BORIS)
            lab.agent.behave = offering(("{chat}/a.txt", b"a"))
            relation = {"rel_type": "m.thread", "event_id": "$root", "is_falling_back": True}
            mention = {"m.mentions": {"user_ids": [BOT]}, "m.relates_to": relation}
            question = lab.homeserver.say(service.room, BORIS, "Lambda: send it", **mention)
            (file,) = await wait_shown(lab, service)
            assert file["m.relates_to"] == {
                "rel_type": "m.thread",
                "event_id": EventId("$root"),
                "is_falling_back": False,
                "m.in_reply_to": {"event_id": question},
            }


async def test_a_thumbnail_that_is_refused_is_left_out(
    clock: MockClock, tmp_path: Path, root: Path
) -> None:
    clock.autojump_threshold = 3
    written = io.BytesIO()
    Image.new("RGB", (1200, 900)).save(written, "PNG")
    async with open_chat(clock, tmp_path, root) as (lab, service):
        lab.proxy.spoil(rf"{UPLOAD}\?filename=thumbnail", Answer(403, b'{"errcode":"M_FORBIDDEN"}'))
        lab.agent.behave = offering(("{chat}/black.png", written.getvalue()))
        await service.ask("Draw")
        (file,) = await wait_shown(lab, service)
        assert (file["info"]["w"], "thumbnail_url" in file["info"]) == (1200, False)
