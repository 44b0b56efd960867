"""Each agent, greeted. What is made of its answer is pure."""

from __future__ import annotations

import time
from typing import assert_never

import trio

from lambda_matrix.agent.errors import (
    AgentError,
    HandshakeRefused,
    Unauthorized,
    Unreachable,
)
from lambda_matrix.agent.greeting import Answered, Greeting, Welcomed, greet
from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.agent.trust import trust
from lambda_matrix.doctor import connecting
from lambda_matrix.doctor.examination import Check, Findings
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped
from lambda_matrix.exits import Exit
from lambda_matrix.ids import PlatformChatId

GROUP = "agents"
_TIMEOUT = 8.0
_METHOD_NOT_ALLOWED = 405
_NOT_FOUND = 404
_SERVER_ERRORS = 500


def checks(registry: Registry | None) -> tuple[Check, ...]:
    """Return a check for each agent."""
    if registry is None:
        return (Check("agents", _none),)
    return tuple(_check(entry) for entry in registry.agents.values())


async def _none() -> Findings:
    return (Skipped("no agents are known: the settings cannot be used"),)


def _check(entry: AgentEntry) -> Check:
    async def look() -> Findings:
        url = entry.run_url(PlatformChatId(0))
        setting = f"base_url of agent {entry.id}"
        found = await connecting.connect(url, trust(entry.ca_file))
        told = connecting.judge(f"agent {entry.id}", url, found, setting=setting, now=time.time())
        if not isinstance(found, connecting.Connected):
            return told
        return (*told, await _greeted(entry))

    return Check(f"agent {entry.id}", look)


async def _greeted(entry: AgentEntry) -> Finding:
    began = trio.current_time()
    try:
        with trio.fail_after(_TIMEOUT):
            greeting = await greet(entry)
    except trio.TooSlowError:
        return Failed(
            f"agent {entry.id}: no handshake within {_TIMEOUT:.0f} s",
            "look at the agent's log",
            Exit.HOMESERVER_AWAY,
        )
    except AgentError as error:
        return judge_refusal(entry, error)
    return judge_greeting(entry, greeting, trio.current_time() - began)


def judge_greeting(entry: AgentEntry, greeting: Greeting, seconds: float) -> Finding:
    """Judge that an agent has answered."""
    match greeting:
        case Welcomed():
            return Passed(f"agent {entry.id}: would take a run, in {seconds:.2f} s")
        case Answered(status=status):
            return _judge_status(entry, status)
        case _:
            assert_never(greeting)


def _judge_status(entry: AgentEntry, status: int) -> Finding:
    who = f"agent {entry.id}"
    if status == _NOT_FOUND:
        return Failed(
            f"{who}: nothing is at {entry.base_url} (HTTP status 404)",
            "mend base_url or path; some agents answer so to all but a run",
        )
    if status >= _SERVER_ERRORS:
        return Failed(
            f"{who}: HTTP status {status}", "look at the agent's log", Exit.HOMESERVER_AWAY
        )
    told = "takes POST alone, as it should" if status == _METHOD_NOT_ALLOWED else "answers"
    return Passed(f"{who}: {told} (HTTP status {status}); more would be a run")


def judge_refusal(entry: AgentEntry, error: AgentError) -> Finding:
    """Judge that an agent has not opened a connection for a run."""
    who = f"agent {entry.id}"
    if isinstance(error, Unauthorized):
        without = entry.token is None
        return Failed(
            f"{who}: {'wants a token' if without else 'refuses the token'} ({error.detail})",
            f"put its token into the credential agent-{entry.id}-token or token_file",
        )
    if isinstance(error, Unreachable | HandshakeRefused):
        return Failed(
            f"{who}: {error.detail}",
            "is base_url that of an agent? docs/agent-wire.md tells what it must speak",
            Exit.HOMESERVER_AWAY,
        )
    return Failed(f"{who}: {error.detail}", "look at the agent's log", Exit.HOMESERVER_AWAY)
