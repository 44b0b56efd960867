"""Files put in their places: whole or not at all, whatever the umask, each told in a line.

A program that has the older file open keeps it: the newer one takes its name, not its place.
Nobody else writes there meanwhile: an installation is `alone`.
"""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from attrs import field, frozen

from lambda_matrix.installation.refusals import InstallationError
from lambda_matrix.whole_file import free_name, replacing, unfinished

_FOLDER_MODE: Final = 0o755


@frozen
class Placing:
    """Puts files below `root`, and says what it does. With `dry_run` it only says so.

    Each method raises `InstallationError` when the disk refuses.
    """

    root: Path
    dry_run: bool = False
    tell: Callable[[str], None] = field(default=print, eq=False)

    @property
    def is_the_machine(self) -> bool:
        """Whether it is this machine that is changed, not a package or an image of one."""
        return self.root == Path("/")

    def at(self, target: PurePosixPath) -> Path:
        """Return where a path of the installed machine is."""
        return self.root / target.relative_to("/")

    @contextmanager
    def alone(self, folder: PurePosixPath) -> Iterator[None]:
        """Keep a second installation away from the folder, which is made, while the block lasts.

        Raises:
            InstallationError: there is one at work.
        """
        if self.dry_run:
            yield
            return
        with _named(folder):
            self.make_folder(self.at(folder))
            descriptor = os.open(self.at(folder), os.O_RDONLY | os.O_DIRECTORY)
        try:
            if not _lock(descriptor):
                raise InstallationError("Another installation is at work here: wait for its end.")
            yield
        finally:
            os.close(descriptor)

    def put(
        self,
        source: Path,
        target: PurePosixPath,
        mode: int = 0o644,
        keep_as: PurePosixPath | None = None,
    ) -> None:
        """Make `target` a copy of `source`; another file that is there gets the name `keep_as`."""
        place = self.at(target)
        with _named(target):
            if _is_plain(place) and filecmp.cmp(source, place, shallow=False):
                self._set_mode(place, mode)
                return
            is_there = place.exists()
            self.say("changed" if is_there else "new", target)
            if self.dry_run:
                return
            self.make_folder(place.parent)
            with replacing(place, mode) as file:
                with source.open("rb") as opened:
                    shutil.copyfileobj(opened, file)
                if is_there and keep_as is not None:  # after reading: it may be the source's name
                    self._keep(place, keep_as)

    def put_text(self, text: str, target: PurePosixPath) -> None:
        """Make `target` hold `text`, without a word: it is nobody's concern."""
        if self.dry_run:
            return
        with _named(target):
            place = self.at(target)
            self.make_folder(place.parent)
            with replacing(place, 0o644) as file:
                file.write(text.encode())

    def link(self, target: PurePosixPath, leads_to: PurePosixPath) -> None:
        """Make `target` a link that leads to another path of the installed machine."""
        place = self.at(target)
        said = os.path.relpath(leads_to, target.parent)
        if place.is_symlink() and place.readlink() == Path(said):
            return
        if place.exists() and not place.is_symlink():
            raise InstallationError(f"{target} is there and no link of ours: move it away first.")
        self.say("changed" if place.is_symlink() else "new", target)
        if not self.dry_run:
            with _named(target):
                self.make_folder(place.parent)
                with free_name(place) as name:
                    name.symlink_to(said)
                    name.replace(place)

    def remove(self, target: PurePosixPath) -> None:
        """Remove a file, a link, or a folder with all that is in it; none is none amiss."""
        place = self.at(target)
        if not self.dry_run:
            with _named(target), suppress(NotADirectoryError):
                unfinished(place).unlink(missing_ok=True)
        if not (place.exists() or place.is_symlink()):
            return
        self.say("removed", target)
        if self.dry_run:
            return
        with _named(target):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()

    def remove_if_empty(self, target: PurePosixPath) -> None:
        """Remove a folder in which nothing is left, unless it is a link or a mount."""
        if not self.dry_run:
            with suppress(OSError):
                self.at(target).rmdir()

    def say(self, what: str, about: object) -> None:
        """Tell the operator, in a column."""
        self.tell(f"{what:9} {about}")

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those above it where they are missing, open to everybody's eyes."""
        if self.dry_run or folder.is_dir():
            return
        self.make_folder(folder.parent)
        folder.mkdir()
        folder.chmod(_FOLDER_MODE)

    def _keep(self, place: Path, keep_as: PurePosixPath) -> None:
        self.say("kept as", keep_as)
        with free_name(self.at(keep_as)) as name:
            name.hardlink_to(place)
            name.replace(self.at(keep_as))

    def _set_mode(self, place: Path, mode: int) -> None:
        if stat.S_IMODE(place.stat().st_mode) != mode and not self.dry_run:
            place.chmod(mode)


def _is_plain(place: Path) -> bool:
    return place.is_file() and not place.is_symlink()


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _named(target: PurePosixPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InstallationError(f"{target}: {error.strerror or error}.") from error
