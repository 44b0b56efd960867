"""A machine to install to: a folder, and programs that write down what they are asked for."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from attrs import Factory, define

from lambda_matrix.installation.placing import Placing
from lambda_matrix.installation.programs import Programs
from lambda_matrix.installation.systemd import Systemd

FILES = Path(__file__).parents[2] / "systemd"
_SCRIPT = """#!/bin/sh
echo "$(basename "$0") $*" >> {asked}
case "$*" in {refused}) echo "it will not" >&2; exit 1;; esac
"""


@define
class Machine:
    """The folder, what was told, and which questions and orders programs answer with no."""

    folder: Path
    told: list[str] = Factory(list)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def placing(self, *, dry_run: bool = False) -> Placing:
        self.root.mkdir(exist_ok=True)
        return Placing(self.root, dry_run, self.told.append)

    def at(self, path: PurePosixPath | str) -> Path:
        return self.placing().at(PurePosixPath(path))

    def programs(self, *, refused: str = "-", dry_run: bool = False) -> Programs:
        """Return programs that refuse what the shell pattern `refused` fits."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        for name in ("systemctl", "systemd-sysusers", "systemd-tmpfiles", "getent", "groupdel"):
            script = folder / name
            script.write_text(_SCRIPT.format(asked=self.folder / "asked", refused=refused))
            script.chmod(0o755)
        return Programs(self.placing(dry_run=dry_run), f"{folder}:/usr/bin:/bin")

    def systemd(
        self, *, is_asked: bool = False, refused: str = "-", dry_run: bool = False
    ) -> Systemd:
        return Systemd(self.programs(refused=refused, dry_run=dry_run), is_asked)

    @property
    def asked(self) -> list[str]:
        """What programs were asked for, in order."""
        log = self.folder / "asked"
        return log.read_text().splitlines() if log.exists() else []

    def files(self) -> dict[str, bytes | str]:
        """Return what is on the machine: of files what is in them, of links where they lead."""
        found: dict[str, bytes | str] = {}
        for path in sorted(self.root.rglob("*")):
            name = f"/{path.relative_to(self.root)}"
            if path.is_symlink():
                found[name] = str(path.readlink())
            elif path.is_file():
                found[name] = path.read_bytes()
        return found


def pex(file: Path, content: str = "1") -> Path:
    """Write a file that passes for a PEX of some version."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__main__.py", content)
    return file
