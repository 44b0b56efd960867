"""What the checks look at: the settings as the service has them, and what its unit says."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from lambda_matrix.agent.registry import Registry, load_registry, registry_from_environment
from lambda_matrix.agent.settings_table import RegistryError
from lambda_matrix.config import ConfigError, load_settings
from lambda_matrix.config.settings import Settings
from lambda_matrix.doctor.unit import Unit
from lambda_matrix.secret import Secret

_OF_MODES = "(chmod o-r)"


@frozen
class Patient:
    """The installation. What could not be read is None, and `problems` say why.

    `remarks` are what a start would warn of.
    """

    file: Path
    unit: Unit | None = None
    stack: Unit | None = None
    settings: Settings | None = None
    registry: Registry | None = None
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def secrets(self) -> tuple[Secret, ...]:
        """Return what must not be printed."""
        ours = () if self.settings is None else self.settings.secrets()
        agents = () if self.registry is None else tuple(self.registry.agents.values())
        return (*ours, *(each.token for each in agents if each.token is not None))


def read_patient(
    file: Path,
    environment: Mapping[str, str],
    unit: Unit | None = None,
    stack: Unit | None = None,
) -> Patient:
    """Read the settings and the agents; what is wrong with them is told, not raised."""
    problems: list[str] = []
    settings: Settings | None = None
    registry: Registry | None = None
    with _warnings() as remarks:
        try:
            settings = load_settings(file, environment)
        except ConfigError as error:
            problems.append(str(error))
            settings = _without_secrets(file, environment)
        try:
            registry = None if settings is None else _read_registry(settings, environment)
        except RegistryError as error:
            problems.append(str(error))
    # Who may read a secret's file is told for each of them by the check of the files.
    told = [each for each in dict.fromkeys(remarks) if _OF_MODES not in each]
    told += () if registry is None else registry.warnings
    return Patient(file, unit, stack, settings, registry, tuple(problems), tuple(told))


def _without_secrets(file: Path, environment: Mapping[str, str]) -> Settings | None:
    """Return what can be looked at even so: a secret may be all that is missing."""
    try:
        return load_settings(file, environment, secrets=False)
    except ConfigError:
        return None


def _read_registry(settings: Settings, environment: Mapping[str, str]) -> Registry | None:
    if settings.agents.registry is not None:
        return load_registry(settings.agents.registry, environment)
    return registry_from_environment(environment)


class _Collector(logging.Handler):
    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        self._into.append(record.getMessage())


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect what the settings' own modules warn of, which a start writes to the journal."""
    collected: list[str] = []
    collector, logger = _Collector(collected), logging.getLogger("lambda_matrix.config")
    logger.addHandler(collector)
    propagated, logger.propagate = logger.propagate, False
    try:
        yield collected
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagated
