"""The one line that `systemctl status` shows: what is waited for, else how far the service is."""

import time

from attrs import define, field, frozen

from lambda_matrix import sd_notify
from lambda_matrix.client_server_api.backoff import Health, HomeserverAway, HomeserverBack
from lambda_matrix.disk import DiskHealth, DiskObeys, DiskRefuses
from lambda_matrix.pulse import Pulse
from lambda_matrix.surface.overview import Overview

LONGEST_PHASE = 600.0
"""Seconds that one phase of the start may take, without a homeserver or a disk that is waited for:
so long, with much to spare, repairs may take, or a large database to be looked through."""

READY = "ready"
_MINUTE = 60.0
_HOUR = 3600.0


@frozen
class Trouble:
    """What is waited for since `since` (Unix time), and why in one line."""

    why: str
    since: float = field(factory=time.time)


@define
class StatusLine:
    """Puts together what the parts know, and says it each time that it changes.

    What is stuck comes first, then what is waited for. Each phase is a step in the life of `pulse`.
    Of a phase that goes on (`proceed`), `since` (Unix time) is when it began.
    """

    _pulse: Pulse
    phase: str = "starting"
    since: float = field(factory=time.time)
    refusing: Trouble | None = None
    """The disk does not take what is written."""
    away: Trouble | None = None
    """The homeserver does not answer as it should."""
    _remarks: dict[str, str] = field(factory=dict)
    _overview: Overview | None = None
    _said: str = ""

    def enter(self, phase: str, within: float = LONGEST_PHASE) -> None:
        """How far the start or the stop is: "catching up". It takes `within` seconds at most."""
        self._enter(phase)
        self._overview = None
        self._pulse.lifecycle.step(phase, within)
        self.tell()

    def begin_anew(self) -> None:
        """Whoever waited for something, or was at work, has ended, and says nothing more of it."""
        self.away = self.refusing = self._overview = None
        self._pulse.begin_anew()

    def proceed(self, phase: str) -> None:
        """The phase goes on, perhaps many times a second: it is said when the line is told next."""
        self.phase = phase
        self._pulse.lifecycle.step(phase, LONGEST_PHASE)

    def ready(self, overview: Overview) -> None:
        """The service is ready, and this is what is at work."""
        self._enter(READY)
        self._overview = overview
        self._pulse.lifecycle.over()
        self.tell()

    def remark(self, about: str, text: str | None) -> None:
        """Something that the operator should know until it is another, or nothing any more."""
        if text is None:
            self._remarks.pop(about, None)
        else:
            self._remarks[about] = text
        self.tell()

    def homeserver(self, health: Health) -> None:
        """Whether the homeserver is there."""
        match health:
            case HomeserverAway(why):
                self.away = Trouble(why)
            case HomeserverBack():
                self.away = None
        self.tell()

    def disk(self, health: DiskHealth) -> None:
        """Whether the disk takes what is written; it comes before everything else."""
        match health:
            case DiskRefuses(why):
                self.refusing = Trouble(why)
            case DiskObeys():
                self.refusing = None
        self.tell()

    @property
    def text(self) -> str:
        """The line as it is now."""
        stuck = self._pulse.stuck()
        line = self._waiting or self.phase
        if stuck is not None:
            line = f"stuck: {stuck}"
        elif self._overview is not None and line == self.phase:
            line = f"{line}: {_counted(self._overview)}"
        age = self._pulse.sync_age
        if age is not None and self._overview is not None:
            line = f"{line}, synced {_told(age)} ago"
        return "; ".join((line, *self._remarks.values()))

    @property
    def is_ready(self) -> bool:
        """Whether people are answered, as far as that is up to us."""
        return self.phase == READY

    @property
    def _waiting(self) -> str | None:
        if self.refusing is not None:
            return f"waiting for the disk: {self.refusing.why}"
        return None if self.away is None else f"waiting for the homeserver: {self.away.why}"

    def _enter(self, phase: str) -> None:
        """Begin a phase, unless it is another word on the same one."""
        if phase.partition(":")[0] != self.phase.partition(":")[0]:
            self.since = time.time()
        self.phase = phase

    def tell(self) -> None:
        """Say the line, if it has become another."""
        text = self.text
        if text != self._said:
            self._said = text
            sd_notify.notify(sd_notify.status(text))


def _counted(overview: Overview) -> str:
    figures, running = overview.figures, len(overview.runs)
    parts = [_number(figures.rooms, "room"), f"{_number(running, 'request')} running"]
    if figures.waiting:
        parts.append(f"{figures.waiting} waiting")
    return ", ".join(parts)


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _told(seconds: float) -> str:
    """Return a duration as coarse as it is long."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h"
