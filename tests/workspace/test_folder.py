"""Receiving, offering and removing, on a real disk, with an agent that plays tricks."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings, strategies as st

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.workspace.errors import (
    Fault,
    FileRefused,
    FileTooLarge,
    Refusal,
    WorkspaceError,
)
from lambda_matrix.workspace.folder import ChatFolder, Workspace
from lambda_matrix.workspace.incoming import Received
from lambda_matrix.workspace.sniffing import Media
from tests.lab.effort import examples

PLENTY = 10**9


async def receive(
    chat: ChatFolder, name: str, *chunks: bytes, claimed_type: str = "text/plain"
) -> Received:
    async with chat.receive(name, claimed_type, PLENTY) as incoming:
        for chunk in chunks:
            await incoming.write(chunk)
        return await incoming.publish()


async def refusal(chat: ChatFolder, said: str, limit: int = PLENTY) -> Refusal:
    """Return why the file is not given out."""
    with pytest.raises(FileRefused) as refused:
        await chat.read_whole(said, limit)
    assert refused.value.path == said
    return refused.value.reason


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def share(root: Path, group: int) -> None:
    """Make it the group's, and everything that will be made in it."""
    os.chown(root, -1, group)
    root.chmod(0o2770)


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Root may do everything; whoever else runs the tests owns what is to be in the way."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def no_room(most: int) -> Iterator[None]:
    """No file may grow beyond `most` bytes: the nearest to a full disk that a test has."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# -- what comes in --


async def test_a_file_comes_in_whole(chat: ChatFolder, root: Path) -> None:
    received = await receive(chat, "report.pdf", b"%PDF-", b"1.7 and so on")
    assert received == Received(
        "chats/17/report.pdf", "report.pdf", 18, Media("application/pdf", "document")
    )
    assert (root / received.path).read_bytes() == b"%PDF-1.7 and so on"
    assert everything(root) == ["chats/17/report.pdf"]
    assert await chat.read_whole(received.path, PLENTY) == b"%PDF-1.7 and so on"


async def test_it_belongs_to_the_group_that_shares_the_folder(chat: ChatFolder, root: Path) -> None:
    group = 54321 if os.geteuid() == 0 else os.getegid()
    share(root, group)
    old = os.umask(0o077)
    try:
        received = await receive(chat, "a.txt", b"a")
    finally:
        os.umask(old)
    for path, mode in (
        (root / received.path, 0o640),
        (root / "chats/17", 0o2770),
        (root / "chats", 0o2770),
        (root / ".incoming", 0o2700),
    ):
        status = path.stat()
        assert (oct(stat.S_IMODE(status.st_mode)), status.st_gid) == (oct(mode), group)


async def test_a_umask_that_cannot_be_made_good_is_said(
    workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: int, mode: int) -> None:
        """As the kernel does under systemd's RestrictSUIDSGID=, where the setgid bit is named."""
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    with monkeypatch.context() as sandbox:
        sandbox.setattr(os, "fchmod", refuse)
        old = os.umask(0o077)
        try:
            with pytest.raises(WorkspaceError, match="set UMask=0007 in the unit") as forbidden:
                await workspace.prepare()
        finally:
            os.umask(old)
    assert forbidden.value.fault is Fault.FORBIDDEN
    assert names_in(root) == []


async def test_nothing_is_seen_until_it_is_whole(chat: ChatFolder, root: Path) -> None:
    async with chat.receive("a.txt", "text/plain", PLENTY) as incoming:
        await incoming.write(b"half")
        assert not (root / "chats").exists()
    assert everything(root) == []


async def test_it_is_the_chats_own_as_soon_as_it_is_published(chat: ChatFolder) -> None:
    async with chat.receive("a.txt", "text/plain", PLENTY) as incoming:
        await incoming.write(b"whole")
        received = await incoming.publish()
        assert await chat.read_whole(received.path, PLENTY) == b"whole"


async def test_who_stops_receiving_leaves_nothing(chat: ChatFolder, root: Path) -> None:
    with trio.CancelScope() as scope:
        async with chat.receive("a.txt", "text/plain", PLENTY) as incoming:
            await incoming.write(b"half")
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert everything(root) == []


async def test_many_of_one_name_at_once(chat: ChatFolder, root: Path) -> None:
    got: list[Received] = []

    async def one(number: int) -> None:
        got.append(await receive(chat, "name.txt", str(number).encode()))

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(one, number)
    assert {each.name for each in got} == {
        "name.txt", *(f"name ({number}).txt" for number in range(2, 9))
    }  # fmt: skip
    assert {(root / each.path).read_bytes() for each in got} == {str(n).encode() for n in range(8)}


async def test_what_has_the_name_already_stays(chat: ChatFolder, inside: Path) -> None:
    (inside / "a.txt").symlink_to("/etc/passwd")
    (inside / "a (2).txt").mkdir()
    received = await receive(chat, "a.txt", b"mine")
    assert received.name == "a (3).txt"
    assert (inside / "a.txt").is_symlink()


async def test_a_file_without_a_name_is_named_for_what_it_is(chat: ChatFolder) -> None:
    received = await receive(chat, "../..", b"\xff\xd8\xff\xe0\0\x10JFIF\0")
    assert (received.name, received.media.kind) == ("image.jpg", "image")
    assert (await receive(chat, "", b"")).path == "chats/17/document.txt"


async def test_what_is_too_large_is_not_kept(chat: ChatFolder, root: Path) -> None:
    async with chat.receive("a.txt", "text/plain", 9) as incoming:
        await incoming.write(b"12345")
        with pytest.raises(FileTooLarge, match="larger than 9 bytes"):
            await incoming.write(b"67890")
    assert everything(root) == []


async def test_a_full_disk_is_said_and_leaves_nothing(chat: ChatFolder, root: Path) -> None:
    with pytest.raises(WorkspaceError, match="no room left") as full, no_room(1000):
        await receive(chat, "a.bin", b"x" * 900, b"x" * 900)
    assert full.value.fault is Fault.FULL
    assert everything(root) == []


async def test_a_folder_in_which_every_name_is_taken(
    chat: ChatFolder, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambda_matrix.workspace.incoming._MOST_OF_ONE_NAME", 2)
    (inside / "a.txt").touch()
    (inside / "a (2).txt").touch()
    with pytest.raises(WorkspaceError) as broken:
        await receive(chat, "a.txt", b"mine")
    assert broken.value.fault is Fault.BROKEN


@pytest.mark.parametrize("planted", ["chats", "chats/17", ".incoming"])
async def test_a_link_in_a_folders_place_is_not_followed(
    workspace: Workspace, root: Path, tmp_path: Path, planted: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / planted).parent.mkdir(exist_ok=True)
    (root / planted).symlink_to(elsewhere)
    with pytest.raises(WorkspaceError):
        await receive(workspace.chat(PlatformChatId(17)), "a.txt", b"a")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("instead", [Path.touch, None])
async def test_a_workspace_that_is_not_there(
    tmp_path: Path, instead: Callable[[Path], None] | None
) -> None:
    missing = tmp_path / "missing"
    if instead is not None:
        instead(missing)
    workspace = Workspace(missing)
    chat = workspace.chat(PlatformChatId(1))
    for call in (
        workspace.prepare,
        lambda: receive(chat, "a", b"a"),
        lambda: chat.read_whole("chats/1/a", 9),
        chat.remove_all,
    ):
        with pytest.raises(WorkspaceError, match=rf"^The workspace {missing} cannot be used") as no:
            await call()
        assert no.value.fault is Fault.MISSING


async def test_a_workspace_may_be_a_link_of_the_operator(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    received = await receive(Workspace(tmp_path / "link").chat(PlatformChatId(17)), "a", b"a")
    assert (root / received.path).read_bytes() == b"a"


async def test_what_a_killed_process_left_is_removed(workspace: Workspace, root: Path) -> None:
    assert await workspace.prepare() == 0
    received = await receive(workspace.chat(PlatformChatId(17)), "a.txt", b"a")
    (root / ".incoming" / "half").write_bytes(b"half")
    # Killed between the link and the removal of the first name:
    os.link(root / received.path, root / ".incoming" / "other")
    assert await workspace.prepare() == 2
    assert everything(root) == ["chats/17/a.txt"]
    assert (root / received.path).stat().st_nlink == 1


@pytest.fixture
def locked() -> Iterator[Path]:
    """A workspace that can be read and not written to, where somebody else gets at it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "chats" / "17").mkdir(parents=True)
        (root / "chats" / "17" / "a").touch(mode=0o000)
        (root / ".incoming").mkdir()
        folders = [root, root / "chats", root / "chats/17", root / ".incoming"]
        for each in folders:
            each.chmod(0o555)
        (root / "chats").chmod(0o777)
        yield root
        for each in folders:
            each.chmod(0o755)


async def test_a_workspace_that_may_not_be_written_to(locked: Path) -> None:
    chat = Workspace(locked).chat(PlatformChatId(17))
    with as_somebody_else():
        for call in (lambda: receive(chat, "a", b"a"), chat.remove_all):
            with pytest.raises(WorkspaceError, match="Permission denied") as forbidden:
                await call()
            assert forbidden.value.fault is Fault.FORBIDDEN
        assert await refusal(chat, "chats/17/a") is Refusal.FORBIDDEN
        with pytest.raises(FileRefused) as refused:
            await chat.remove("chats/17/a")
        assert refused.value.reason is Refusal.FORBIDDEN


# -- what an agent offers --


async def test_an_offered_file(chat: ChatFolder, inside: Path) -> None:
    (inside / "out").mkdir()
    (inside / "out" / "-a\u202eb.csv").write_bytes(b"a,b\n" * 100_000)
    said = "/workspace/chats/17/out/-a\u202eb.csv"
    async with chat.open_offered(said, PLENTY) as file:
        assert file.path == "chats/17/out/-a\u202eb.csv"
        assert (file.name, file.size) == ("ab.csv", 400_000)
        assert file.media == Media("text/plain", "document")
        for _ in range(2):  # another try sends it again
            assert b"".join([chunk async for chunk in file.chunks()]) == b"a,b\n" * 100_000
        assert os.fstat(file.fileno()).st_size == 400_000
    with pytest.raises(trio.ClosedResourceError):
        file.fileno()
    with pytest.raises(trio.ClosedResourceError):
        await anext(file.chunks())


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _link_beside(path: Path) -> None:
    (path.parent / "beside").write_bytes(b"beside")
    path.symlink_to("beside")


def _hard_link(path: Path) -> None:
    (path.parent / "first").write_bytes(b"first")
    path.hardlink_to(path.parent / "first")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (_link, Refusal.NOT_A_FILE),
        (_link_beside, Refusal.NOT_A_FILE),
        (_hard_link, Refusal.SHARED),
        (Path.mkdir, Refusal.NOT_A_FILE),
        (_socket, Refusal.NOT_A_FILE),
        (os.mkfifo, Refusal.NOT_A_FILE),
    ],
)
async def test_what_is_no_file_of_the_chats_own(
    chat: ChatFolder, inside: Path, plant: Callable[[Path], None], reason: Refusal
) -> None:
    plant(inside / "trick")
    with trio.fail_after(5):  # a pipe that nobody writes to must not be waited for
        assert await refusal(chat, "chats/17/trick") is reason


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
async def test_a_device_is_no_file(chat: ChatFolder, inside: Path) -> None:
    os.mknod(inside / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    assert await refusal(chat, "chats/17/zero") is Refusal.NOT_A_FILE


@pytest.mark.parametrize("planted", ["chats", "chats/17", "chats/17/a", "chats/17/a/b"])
async def test_a_link_at_any_place_of_the_path_is_refused(
    chat: ChatFolder, root: Path, tmp_path: Path, planted: str
) -> None:
    real = tmp_path / "real"
    (real / "chats/17/a").mkdir(parents=True)
    (real / "chats/17/a/b").write_bytes(b"secret")
    (root / planted).parent.mkdir(parents=True, exist_ok=True)
    (root / planted).symlink_to(real / planted)
    assert await refusal(chat, "chats/17/a/b") is Refusal.NOT_A_FILE


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("chats/17/missing", Refusal.MISSING),
        ("chats/17/file/beneath", Refusal.NOT_A_FILE),
        ("chats/17/" + "x" * 256, Refusal.MALFORMED),
        ("chats/18/file", Refusal.OUTSIDE),
    ],
)
async def test_what_is_not_there(
    chat: ChatFolder, inside: Path, said: str, reason: Refusal
) -> None:
    (inside / "file").touch()
    assert await refusal(chat, said) is reason


async def test_a_huge_sparse_file_is_measured_not_read(chat: ChatFolder, inside: Path) -> None:
    with (inside / "huge").open("wb") as file:
        file.truncate(2**40)
    assert await refusal(chat, "chats/17/huge") is Refusal.TOO_LARGE
    async with chat.open_offered("chats/17/huge", 2**41) as offered:
        assert offered.size == 2**40


async def test_a_file_that_shrinks_or_grows_while_it_is_read(
    chat: ChatFolder, inside: Path
) -> None:
    (inside / "a").write_bytes(b"x" * 300_000)
    async with chat.open_offered("chats/17/a", PLENTY) as file:
        with (inside / "a").open("ab") as more:
            more.write(b"more")
        assert sum([len(chunk) async for chunk in file.chunks()]) == 300_000
        (inside / "a").write_bytes(b"less")
        with pytest.raises(FileRefused) as refused:
            async for _ in file.chunks():
                pass
        assert refused.value.reason is Refusal.CHANGED


NAMES = st.sampled_from(["chats", "17", "18", "..", ".", "", "link", "up", "sub", "mine", "secret"])
MOUNTS = st.sampled_from(["", "/", "/workspace/", "/agents/", "/agents/main/", "chats/17/"])


@settings(max_examples=examples(200))
@given(mount=MOUNTS, names=st.lists(NAMES, max_size=6))
def test_no_path_leads_to_anothers_file(
    tmp_path_factory: pytest.TempPathFactory, mount: str, names: list[str]
) -> None:
    root = tmp_path_factory.getbasetemp() / "tricks" / "main"
    if not root.exists():
        for chat, content in (("17", b"mine"), ("18", b"secret")):
            (root / "chats" / chat / "sub").mkdir(parents=True)
            (root / "chats" / chat / "mine").write_bytes(content)
            (root / "chats" / chat / "sub" / "mine").write_bytes(content)
        (root / "secret").write_bytes(b"secret")
        (root / "chats/17/link").symlink_to(root / "chats/18")
        (root / "chats/17/up").symlink_to("..")
        (root / "chats/17/secret").symlink_to("../18/mine")

    async def read() -> bytes:
        return await Workspace(root).chat(PlatformChatId(17)).read_whole(mount + "/".join(names), 9)

    with suppress(FileRefused):
        assert trio.run(read) == b"mine"


async def test_a_folder_that_is_swapped_for_a_link_all_the_time(
    chat: ChatFolder, inside: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_bytes(b"secret")
    (inside / "sub").mkdir()
    (inside / "sub" / "a").write_bytes(b"mine")
    (inside / "link").symlink_to(outside)
    enough = threading.Event()

    def swap() -> None:
        while not enough.is_set():
            (inside / "sub").rename(inside / "real")
            (inside / "link").rename(inside / "sub")
            (inside / "sub").rename(inside / "link")
            (inside / "real").rename(inside / "sub")

    swapping = threading.Thread(target=swap)
    swapping.start()
    outcomes: set[bytes | Refusal] = set()
    try:
        for _ in range(300):
            try:
                outcomes.add(await chat.read_whole("chats/17/sub/a", PLENTY))
            except FileRefused as refused:
                outcomes.add(refused.reason)
    finally:
        enough.set()
        swapping.join()
    assert outcomes <= {b"mine", Refusal.NOT_A_FILE, Refusal.MISSING}
    assert b"mine" in outcomes


# -- what is removed --


async def test_a_file_is_removed_once_or_twice(chat: ChatFolder, root: Path) -> None:
    received = await receive(chat, "a.txt", b"a")
    await chat.remove(received.path)
    await chat.remove(received.path)
    assert everything(root) == []


async def test_removing_follows_no_link(chat: ChatFolder, inside: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"kept")
    (inside / "link").symlink_to(tmp_path)
    (inside / "to a").symlink_to(tmp_path / "a")
    for said, reason in (
        ("chats/17/link/a", Refusal.NOT_A_FILE),
        ("chats/17/../../a", Refusal.OUTSIDE),
        ("chats/18/a", Refusal.OUTSIDE),
    ):
        with pytest.raises(FileRefused) as refused:
            await chat.remove(said)
        assert refused.value.reason is reason
    await chat.remove("chats/17/to a")
    assert (tmp_path / "a").read_bytes() == b"kept"


async def test_a_folder_is_not_removed_as_a_file(chat: ChatFolder, inside: Path) -> None:
    (inside / "sub").mkdir()
    with pytest.raises(FileRefused):
        await chat.remove("chats/17/sub")


async def test_a_chat_is_removed_with_all_that_is_in_it(
    workspace: Workspace, inside: Path, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a").write_bytes(b"kept")
    (inside / "deep/er").mkdir(parents=True)
    (inside / "deep/er/a").write_bytes(b"a")
    (inside / "deep/link").symlink_to(tmp_path / "kept")
    other = await receive(workspace.chat(PlatformChatId(18)), "b.txt", b"b")
    for _ in range(2):
        await workspace.chat(PlatformChatId(17)).remove_all()
    assert everything(root) == [other.path]
    assert names_in(root / "chats") == ["18"]
    assert (tmp_path / "kept" / "a").read_bytes() == b"kept"


async def test_a_link_in_a_chats_place_is_removed_itself(
    chat: ChatFolder, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    (root / "chats").mkdir()
    (root / "chats/17").symlink_to(tmp_path / "kept")
    await chat.remove_all()
    assert (tmp_path / "kept").is_dir()
    assert list((root / "chats").iterdir()) == []


async def test_a_workspace_where_nothing_ever_came_in(chat: ChatFolder, root: Path) -> None:
    await chat.remove_all()
    await chat.remove("chats/17/a")
    assert names_in(root) == []
