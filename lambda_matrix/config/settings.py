"""The settings: one frozen class for each section of the file, one field for each key.

A field's metadata says how its raw value is read (`values`); `loading` needs nothing more to read
it from the file or from `LAMBDA_MATRIX_<SECTION>_<KEY>`, and docs/configuration.md is held against
it. A section's secrets are fields of type `Secret | None` without metadata: they come from
elsewhere (`loading.read_secret`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from attrs import NOTHING, field, frozen

from lambda_matrix import logs
from lambda_matrix.config import values
from lambda_matrix.config.values import ListenAddress, ListenPath
from lambda_matrix.conversation.access import Access
from lambda_matrix.conversation.texts import Language
from lambda_matrix.ids import DeviceId, UserId
from lambda_matrix.secret import Secret

PARSE = "parse"
"""The metadata key under which a field keeps its parser."""


class DeniedInvites(Enum):
    """What becomes of an invite from somebody who may not use the service."""

    REJECT = "reject"
    IGNORE = "ignore"


def _key(parse: Callable[[object], object], default: object = NOTHING) -> Any:
    """Return a field that is read by `parse`; required unless it has a default."""
    return field(default=default, metadata={PARSE: parse})


@frozen(kw_only=True)
class HomeserverSection:
    """`[homeserver]`: where the bot lives and who it is. Exactly one of the two secrets is set."""

    url: str = _key(values.url)
    user_id: UserId = _key(values.user_id)
    device_id: DeviceId = _key(values.device_id, DeviceId("LAMBDA_MATRIX"))
    ca_file: Path | None = _key(values.path, None)
    password_file: Path | None = _key(values.path, None)
    access_token_file: Path | None = _key(values.path, None)
    password: Secret | None = None
    access_token: Secret | None = None


@frozen(kw_only=True)
class StateSection:
    """`[state]`: the folder of the database, the session and the lock."""

    directory: Path = _key(values.path)


@frozen(kw_only=True)
class AccessSection:
    """`[access]`: who may use the service, as patterns of user ids; `deny` wins over `users`."""

    users: tuple[str, ...] = _key(values.user_globs)
    deny: tuple[str, ...] = _key(values.user_globs, ())
    admins: tuple[str, ...] = _key(values.user_globs, ())
    denied_invites: DeniedInvites = _key(values.one_of(DeniedInvites), DeniedInvites.REJECT)

    @property
    def policy(self) -> Access:
        """The decision about each person that `users` and `deny` make."""
        return Access(users=self.users, deny=self.deny)


@frozen(kw_only=True)
class ServiceSection:
    """`[service]`: how the bot appears."""

    language: Language = _key(values.one_of(Language), Language.RU)
    display_name: str = _key(values.text, "Lambda")
    avatar_file: Path | None = _key(values.path, None)
    command_prefix: str = _key(values.prefix, "!")
    listen: ListenAddress | ListenPath | None = _key(values.listen, None)
    listen_mode: int = _key(values.file_mode, 0o660)
    stop_seconds: int = _key(values.whole_number(0, 3_600), 10)


@frozen(kw_only=True)
class AgentsSection:
    """`[agents]`: the registry's file; None if the environment names a single agent."""

    registry: Path | None = _key(values.path, None)


@frozen(kw_only=True)
class LimitsSection:
    """`[limits]`: how much one person, and all of them, may have at once."""

    questions_per_minute: int = _key(values.whole_number(1, 10_000), 20)
    questions_in_line: int = _key(values.whole_number(1, 10_000), 100)
    runs_per_person: int = _key(values.whole_number(1, 1_000), 4)
    runs: int = _key(values.whole_number(1, 10_000), 100)
    file_megabytes: int = _key(values.whole_number(1, 10_000), 100)
    files_in_line: int = _key(values.whole_number(1, 1_000), 20)
    file_types: tuple[str, ...] = _key(values.media_types, ("*/*",))


@frozen(kw_only=True)
class LogSection:
    """`[log]`: how much is told of what is done, and in which form."""

    level: logs.Level = _key(values.one_of(logs.Level), logs.Level.AUTO)
    format: logs.Format = _key(values.one_of(logs.Format), logs.Format.AUTO)
    texts: bool = _key(values.truth, False)  # noqa: FBT003 - the default

    @property
    def wanted(self) -> logs.Wanted:
        """The section as the log takes it."""
        return logs.Wanted(level=self.level, format=self.format, texts=self.texts)


@frozen(kw_only=True)
class Settings:
    """Everything that the operator settled. Paths are absolute."""

    homeserver: HomeserverSection
    state: StateSection
    access: AccessSection
    service: ServiceSection
    agents: AgentsSection
    limits: LimitsSection = LimitsSection()
    log: LogSection = LogSection()

    def secrets(self) -> tuple[Secret, ...]:
        """Return what must never be seen in a log."""
        ours = (self.homeserver.password, self.homeserver.access_token)
        return tuple(secret for secret in ours if secret is not None)
