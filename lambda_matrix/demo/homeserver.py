"""A real Synapse on loopback: SQLite, a directory of its own, gone at the end of the block.

For the demo, the tests and the bench. Its configuration is JSON, which is YAML.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path

import trio
from attrs import field, frozen

from lambda_matrix.demo.bare_http import Caller, CallError, Json, open_caller
from lambda_matrix.demo.private_files import write_private
from lambda_matrix.demo.processes import Child, Program, running
from lambda_matrix.ids import AccessToken, DeviceId, UserId

DATABASE = "homeserver.db"
"""Where a homeserver keeps everything, in its folder."""
START_TIMEOUT = 60.0
_POLL_EVERY = 0.05
_PLENTY: Json = {"per_second": 1_000_000, "burst_count": 1_000_000}
_NO_LIMITS: Json = {
    "rc_message": _PLENTY,
    "rc_registration": _PLENTY,
    "rc_login": {"address": _PLENTY, "account": _PLENTY, "failed_attempts": _PLENTY},
    "rc_admin_redaction": _PLENTY,
    "rc_joins": {"local": _PLENTY, "remote": _PLENTY},
    "rc_joins_per_room": _PLENTY,
    "rc_invites": {"per_room": _PLENTY, "per_user": _PLENTY, "per_issuer": _PLENTY},
    "rc_media_create": _PLENTY,
    "rc_presence": {"per_user": _PLENTY},
    "rc_room_creation": _PLENTY,
    "rc_profile": _PLENTY,
}

_NO_DIRECTORIES: Json = {
    "presence": {"enabled": False},
    "user_directory": {"enabled": False},
    "stats": {"enabled": False},
}


class Limits(Enum):
    """Under which rate limits the homeserver runs."""

    DEFAULT = "Synapse's default limits"
    UNLIMITED = "no rate limits"


@frozen(kw_only=True)
class HomeserverSettings:
    """How to run Synapse.

    `python` is the interpreter of the environment that holds it; `directory` gets everything that
    it writes. Synapse remembers answers of /sync for two minutes, so that a client which starts
    anew within them sees the past: `sync_cache=False` switches that off. `port` 0 takes a free
    one. With `encrypted_default` every new room is encrypted; `room_version` is that of new rooms,
    None for Synapse's own default. `directories=False` spares a quarter of its work: it keeps no
    presence, no directory of users, no statistics.
    """

    python: Path
    directory: Path
    limits: Limits = Limits.DEFAULT
    sync_cache: bool = True
    directories: bool = True
    encrypted_default: bool = False
    room_version: str | None = None
    server_name: str = "lambda.test"
    port: int = 0
    log_level: str = "WARNING"


@frozen
class Account:
    """A registered user, with a session of its own."""

    user_id: UserId
    password: str = field(repr=False)
    access_token: AccessToken = field(repr=False)
    device_id: DeviceId


@frozen
class Homeserver:
    """Where a running Synapse is, and the right to register users on it."""

    url: str
    server_name: str
    registration_secret: str = field(repr=False)
    log: Path

    async def register(self, localpart: str, password: str, *, admin: bool = False) -> Account:
        """Make a user over the shared-secret API (Synapse's documentation, "Admin API").

        Raises:
          CallError: the name is taken, or bad.
        """
        async with open_caller(self.url) as caller:
            path = ("_synapse", "admin", "v1", "register")
            nonce = str((await caller.call("GET", *path))["nonce"])
            words = (nonce, localpart, password, "admin" if admin else "notadmin")
            proof = hmac.new(
                self.registration_secret.encode(), "\0".join(words).encode(), hashlib.sha1
            )
            body: Json = {
                "nonce": nonce,
                "username": localpart,
                "password": password,
                "admin": admin,
                "mac": proof.hexdigest(),
            }
            made = await caller.call("POST", *path, body=body)
        return Account(
            UserId(str(made["user_id"])),
            password,
            AccessToken(str(made["access_token"])),
            DeviceId(str(made["device_id"])),
        )


@asynccontextmanager
async def open_homeserver(settings: HomeserverSettings) -> AsyncIterator[Homeserver]:
    """Start Synapse, and stop it when the block ends.

    Raises:
      ChildError: it did not get ready; the text shows the end of its log.
      OSError: there is no such Python.
    """
    homeserver, program = await prepare_homeserver(settings)
    async with running(program) as child:
        await wait_homeserver(child, homeserver)
        yield homeserver


async def prepare_homeserver(settings: HomeserverSettings) -> tuple[Homeserver, Program]:
    """Write Synapse's files; return where it will be, and the program that it is."""
    port = settings.port or free_port()
    secret = secrets.token_hex(16)
    await trio.to_thread.run_sync(_write_files, settings, port, secret)
    program = Program(
        "the homeserver",
        [str(settings.python), "-m", "synapse.app.homeserver", "-c", "homeserver.json"],
        settings.directory / "homeserver.log",
        {"SYNAPSE_CACHE_FACTOR": "0.5"},
        settings.directory,
    )
    url = f"http://127.0.0.1:{port}"
    return Homeserver(url, settings.server_name, secret, program.log), program


async def wait_homeserver(child: Child, homeserver: Homeserver) -> None:
    """Wait until a homeserver that was started is ready.

    Raises:
      ChildError: it ended, or took too long.
    """
    async with open_caller(homeserver.url) as caller:
        await _wait_ready(child, caller)


def free_port() -> int:
    """A TCP port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def _wait_ready(child: Child, caller: Caller) -> None:
    with trio.move_on_after(START_TIMEOUT):
        while child.returncode is None:
            try:
                await caller.call("GET", "_matrix", "client", "versions", within=5)
            except CallError:
                # Synapse tells nobody when it is ready: asking is the only way.
                await trio.sleep(_POLL_EVERY)
            else:
                return
        raise child.failure(f"ended with code {child.returncode} instead of getting ready")
    raise child.failure(f"was not ready within {START_TIMEOUT:g} s")


def _write_files(settings: HomeserverSettings, port: int, secret: str) -> None:
    settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = settings.directory / "signing.key"
    if not key.exists():
        seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        write_private(key, f"ed25519 a_demo {seed}\n")
    write_private(settings.directory / "log.json", json.dumps(_log_config(settings)))
    config = _config(settings, port, secret)
    write_private(settings.directory / "homeserver.json", json.dumps(config, indent=1))


def _config(settings: HomeserverSettings, port: int, secret: str) -> Json:
    directory = settings.directory
    config: Json = {
        "server_name": settings.server_name,
        "public_baseurl": f"http://127.0.0.1:{port}/",
        "pid_file": str(directory / "homeserver.pid"),
        "listeners": [
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "tls": False,
                "resources": [{"names": ["client"], "compress": False}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(directory / DATABASE)}},
        "log_config": str(directory / "log.json"),
        "media_store_path": str(directory / "media"),
        "signing_key_path": str(directory / "signing.key"),
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "report_stats": False,
        "registration_shared_secret": secret,
        "macaroon_secret_key": secret,
        "form_secret": secret,
        # A throw-away server hashes throw-away passwords: 4 is bcrypt's least.
        "bcrypt_rounds": 4,
    }
    if settings.limits is Limits.UNLIMITED:
        config |= _NO_LIMITS
    if not settings.sync_cache:
        config["caches"] = {"sync_response_cache_duration": "0s"}
    if not settings.directories:
        config |= _NO_DIRECTORIES
    if settings.encrypted_default:
        config["encryption_enabled_by_default_for_room_type"] = "all"
    if settings.room_version is not None:
        config["default_room_version"] = settings.room_version
    return config


def _log_config(settings: HomeserverSettings) -> Json:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(name)s %(levelname)s %(message)s"}},
        "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": settings.log_level, "handlers": ["err"]},
    }
