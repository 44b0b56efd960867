"""A disk that refuses or forgets, and a clock that goes wrong, put under a program by LD_PRELOAD.

The shims are small C libraries (`shims/`), compiled when they are first needed. They change what
one process sees and nothing else, so they need no root and no package, only a C compiler.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random

from attrs import evolve, frozen

from lambda_matrix.demo.processes import Program

_SOURCES = Path(__file__).parent / "shims"

MISSING: str | None = None if shutil.which("cc") else "there is no C compiler (cc)"
"""Why the shims cannot be used here; None: they can."""


@cache
def _compiled(name: str) -> Path:
    library = Path(tempfile.mkdtemp(prefix="lm-shim-")) / f"{name}.so"
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-format-truncation"]
    command += ["-shared", "-fPIC", str(_SOURCES / f"{name}.c"), "-o", str(library), "-ldl"]
    subprocess.run([*command, "-lpthread"], check=True)
    return library


def _preloaded(program: Program, library: Path, environment: Mapping[str, str]) -> Program:
    before = program.environment.get("LD_PRELOAD", "")
    preload = f"{before}:{library}" if before else str(library)
    more = {**program.environment, **environment, "LD_PRELOAD": preload}
    return evolve(program, environment=more)


@frozen
class Clock:
    """The wall clock of a program, `jump`ed at any time while it runs."""

    file: Path

    @classmethod
    def under(cls, program: Program, file: Path) -> tuple[Clock, Program]:
        """Return a clock that is right so far, and the program with it."""
        clock = cls(file)
        file.write_bytes(bytes(8))
        return clock, _preloaded(program, _compiled("clock"), {"SHIM_CLOCK": str(file)})

    def jump(self, seconds: float) -> None:
        """Have it be wrong by so many seconds from now on."""
        with self.file.open("r+b") as file:
            file.write(struct.pack("d", seconds))


@frozen
class Disk:
    """What a program has below `folder`; it may refuse, and after a power cut it has forgotten."""

    folder: Path
    orders: Path
    shadow: Path

    @classmethod
    def under(cls, program: Program, folder: Path, aside: Path) -> tuple[Disk, Program]:
        """Return a disk that is well, all of it synced, and the program with it.

        The program must not run meanwhile. `aside` is a folder for the shim's own, on the same file
        system.
        """
        folder = folder.resolve()
        disk = cls(folder, aside / "orders", aside / "shadow")
        aside.mkdir(parents=True, exist_ok=True)
        disk.orders.write_bytes(bytes(4))
        disk.sync()
        environment = {
            "SHIM_DISK": str(folder),
            "SHIM_ORDERS": str(disk.orders),
            "SHIM_SHADOW": str(disk.shadow),
        }
        return disk, _preloaded(program, _compiled("disk"), environment)

    def refuse(self, errno: int) -> None:
        """From now on have every change fail with `errno`; 0: no more."""
        with self.orders.open("r+b") as file:
            file.write(struct.pack("i", errno))

    def sync(self) -> None:
        """Have all that is there be there for good. The program must not run."""
        shutil.rmtree(self.shadow, ignore_errors=True)
        for name in ("content", "names", "pins"):
            (self.shadow / name).mkdir(parents=True)
        for path in (each for each in self.folder.rglob("*") if each.is_file()):
            inode = str(path.stat().st_ino)
            shutil.copyfile(path, self.shadow / "content" / inode)
            os.link(path, self.shadow / "pins" / inode)
            name = str(path.relative_to(self.folder)).replace("/", "%")
            (self.shadow / "names" / name).symlink_to(inode)

    def lose_power(self, draw: Random | None = None) -> None:
        """Leave of the folder what a power cut leaves. The program must have been killed.

        That is what was synced, and nothing else. With `draw` each file may as well be as it is:
        disks write when they like. Of what was appended to SQLite's log any beginning may be there.
        """
        names = self.shadow / "names"
        kept = {
            link.name.replace("%", "/"): self._content(link.readlink().name)
            for link in names.iterdir()
        }
        if draw is not None:
            for path in sorted(each for each in self.folder.rglob("*") if each.is_file()):
                name = str(path.relative_to(self.folder))
                before = kept.get(name, b"")
                if draw.random() < 0.5:
                    kept[name] = path.read_bytes()
                    if name.endswith("-wal"):
                        kept[name] = _some(kept[name], before, draw)
        for path in [each for each in self.folder.rglob("*") if each.is_file()]:
            path.unlink()
        for name, content in kept.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
        self.sync()

    def _content(self, inode: str) -> bytes:
        file = self.shadow / "content" / inode
        return file.read_bytes() if file.exists() else b""


def _some(log: bytes, synced: bytes, draw: Random) -> bytes:
    """Return a beginning of `log`, with what was synced of it."""
    safe = len(synced) if log.startswith(synced) else 0
    return log[: draw.randint(safe, len(log))]
