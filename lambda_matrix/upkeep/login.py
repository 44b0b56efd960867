"""`lambda-matrix login`: the bot's password or access token, proven and then kept.

The service logs in by itself, with what is kept here. The homeserver is asked first; what was kept
before is replaced only by what it has accepted.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
import trio

from lambda_matrix import logs
from lambda_matrix.client_server_api.session import (
    SessionFileUnusable,
    is_token as can_be_token,
    read_session,
)
from lambda_matrix.client_server_api.transport import Transport, open_transport
from lambda_matrix.config import load_settings
from lambda_matrix.config.settings import Settings
from lambda_matrix.credentials import credential_folder
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.ids import AccessToken
from lambda_matrix.options import config_option, examples
from lambda_matrix.secret import Secret
from lambda_matrix.service.session import session_file
from lambda_matrix.upkeep.performing import OK, perform
from lambda_matrix.upkeep.proving import has_ended, prove_password, prove_token
from lambda_matrix.upkeep.secret_file import check_place, write_secret
from lambda_matrix.upkeep.terminal import Terminal

EXAMPLE_USER = "@lambda:example.org"
"""The bot of the example configuration: nobody's."""
_OTHER = {"password": "access_token", "access_token": "password"}


@click.command(
    short_help="Keep the bot's password or access token.",
    epilog=examples(
        "lambda-matrix login",
        "lambda-matrix login --token",
        "pass matrix/lambda | lambda-matrix login --stdin",
    ),
)
@config_option
@click.option("--token", is_flag=True, help="Take an access token instead of a password.")
@click.option("--stdin", is_flag=True, help="Read it from a pipe, one line, instead of asking.")
def login(file: Path, *, token: bool, stdin: bool) -> None:
    """Ask for the bot's password, have the homeserver prove it, and keep it for the service.

    It is written to credentials/password beside the configuration, where the unit finds it, or to
    the file that password_file names; readable by root alone. An access token (--token) goes to
    credentials/access_token, or to access_token_file. The homeserver is asked with a login of its
    own that is over at once: the service may run meanwhile.

    Exit status 69: the homeserver is away. 73: the file cannot be written. 77: the homeserver does
    not accept it, or limits logins. 78: a setting is wrong. 130: interrupted; nothing was changed.
    """
    if not stdin and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on. --stdin reads from a pipe.")
    name = "access_token" if token else "password"
    work = partial(_log_in, file=file, name=name, is_piped=stdin)
    perform(work, file, load=partial(load_settings, secrets=False))


async def _log_in(
    settings: Settings, terminal: Terminal, *, file: Path, name: str, is_piped: bool
) -> int:
    homeserver = settings.homeserver
    if homeserver.user_id == EXAMPLE_USER:
        raise CommandError(
            f"{file}: [homeserver] user_id is still the example's, {homeserver.user_id}: set it, "
            "and url, to your homeserver's.",
            Exit.CONFIGURATION,
        )
    place = _place(settings, file, name)
    check_place(place)
    secret = await _asked(settings, terminal, name, is_piped=is_piped)
    logs.hide(secret)
    async with open_transport(homeserver.url, ca_file=homeserver.ca_file) as transport:
        if name == "password":
            await prove_password(transport, homeserver, secret)
            proven = f"The password of {homeserver.user_id} is good."
        else:
            device = await prove_token(transport, homeserver, AccessToken(secret.reveal()))
            proven = f"The access token is of {homeserver.user_id}"
            proven += f", device {device}: the service is that device." if device else "."
        terminal.acting = True
        write_secret(place, secret)
        terminal.tell(f"{proven}\nIt is kept in {place}, for its owner alone.")
        _remove_other(settings, terminal, file, name)
        await _end_old_session(settings, terminal, transport)
    terminal.tell("Next: systemctl restart lambda-matrix (lambda-matrix doctor checks the rest)")
    return OK


def _place(settings: Settings, file: Path, name: str) -> Path:
    homeserver = settings.homeserver
    named = {
        "password": homeserver.password_file,
        "access_token": homeserver.access_token_file,
    }
    return named[name] or credential_folder(file) / name


async def _asked(settings: Settings, terminal: Terminal, name: str, *, is_piped: bool) -> Secret:
    """Return what was typed, or came from a pipe.

    Raises:
        CommandError: it is empty, or can be no such secret.
    """
    what, user = name.replace("_", " "), settings.homeserver.user_id
    if is_piped:
        said = await terminal.read_line()
    else:
        said = await terminal.ask_unseen(f"{what.capitalize()} of {user}:")
    if not said:
        raise CommandError(f"No {what} was given; nothing was changed.", Exit.CONFIGURATION)
    if not said.isprintable() or (name == "access_token" and not can_be_token(said)):
        raise CommandError(
            f"This can be no {what}: it holds characters that none has.", Exit.CONFIGURATION
        )
    return Secret(said)


def _remove_other(settings: Settings, terminal: Terminal, file: Path, name: str) -> None:
    """Remove the secret of the other kind: the service takes one of the two."""
    other = _OTHER[name]
    named = _place(settings, file, other)
    if named.parent != credential_folder(file):
        terminal.tell(f"Take {other}_file out of {file}: the service wants one of the two.")
    elif named.exists():
        named.unlink()
        terminal.tell(f"Removed {named}: the service wants one of the two.")


async def _end_old_session(settings: Settings, terminal: Terminal, transport: Transport) -> None:
    """Forget a session that the homeserver has ended: with it the service would not start."""
    kept = session_file(settings)
    try:
        session = await trio.to_thread.run_sync(read_session, kept)
    except SessionFileUnusable as error:
        terminal.remark(str(error))
        return
    if session is None:
        return
    if session.user_id != settings.homeserver.user_id:
        terminal.tell(
            f"{kept} is of {session.user_id}: the service does not start with it. Give it another "
            "[state] directory, or move that one away."
        )
    elif await has_ended(transport, session.access_token):
        kept.unlink()
        terminal.tell(f"Removed {kept}: the homeserver has ended that session.")
