"""`lambda-matrix demo`: the whole product at work on this machine, seen from a person's side."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import trio
from attrs import define

from lambda_matrix.demo.bare_http import CallError
from lambda_matrix.demo.person import NotSeenError
from lambda_matrix.demo.processes import ChildError
from lambda_matrix.demo.stack import Stack, log_tails, open_stack
from lambda_matrix.demo.story import Story, StoryError
from lambda_matrix.demo.terminal import TerminalChat
from lambda_matrix.demo.transcript import Transcript, wants_colour
from lambda_matrix.options import examples

_MARKER = "lambda-matrix-demo"
"""The file by which a directory is known as an earlier demo's, and may be emptied."""
_INTERRUPTED = 130


@click.command(
    short_help="Try all of it on this machine, and talk with Lambda.",
    epilog=examples("lambda-matrix demo --synapse-python .venv-synapse/bin/python"),
)
@click.option(
    "--synapse-python",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The Python of the environment that Synapse is installed in.",
)
@click.option(
    "--state",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is written; a temporary directory if not given.",
)
@click.option("--keep", is_flag=True, help="Leave the directory there at the end.")
def demo(synapse_python: Path, directory: Path | None, *, keep: bool) -> None:
    """Start a homeserver, the agent and the service, and talk with Lambda.

    On a terminal you can chat yourself afterwards; Ctrl-D or Ctrl-C ends everything. Exit status 0
    if every expected answer came, 1 if not, 130 if it was interrupted before that.
    """
    script = Transcript(sys.stdout, wants_colour(sys.stdout))
    with _state_directory(directory, script, keep=keep) as state:
        status = trio.run(_run, synapse_python.absolute(), state, script)
    sys.exit(status)


@contextmanager
def _state_directory(given: Path | None, script: Transcript, *, keep: bool) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="lambda-matrix-demo-")) if given is None else given
    directory = directory.absolute()
    marker = directory / _MARKER
    if directory.exists() and any(directory.iterdir()):
        if not marker.exists():
            raise click.BadParameter(f"{directory} is not empty, and not an earlier demo's")
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker.touch()
    try:
        yield directory
    finally:
        if keep:
            script.line(f"Kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


@define
class _Outcome:
    """The exit status so far: a signal may end the demo at any time."""

    status: int = _INTERRUPTED


async def _run(python: Path, directory: Path, script: Transcript) -> int:
    outcome = _Outcome()
    async with trio.open_nursery() as nursery:
        await nursery.start(_cancel_on_signal, nursery.cancel_scope, script)
        await _perform(python, directory, script, outcome)
        nursery.cancel_scope.cancel()
    return outcome.status


async def _perform(python: Path, directory: Path, script: Transcript, outcome: _Outcome) -> None:
    try:
        async with open_stack(python, directory, script) as stack:
            story = Story(stack.person, stack.bot, script)
            await story.tell()
            outcome.status = 0
            if sys.stdin.isatty() and sys.stdout.isatty():
                _invite_to_chat(stack, script)
                await TerminalChat(story).run(sys.stdin.fileno())
    except* (StoryError, NotSeenError, CallError, ChildError, OSError) as failed:
        outcome.status = 1
        for error in _leaves(failed):
            script.bad(str(error))
        for name, tail in log_tails(directory):
            script.chapter(f"The end of the log of {name}")
            script.line(tail)
    else:
        script.line()
        script.good("everything has stopped")


def _invite_to_chat(stack: Stack, script: Transcript) -> None:
    person = stack.person.account
    script.chapter("Now you: write here, or sign in with any Matrix client of this machine")
    script.line(f"  homeserver  {stack.homeserver.url}")
    script.line(f"  user        {person.user_id}")
    script.line(f"  password    {person.password}")
    script.note("`help` shows what the agent rehearses, !help what the bot does; /1 and /2 switch")
    script.note("Ctrl-D or Ctrl-C ends everything")
    script.line()


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _cancel_on_signal(
    scope: trio.CancelScope, script: Transcript, *, task_status: trio.TaskStatus[None]
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for _ in signals:
            script.line()
            script.note("stopping everything")
            scope.cancel()
