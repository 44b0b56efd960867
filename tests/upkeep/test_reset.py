"""`reset` as its operator meets it; what it does at a real homeserver: tests/scenarios."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from lambda_matrix.cli import main
from lambda_matrix.client_server_api.account_data import BINDING_KEY, SEQUENCE_KEY, person_key
from lambda_matrix.store.opening import DiskRefusesError, take_lock
from lambda_matrix.upkeep import holding, reset as reset_module
from tests.lab.proxy import Answer, Proxy, open_proxy
from tests.lab.small_homeserver import ANNA, SmallHomeserver, open_small_homeserver
from tests.upkeep.commands import Ended, perform, perform_at_terminal, write_settings

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_settings(tmp_path, NOWHERE)


@pytest.fixture
def state(config: Path) -> Path:
    """A state directory with something in it."""
    directory = config.parent / "state"
    directory.mkdir()
    for name in ("lambda-matrix.db", "session.json", "lock"):
        (directory / name).write_text("{}")
    return directory


def reset(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["reset", "--config", str(config), *arguments])


@pytest.mark.parametrize("reach", [[], ["--local-only", "--server-leave-forget"]])
def test_exactly_one_reach_is_wanted(config: Path, state: Path, reach: list[str]) -> None:
    ended = reset(config, *reach, "--yes")
    assert ended.exit_code == 2
    assert "Say how far: either --local-only or --server-leave-forget." in ended.output
    assert (state / "lambda-matrix.db").exists()


def test_without_a_terminal_it_is_not_done_unasked(config: Path, state: Path) -> None:
    ended = reset(config, "--local-only")
    assert ended.exit_code == 2
    assert "There is no terminal to ask on. With --yes nothing is asked." in ended.output
    assert (state / "lambda-matrix.db").exists()


def test_a_wrong_setting_is_one_sentence(config: Path) -> None:
    config.write_text(config.read_text().replace("url =", "uri ="))
    ended = reset(config, "--local-only", "--yes")
    assert ended.exit_code == 78
    assert "Error: " in ended.output
    assert "uri is no setting" in ended.output


def test_a_dry_run_makes_no_directory(config: Path) -> None:
    ended = reset(config, "--local-only", "--dry-run")
    assert (ended.exit_code, ended.output.endswith("There is nothing to reset.\n")) == (0, True)
    assert not (config.parent / "state").exists()


def test_a_dry_run_shows_and_changes_nothing(config: Path, state: Path) -> None:
    ended = reset(config, "--local-only", "--dry-run")
    assert ended.exit_code == 0
    assert "  lambda-matrix.db      1  2 B   dropped\n" in ended.output
    assert "  session.json          1  2 B   kept: no new login\n" in ended.output
    assert ended.output.endswith("Nothing was changed (--dry-run).\n")
    assert names(state) == ["lambda-matrix.db", "lock", "session.json"]


def test_the_local_state_is_dropped(config: Path, state: Path) -> None:
    ended = reset(config, "--local-only", "--yes")
    assert ended.exit_code == 0
    assert ended.output.endswith("The local state is dropped: lambda-matrix.db (2 B).\n")
    assert names(state) == ["lock", "session.json"]
    assert "nothing to reset" in reset(config, "--local-only", "--yes").output


def test_nothing_local_needs_a_secret(config: Path, state: Path) -> None:
    (config.parent / "password").unlink()
    (state / "session.json").unlink()
    assert reset(config, "--local-only", "--yes").exit_code == 0
    assert names(state) == ["lock"]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@contextmanager
def locked(state: Path) -> Iterator[None]:
    lock = take_lock(state)
    try:
        yield
    finally:
        os.close(lock)


@pytest.mark.parametrize("more", [["--local-only"], ["--server-leave-forget"]])
@pytest.mark.parametrize("manner", ["--yes", "--dry-run"])
def test_it_is_refused_while_the_service_runs(
    config: Path, state: Path, more: list[str], manner: str
) -> None:
    with locked(state):
        ended = reset(config, *more, manner)
    assert ended.exit_code == 75
    assert "Another lambda-matrix is running" in ended.output
    assert (state / "lambda-matrix.db").exists()


def test_a_disk_that_refuses(config: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(reset_module, "drop", refuse)
    ended = reset(config, "--local-only", "--yes")
    assert ended.exit_code == 73
    assert "The local state cannot be removed" in ended.output
    assert "Run the command again" in ended.output


def test_a_fault_of_the_program_shows_where(
    config: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("at work")

    monkeypatch.setattr(reset_module, "drop", fail)
    assert reset(config, "--local-only", "--yes").exit_code == 1


def test_a_disk_that_refuses_the_lock(
    config: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> int:
        raise DiskRefusesError("The disk is full")

    monkeypatch.setattr(holding, "take_lock", refuse)
    ended = reset(config, "--local-only", "--yes")
    assert (ended.exit_code, "Error: The disk is full.\n" in ended.output) == (73, True)


@frozen
class Lab:
    """A bot with two rooms, at a small homeserver behind a proxy."""

    homeserver: SmallHomeserver
    proxy: Proxy
    config: Path

    @property
    def state(self) -> Path:
        return self.config.parent / "state"

    async def reset(self, *arguments: str) -> Ended:
        return await perform(self.config, "reset", "--server-leave-forget", *arguments)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_small_homeserver() as homeserver, open_proxy(homeserver.url) as proxy:
        chat = homeserver.chat_of_bot(ANNA)
        homeserver.add(chat, "m.room.name", {"name": "Evil \x1b[31m name"}, ANNA, state_key="")
        homeserver.keep_of_room(chat, BINDING_KEY, {"owner": ANNA})
        homeserver.direct_chat(ANNA)
        homeserver.keep(person_key(ANNA), {"language": "ru"})
        homeserver.keep(SEQUENCE_KEY, {"highest": 1233})
        yield Lab(homeserver, proxy, write_settings(tmp_path, proxy.url))
        assert proxy.findings == []


async def test_what_is_there_and_what_becomes_of_it(lab: Lab) -> None:
    ended = await lab.reset("--dry-run")
    assert ended.status == 0
    told = [" ".join(line.split()) for line in ended.out.splitlines()]
    for line in (
        "chats 1 unbound, left and forgotten",
        "invites 1 declined and forgotten",
        "settings and saved conversations 1 emptied",
        "number sequence 1 kept: the next context is 1,234",
        "chat Evil \N{REPLACEMENT CHARACTER}[31m name !room1:example.org",
    ):
        assert line in told
    assert "\x1b" not in ended.out + ended.err
    # There was no session to look around with; the login is all that was asked but GETs.
    assert [each.target for each in lab.proxy.made("^(PUT|POST)")] == ["/_matrix/client/v3/login"]
    assert "logging in" in ended.err
    session = (lab.state / "session.json").read_bytes()
    again = await lab.reset("--dry-run")
    assert again.status == 0
    assert len(lab.proxy.made("^(PUT|POST)")) == 1
    assert (lab.state / "session.json").read_bytes() == session


async def test_it_asks_and_does_what_it_said(lab: Lab) -> None:
    status, screen = await perform_at_terminal(lab.config, "n\n", "reset", "--server-leave-forget")
    assert (status, "Nothing was changed." in screen) == (130, True)
    assert not lab.proxy.made("leave$")
    status, screen = await perform_at_terminal(lab.config, "y\n", "reset", "--server-leave-forget")
    assert status == 0, screen
    assert "1 of 6: unbinding" in screen
    assert len(lab.homeserver.forgotten) == 2
    assert lab.homeserver.account_data[SEQUENCE_KEY] == {"highest": 1233}
    assert "There is nothing to reset." in (await lab.reset("--yes")).out


async def test_ctrl_c_at_the_question_changes_nothing(config: Path, state: Path) -> None:
    status, screen = await perform_at_terminal(config, None, "reset", "--local-only")
    assert (status, "Interrupted; nothing was changed." in screen) == (130, True)
    assert (state / "lambda-matrix.db").exists()


async def test_a_refusal_keeps_the_local_state(lab: Lab) -> None:
    body = json.dumps({"errcode": "M_BAD_STATE", "error": "no way"}).encode()
    lab.proxy.spoil("^POST .*room1.*/(leave|forget)$", Answer(400, body))
    (lab.config.parent / "state").mkdir()
    (lab.state / "lambda-matrix.db").write_text("{}")
    ended = await lab.reset("--yes")
    assert ended.status == 77
    assert "no way" in ended.out
    assert "so the local state was kept" in ended.err
    assert (lab.state / "lambda-matrix.db").exists()
    lab.proxy.mend()
    assert (await lab.reset("--yes")).status == 0
    assert not (lab.state / "lambda-matrix.db").exists()


@pytest.mark.parametrize(
    ("status", "errcode", "ends", "said"),
    [
        (401, "M_UNKNOWN_TOKEN", 70, "The homeserver ended the session."),
        (403, "M_USER_SUSPENDED", 77, "The homeserver refuses: "),
    ],
)
async def test_what_ends_it(lab: Lab, status: int, errcode: str, ends: int, said: str) -> None:
    body = json.dumps({"errcode": errcode, "error": "no"}).encode()
    lab.proxy.spoil("^PUT .*account_data", Answer(status, body))
    ended = await lab.reset("--yes")
    assert ended.status == ends
    assert f"Error: {said}" in ended.err


async def test_a_login_refused_is_a_wrong_setting(lab: Lab) -> None:
    (lab.config.parent / "password").write_text("wrong")
    ended = await lab.reset("--yes")
    assert ended.status == 78
    assert "[homeserver] password or access token" in ended.err
