"""SIGHUP: the settings and the agents are read again, while rooms are being served.

A signal that comes while the homeserver is waited for is obeyed once rooms are served (again).

What is wrong with them is said in the journal, and the old ones stay in force. Access, limits, the
language of new users, the log and the agents change at once; everything else needs a restart, and
the journal says which.
"""

import logging
from collections.abc import AsyncIterator, Callable
from typing import NoReturn

from attrs import asdict, define, evolve

from lambda_matrix import logs, sd_notify
from lambda_matrix.agent.registry import Registry
from lambda_matrix.agent.roster import RosterChange
from lambda_matrix.agent.settings_table import RegistryError
from lambda_matrix.config import ConfigError
from lambda_matrix.config.settings import Settings
from lambda_matrix.message_ids import MessageId
from lambda_matrix.service.assembling import policy_of
from lambda_matrix.service.status_line import StatusLine
from lambda_matrix.surface.bridge import Bridge

logger = logging.getLogger(__name__)

_AT_ONCE = {
    "access": {"users", "deny", "admins", "denied_invites"},
    "agents": {"registry"},
    "service": {"language", "stop_seconds"},
    "limits": {
        "questions_per_minute",
        "questions_in_line",
        "runs_per_person",
        "runs",
        "file_megabytes",
        "files_in_line",
        "file_types",
    },
    "log": {"level", "format", "texts"},
}
"""The keys that a reload puts into force, by section."""


@define
class InForce:
    """The settings and the agents of the start, as reloads have changed them: for a new login."""

    settings: Settings
    registry: Registry

    def take_over(self, newer: Settings, registry: Registry) -> None:
        """Put the agents and what a reload may change of the settings into force."""
        sections = {
            name: evolve(
                getattr(self.settings, name),
                **{key: getattr(getattr(newer, name), key) for key in keys},
            )
            for name, keys in _AT_ONCE.items()
        }
        self.settings = evolve(self.settings, **sections)
        self.registry = registry


@define
class Reloading:
    """Puts what `read` gives into force in `bridge`; `line` shows what was refused."""

    _bridge: Bridge
    _line: StatusLine
    _in_force: InForce
    _read: Callable[[], tuple[Settings, Registry]]

    async def run(self, signals: AsyncIterator[int]) -> NoReturn:
        """Reload at each of the signals, until cancelled."""
        while True:
            await anext(signals)
            sd_notify.notify(sd_notify.RELOADING, sd_notify.monotonic_now())
            await self._reload()
            sd_notify.notify(sd_notify.READY)

    async def _reload(self) -> None:
        """Put the settings as they are now into force, or keep the old ones."""
        metrics = self._bridge.means.metrics
        metrics.reload_begun()
        try:
            settings, registry = self._read()
        except (ConfigError, RegistryError) as error:
            logger.error(  # noqa: TRY400 - one sentence for the operator says it all
                "not reloaded, the old settings stay in force: %s",
                error,
                extra=MessageId.NOT_RELOADED.extra,
            )
            self._line.remark("reload", f"not reloaded: {error}")
            metrics.reloaded(refused=str(error))
            return
        self._line.remark("reload", None)
        for name in _not_at_once(self._in_force.settings, settings):
            logger.warning("%s: changed; it needs a restart", name)
        self._in_force.take_over(settings, registry)
        logs.adopt(settings.log.wanted)
        change = await self._bridge.reload(policy_of(settings), registry)
        metrics.reloaded()
        logger.info("reloaded; %s", _told(change))


def _told(change: RosterChange) -> str:
    """Return what became of the agents, for the journal."""
    said = [
        f"agents {what}: {', '.join(ids)}"
        for what, ids in (
            ("added", change.added),
            ("removed", change.removed),
            ("changed", change.changed),
        )
        if ids
    ]
    if change.default is not None:
        said.append(f"the default is {change.default} now")
    return "; ".join(said) or "the agents are the same"


def _not_at_once(old: Settings, new: Settings) -> list[str]:
    """Return the settings that differ and are not put into force by a reload."""
    before, after = (asdict(settings, recurse=True) for settings in (old, new))
    return [
        f"[{section}] {key}"
        for section, keys in before.items()
        for key, value in keys.items()
        if key not in _AT_ONCE.get(section, set()) and after[section][key] != value
    ]
