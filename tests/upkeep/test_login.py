"""`login` as its operator meets it."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from attrs import frozen
from click.testing import CliRunner

from lambda_matrix.cli import main
from lambda_matrix.client_server_api.errors import CertificateRefused
from lambda_matrix.client_server_api.session import Session, write_session
from lambda_matrix.config import load_settings
from lambda_matrix.exits import CommandError
from lambda_matrix.ids import AccessToken, DeviceId, UserId
from lambda_matrix.secret import Secret
from lambda_matrix.upkeep.login import _log_in
from lambda_matrix.upkeep.proving import _told
from lambda_matrix.upkeep.secret_file import check_place, write_secret
from lambda_matrix.upkeep.terminal import Terminal
from tests.lab.proxy import Answer, Loss, Proxy, open_proxy, rate_limited
from tests.lab.small_homeserver import BOT, PASSWORD, TOKEN, SmallHomeserver, open_small_homeserver
from tests.upkeep.commands import Ended, command_line, write_settings

DEAD = Answer(401, b'{"errcode":"M_UNKNOWN_TOKEN","error":"no"}')


@frozen
class Lab:
    homeserver: SmallHomeserver
    proxy: Proxy
    config: Path

    @property
    def credentials(self) -> Path:
        return self.config.parent / "credentials"

    async def login(self, typed: str, *, name: str = "password") -> Ended:
        """Do the command's work, with what comes from a pipe."""
        settings = load_settings(self.config, {}, secrets=False)
        out, err = io.StringIO(), io.StringIO()
        status = 0
        with tempfile.TemporaryFile("w+") as pipe:
            pipe.write(typed)
            pipe.seek(0)
            try:
                await _log_in(
                    settings, Terminal(out, err, pipe), file=self.config, name=name, is_piped=True
                )
            except CommandError as error:
                status = error.status
                err.write(str(error))
        said = Ended(status, out.getvalue(), err.getvalue())
        assert not typed.strip() or typed.strip() not in said.out + said.err
        return said


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_small_homeserver() as homeserver, open_proxy(homeserver.url) as proxy:
        config = write_settings(tmp_path, proxy.url)
        config.write_text(config.read_text().replace('password_file = "password"\n', ""))
        (tmp_path / "password").unlink()
        yield Lab(homeserver, proxy, config)
        assert homeserver.passing_devices == 0
        assert proxy.findings == []


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_password_is_proven_and_kept(lab: Lab) -> None:
    ended = await lab.login(f"{PASSWORD}\n")
    assert (ended.status, ended.err) == (0, "")
    kept = lab.credentials / "password"
    assert ended.out == (
        f"The password of {BOT} is good.\nIt is kept in {kept}, for its owner alone.\n\n"
        "Next: systemctl restart lambda-matrix (lambda-matrix doctor checks the rest)\n"
    )
    assert kept.read_text() == f"{PASSWORD}\n"
    assert (mode(kept), mode(lab.credentials)) == (0o600, 0o700)
    assert names(lab.credentials) == ["password"]
    assert b"device_id" not in lab.proxy.made("POST .*/login")[0].body


async def test_a_wrong_password_leaves_the_old_one(lab: Lab) -> None:
    kept = lab.credentials / "password"
    write_secret(kept, Secret("the old one"))
    ended = await lab.login("wrong\n")
    assert (ended.status, ended.out) == (77, "")
    assert ended.err == (f"The homeserver does not accept this password of {BOT} (M_FORBIDDEN).")
    assert kept.read_text() == "the old one\n"


async def test_a_token_takes_the_place_of_a_password(lab: Lab) -> None:
    write_secret(lab.credentials / "password", Secret("the old one"))
    ended = await lab.login(TOKEN, name="access_token")
    assert ended.status == 0
    assert f"The access token is of {BOT}, device LAMBDA_MATRIX: the service is that" in ended.out
    assert f"Removed {lab.credentials}/password: the service wants one of the two." in ended.out
    assert names(lab.credentials) == ["access_token"]
    assert mode(lab.credentials / "access_token") == 0o600


async def test_a_file_that_the_configuration_names_is_written(lab: Lab, tmp_path: Path) -> None:
    named = 'password_file = "secrets/password"\naccess_token_file = "secrets/token"\n[state]'
    lab.config.write_text(lab.config.read_text().replace("[state]", named))
    ended = await lab.login(PASSWORD)
    assert ended.status == 0
    assert (tmp_path / "secrets/password").read_text() == f"{PASSWORD}\n"
    assert f"Take access_token_file out of {lab.config}" in ended.out


async def test_a_token_of_somebody_else(lab: Lab) -> None:
    lab.proxy.spoil("whoami", Answer(200, b'{"user_id":"@eve:example.org"}'))
    ended = await lab.login(TOKEN, name="access_token")
    assert (ended.status, ended.out) == (78, "")
    assert ended.err == (
        f"The access token is of @eve:example.org; [homeserver] user_id says {BOT}."
    )
    assert not lab.credentials.exists()


@pytest.mark.parametrize(
    ("pattern", "fault", "status", "said"),
    [
        ("POST .*/login", rate_limited(296_000), 77, "try again in 296 s"),
        ("POST .*/login", Answer(429, b"slow"), 77, "try again later"),
        ("GET .*/login", Answer(502, b"<html>"), 69, " is away: GET "),
        ("GET .*/login", Loss.REQUEST, 69, " is away: GET "),
        ("GET .*/login", Answer(404, b"<html>"), 78, "There is no Matrix homeserver at "),
        ("GET .*/login", Answer(200, b'{"flows":[{"type":"m.login.sso"}]}'), 77, "no passwords"),
        ("POST .*/login", Answer(400), 77, "The homeserver refuses: POST "),
    ],
)
async def test_what_the_homeserver_may_say(
    lab: Lab, pattern: str, fault: Answer | Loss, status: int, said: str
) -> None:
    lab.proxy.spoil(pattern, fault)
    ended = await lab.login(PASSWORD)
    assert (ended.status, ended.out) == (status, "")
    assert "\n" not in ended.err
    assert said in ended.err
    assert not lab.credentials.exists()


async def test_a_token_while_the_homeserver_is_away(lab: Lab) -> None:
    lab.proxy.spoil("whoami", Loss.REQUEST)
    ended = await lab.login(TOKEN, name="access_token")
    assert ended.status == 69


async def test_a_certificate_that_nobody_vouches_for(lab: Lab) -> None:
    error = CertificateRefused("The homeserver's certificate is refused: self-signed.")
    settings = load_settings(lab.config, {}, secrets=False)
    told = _told(settings.homeserver, error)
    assert told.status == 78
    assert str(told).endswith("self-signed. [homeserver] ca_file names an authority to trust.")


async def test_a_token_that_nobody_knows(lab: Lab) -> None:
    lab.proxy.spoil("whoami", DEAD)
    ended = await lab.login(TOKEN, name="access_token")
    assert ended.status == 77
    assert ended.err == "The homeserver does not know this access token."


@pytest.mark.parametrize(
    ("typed", "name", "said"),
    [
        ("", "password", "No password was given; nothing was changed."),
        ("\n", "access_token", "No access token was given; nothing was changed."),
        ("a\tb\n", "password", "This can be no password"),
        ("two words\n", "access_token", "This can be no access token"),
    ],
)
async def test_what_is_no_secret(lab: Lab, typed: str, name: str, said: str) -> None:
    ended = await lab.login(typed, name=name)
    assert ended.status == 78
    assert said in ended.err
    assert lab.proxy.exchanges == []


def keep_session(lab: Lab, user: str = BOT) -> Path:
    state = lab.config.parent / "state"
    state.mkdir()
    session = Session(UserId(user), DeviceId("LAMBDA_MATRIX"), AccessToken("old"))
    write_session(state / "session.json", session)
    return state / "session.json"


async def test_a_session_that_has_ended_is_forgotten(lab: Lab) -> None:
    session = keep_session(lab)
    lab.proxy.spoil("whoami", DEAD)
    ended = await lab.login(PASSWORD)
    assert ended.status == 0
    assert f"Removed {session}: the homeserver has ended that session." in ended.out
    assert not session.exists()


async def test_a_session_that_lives_is_kept(lab: Lab) -> None:
    session = keep_session(lab)
    ended = await lab.login(PASSWORD)
    assert ended.status == 0
    assert session.exists()
    session.unlink()
    session.mkdir()
    ended = await lab.login(PASSWORD)
    assert ended.status == 0
    assert "The session file " in ended.err


async def test_a_session_of_somebody_else_is_told(lab: Lab) -> None:
    session = keep_session(lab, "@eve:example.org")
    ended = await lab.login(PASSWORD)
    assert f"{session} is of @eve:example.org: the service does not start with it." in ended.out


async def test_at_a_terminal_nothing_is_seen_of_what_is_typed(lab: Lab) -> None:
    ours, theirs = os.openpty()
    process = await trio.lowlevel.open_process(
        command_line(lab.config, "login"), stdin=theirs, stdout=theirs, stderr=theirs
    )
    screen = ""
    with trio.fail_after(60):
        while not screen.endswith(f"Password of {BOT}: "):
            await trio.lowlevel.wait_readable(ours)
            screen += os.read(ours, 4096).decode()
        while termios.tcgetattr(theirs)[3] & termios.ECHO:
            await trio.lowlevel.checkpoint()
        os.write(ours, f"{PASSWORD}\n".encode())
        await process.wait()
    assert termios.tcgetattr(theirs)[3] & termios.ECHO
    os.close(theirs)
    screen += os.read(ours, 4096).decode()
    os.close(ours)
    assert process.returncode == 0
    assert PASSWORD not in screen
    assert (lab.credentials / "password").exists()


def test_without_a_terminal(tmp_path: Path) -> None:
    config = write_settings(tmp_path, "http://127.0.0.1:9")
    ended = CliRunner().invoke(main, ["login", "--config", str(config)])
    assert ended.exit_code == 2
    assert "There is no terminal to ask on. --stdin reads from a pipe." in ended.output


def test_the_example_is_no_homeserver(tmp_path: Path) -> None:
    config = write_settings(tmp_path, "http://127.0.0.1:9")
    config.write_text(config.read_text().replace(BOT, "@lambda:example.org"))
    ended = CliRunner().invoke(main, ["login", "--stdin", "--config", str(config)], input="x")
    assert ended.exit_code == 78
    assert "[homeserver] user_id is still the example's" in ended.output


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        write_secret(tmp_path / "file/password", Secret("x"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommandError, match="cannot be written: Is a directory"):
        write_secret(tmp_path / "folder", Secret("x"))
    assert names(tmp_path) == ["file", "folder"]
    check_place(tmp_path / "credentials/password")
    with pytest.raises(CommandError, match="give this command as root"):
        check_place(Path("/proc/self/credentials/password"))
