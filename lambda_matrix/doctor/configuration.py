"""What the settings say, without asking anybody. Pure."""

from __future__ import annotations

import errno
import ipaddress
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.config.settings import AccessSection, HomeserverSection, Settings
from lambda_matrix.config.values import ListenPath
from lambda_matrix.conversation.access import is_one_of
from lambda_matrix.doctor.examination import Findings
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.doctor.patient import Patient
from lambda_matrix.ids import PersonId
from lambda_matrix.upkeep.login import EXAMPLE_USER

_ANYBODY = PersonId("@anybody:somewhere.invalid")
"""Somebody whom no pattern can mean that does not mean everybody."""
_IN_CLEAR = frozenset({"http", "ws"})


def settings(patient: Patient) -> Findings:
    """Can the files be used, and what would a start warn of?"""
    told: list[Finding] = []
    if patient.settings is not None and not patient.problems:
        told.append(Passed(f"{patient.file} can be used"))
    told += [_problem(problem.removesuffix(".")) for problem in patient.problems]
    told += [
        Warned(remark.removesuffix("."), "docs/configuration.md says more")
        for remark in patient.remarks
    ]
    return tuple(told)


def _problem(problem: str) -> Finding:
    if os.strerror(errno.EACCES) in problem:  # the service is handed what only root may read
        return Skipped(problem, "give this command as root")
    if "lambda-matrix login" in problem:
        return Failed(problem, "lambda-matrix login")
    return Failed(problem, "mend that setting: docs/configuration.md tells of each")


def names(settings: Settings) -> Findings:
    """Is the bot still the example's?"""
    homeserver = settings.homeserver
    if homeserver.user_id == EXAMPLE_USER:
        return (
            Failed(
                f"[homeserver] user_id is still the example's, {EXAMPLE_USER}",
                "set url and user_id to your homeserver and the bot's account",
            ),
        )
    return (Passed(f"the bot is {homeserver.user_id} at {homeserver.url}"),)


def access(section: AccessSection, bot: str) -> Findings:
    """Whom do the patterns let in?"""
    return tuple(_access(section, bot)) or (Passed(f"[access] users: {', '.join(section.users)}"),)


def _access(section: AccessSection, bot: str) -> Iterator[Finding]:
    if not section.users:
        yield Warned("[access] users lets nobody in", 'name them, such as ["@*:example.org"]')
    elif section.policy.allows(_ANYBODY):
        yield Warned(
            "[access] users lets everybody in, from every server",
            "name servers or people, unless that is meant",
        )
    server = server_of(bot)
    if section.users and not any(is_one_of(server, _server_glob(each)) for each in section.users):
        yield Warned(
            f"[access] users has nobody of the bot's own server {server}",
            "look for a misspelt server name",
        )


def _server_glob(pattern: str) -> str:
    """Return the part of a pattern that stands for the server, `*` if that is open."""
    return pattern.partition(":")[2] or "*"


def server_of(user_id: str) -> str:
    """Return the server's name in a user id."""
    return user_id.partition(":")[2]


def homeserver_address(section: HomeserverSection) -> Findings:
    """Do the password and all messages travel in clear?"""
    if is_in_clear(section.url):
        return (
            Warned(
                f"[homeserver] url is plain HTTP to another machine: {section.url}",
                "use https://, or a homeserver on this machine; the password goes in clear",
            ),
        )
    return (Passed("what is said to the homeserver cannot be overheard"),)


def agent_addresses(agents: tuple[AgentEntry, ...]) -> Findings:
    """Do messages and tokens travel in clear to agents?"""
    if not agents:
        return ()
    told = tuple(
        Warned(
            f"agent {entry.id}: base_url is not encrypted, to another machine: {entry.base_url}",
            "use wss:// or https://" + ("" if entry.token is None else "; its token goes in clear"),
        )
        for entry in agents
        if is_in_clear(entry.base_url)
    )
    return told or (Passed("what is said to agents cannot be overheard"),)


def is_in_clear(url: str) -> bool:
    """Whether a URL leads to another machine without encryption."""
    parts = urlsplit(url)
    return parts.scheme in _IN_CLEAR and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def listening(settings: Settings) -> Findings:
    """Is the page of health and metrics for this machine alone?"""
    address = settings.service.listen
    if address is None:
        return ()
    if isinstance(address, ListenPath):
        return (Passed(f"[service] listen: {address.path}, this machine alone"),)
    if not is_loopback(address.host):
        return (
            Warned(
                f"[service] listen: {address.host} is reached from other machines",
                "use 127.0.0.1 and a reverse proxy: nobody is asked for a password there",
            ),
        )
    return (Passed(f"[service] listen: {address.host}:{address.port}, this machine alone"),)
