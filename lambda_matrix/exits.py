"""What an exit status means, and which end has which.

An operator's mistake ends in one sentence on stderr, never in a traceback:

====  ==========================================================================================
0     ended as it was asked to (SIGTERM, Ctrl-C); of a command: all is as it should be
1     a fault of the program: the traceback is on stderr, which is the journal under systemd
2     a wrong option on the command line
3     `status`, `reload`: the service does not run (LSB's number for init scripts; so is 4)
4     `status`, `reload`: the service is there and does not tell, or not to this user
69    a command: the homeserver (of `doctor`: or an agent) does not answer. What is done stays done
70    the homeserver ended the session (logged out, deactivated); what was stored is kept
73    a command: the disk refuses what is to be written or removed
74    the database is damaged and was set aside: started again, the service begins a new one
75    another instance runs: with this state directory, or as this account on another machine
77    a command: the homeserver refused it, or some of it, which the command has named
78    a setting is wrong: a key, a URL, a secret, the login, the user, a certificate
130   a command: interrupted, or not agreed to, before it was done. Run it again to go on
====  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType

from attrs import frozen

from lambda_matrix.agent.settings_table import RegistryError
from lambda_matrix.client_server_api.errors import (
    BadTransportSetting,
    CertificateRefused,
    LoginRefused,
)
from lambda_matrix.client_server_api.login import NoHomeserver, WrongUser
from lambda_matrix.client_server_api.session import SessionFileUnusable
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.config import ConfigError
from lambda_matrix.store.store import StoreDamagedError, StoreError, StoreLockedError
from lambda_matrix.surface.avatar import AvatarError
from lambda_matrix.surface.bridge import AnotherInstanceError


class Exit(IntEnum):
    """The exit statuses, after sysexits.h."""

    FAULT = 1
    NOT_RUNNING = 3
    STATUS_UNKNOWN = 4
    HOMESERVER_AWAY = 69
    SESSION_DEAD = 70
    DISK_REFUSES = 73
    DATABASE_DAMAGED = 74
    ANOTHER_INSTANCE = 75
    REFUSED = 77
    CONFIGURATION = 78
    INTERRUPTED = 130


class CommandError(Exception):
    """A command cannot go on, for a reason of its own; the message is one sentence."""

    def __init__(self, sentence: str, status: Exit) -> None:
        super().__init__(sentence)
        self.status = status


@frozen
class Ending:
    """What is made of an exception: the exit status, and one sentence for the operator."""

    status: Exit
    sentence: str


@frozen
class _Kind:
    """The exit status of a kind of exception, the setting that may be to blame, and what to do."""

    status: Exit
    setting: str | None = None
    advice: str = ""


_KINDS: Mapping[type[BaseException], _Kind] = MappingProxyType(
    {
        ConfigError: _Kind(Exit.CONFIGURATION),
        RegistryError: _Kind(Exit.CONFIGURATION),
        BadTransportSetting: _Kind(Exit.CONFIGURATION, "[homeserver] url or ca_file"),
        CertificateRefused: _Kind(Exit.CONFIGURATION, "[homeserver] url or ca_file"),
        AvatarError: _Kind(Exit.CONFIGURATION, "[service] avatar_file"),
        NoHomeserver: _Kind(Exit.CONFIGURATION, "[homeserver] url"),
        WrongUser: _Kind(Exit.CONFIGURATION, "[homeserver] user_id"),
        SessionFileUnusable: _Kind(Exit.CONFIGURATION, "[state] directory"),
        LoginRefused: _Kind(Exit.CONFIGURATION, "[homeserver] password or access token"),
        SessionDeadError: _Kind(
            Exit.SESSION_DEAD,
            advice=" The session has ended; everything stored is kept. Run `lambda-matrix login`, "
            "which clears the way for a new one, and start again.",
        ),
        StoreDamagedError: _Kind(Exit.DATABASE_DAMAGED),
        StoreLockedError: _Kind(Exit.ANOTHER_INSTANCE),
        AnotherInstanceError: _Kind(Exit.ANOTHER_INSTANCE),
        StoreError: _Kind(Exit.CONFIGURATION, "[state] directory"),
    }
)
"""What ends the program in one sentence, the special before the general: the first that fits."""


def ending_of(error: BaseException, file: Path) -> Ending | None:
    """Return how `error` ends the program; None for a fault of the program.

    `file` is the configuration, which is named where a setting is to blame.
    """
    leaves = _leaves(error)
    for kind, made in _KINDS.items():
        for each in leaves:
            if isinstance(each, kind):
                place = "" if made.setting is None else f"{file}: {made.setting}: "
                return Ending(made.status, f"{place}{each}{made.advice}")
    for each in leaves:
        if isinstance(each, CommandError):
            return Ending(each.status, str(each))
    return None


def _leaves(error: BaseException) -> list[BaseException]:
    """Return the exceptions that a nursery wrapped into groups, in order."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in _leaves(each)]
