"""Reads the settings: the file, then the environment over it, then the secrets.

1. A key is read from the TOML file. A relative path in it is relative to the file's folder.
2. `LAMBDA_MATRIX_<SECTION>_<KEY>` overrides it; lists are separated by commas there, and a
   relative path is relative to the working directory.
3. A secret is taken from `LAMBDA_MATRIX_<NAME>` (with a warning: other processes of this user can
   read it), else from the file that `<name>_file` names, else from the credential `<name>`
   (`lambda_matrix.credentials`).
4. Names of older deployments are accepted with a one-line hint to the new one.
"""

from __future__ import annotations

import difflib
import logging
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import NOTHING, Attribute, evolve, fields, frozen

from lambda_matrix.config.errors import ConfigError, SecretMissingError
from lambda_matrix.config.settings import (
    PARSE,
    AccessSection,
    AgentsSection,
    HomeserverSection,
    LimitsSection,
    LogSection,
    ServiceSection,
    Settings,
    StateSection,
)
from lambda_matrix.config.values import check_ca_file
from lambda_matrix.credentials import find_credential
from lambda_matrix.secret import Secret

_logger = logging.getLogger(__name__)
_PREFIX = "LAMBDA_MATRIX_"
_SECRETS = ("password", "access_token")
_OLD_REGISTRY = "MATRIX_AGENT_REGISTRY_PATH"
_OLD_BACKEND = "MATRIX_PLATFORM_BACKEND"
_SINGLE_AGENT = ("AGENT_BASE_URL", "AGENT_WS_URL")
_MAX_SECRET_BYTES = 65_536
_READABLE_BY_ALL = 0o004
_SECTIONS: Mapping[str, type] = {
    "homeserver": HomeserverSection,
    "state": StateSection,
    "access": AccessSection,
    "service": ServiceSection,
    "agents": AgentsSection,
    "limits": LimitsSection,
    "log": LogSection,
}
_Section = TypeVar("_Section")


def load_settings(file: Path, environment: Mapping[str, str], *, secrets: bool = True) -> Settings:
    """Read, check and complete the settings; without `secrets` they are neither read nor missed.

    Raises:
        SecretMissingError: neither a password nor an access token is given or kept.
        ConfigError: a key is unknown, missing or wrong, or a file cannot be read.
    """
    source = _Source(file, _read_toml(file), environment)
    source.refuse_unknown_sections()
    homeserver = source.section(HomeserverSection, "homeserver")
    _check_ca_file(source, homeserver)
    settings = Settings(
        homeserver=_complete(source, homeserver) if secrets else homeserver,
        state=source.section(StateSection, "state"),
        access=source.section(AccessSection, "access"),
        service=source.section(ServiceSection, "service"),
        agents=_with_old_names(source, source.section(AgentsSection, "agents")),
        limits=source.section(LimitsSection, "limits"),
        log=source.section(LogSection, "log"),
    )
    _warn_of_unknown_variables(environment)
    return settings


def load_state_directory(file: Path, environment: Mapping[str, str]) -> Path:
    """Read where the state is, and nothing else: for whoever may not read the secrets.

    Raises:
        ConfigError: the file cannot be read, or does not say it.
    """
    return _Source(file, _read_toml(file), environment).section(StateSection, "state").directory


def variable(section: str, key: str) -> str:
    """Return the environment variable that overrides `[section] key`."""
    return f"{_PREFIX}{section}_{key}".upper()


def keys(section: type) -> tuple[Attribute[object], ...]:
    """Return the fields of a section's class that are keys of the file."""
    return tuple(each for each in fields(section) if PARSE in each.metadata)


@frozen
class _Source:
    """The file's tables and the environment, and how to blame each of them."""

    file: Path
    tables: Mapping[str, object]
    environment: Mapping[str, str]

    def section(self, kind: type[_Section], name: str) -> _Section:
        """Return the section as an instance of `kind`, with no key left unread."""
        table = self.tables.get(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{self.file}: [{name}] must be a table")
        known = keys(kind)
        names = [each.name for each in known]
        for key in table:
            if key not in names:
                raise ConfigError(
                    f"{self.file}: [{name}] {key} is no setting{_nearest(key, names)}"
                )
        found = {each.name: self._value(name, each, table) for each in known}
        return kind(**{key: value for key, value in found.items() if value is not NOTHING})

    def refuse_unknown_sections(self) -> None:
        """Raise ConfigError for a section (or a key outside all sections) that nobody reads."""
        for name, table in self.tables.items():
            if name not in _SECTIONS:
                what = f"section [{name}]" if isinstance(table, dict) else f"key {name}"
                raise ConfigError(f"{self.file}: there is no {what}{_nearest(name, _SECTIONS)}")

    def where(self, section: str, key: str) -> str:
        """Return the name of the place that a key's value came from, for an error's sentence."""
        name = variable(section, key)
        place = f"environment variable {name}" if name in self.environment else str(self.file)
        return f"{place}: [{section}] {key}"

    def _value(self, section: str, key: Attribute[object], table: Mapping[str, object]) -> object:
        name = variable(section, key.name)
        if name in self.environment:
            base, raw = Path.cwd(), _from_text(key, self.environment[name])
        elif key.name in table:
            base, raw = self.file.absolute().parent, table[key.name]
        elif key.default is NOTHING:
            raise ConfigError(f"{self.file}: [{section}] {key.name} is missing (or set {name})")
        else:
            return NOTHING
        parse: Callable[[object], object] = key.metadata[PARSE]
        try:
            value = parse(raw)
        except ValueError as error:
            raise ConfigError(f"{self.where(section, key.name)} {error}") from None
        return base / value if isinstance(value, Path) else value


def _nearest(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that offers the name that was probably meant."""
    found = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _from_text(key: Attribute[object], raw: str) -> object:
    """Return what TOML would have given: an environment variable has only text."""
    if "tuple" not in str(key.type):
        return raw
    return [part.strip() for part in raw.split(",") if part.strip()]


def _read_toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: the configuration cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: the configuration is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: the configuration is not TOML: {error}") from None


def _check_ca_file(source: _Source, homeserver: HomeserverSection) -> None:
    if homeserver.ca_file is not None:
        try:
            check_ca_file(homeserver.ca_file)
        except ValueError as error:
            raise ConfigError(f"{source.where('homeserver', 'ca_file')} {error}") from None


def _complete(source: _Source, homeserver: HomeserverSection) -> HomeserverSection:
    """Return the section with its secret."""
    password = _secret(source, "password", homeserver.password_file)
    access_token = _secret(source, "access_token", homeserver.access_token_file)
    if password is not None and access_token is not None:
        raise ConfigError(
            f"{source.file}: [homeserver] password_file and access_token_file: "
            "both a password and an access token are given; leave one out"
        )
    if password is None and access_token is None:
        raise SecretMissingError(
            f"{source.file}: [homeserver] the bot's password or access token is missing: "
            "lambda-matrix login asks for one and keeps it (or set password_file or "
            "access_token_file)"
        )
    return evolve(homeserver, password=password, access_token=access_token)


def _secret(source: _Source, name: str, file: Path | None) -> Secret | None:
    given = source.environment.get(_PREFIX + name.upper())
    if given:
        _logger.warning(
            "%s%s: a secret in the environment can be read by other processes of this user; "
            "[homeserver] %s_file or a systemd credential keeps it better",
            _PREFIX,
            name.upper(),
            name,
        )
        return Secret(given)
    if file is not None:
        return read_secret(file, source.where("homeserver", f"{name}_file"))
    credential = find_credential(name, source.environment, source.file)
    return None if credential is None else read_secret(credential, f"credential {name}")


def read_secret(file: Path, setting: str) -> Secret:
    """Return the text of a secret's file without its last line break.

    Raises:
        ConfigError: the file cannot be read, or is empty, too long or not text. The sentence begins
            with `setting`, the name of the setting that named the file.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MAX_SECRET_BYTES + 1)
            mode = file.stat().st_mode
        secret = raw.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{setting} cannot be read: {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{setting} is not UTF-8 text: {file}") from None
    if not secret or len(raw) > _MAX_SECRET_BYTES or not secret.isprintable():
        raise ConfigError(f"{setting} must hold the secret alone, on one line: {file}")
    if mode & _READABLE_BY_ALL:
        _logger.warning("%s: everybody on this machine can read %s (chmod o-r)", setting, file)
    return Secret(secret)


def _with_old_names(source: _Source, agents: AgentsSection) -> AgentsSection:
    environment = source.environment
    if _OLD_BACKEND in environment:
        _logger.warning("%s has no effect: users live in [state] directory now", _OLD_BACKEND)
    old = environment.get(_OLD_REGISTRY)
    if old:
        _logger.warning("%s: please set [agents] registry instead", _OLD_REGISTRY)
    if agents.registry is None and old:
        return AgentsSection(registry=Path(old).absolute())
    if agents.registry is None and not any(environment.get(name) for name in _SINGLE_AGENT):
        raise ConfigError(
            f"{source.file}: [agents] registry is missing (or set AGENT_BASE_URL for one agent)"
        )
    return agents


def _warn_of_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {variable(name, key.name) for name, kind in _SECTIONS.items() for key in keys(kind)}
    known |= {_PREFIX + name.upper() for name in _SECRETS}
    for name in sorted(environment):
        if name.startswith(_PREFIX) and name not in known:
            _logger.warning("%s: no setting has this name; it has no effect", name)
