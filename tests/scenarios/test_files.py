"""Files in both directions, as a person's client and the bundled agent see them.

Synapse has no rate limits here but its own limit of files, 50 MB.
"""

from __future__ import annotations

import io
import re
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import trio
from PIL import Image

from lambda_matrix.demo.bare_http import Json
from lambda_matrix.demo.view import RoomView, object_at, text_at
from lambda_matrix.ids import EventId, UserId
from tests.lab.chatting import Chatting
from tests.lab.proxy import Hold, Loss

pytestmark = pytest.mark.long

DOWNLOAD = r"^GET .*/media/download/"
UPLOAD = r"^POST .*/media/v3/upload"
SENDS = r"^PUT .*/send/m\.room\.message/"


async def upload(chatting: Chatting, content: bytes, mime_type: str) -> str:
    """Upload as the person."""
    headers = {"Content-Type": mime_type, **authorization(chatting)}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        url = f"{chatting.stack.homeserver.url}/_matrix/media/v3/upload"
        answer = await http.post(url, content=content, headers=headers)
    return str(answer.raise_for_status().json()["content_uri"])


async def download(chatting: Chatting, mxc: str) -> bytes:
    """Download as the person."""
    place = f"_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}"
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        answer = await http.get(
            f"{chatting.stack.homeserver.url}/{place}", headers=authorization(chatting)
        )
    return answer.raise_for_status().content


def authorization(chatting: Chatting) -> dict[str, str]:
    return {"Authorization": f"Bearer {chatting.person.account.access_token}"}


async def send_file(
    chatting: Chatting, name: str, content: bytes, mime_type: str, **more: object
) -> EventId:
    """Send a file as Element does."""
    kind = mime_type.partition("/")[0]
    msgtype = f"m.{kind}" if kind in {"image", "audio", "video"} else "m.file"
    body: Json = {
        "msgtype": msgtype,
        "body": name,
        "filename": name,
        "url": await upload(chatting, content, mime_type),
        "info": {"mimetype": mime_type, "size": len(content)},
        **more,
    }
    return await chatting.person.send(chatting.chat, body)


def digest(content: bytes) -> str:
    return f"{len(content)} bytes, sha256 {sha256(content).hexdigest()[:8]}"


def picture(width: int = 1200, height: int = 900) -> bytes:
    written = io.BytesIO()
    Image.effect_noise((width, height), 40).save(written, "PNG")
    return written.getvalue()


def files_of(chatting: Chatting) -> list[Json]:
    """The files that the bot has sent to the chat, in order."""
    contents = [
        object_at(event, "content")
        for event in chatting.view.events
        if event.get("sender") == chatting.bot and event.get("type") == "m.room.message"
    ]
    return [content for content in contents if "url" in content]


async def wait_files(chatting: Chatting, count: int = 1, within: float = 30) -> list[Json]:
    await chatting.person.wait_for(
        chatting.chat, lambda _: len(files_of(chatting)) >= count, within, "a file"
    )
    return files_of(chatting)


async def test_a_picture_and_a_document_go_along_with_the_next_message(
    chatting: Chatting,
) -> None:
    image, document = picture(300, 200), "Привет\n".encode()
    told = await chatting.answer(await send_file(chatting, "cat.png", image, "image/png"))
    assert "cat.png" in told.text
    assert "It goes along with your next message." in told.text
    told = await chatting.answer(await send_file(chatting, "письмо.txt", document, "text/plain"))
    assert "2 files go along with your next message." in told.text
    listed = (await chatting.ask("!files")).text
    assert "cat.png" in listed
    assert "письмо.txt" in listed
    answer = (await chatting.ask("What are these?")).text
    assert f"/cat.png` (image/png): {digest(image)}" in answer
    assert f"/письмо.txt` (text/plain): {digest(document)}" in answer
    assert "With it came" not in (await chatting.ask("And now?")).text


async def test_a_caption_and_a_voice_message_are_answered_at_once(chatting: Chatting) -> None:
    image = picture(300, 200)
    asked = await send_file(chatting, "cat.png", image, "image/png", body="What is it?")
    answer = (await chatting.answer(asked)).text
    assert answer.startswith("You said: What is it?")
    assert digest(image) in answer
    sound = b"OggS\0\2" + bytes(200)
    voice = await send_file(
        chatting, "voice.ogg", sound, "audio/ogg", **{"org.matrix.msc3245.voice": {}}
    )
    answer = (await chatting.answer(voice)).text
    assert f"audio: `chats/{thread_of(answer)}/voice.ogg` (audio/ogg): {digest(sound)}" in answer


def thread_of(answer: str) -> str:
    found = re.search(r"\(thread (\d+)\)", answer)
    assert found is not None
    return found[1]


async def test_two_of_one_name_at_once_are_both_there(chatting: Chatting) -> None:
    first, second = b"the first", b"the second"
    async with trio.open_nursery() as nursery:
        for content in (first, second):
            nursery.start_soon(send_file, chatting, "same.txt", content, "text/plain")
    answer = (await chatting.ask("Read them")).text
    assert digest(first) in answer
    assert digest(second) in answer
    assert "/same.txt`" in answer
    assert "/same (2).txt`" in answer


async def test_a_hostile_name_is_kept_within_the_chats_folder(
    chatting: Chatting, tmp_path: Path
) -> None:
    names = ["../../../escaped.txt", "/etc/passwd", "a\x00b.txt", "\u202egnp.exe", "n" * 300, "..."]
    for name in names:
        await chatting.answer(await send_file(chatting, name, b"content", "text/plain"))
    answer = (await chatting.ask("Read them")).text
    assert answer.count(digest(b"content")) == len(names)
    assert "\u202e" not in answer
    thread = thread_of(answer)
    workspace = tmp_path / "agents" / "main"
    folder = workspace / "chats" / thread
    there = {path for path in workspace.rglob("*") if path.is_file()}
    assert there == set(folder.iterdir())
    assert len(there) == len(names)


async def test_what_is_taken_off_or_taken_back_does_not_go_along(
    chatting: Chatting, tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt"):
        await chatting.answer(await send_file(chatting, name, name.encode(), "text/plain"))
    last = await send_file(chatting, "c.txt", b"c.txt", "text/plain")
    await chatting.answer(last)
    assert "a.txt" in (await chatting.ask("!remove 1")).text
    await chatting.person.redact(chatting.chat, last)
    answer = (await chatting.ask("What is left?")).text
    assert "b.txt" in answer
    assert "a.txt" not in answer
    assert "c.txt" not in answer
    folder = tmp_path / "agents" / "main" / "chats" / thread_of(answer)
    assert [path.name for path in folder.iterdir()] == ["b.txt"]


async def test_a_file_over_the_limit_is_told(chatting: Chatting) -> None:
    await chatting.stack.restart_with(limits={"file_megabytes": 1})
    big = bytes(1_000_001)
    told = await chatting.answer(await send_file(chatting, "big.bin", big, "application/zip"))
    assert "big.bin" in told.text
    assert "too large" in told.text
    liar = {"info": {"size": 10}}
    told = await chatting.answer(await send_file(chatting, "liar.bin", big, "text/plain", **liar))
    assert "too large" in told.text
    asked = await send_file(chatting, "liar.bin", big, "text/plain", body="What is it?", **liar)
    told = await chatting.answer(asked)
    assert "too large" in told.text
    assert "I have not asked what you wrote under it" in told.text
    assert "With it came" not in (await chatting.ask("Did anything come?")).text


async def test_a_picture_of_the_agent_comes_with_all_that_clients_show(
    chatting: Chatting, tmp_path: Path
) -> None:
    answer = await chatting.ask("file photo")
    assert "Here is a file" in answer.text
    (file,) = await wait_files(chatting)
    info = object_at(file, "info")
    assert (file["msgtype"], info["w"], info["h"]) == ("m.image", 1200, 1200)
    assert file["body"] == "Rehearsal file 1"
    thread = thread_of((await chatting.ask("Which thread?")).text)
    folder = tmp_path / "agents" / "main" / "chats" / thread
    content = (folder / str(file["filename"])).read_bytes()
    assert await download(chatting, str(file["url"])) == content
    assert (info["size"], info["mimetype"]) == (len(content), "image/png")
    small = Image.open(io.BytesIO(await download(chatting, str(info["thumbnail_url"]))))
    told = object_at(info, "thumbnail_info")
    assert small.size == (told["w"], told["h"])
    assert max(small.size) <= 800


async def test_wrong_files_of_the_agent_are_told_and_nothing_leaves(chatting: Chatting) -> None:
    for kind in ("missing", "outside", "absolute", "foreign", "folder"):
        await chatting.ask(f"file {kind}")
    await chatting.person.wait_for(chatting.chat, lambda view: len(refusals(view)) >= 5)
    assert len(set(refusals(chatting.view))) > 2
    assert files_of(chatting) == []
    assert chatting.proxy.made(UPLOAD + ".*rehearsal") == []
    await chatting.ask("file mount")
    assert len(await wait_files(chatting)) == 1


def refusals(view: RoomView) -> list[str]:
    """What was said in place of files."""
    told = [said.body for said in view.messages if said.msgtype == "m.notice"]
    return [body for body in told if "The agent wanted to send you" in body]


async def test_killed_in_the_middle_of_a_download_nothing_is_lost_or_twice(
    chatting: Chatting, tmp_path: Path
) -> None:
    content = picture()
    rule = chatting.proxy.spoil(DOWNLOAD, Loss.HALF)
    await send_file(chatting, "cat.png", content, "image/png")
    await chatting.proxy.wait_made(DOWNLOAD)
    question = await chatting.say("What is it?")
    await chatting.person.wait_for(chatting.chat, lambda view: view.receipts.get(chatting.bot))
    await chatting.service.kill()
    chatting.proxy.mend(rule)
    await chatting.service.start()
    answer = await chatting.answer(question)
    assert answer.text.count(digest(content)) == 1
    assert answer.doubled == ()
    workspace = tmp_path / "agents" / "main"
    assert [path.name for path in (workspace / "chats").rglob("*.png")] == ["cat.png"]
    assert list((workspace / ".incoming").iterdir()) == []


@pytest.mark.parametrize("fault", ["the upload", "its answer", "the event"])
async def test_killed_around_an_upload_a_file_is_sent_once(chatting: Chatting, fault: str) -> None:
    await chatting.ask("before")
    hold = Hold(answer=fault != "the upload")
    if fault == "the event":
        chatting.proxy.spoil(SENDS, hold, times=1, containing=b"m.image")
    else:
        chatting.proxy.spoil(UPLOAD + ".*rehearsal", hold, times=1)
    answer = await chatting.ask("file image")
    with trio.fail_after(20):
        await hold.caught.wait()
    await chatting.service.kill()
    chatting.proxy.mend()
    await chatting.service.start()
    await wait_files(chatting)
    await chatting.ask("after")
    assert len(files_of(chatting)) == 1
    assert answer.doubled == ()


async def test_a_large_file_takes_no_memory(chatting: Chatting) -> None:
    await chatting.ask("before")
    await chatting.answer(await send_file(chatting, "small.bin", b"x", "application/zip"))
    before = peak_memory(chatting)
    content = bytes(range(256)) * (48 * 2**20 // 256)
    told = await chatting.answer(
        await send_file(chatting, "large.bin", content, "application/zip"), within=120
    )
    assert "large.bin" in told.text
    answer = await chatting.ask("Read it", within=60)
    assert digest(content) in answer.text
    assert peak_memory(chatting) - before < 8 * 2**20


def peak_memory(chatting: Chatting) -> int:
    """Bytes that the service's process has had in memory at most (VmHWM)."""
    child = chatting.service.child
    assert child is not None
    status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


async def test_a_deleted_chat_takes_its_files_along(chatting: Chatting, tmp_path: Path) -> None:
    await chatting.answer(await send_file(chatting, "a.txt", b"a", "text/plain"))
    chats = tmp_path / "agents" / "main" / "chats"
    assert len(list(chats.iterdir())) == 1
    await chatting.ask("!delete")
    await chatting.say("!yes")
    await chatting.person.wait_for(
        chatting.chat, lambda view: any(is_leave(event, chatting.bot) for event in view.events)
    )
    assert list(chats.iterdir()) == []


def is_leave(event: Json, who: UserId) -> bool:
    """Whether somebody has left with this event."""
    return event.get("state_key") == who and text_at(event, "content", "membership") == "leave"
