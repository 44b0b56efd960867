"""The configuration's files: who may read them, and can they be used. Observed, then judged."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from lambda_matrix.agent.registry import Registry
from lambda_matrix.config.settings import Settings
from lambda_matrix.credentials import find_credential
from lambda_matrix.doctor.examination import Findings
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.doctor.patient import Patient
from lambda_matrix.doctor.unit import mode_of
from lambda_matrix.surface.avatar import AvatarError, read_picture

_OTHERS = 0o077
_EVERYBODY_WRITES = 0o002
DAYS_OF_NOTICE = 14
"""A certificate that ends sooner is warned of."""
_DAY = 86_400


@frozen
class SecretFile:
    """A file with a secret, and what it is for."""

    path: Path
    what: str


def configuration_file(path: Path) -> Findings:
    """May somebody else change the settings?"""
    try:
        status = path.stat()
    except OSError as error:
        return (Failed(f"{path}: {error.strerror}", "write it: docs/configuration.md tells how"),)
    if status.st_mode & _EVERYBODY_WRITES:
        return (Warned(f"everybody can change {path} ({mode_of(status)})", f"chmod o-w {path}"),)
    return (Passed(f"{path} is there ({mode_of(status)})"),)


def secret_files(patient: Patient, environment: Mapping[str, str]) -> Findings:
    """Are the secrets' files for their owner alone?"""
    files = _secrets_of(patient, environment)
    return tuple(finding for each in files for finding in _judged(each))


def _secrets_of(patient: Patient, environment: Mapping[str, str]) -> list[SecretFile]:
    files: list[SecretFile] = []
    if patient.settings is not None:
        files += _homeserver_secrets(patient.settings, patient.file, environment)
    if patient.registry is not None:
        files += _agents_secrets(patient.registry)
    return files


def _homeserver_secrets(
    settings: Settings, file: Path, environment: Mapping[str, str]
) -> list[SecretFile]:
    section = settings.homeserver
    named = {"password": section.password_file, "access_token": section.access_token_file}
    found = {name: each or find_credential(name, environment, file) for name, each in named.items()}
    return [SecretFile(path, name.replace("_", " ")) for name, path in found.items() if path]


def _agents_secrets(registry: Registry) -> list[SecretFile]:
    return [
        SecretFile(each.token_file, f"token of agent {each.id}")
        for each in registry.agents.values()
        if each.token_file is not None
    ]


def _judged(secret: SecretFile) -> tuple[Finding, ...]:
    try:
        status = secret.path.stat()
    except OSError as error:
        return (Skipped(f"{secret.what}: {secret.path}: {error.strerror}", "give this as root"),)
    return judge_secret(secret, status, ourselves=os.geteuid())


def judge_secret(secret: SecretFile, status: os.stat_result, *, ourselves: int) -> Findings:
    """Judge a secret's file by its permissions and its owner."""
    told: list[Finding] = []
    if status.st_mode & _OTHERS:
        told.append(
            Warned(
                f"{secret.what}: others can read {secret.path} ({mode_of(status)})",
                f"chmod 600 {secret.path}",
            )
        )
    if ourselves == 0 and status.st_uid != 0:
        told.append(
            Warned(
                f"{secret.what}: {secret.path} belongs to user {status.st_uid}, not to root",
                f"chown root:root {secret.path}",
            )
        )
    return tuple(told) or (Passed(f"{secret.what}: {secret.path} ({mode_of(status)})"),)


def certificates(settings: Settings, registry: Registry | None) -> Findings:
    """Are the authorities that are trusted besides the system's still good?"""
    files = {"[homeserver] ca_file": settings.homeserver.ca_file}
    for entry in () if registry is None else registry.agents.values():
        files[f"agent {entry.id}: ca_file"] = entry.ca_file
    return tuple(_authority(name, file) for name, file in files.items() if file is not None)


def _authority(name: str, file: Path) -> Finding:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        return Failed(f"{name}: {file} cannot be used: {error}", "it must hold PEM certificates")
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]
    if not ends:
        return Passed(f"{name}: {file} has certificates, none of an authority")
    return judge_end(f"{name}: {file}", min(ends), datetime.now(UTC).timestamp())


def judge_end(name: str, ends: float, now: float) -> Finding:
    """Judge when a certificate ends; both times are seconds since the epoch."""
    day = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%d")
    left = (ends - now) / _DAY
    if left < 0:
        return Failed(f"{name} has expired ({day})", "get a new certificate")
    if left < DAYS_OF_NOTICE:
        return Warned(f"{name} expires in {left:.0f} days ({day})", "renew it before that")
    return Passed(f"{name} is good for {left:.0f} days ({day})")


def picture(settings: Settings) -> Findings:
    """Can the bot's picture be used?"""
    file = settings.service.avatar_file
    if file is None:
        return ()
    try:
        read_picture(file)
    except AvatarError as error:
        return (
            Failed(f"[service] avatar_file: {str(error).removesuffix('.')}", "name another file"),
        )
    return (Passed(f"[service] avatar_file: {file}"),)
