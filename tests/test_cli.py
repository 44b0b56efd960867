from __future__ import annotations

import os
import platform
import re
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import pytest
import trio
import trustme
from click.testing import CliRunner

from lambda_matrix import __version__
from lambda_matrix.cli import _PLACES, main
from lambda_matrix.service.command import report
from lambda_matrix.store.store import StoreLockedError

SETTINGS = """
[homeserver]
url = "{url}"
user_id = "@lambda:example.org"
password_file = "password"
[state]
directory = "state"
[access]
users = ["@*:example.org"]
[agents]
registry = "agents.toml"
"""
REGISTRY = '[agent.main]\nbase_url = "ws://127.0.0.1:9"\n'
SECRET = "hunter2-is-my-password"


def lambda_matrix(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lambda_matrix", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text(SECRET)
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "agents.toml").write_text(REGISTRY)
    file = tmp_path / "config.toml"
    file.write_text(SETTINGS.format(url="http://127.0.0.1:9"))
    return file


def refused(config: Path, status: int) -> str:
    """Run the service, which must end at once with this status and one sentence; return it."""
    ended = lambda_matrix("run", "--config", str(config))
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    assert SECRET not in ended.stderr + ended.stdout
    sentences = [line for line in ended.stderr.splitlines() if " CRITICAL " in line]
    assert len(sentences) == 1
    return sentences[0].partition(" CRITICAL ")[2].strip()


def test_the_version() -> None:
    told = f"lambda-matrix, version {__version__} (Python {platform.python_version()})\n"
    assert CliRunner().invoke(main, ["--version"]).output == told
    assert lambda_matrix("--version").stdout == told


def test_the_help_names_every_command() -> None:
    said = CliRunner().invoke(main, ["-h"]).output
    for name, place in _PLACES.items():
        assert f"\n  {name} " in said
        assert place.short_help in " ".join(said.split())
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert command.get_short_help_str(200) == place.short_help
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("name", _PLACES)
def test_the_help_of_a_command_helps(name: str) -> None:
    context = click.Context(main, info_name="lambda-matrix")
    command = main.get_command(context, name)
    assert command is not None
    said = command.get_help(click.Context(command, context, name))
    assert re.search(r"\n  [A-Z].+?[.:]", said)
    assert "\n  Examples:\n    " in said
    assert "--help" in said
    for option in (each for each in command.params if isinstance(each, click.Option)):
        assert option.help, option.name
        assert option.help.endswith((".", "].")) or option.show_default, option.help


def test_what_a_shell_waits_for_imports_next_to_nothing() -> None:
    heavy = (
        "{'trio', 'httpx', 'sqlite_utils', 'lambda_matrix.service.supervisor'} & set(sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys, lambda_matrix.cli; sys.exit(str({heavy} or ''))"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.strip() == ""


def test_an_unknown_command() -> None:
    ended = CliRunner().invoke(main, ["walk"])
    assert ended.exit_code == 2
    assert "No such command 'walk'" in ended.output


def test_the_operators_mistake_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    assert report(StoreLockedError("Held."), Path("f")) == 75
    assert [record.getMessage() for record in caplog.records] == [
        "Held.",
    ]
    assert caplog.records[0].exc_info is None


def test_a_fault_of_the_program_shows_where(caplog: pytest.LogCaptureFixture) -> None:
    assert report(ZeroDivisionError("at work"), Path("f")) == 1
    assert "ZeroDivisionError: at work" in caplog.text


def test_no_configuration(tmp_path: Path) -> None:
    assert "nowhere.toml: the configuration cannot be read" in refused(
        tmp_path / "nowhere.toml", 78
    )


def test_a_wrong_key(config: Path) -> None:
    config.write_text(config.read_text().replace("url =", "uri ="))
    assert refused(config, 78) == f"{config}: [homeserver] uri is no setting; did you mean url?"


def test_a_wrong_registry(config: Path) -> None:
    (config.parent / "agents.toml").write_text("[agent.main]\n")
    said = refused(config, 78)
    assert "agents.toml" in said
    assert "base_url" in said


def test_a_state_directory_that_cannot_be_one(config: Path) -> None:
    (config.parent / "state").write_text("a file")
    said = refused(config, 78)
    assert said.startswith(f"{config}: [state] directory: ")


async def test_a_certificate_that_nobody_vouches_for(config: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)

    async def shake_hands(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with suppress(trio.BrokenResourceError):
            await stream.do_handshake()

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, shake_hands, 0, context, host="127.0.0.1")
        listeners = await nursery.start(serve)
        port = listeners[0].transport_listener.socket.getsockname()[1]
        settings = SETTINGS.format(url=f"https://localhost:{port}")
        await trio.Path(config).write_text(settings)
        said = await trio.to_thread.run_sync(refused, config, 78)
        nursery.cancel_scope.cancel()
    assert said.startswith(f"{config}: [homeserver] url or ca_file: ")


def test_a_homeserver_that_is_not_there_is_waited_for_and_a_second_instance_is_refused(
    config: Path, tmp_path: Path
) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(address))
        notified.settimeout(60)
        first = subprocess.Popen(
            [sys.executable, "-m", "lambda_matrix", "run", "-v", "--config", str(config)],
            env={**os.environ, "NOTIFY_SOCKET": str(address)},
            stderr=subprocess.PIPE,
            text=True,
        )
        with first:
            while b"waiting for the homeserver" not in notified.recv(4096):
                pass
            said = refused(config, 75)
            assert said.startswith("Another lambda-matrix is running on the state directory ")
            first.send_signal(signal.SIGTERM)
            _, log = first.communicate(timeout=60)
    assert first.returncode == 0, log
    assert SECRET not in log


def test_what_a_command_imports_is_never_looked_through_for_garbage() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import gc; from lambda_matrix.cli import main; main.get_command(None, 'run'); "
                "print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True True\n"
