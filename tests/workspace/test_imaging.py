"""Looking into files of strangers, for real: in the process that the service starts for it."""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import wave
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from PIL import Image, ImageStat

from lambda_matrix.workspace.folder import ChatFolder
from lambda_matrix.workspace.imaging import Imaging
from lambda_matrix.workspace.media_facts import MAX_THUMBNAIL, MediaFacts, Thumbnail

PLENTY = 2**41


async def described(
    chat: ChatFolder, inside: Path, content: bytes, imaging: Imaging | None = None
) -> MediaFacts:
    (inside / "file").write_bytes(content)
    async with chat.open_offered("chats/17/file", PLENTY) as file:
        return await (imaging or Imaging()).describe(file)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def gradient(width: int, height: int, mode: str = "RGB") -> Image.Image:
    plain = Image.linear_gradient("L").resize((width, height))
    image = plain.convert(mode)
    if "A" in mode:
        image.putalpha(plain)
    return image


def noise(width: int, height: int) -> Image.Image:
    some = random.Random(1)  # noqa: S311 - the same noise each time
    return Image.frombytes("RGB", (width, height), some.randbytes(width * height * 3))


def decoded(thumbnail: Thumbnail | None) -> Image.Image:
    assert thumbnail is not None
    image = Image.open(io.BytesIO(thumbnail.data))
    image.load()
    assert image.get_format_mimetype() == thumbnail.mime_type
    assert image.size == (thumbnail.width, thumbnail.height)
    return image


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"])
async def test_a_small_picture_is_its_own_thumbnail(
    chat: ChatFolder, inside: Path, form: str
) -> None:
    facts = await described(chat, inside, encoded(gradient(120, 80), form))
    assert facts == MediaFacts(120, 80)


@pytest.mark.parametrize(
    ("mode", "form", "thumbnail_type"),
    [
        ("RGB", "JPEG", "image/jpeg"),
        ("L", "JPEG", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("RGB", "PNG", "image/jpeg"),
        ("RGBA", "PNG", "image/png"),
        ("LA", "PNG", "image/png"),
        ("P", "PNG", "image/jpeg"),
        ("I;16", "PNG", "image/jpeg"),
        ("RGBA", "WEBP", "image/png"),
        ("P", "GIF", "image/jpeg"),
    ],
)
async def test_a_large_picture_has_a_thumbnail(
    chat: ChatFolder, inside: Path, mode: str, form: str, thumbnail_type: str
) -> None:
    facts = await described(chat, inside, encoded(gradient(1600, 800, mode), form))
    assert (facts.width, facts.height) == (1600, 800)
    image = decoded(facts.thumbnail)
    assert image.size == (800, 400)
    assert Image.MIME[image.format or ""] == thumbnail_type


async def test_a_picture_that_does_not_compress_is_made_to(chat: ChatFolder, inside: Path) -> None:
    facts = await described(chat, inside, encoded(noise(900, 700), "PNG"))
    thumbnail = facts.thumbnail
    assert thumbnail is not None
    assert len(thumbnail.data) <= MAX_THUMBNAIL
    decoded(thumbnail)


async def test_a_picture_that_could_be_seen_through_but_is_not_becomes_jpeg(
    chat: ChatFolder, inside: Path
) -> None:
    picture = gradient(900, 900)
    picture.putalpha(255)
    facts = await described(chat, inside, encoded(picture, "PNG"))
    assert decoded(facts.thumbnail).mode == "RGB"


async def test_what_is_seen_through_gets_white_behind_it_if_it_must_be_jpeg(
    chat: ChatFolder, inside: Path
) -> None:
    picture = noise(900, 700)
    picture.putalpha(128)
    facts = await described(chat, inside, encoded(picture, "PNG"))
    image = decoded(facts.thumbnail)
    assert image.mode == "RGB"
    assert min(ImageStat.Stat(image).mean) > 170


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_picture_is_turned_upright_and_tells_no_more_than_itself(
    chat: ChatFolder, inside: Path, orientation: int
) -> None:
    picture = Image.new("RGB", (1200, 600), "blue")
    picture.paste("red", (0, 0, 600, 600))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera's maker"
    content = encoded(picture, "JPEG", exif=exif, comment=b"where I live")
    facts = await described(chat, inside, content)
    lying = orientation >= 5
    assert (facts.width, facts.height) == ((600, 1200) if lying else (1200, 600))
    image = decoded(facts.thumbnail)
    assert image.size == ((300, 600) if lying else (800, 400))
    assert facts.thumbnail is not None
    assert not image.getexif()
    for private in (b"camera", b"live", b"Exif"):
        assert private not in facts.thumbnail.data
    # Where the camera's left half, the red one, is to be seen (EXIF 2.32, 4.6.4, Orientation).
    x, y = {
        1: (10, 10), 2: (-10, 10), 3: (-10, 10), 4: (10, 10),
        5: (10, 10), 6: (10, 10), 7: (10, -10), 8: (10, -10),
    }[orientation]  # fmt: skip
    pixel = image.getpixel((x % image.width, y % image.height))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
    assert pixel[2] < 50


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
async def test_of_a_moving_picture_the_first_one_is_shown(
    chat: ChatFolder, inside: Path, form: str
) -> None:
    frames = [Image.new("RGB", (900, 900), colour) for colour in ("red", "green", "blue")]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    facts = await described(chat, inside, content)
    assert (facts.width, facts.height) == (900, 900)
    pixel = decoded(facts.thumbnail).convert("RGB").getpixel((300, 300))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200


# -- pictures made to harm --


def png(width: int, height: int, data: bytes) -> bytes:
    """A PNG that claims a size and has whatever data."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )  # fmt: skip

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )  # fmt: skip


def bomb() -> bytes:
    """40,000 times 40,000 pixels in a megabyte and a half."""
    squeezed = zlib.compressobj(9)
    row = b"\0" * (1 + 40_000 * 4)
    return png(40_000, 40_000, b"".join(squeezed.compress(row) for _ in range(400)))


def huge_gif() -> bytes:
    head = struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0)
    return b"GIF89a" + head + b"\0" * 6 + b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)


def text_bomb() -> bytes:
    """A compressed text beside a small picture."""
    content = b"zTXt" + b"c\0\0" + zlib.compress(b"\0" * 300_000_000, 9)
    extra = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    plain = png(900, 900, zlib.compress((b"\0" + b"\0" * 3600) * 900))
    return plain[:33] + extra + plain[33:]


HARMFUL: dict[str, Callable[[], bytes]] = {
    "bomb": bomb,
    "header": lambda: png(2**31 - 1, 2**31 - 1, b""),
    "just over the limit": lambda: encoded(Image.new("1", (10_000, 5_001)), "PNG"),
    "text": text_bomb,
    "gif": huge_gif,
    "truncated png": lambda: encoded(noise(300, 300), "PNG")[:50_000],
    "truncated jpeg": lambda: encoded(noise(900, 900), "JPEG")[:50_000],
    "no picture": lambda: b"\xff\xd8\xff\xe0" + bytes(1000),
    "garbled webp": lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 " + bytes(1000),
}


@pytest.mark.parametrize("name", HARMFUL)
async def test_a_picture_made_to_harm_is_not_described_and_harms_nobody(
    chat: ChatFolder, inside: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with trio.fail_after(30):
        assert await described(chat, inside, HARMFUL[name]()) == MediaFacts()
    (line,) = caplog.messages
    assert line.startswith("chats/17/file (image/")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("mode", "form"), [("RGBA", "PNG"), ("RGB", "JPEG"), ("CMYK", "JPEG"), ("P", "GIF")]
)
async def test_a_picture_of_fifty_million_pixels_is_still_described(
    chat: ChatFolder, inside: Path, mode: str, form: str
) -> None:
    facts = await described(chat, inside, encoded(Image.new(mode, (10_000, 5_000)), form))
    assert (facts.width, facts.height) == (10_000, 5_000)
    assert decoded(facts.thumbnail).size == (800, 400)


# -- sounds, films, documents --


async def test_how_long_a_sound_lasts(chat: ChatFolder, inside: Path) -> None:
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 12_000))
    assert await described(chat, inside, written.getvalue()) == MediaFacts(duration_ms=1500)


def film(scale: int, length: int) -> bytes:
    """An MP4 with nothing but the header of a film (ISO/IEC 14496-12, 8.2.2)."""
    header = bytes(12) + struct.pack(">II", scale, length) + bytes(80)
    box = struct.pack(">I", 8 + len(header)) + b"mvhd" + header
    kind = struct.pack(">I", 24) + b"ftypisom" + bytes(4) + b"isommp42"
    return kind + struct.pack(">I", 8 + len(box)) + b"moov" + box


@pytest.mark.parametrize(
    ("scale", "length", "milliseconds"), [(1000, 2500, 2500), (1, 2**32 - 1, None), (1000, 0, None)]
)
async def test_how_long_a_film_lasts(
    chat: ChatFolder, inside: Path, scale: int, length: int, milliseconds: int | None
) -> None:
    facts = await described(chat, inside, film(scale, length))
    assert facts == MediaFacts(duration_ms=milliseconds)


async def test_what_is_not_known_of_a_film_is_left_out(
    chat: ChatFolder, inside: Path, caplog: pytest.LogCaptureFixture
) -> None:
    webm = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    assert await described(chat, inside, webm) == MediaFacts()
    assert caplog.messages == []


async def test_a_document_is_not_looked_into(chat: ChatFolder, inside: Path) -> None:
    nothing_to_run = Imaging(module="lambda_matrix.no_such_module")
    assert await described(chat, inside, b"text", nothing_to_run) == MediaFacts()


# -- the process itself --

PIXEL = png(1, 1, zlib.compress(bytes(5)))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Imaging]:
    """Make an `Imaging` that runs the given Python instead."""

    def make(source: str) -> Imaging:
        (tmp_path / "taken_over.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        return Imaging(module="taken_over")

    return make


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import os; os.abort()", "exit status -6"),
        ("raise SystemExit(3)", "exit status 3"),
        ("raise ValueError('x' * 1000)", "ValueError: xxx"),
        ("import sys; sys.stdout.write('x' * 10**7)", "it said too much"),
        ("import sys; sys.stderr.write('x' * 60_000)", "0 bytes are no facts"),
        ("print('x' * 100)", "numbers that cannot be"),
        (
            "import sys; sys.stdout.buffer.write(bytes(16) + b'\\x01' + bytes(8))",
            "half a thumbnail",
        ),
    ],
)
async def test_a_process_that_was_taken_over_is_not_believed(
    chat: ChatFolder,
    inside: Path,
    program: Callable[[str], Imaging],
    caplog: pytest.LogCaptureFixture,
    source: str,
    line: str,
) -> None:
    assert await described(chat, inside, PIXEL, program(source)) == MediaFacts()
    (said,) = caplog.messages
    assert line in said
    assert len(said) < 300


async def test_a_process_that_hangs_is_ended(
    chat: ChatFolder,
    inside: Path,
    program: Callable[[str], Imaging],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lambda_matrix.workspace.imaging._PATIENCE", 0.5)
    hanging = program("import time; time.sleep(100)")
    with trio.fail_after(20):
        assert await described(chat, inside, PIXEL, hanging) == MediaFacts()
    assert "it took too long" in caplog.text


async def test_a_process_that_cannot_be_started(
    chat: ChatFolder,
    inside: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sys, "executable", str(inside / "no python"))
    assert await described(chat, inside, PIXEL) == MediaFacts()
    assert "No such file" in caplog.text


async def test_it_knows_no_secret_and_is_bound(
    chat: ChatFolder,
    inside: Path,
    program: Callable[[str], Imaging],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAMBDA_MATRIX_PASSWORD", "hunter2")
    telling = program(
        "import os, resource\n"
        "from lambda_matrix.workspace.imaging_process import bind\n"
        "bind()\n"
        "limits = [resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_AS,"
        " resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)]\n"
        "raise SystemExit(f'{sorted(os.environ)} {limits}')"
    )
    await described(chat, inside, PIXEL, telling)
    assert "['LANG', 'PYTHONPATH'] [402653184, 10, 0]" in caplog.text


async def test_one_at_a_time_and_none_is_left_when_nobody_waits(
    chat: ChatFolder, inside: Path, program: Callable[[str], Imaging]
) -> None:
    fifo = inside.parent / "alive"
    os.mkfifo(fifo)
    hanging = program(
        f"open({str(fifo)!r}, 'w').write(str(__import__('os').getpid()))\n"
        "import time; time.sleep(100)"
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(described, chat, inside, PIXEL, hanging)
        pid = int(await trio.to_thread.run_sync(fifo.read_text))
        nursery.start_soon(described, chat, inside, PIXEL, hanging)
        with trio.fail_after(10):
            while not hanging.waiting:
                await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
