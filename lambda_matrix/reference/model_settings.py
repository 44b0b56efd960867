"""The settings of a real model: a small TOML file, whose keys docs/bundled-agent.md names."""

from __future__ import annotations

import difflib
import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from attrs import Factory, frozen

from lambda_matrix.credentials import find_credential
from lambda_matrix.reference.endpoint import Endpoint
from lambda_matrix.secret import Secret

KEY_CREDENTIAL: Final = "agent-model-key"
"""The systemd credential that is read if no `key_file` is given."""
_DAY: Final = 86_400.0
_OURS: Final = frozenset({"messages", "model", "stream", "stream_options", "tools", "tool_choice"})
_Kind = TypeVar("_Kind", str, int, bool, float)


class SettingsError(Exception):
    """The settings cannot be used; the text is one sentence without any secret."""


@frozen(kw_only=True)
class ModelSettings:
    """The file's keys.

    Attributes:
        base_url: of the endpoint, usually ending in /v1.
        model: the name by which the endpoint knows it.
        key_file: a file that holds the key alone; none if the endpoint wants none.
        ca_file: certificates that are trusted instead of the system's.
        images: whether the model takes images.
        transcription_model: what voice messages are transcribed with; "" for not at all.
        tools: whether the model is offered the workspace tools.
        instructions: the system message instead of the usual one.
        window_messages: how many messages of a conversation the model is given at most.
        window_characters: how many characters of them at most.
        tool_rounds: how often the model may call tools before it has to answer.
        retries: how often a request is made again that was refused as one too many, or failed
            before it was answered.
        connect_timeout: seconds for a connection.
        idle_timeout: seconds of silence after which the model has failed.
        parameters: further parameters of each request (temperature, max_tokens), as they are.
    """

    base_url: str
    model: str
    key_file: Path | None = None
    ca_file: Path | None = None
    images: bool = False
    transcription_model: str = ""
    tools: bool = True
    instructions: str = ""
    window_messages: int = 60
    window_characters: int = 60_000
    tool_rounds: int = 12
    retries: int = 2
    connect_timeout: float = 10.0
    idle_timeout: float = 90.0
    parameters: Mapping[str, object] = Factory(dict)


@frozen
class _Table:
    """The file's table, and how to blame it."""

    file: Path
    values: Mapping[str, object]

    def text(self, key: str, usual: str | None = None) -> str:
        value = self._value(key, usual, str)
        if usual is None and not value.strip():
            raise SettingsError(f"{self.file}: {key} is empty")
        return value

    def flag(self, key: str, *, usual: bool) -> bool:
        return self._value(key, usual, bool)

    def count(self, key: str, usual: int, least: int) -> int:
        value = self._value(key, usual, int)
        if isinstance(value, bool) or value < least:
            raise SettingsError(f"{self.file}: {key} must be {least} or more")
        return value

    def seconds(self, key: str, usual: float) -> float:
        value = self.values.get(key, usual)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _DAY:
            raise SettingsError(f"{self.file}: {key} must be a number of seconds, above 0")
        return float(value)

    def path(self, key: str) -> Path | None:
        value = self._value(key, "", str)
        return self.file.absolute().parent / value if value else None

    def parameters(self, key: str) -> Mapping[str, object]:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise SettingsError(f"{self.file}: {key} must be a table")
        for name in value:
            if name in _OURS:
                raise SettingsError(f"{self.file}: {key}.{name} is set by the agent itself")
        return value

    def _value(self, key: str, usual: _Kind | None, kind: type[_Kind]) -> _Kind:
        value = self.values.get(key, usual)
        if value is None:
            raise SettingsError(f"{self.file}: {key} is missing")
        if not isinstance(value, kind):
            raise SettingsError(f"{self.file}: {key} must be {_NAMES[kind]}")
        return value


_NAMES: Mapping[type, str] = {str: "a text", int: "a whole number", bool: "true or false"}


def read_settings(file: Path) -> ModelSettings | None:
    """Read and check the file; None if it sets nothing, as the example file that is installed.

    Raises:
        SettingsError: it cannot be read, or a key is unknown, missing or wrong.
    """
    table = _Table(file, _read_toml(file))
    if not table.values:
        return None
    known = ModelSettings.__annotations__
    for key in table.values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{file}: {key} is no setting{hint}")
    return ModelSettings(
        base_url=_base_url(file, table.text("base_url")),
        model=table.text("model"),
        key_file=table.path("key_file"),
        ca_file=table.path("ca_file"),
        images=table.flag("images", usual=False),
        transcription_model=table.text("transcription_model", ""),
        tools=table.flag("tools", usual=True),
        instructions=table.text("instructions", "").strip(),
        window_messages=table.count("window_messages", 60, 1),
        window_characters=table.count("window_characters", 60_000, 1),
        tool_rounds=table.count("tool_rounds", 12, 1),
        retries=table.count("retries", 2, 0),
        connect_timeout=table.seconds("connect_timeout", 10.0),
        idle_timeout=table.seconds("idle_timeout", 90.0),
        parameters=table.parameters("parameters"),
    )


def open_endpoint(settings: ModelSettings, environment: Mapping[str, str]) -> Endpoint:
    """Make the endpoint, with its key; `environment` tells whether it is a systemd credential.

    Raises:
        SettingsError: the key's or the certificates' file cannot be used.
    """
    key_file = settings.key_file
    if key_file is None:
        key_file = find_credential(KEY_CREDENTIAL, environment)
    return Endpoint(
        settings.base_url,
        None if key_file is None else _read_key(key_file),
        _trust(settings.ca_file),
        settings.connect_timeout,
        settings.idle_timeout,
    )


def _read_toml(file: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: it is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: it is not TOML: {error}") from None


def _base_url(file: Path, text: str) -> str:
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        url, usable = None, False
    if url is None or not usable:
        raise SettingsError(f"{file}: base_url must be an http:// or https:// URL")
    if url.username or url.password or url.query or url.fragment:
        raise SettingsError(f"{file}: base_url must have no user, password, query or fragment")
    return text.rstrip("/")


def _read_key(file: Path) -> Secret:
    try:
        key = file.read_bytes().decode().strip()
    except OSError as error:
        raise SettingsError(f"key_file {file}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"key_file {file}: it must hold one word of ASCII") from None
    if len(key.split()) != 1 or not key.isascii() or not key.isprintable():
        raise SettingsError(f"key_file {file}: it must hold one word of ASCII")
    return Secret(key)


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"ca_file {ca_file}: no certificates can be read: {error}") from None
