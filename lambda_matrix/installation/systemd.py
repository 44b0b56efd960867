"""What systemd is asked for: the group, the folders, the units. sd_booted(3), systemctl(1)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from lambda_matrix.installation import layout
from lambda_matrix.installation.placing import Placing
from lambda_matrix.installation.programs import Programs

_BOOTED: Final = Path("/run/systemd/system")
_SERVICES: Final = (layout.SERVICE, layout.AGENT)
_UNITS: Final = (layout.STACK, *_SERVICES)


@frozen
class Systemd:
    """systemd, if it `is_asked`; else nothing is done here.

    Each method raises `InstallationError` when what it asks for fails.
    """

    programs: Programs
    is_asked: bool

    def take_up(self) -> None:
        """Have the group and the folders made, and the units read."""
        if self.is_asked:
            self.programs.do("systemd-sysusers", str(layout.SYSUSERS))
            self.programs.do("systemd-tmpfiles", "--create", str(layout.TMPFILES))
            self.programs.do("systemctl", "daemon-reload")

    def active_services(self) -> list[str]:
        """Return those of the services that run."""
        return self._those(_SERVICES, "is-active", "--quiet")

    def end(self) -> None:
        """Stop the units, and have them not started with the machine any more."""
        known = self._those(_UNITS, "cat")
        if known:
            self.programs.do("systemctl", "disable", "--quiet", "--now", *known)

    def let_go(self) -> None:
        """Have the units forgotten, whose files are gone."""
        if self.is_asked:
            self.programs.do("systemctl", "daemon-reload")
            for unit in self._those(_UNITS, "is-failed", "--quiet"):
                self.programs.do("systemctl", "reset-failed", unit)

    def drop_group(self) -> None:
        """Have the group of the workspaces removed."""
        if self.is_asked and self.programs.ask("getent", "group", layout.GROUP):
            self.programs.do("groupdel", layout.GROUP)

    def _those(self, units: Sequence[str], *question: str) -> list[str]:
        """Return the units of which systemctl says so."""
        asked = units if self.is_asked else ()
        return [unit for unit in asked if self.programs.ask("systemctl", *question, unit)]


def systemd_of(placing: Placing) -> Systemd:
    """Return systemd as it is to be asked: where it runs, about the machine itself alone."""
    return Systemd(Programs(placing), is_asked=placing.is_the_machine and _BOOTED.is_dir())
