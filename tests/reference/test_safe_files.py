"""Files beneath a folder: what is inside is reached, and what is outside is not, however named."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.reference.safe_files import (
    DRAFT,
    Entry,
    UnsafePathError,
    exists,
    list_files,
    open_file,
    put_file,
    remove_file,
    size_of,
    split_path,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a", ("a",)),
        ("a//b/./c", ("a", "b", "c")),
        ("./a", ("a",)),
        ("Отчёт 1.txt", ("Отчёт 1.txt",)),
    ],
)
def test_a_path_is_split(path: str, parts: tuple[str, ...]) -> None:
    assert split_path(path) == parts


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/etc/passwd",
        "..",
        "a/../b",
        "a\0b",
        "a\nb",
        "x" * 256,
        "я" * 128,
        "a/" * 9,
        "\ud83d",
    ],
)
def test_a_path_that_leads_elsewhere_is_none(path: str) -> None:
    with pytest.raises(UnsafePathError):
        split_path(path)


def test_the_name_of_a_draft_is_taken() -> None:
    with pytest.raises(UnsafePathError, match="taken"):
        split_path(f"a/{DRAFT}1")


@given(st.text())
def test_whatever_is_split_stays_beneath(path: str) -> None:
    try:
        parts = split_path(path)
    except UnsafePathError:
        return
    joined = os.path.normpath("/root/" + "/".join(parts))
    assert joined.startswith("/root/")
    assert joined != "/root/"


def test_a_file_is_put_whole_and_shared_with_the_group(root: Path) -> None:
    put_file(root, ("a", "b", "c.txt"), b"apples", replace=False)
    path = root / "a" / "b" / "c.txt"
    assert path.read_bytes() == b"apples"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770
    assert path.stat().st_nlink == 1
    assert [one.name for one in path.parent.iterdir()] == ["c.txt"]
    assert size_of(root, ("a", "b", "c.txt")) == 6
    with open_file(root, ("a", "b", "c.txt")) as file:
        assert file.read() == b"apples"


def test_only_replacing_replaces(root: Path) -> None:
    put_file(root, ("a",), b"apples", replace=True)
    with pytest.raises(FileExistsError):
        put_file(root, ("a",), b"pears", replace=False)
    assert (root / "a").read_bytes() == b"apples"
    put_file(root, ("a",), b"pears", replace=True)
    assert (root / "a").read_bytes() == b"pears"
    assert [one.name for one in root.iterdir()] == ["a"]


@pytest.mark.parametrize("target", ["../secret", "inside", "nowhere"])
def test_a_link_is_not_followed(root: Path, target: str) -> None:
    (root / "inside").write_text("inside")
    (root / "link").symlink_to(target)
    with pytest.raises(OSError, match="Too many levels"), open_file(root, ("link",)):
        pass
    assert exists(root, ("link",))
    with pytest.raises(FileExistsError):
        put_file(root, ("link",), b"pears", replace=False)
    put_file(root, ("link",), b"pears", replace=True)
    assert (root / "link").read_bytes() == b"pears"
    assert (root / "inside").read_text() == "inside"
    assert (root.parent / "secret").read_text() == "secret"


def test_a_linked_folder_is_not_entered(root: Path) -> None:
    (root / "way").symlink_to("..")
    with pytest.raises(NotADirectoryError), open_file(root, ("way", "secret")):
        pass
    with pytest.raises(NotADirectoryError):
        put_file(root, ("way", "new"), b"", replace=False)
    with pytest.raises(NotADirectoryError):
        remove_file(root, ("way", "secret"))
    with pytest.raises(NotADirectoryError):
        list_files(root, ("way",), 10)
    assert list_files(root, (), 10) == []


def test_what_is_no_regular_file_is_not_opened(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    for name in ("pipe", "folder"):
        with (
            pytest.raises(OSError, match=r"not a regular file|directory"),
            open_file(root, (name,)),
        ):
            pass


def test_a_listing_is_in_order_and_bounded(root: Path) -> None:
    for name in ("b", "a/2", "a/1", f"{DRAFT}1", "c"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(name)
    os.mkfifo(root / "pipe")
    assert list_files(root, (), 10) == [
        Entry("a/1", 3),
        Entry("a/2", 3),
        Entry("b", 1),
        Entry("c", 1),
    ]
    assert list_files(root, (), 1) == [Entry("a/1", 3)]
    assert list_files(root, ("a",), 10) == [Entry("1", 3), Entry("2", 3)]
    assert list_files(root, ("none",), 10) == []


def test_a_listing_goes_only_so_deep(root: Path) -> None:
    (root / "/".join("abcdefgh")).mkdir(parents=True)
    (root / "/".join("abcdefg") / "seen").touch()
    (root / "/".join("abcdefgh") / "unseen").touch()
    assert list_files(root, (), 10) == [Entry("a/b/c/d/e/f/g/seen", 0)]


def test_a_file_is_removed_and_its_absence_told(root: Path) -> None:
    put_file(root, ("a",), b"", replace=False)
    remove_file(root, ("a",))
    assert not exists(root, ("a",))
    assert not exists(root, ("folder", "a"))
    with pytest.raises(FileNotFoundError):
        remove_file(root, ("a",))


def test_anothers_file_is_read_and_never_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_file(root, ("a",), b"apples", replace=False)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError, match="somebody else"):
        put_file(root, ("a",), b"pears", replace=True)
    with pytest.raises(PermissionError, match="somebody else"):
        remove_file(root, ("a",))
    with open_file(root, ("a",)) as file:
        assert file.read() == b"apples"
    assert [one.name for one in root.iterdir()] == ["a"]
