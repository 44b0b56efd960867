"""`lambda-matrix agent`: the bundled agent as a program."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import trio

from lambda_matrix import sd_notify
from lambda_matrix.credentials import find_credential
from lambda_matrix.options import examples
from lambda_matrix.reference.admission import LOOPBACK_HOSTS, Admission
from lambda_matrix.reference.lines import start_logging
from lambda_matrix.reference.memory import MemoryInUseError, open_memory
from lambda_matrix.reference.model_settings import (
    SettingsError,
    open_endpoint,
    read_settings,
)
from lambda_matrix.reference.run import Agent, Mode
from lambda_matrix.reference.server import serve
from lambda_matrix.reference.speaking import Assistant

_log = logging.getLogger(__name__)

_CREDENTIAL = "agent-token"
"""The systemd credential that is read if no `--token-file` is given."""
_ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - named to be left out of the allowed hosts


class _BadSettingError(click.ClickException):
    exit_code = os.EX_CONFIG


class _BusyError(click.ClickException):
    exit_code = os.EX_TEMPFAIL


class _AgentCommand(click.Command):
    """A command whose bad options are bad settings: one sentence, exit code 78."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _BadSettingError(error.format_message()) from None


@click.command(
    cls=_AgentCommand,
    name="agent",
    short_help="Run the bundled agent.",
    epilog=examples(
        "lambda-matrix agent --state memory --workspace files --token-file agent.token",
        "lambda-matrix agent --config model.toml --state memory --token-file agent.token",
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one, which the log names.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the memory, made if it is missing.",
)
@click.option("--no-memory", is_flag=True, help="Remember nothing (instead of --state).")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help=f"File with the bearer token that clients must show [systemd credential: {_CREDENTIAL}].",
)
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, exists=True, file_okay=False, writable=True),
    help="Folder for files that the agent gives to people.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    help="A further host name that clients may call this agent by; repeatable.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="File that names a language model; without one, or if nothing is set in it, the agent "
    "rehearses.",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="Without a model: rehearse every feature (the default), or give back each message.",
)
@click.option(
    "--pace",
    type=click.FloatRange(min=0),
    default=0.2,
    show_default=True,
    help="Seconds from word to word of a slow answer.",
)
def agent(  # noqa: PLR0913 - one argument for each option
    *,
    host: str,
    port: int,
    state: Path | None,
    no_memory: bool,
    token_file: Path | None,
    workspace: Path | None,
    allowed_hosts: tuple[str, ...],
    config: Path | None,
    mode: str | None,
    pace: float,
) -> None:
    """Run the bundled agent: an assistant by a language model, or a rehearsal without one.

    It speaks AG-UI over one WebSocket for each run. Write "help" to the rehearsal for what it does.
    """
    if (state is None) != no_memory:
        raise _BadSettingError("give either --state or --no-memory")
    if config is not None and no_memory:
        raise _BadSettingError("--config needs --state: what is asked must be remembered")
    if config is not None and mode is not None:
        raise _BadSettingError("give either --config or --mode: a model has no modes")
    admission = Admission(_read_token(token_file), _host_names(host, allowed_hosts))
    start_logging(sys.stderr, os.environ)
    assistant = None if config is None else _read_assistant(config)
    with ExitStack() as stack:
        try:
            memory = stack.enter_context(open_memory(state))
        except MemoryInUseError as error:
            raise _BusyError(str(error)) from None
        except OSError as error:
            raise _BadSettingError(f"--state {state}: {error.strerror}") from None
        chosen = Mode(mode) if mode else Mode.REHEARSAL
        trio.run(_run, Agent(memory, chosen, workspace, pace, assistant), admission, host, port)


def _read_assistant(config: Path) -> Assistant | None:
    try:
        settings = read_settings(config)
        if settings is None:
            _log.info("%s names no model: rehearsing", config)
            return None
        endpoint = open_endpoint(settings, os.environ)
    except SettingsError as error:
        raise _BadSettingError(str(error)) from None
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request tells nothing
    _log.info("the model is %s at %s", settings.model, endpoint.base_url)
    return Assistant(endpoint, settings)


def _read_token(path: Path | None) -> bytes:
    if path is None:
        path = find_credential(_CREDENTIAL, os.environ)
    if path is None:
        raise _BadSettingError("--token-file is missing: clients must show a token")
    try:
        token = path.read_bytes().strip()
    except OSError as error:
        raise _BadSettingError(f"--token-file {path}: {error.strerror}") from None
    if not token or len(token.split()) != 1 or not token.isascii():
        raise _BadSettingError(f"--token-file {path}: it must hold one word of ASCII")
    return token


def _host_names(host: str, allowed: Sequence[str]) -> frozenset[str]:
    names = {name.lower() for name in allowed} | LOOPBACK_HOSTS
    if host not in _ANY_ADDRESS:
        names.add(f"[{host}]" if ":" in host else host.lower())
    return frozenset(names)


async def _run(agent: Agent, admission: Admission, host: str, port: int) -> None:
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise _BadSettingError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, agent, admission, listeners, stop)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            address = _address(listeners[0])
            _log.info("ready: listening on %s", address)
            sd_notify.notify(sd_notify.READY, sd_notify.status(f"listening on {address}"))
            await anext(signals)
        sd_notify.notify(sd_notify.STOPPING)
        _log.info("stopping")
        stop.set()


def _address(listener: trio.SocketListener) -> str:
    host, port, *_ = listener.socket.getsockname()
    return f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"
