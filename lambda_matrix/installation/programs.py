"""Programs of the machine that an installation runs, each told before it is run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from lambda_matrix.installation.placing import Placing
from lambda_matrix.installation.refusals import InstallationError

_UMASK: Final = 0o022
"""What they make is for everybody to read, as the service must, whatever umask root has."""
_PATH: Final = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@frozen
class Programs:
    """Runs programs that are found in `path`; those that change something only if it is meant."""

    placing: Placing
    path: str = _PATH

    def ask(self, *command: str) -> bool:
        """Tell whether a command that changes nothing succeeds.

        Raises:
            InstallationError: there is no such program.
        """
        return self._run(command, {}).returncode == 0

    def do(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        """Run a command, with more in its environment.

        Raises:
            InstallationError: there is no such program, or it failed.
        """
        self.placing.say("run", " ".join(command))
        if self.placing.dry_run:
            return
        done = self._run(command, environment or {})
        if done.returncode != 0:
            why = " ".join((done.stderr or done.stdout).split()) or f"status {done.returncode}"
            raise InstallationError(f"{' '.join(command)} failed: {why}")

    def _run(
        self, command: tuple[str, ...], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        program = shutil.which(command[0], path=self.path)
        if program is None:
            raise InstallationError(f"{command[0]} is not on this machine.")
        return subprocess.run(  # noqa: S603 - named by its path, no shell
            [program, *command[1:]],
            env={"PATH": self.path, "LANG": "C.UTF-8", **environment},
            capture_output=True,
            text=True,
            check=False,
            umask=_UMASK,
        )
