"""From what TOML or an environment variable says to a setting's value, strictly.

Each parser takes the raw value and returns the setting's, or raises ValueError with the end of a
sentence that begins with the setting's name: "must be a string, not an integer". Nothing is
coerced: a number is no string, and a string is no list. A raw value is never repeated in a
sentence unless it is what the operator must look at.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from attrs import frozen

from lambda_matrix.ids import DeviceId, UserId

_TOML_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    list: "a list",
    dict: "a table",
    str: "a string",
}
_USER_ID = re.compile(r"@[^\s:]*:[^\s/]+")
_MEDIA_TYPE = re.compile(r"[a-z0-9*?.+-]+/[a-z0-9*?.+-]+")
_FILE_MODE = re.compile(r"0?[0-7]{3}")
_UNIX = "unix:"
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_E = TypeVar("_E", bound=Enum)
_MAX_PORT = 65_535
_MAX_USER_ID_BYTES = 255
_MAX_PREFIX = 8


@frozen
class ListenAddress:
    """Where the service will answer HTTP: an IP address or host name, and a port."""

    host: str
    port: int


@frozen
class ListenPath:
    """A Unix socket to answer HTTP on."""

    path: Path


def text(raw: object) -> str:
    """Return a non-empty string of one line."""
    if not isinstance(raw, str):
        raise _wrong_type("a string", raw)
    if not raw.strip():
        raise ValueError("must not be empty")
    if not raw.isprintable():
        raise ValueError("must be one line of printable text")
    return raw


def texts(raw: object) -> tuple[str, ...]:
    """Return a list of non-empty strings; from the environment, separated by commas."""
    if not isinstance(raw, list):
        raise _wrong_type("a list of strings", raw)
    return tuple(text(item) for item in raw)


def url(raw: object) -> str:
    """Return an http(s) URL of a homeserver without its trailing slash."""
    given = text(raw)
    if "@" in given:  # first, so that no sentence repeats a password
        raise ValueError("must not hold a user name or a password")
    if not _is_web_address(given):
        raise ValueError(f"must be a URL such as https://matrix.example.org, not {given!r}")
    parts = urlsplit(given)
    if parts.query or parts.fragment:
        raise ValueError("must be a plain URL, without '?' and '#'")
    return given.rstrip("/")


def user_id(raw: object) -> UserId:
    """Return a full Matrix user id (client-server API, appendix "User Identifiers")."""
    given = text(raw)
    if not _USER_ID.fullmatch(given) or len(given.encode()) > _MAX_USER_ID_BYTES:
        raise ValueError(f"must be a user id such as @lambda:example.org, not {given!r}")
    return UserId(given)


def device_id(raw: object) -> DeviceId:
    """Return the id of the device that the service logs in as."""
    return DeviceId(text(raw))


def user_globs(raw: object) -> tuple[str, ...]:
    """Return patterns of user ids: `*` stands for any text, `?` for one character."""
    patterns = texts(raw)
    for pattern in patterns:
        if pattern != "*" and not (pattern.startswith(("@", "*")) and ":" in pattern):
            raise ValueError(
                f"must hold patterns of user ids such as @*:example.org, not {pattern!r}"
            )
    return patterns


def path(raw: object) -> Path:
    """Return a path as it was written; whoever loads it knows what it is relative to."""
    return Path(text(raw)).expanduser()


def prefix(raw: object) -> str:
    """Return what a command begins with: a few characters, none a letter, a digit or a space."""
    given = text(raw)
    if len(given) > _MAX_PREFIX or any(letter.isalnum() or letter.isspace() for letter in given):
        raise ValueError("must be one to eight characters, none a letter, a digit or a space")
    return given


def listen(raw: object) -> ListenAddress | ListenPath | None:
    """Return the address of `host:port`, `[IPv6]:port`, `unix:/path`; None for the empty string."""
    if raw == "":
        return None
    given = text(raw)
    if given.startswith(_UNIX):
        return ListenPath(_absolute(given.removeprefix(_UNIX)))
    host, colon, port = given.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not _is_host(host, ipv6=bracketed) or not _is_port(port):
        raise ValueError(
            f'must be host:port such as 127.0.0.1:9114, unix:/path, or "", not {given!r}'
        )
    return ListenAddress(host, int(port))


def file_mode(raw: object) -> int:
    """Return the permissions of a file, given as a string of octal digits as for chmod(1)."""
    given = text(raw)
    if _FILE_MODE.fullmatch(given) is None:
        raise ValueError(f'must be three octal digits such as "660", not {given!r}')
    return int(given, 8)


def whole_number(least: int, most: int) -> Callable[[object], int]:
    """Return the parser of a whole number within bounds; from the environment, of its digits."""

    def parse(raw: object) -> int:
        if isinstance(raw, str) and raw.isascii() and raw.isdecimal():
            raw = int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise _wrong_type("a whole number", raw)
        if not least <= raw <= most:
            raise ValueError(f"must be from {least} to {most}, not {raw}")
        return raw

    return parse


def truth(raw: object) -> bool:
    """Return true or false; from the environment, of these two words."""
    if isinstance(raw, str) and raw in {"true", "false"}:
        return raw == "true"
    if not isinstance(raw, bool):
        raise _wrong_type("true or false", raw)
    return raw


def media_types(raw: object) -> tuple[str, ...]:
    """Return a list of patterns of media types, such as `image/*`."""
    for pattern in (patterns := texts(raw)):
        if _MEDIA_TYPE.fullmatch(pattern) is None:
            raise ValueError(f"must hold media types such as image/png or image/*, not {pattern!r}")
    return patterns


def one_of(kind: type[_E]) -> Callable[[object], _E]:
    """Return the parser of one of an enumeration's values."""

    def parse(raw: object) -> _E:
        try:
            return kind(text(raw))
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            raise ValueError(f"must be one of {known}, not {raw!r}") from None

    return parse


def check_ca_file(file: Path) -> None:
    """Raise ValueError unless `file` holds certificates that TLS can use."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except ssl.SSLError:
        raise ValueError(f"holds no PEM certificates: {file}") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {file}: {error.strerror}") from None


def _is_web_address(given: str) -> bool:
    try:
        parts = urlsplit(given)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an IPv6 address without its end
        return False
    return complete and parts.scheme in {"http", "https"} and " " not in given


def _absolute(given: str) -> Path:
    if not given.startswith("/") or given.endswith("/"):
        raise ValueError(
            f"must name a socket by its whole path, such as unix:/run/x, not {given!r}"
        )
    return Path(given)


def _is_host(host: str, *, ipv6: bool) -> bool:
    if ipv6:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    return _HOSTNAME.fullmatch(host) is not None


def _is_port(port: str) -> bool:
    return port.isascii() and port.isdigit() and 0 < int(port) <= _MAX_PORT


def _wrong_type(expected: str, raw: object) -> ValueError:
    return ValueError(f"must be {expected}, not {_TOML_NAMES.get(type(raw), 'a date or time')}")
