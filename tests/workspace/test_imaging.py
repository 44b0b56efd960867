"""Looking into files of strangers, for real: in the process that the service starts for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing
from PIL import Image

from lambda_matrix.workspace.folder import ChatFolder
from lambda_matrix.workspace.imaging import Imaging
from lambda_matrix.workspace.media_facts import MediaFacts
from tests.workspace.pictures import HARMFUL, PIXEL, decoded, encoded

PLENTY = 2**41


async def described(
    chat: ChatFolder, inside: Path, content: bytes, imaging: Imaging | None = None
) -> MediaFacts:
    (inside / "file").write_bytes(content)
    async with chat.open_offered("chats/17/file", PLENTY) as file:
        return await (imaging or Imaging()).describe(file)


@pytest.mark.parametrize("name", HARMFUL)
async def test_a_picture_made_to_harm_is_not_described_and_harms_nobody(
    chat: ChatFolder, inside: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with trio.fail_after(30):
        assert await described(chat, inside, HARMFUL[name]()) == MediaFacts()
    (line,) = caplog.messages
    assert line.startswith("a file (image/")
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


async def test_how_long_a_sound_lasts(chat: ChatFolder, inside: Path) -> None:
    sound = b"\xff\xfb\x90\x64" + bytes(413)  # a frame of MPEG-1 layer III: 1,152 samples of 44,100
    facts = await described(chat, inside, sound * 40)
    assert facts.duration_ms is not None
    assert abs(facts.duration_ms - 1045) < 30


async def test_a_document_is_not_looked_into(chat: ChatFolder, inside: Path) -> None:
    nothing_to_run = Imaging(module="lambda_matrix.no_such_module")
    assert await described(chat, inside, b"text", nothing_to_run) == MediaFacts()


# -- the process itself --


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
