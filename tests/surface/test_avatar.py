"""The bot's picture, uploaded once and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trio.testing import MockClock

from lambda_matrix.store import meta
from lambda_matrix.surface import avatar
from lambda_matrix.surface.avatar import LARGEST, AvatarError, Picture, read_picture
from tests.lab.proxy import Answer
from tests.lab.small_homeserver import ANNA, BOT
from tests.surface.bridging import open_lab
from tests.surface.rooms.test_onboarding import onboarded

PNG = b"\x89PNG\r\n\x1a\n and so on"
UPLOAD = "POST .*/upload"
FORBIDDEN = Answer(403, json.dumps({"errcode": "M_FORBIDDEN", "error": "no"}).encode())


def test_there_is_a_picture_without_any_setting() -> None:
    picture = read_picture(None)
    assert picture.mime_type == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert len(picture.content) < 20_000


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 jpeg", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_a_file_is_known_by_its_content(tmp_path: Path, content: bytes, mime_type: str) -> None:
    (tmp_path / "picture").write_bytes(content)
    assert read_picture(tmp_path / "picture") == Picture(content, mime_type)


def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    with pytest.raises(AvatarError, match=r"cannot be read: No such file"):
        read_picture(path)
    path.write_bytes(b"<svg/>")
    with pytest.raises(AvatarError, match="no PNG, JPEG or WebP"):
        read_picture(path)
    path.write_bytes(PNG + bytes(LARGEST))
    with pytest.raises(AvatarError, match=f"more than {LARGEST} bytes"):
        read_picture(path)


async def test_it_is_uploaded_once_and_shown(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            await avatar.show(service.client, service.store, Picture(PNG, "image/png"))
            await avatar.show(service.client, service.store, Picture(PNG, "image/png"))
            mxc = await service.client.account.avatar_url(BOT)
            assert mxc is not None
            assert len(lab.proxy.made(UPLOAD)) == 1
            assert len(lab.proxy.made("PUT .*/avatar_url")) == 1
            _, space, chat = await onboarded(lab)
            for room in (space, chat):
                state = lab.homeserver.rooms[room].state()
                (event,) = (event for event in state if event["type"] == "m.room.avatar")
                assert event["content"] == {"url": mxc}
        async with lab.service() as service:
            await avatar.show(service.client, service.store, Picture(PNG, "image/png"))
            assert len(lab.proxy.made(UPLOAD)) == 1
            await avatar.show(service.client, service.store, Picture(PNG + b"!", "image/png"))
            assert len(lab.proxy.made(UPLOAD)) == 2
            assert await service.client.account.avatar_url(BOT) != mxc


def lose_database(directory: Path) -> None:
    for file in directory.glob("**/lambda-matrix.db*"):
        file.unlink()


async def test_without_the_database_it_is_known_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            await avatar.show(service.client, service.store, Picture(PNG, "image/png"))
        (mxc,) = lab.homeserver.repository.files
        lose_database(tmp_path)
        async with lab.service() as service:
            await avatar.show(service.client, service.store, Picture(PNG, "image/png"))
            assert await service.store.transact(meta.newest_avatar) == mxc
        assert len(lab.proxy.made(UPLOAD)) == 1
        assert len(lab.proxy.made("PUT .*/avatar_url")) == 1


@pytest.mark.parametrize("is_there", [True, False])
async def test_another_one_is_replaced(clock: MockClock, tmp_path: Path, *, is_there: bool) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        files = lab.homeserver.repository
        lab.homeserver.avatar_url = older = files.add(b"another picture", "image/png")
        if not is_there:
            files.files.clear()
        await avatar.show(service.client, service.store, Picture(PNG, "image/png"))
        newer = lab.homeserver.avatar_url
        assert newer != older
        assert files.files[newer].content == PNG


async def test_a_homeserver_that_refuses_is_told_in_the_journal(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lab.proxy.spoil(UPLOAD, FORBIDDEN)
        await avatar.show(service.client, service.store, Picture(PNG, "image/png"))
        assert "avatar_file" in caplog.text
        assert await service.store.transact(meta.newest_avatar) is None
        lobby, _, _ = await onboarded(lab, ANNA)
        assert lobby
