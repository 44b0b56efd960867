"""`reconcile` as its operator meets it; what it does at a real homeserver: tests/scenarios."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest
from attrs import frozen
from click.testing import CliRunner

from lambda_matrix.account_data import Binding
from lambda_matrix.cli import main
from lambda_matrix.client_server_api.account_data import BINDING_KEY, binding_content
from lambda_matrix.disk import DiskObeys, DiskRefuses
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.ids import AgentId, PlatformChatId, RoomId, UserId
from lambda_matrix.reconcile.reconciliation import Done
from lambda_matrix.reconcile.repairs import KeepBinding, LinkChat, Repair
from lambda_matrix.store.opening import take_lock
from lambda_matrix.upkeep import holding, reconcile_tables
from tests.lab.proxy import Answer, Proxy, open_proxy
from tests.lab.small_homeserver import ANNA, BOT, SmallHomeserver, open_small_homeserver
from tests.upkeep.commands import Ended, perform, write_settings

MARKER = {"intent": "an-intent", "kind": "space", "owner": ANNA}


def words(text: str) -> list[str]:
    """The lines, with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


# -- tables --


def test_each_repair_has_its_words() -> None:
    assert set(reconcile_tables._KINDS) == set(get_args(Repair))


def test_what_was_refused_is_told_with_its_reason() -> None:
    link = LinkChat(space_id=RoomId("!s:x"), room_id=RoomId("!c:x"), owner=UserId("@a:x"))
    keep = KeepBinding(room_id=RoomId("!c:x"))
    told = words(reconcile_tables.done((Done(link), Done(keep, "not now")), all_rows=True))
    assert "chats put into their Space 1 0" in told
    assert "bindings put on the homeserver again 0 1" in told
    assert "chat !c:x: its binding put on the homeserver again: not now" in told


def test_a_thousand_repairs_are_summed_up() -> None:
    repairs = [KeepBinding(room_id=RoomId(f"!{number}:x")) for number in range(1000)]
    told = reconcile_tables.to_do(repairs, all_rows=False)
    assert "  bindings put on the homeserver again   1,000" in told
    assert "and 980 more (--verbose shows all)" in told
    assert len(told.splitlines()) < 30
    assert len(reconcile_tables.to_do(repairs, all_rows=True).splitlines()) > 1000


# -- the command --


@frozen
class Lab:
    """A bot with a Space and a chat in it, at a small homeserver, and no database."""

    homeserver: SmallHomeserver
    proxy: Proxy
    config: Path
    chat: RoomId

    @property
    def state(self) -> Path:
        return self.config.parent / "state"

    async def reconcile(self, *arguments: str) -> Ended:
        return await perform(self.config, "reconcile", *arguments)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_small_homeserver() as homeserver, open_proxy(homeserver.url) as proxy:
        created = {"type": "m.space", "ru.coredump.lambda.room": MARKER}
        space = homeserver._new_room(BOT, created)
        homeserver.member(space, ANNA, "join", ANNA)
        chat = homeserver.chat_of_bot(ANNA)
        binding = Binding(owner=ANNA, agent=AgentId("main"), platform_chat_id=PlatformChatId(7))
        homeserver.keep_of_room(chat, BINDING_KEY, binding_content(binding))
        yield Lab(homeserver, proxy, write_settings(tmp_path, proxy.url), chat)
        assert proxy.findings == []


async def test_from_nothing_to_all_and_then_nothing(lab: Lab) -> None:
    ended = await lab.reconcile("--dry-run")
    assert ended.status == 0, ended.err
    told = words(ended.out)
    for line in (
        "chats 1 0",
        "Spaces restored 1",
        "chats restored 1",
        "chats put into their Space 1",
    ):
        assert line in told
    assert "logging in, and keeping the session" in ended.err
    assert sorted(path.name for path in lab.state.iterdir()) == ["lock", "session.json"]
    changes = [each.target.rpartition("/")[2] for each in lab.proxy.made("^(PUT|POST)")]
    assert changes == ["login", "filter"]

    asked = len(lab.proxy.made("^GET .*joined_rooms"))
    ended = await lab.reconcile()
    assert ended.status == 0, ended.err
    assert "chats put into their Space 1 0" in words(ended.out)
    assert len(lab.proxy.made("^GET .*joined_rooms")) == asked + 1, "what is shown is what is done"
    assert lab.proxy.made("^PUT .*m.space.child")
    assert "Both agree: there is nothing to repair." in (await lab.reconcile()).out
    assert "Both agree: there is nothing to repair." in (await lab.reconcile("--dry-run")).out


async def test_what_the_homeserver_has_forgotten_is_told_anew(lab: Lab) -> None:
    await lab.reconcile()
    del lab.homeserver.room_account_data[lab.chat, BINDING_KEY]  # as no client can do
    assert "bindings put on the homeserver again 1 0" in words((await lab.reconcile()).out)
    assert lab.homeserver.room_account_data[lab.chat, BINDING_KEY]["platform_chat_id"] == 7


async def test_a_refused_repair(lab: Lab) -> None:
    body = json.dumps({"errcode": "M_FORBIDDEN", "error": "no way"}).encode()
    lab.proxy.spoil("^PUT .*m.space.child", Answer(403, body))
    ended = await lab.reconcile()
    assert ended.status == 77
    assert "chats put into their Space 0 1" in words(ended.out)
    assert "no way" in ended.out
    assert "Error: Some of it was refused." in ended.err


async def test_a_homeserver_that_does_not_tell_where_the_bot_is(lab: Lab) -> None:
    body = json.dumps({"errcode": "M_FORBIDDEN", "error": "no way"}).encode()
    lab.proxy.spoil("^GET .*joined_rooms", Answer(403, body))
    ended = await lab.reconcile()
    assert ended.status == 77
    assert "Error: The homeserver refuses: " in ended.err


async def test_a_session_that_is_kept_does_for_a_secret_that_only_the_unit_can_read(
    lab: Lab,
) -> None:
    await lab.reconcile()
    lab.config.write_text(lab.config.read_text().replace('password_file = "password"', ""))
    ended = await lab.reconcile()
    assert (ended.status, ended.err.count("password")) == (0, 0), ended.err
    assert "Both agree: there is nothing to repair." in ended.out

    (lab.state / "session.json").unlink()
    ended = await lab.reconcile()
    assert ended.status == 78
    assert "the bot's password or access token is missing" in ended.err


async def test_a_dead_session(lab: Lab) -> None:
    body = json.dumps({"errcode": "M_UNKNOWN_TOKEN", "error": "no"}).encode()
    lab.proxy.spoil("^GET .*/sync", Answer(401, body))
    assert (await lab.reconcile("--dry-run")).status == 70


async def test_a_damaged_database_is_set_aside_but_not_by_a_dry_run(lab: Lab) -> None:
    await lab.reconcile()
    database = lab.state / "lambda-matrix.db"
    database.write_bytes(b"no database at all" * 1000)
    before = {path: path.read_bytes() for path in lab.state.iterdir()}
    ended = await lab.reconcile("--dry-run")
    assert (ended.status, "chats restored 1" in words(ended.out)) == (0, True)
    assert {path: path.read_bytes() for path in lab.state.iterdir()} == before
    assert ended.err.count("set") == ended.err.count("a start would set it aside.") == 1
    said = "The database was damaged. It was set aside as lambda-matrix.db.damaged-"
    ended = await lab.reconcile()
    assert (ended.status, ended.err.count("aside"), said in ended.err) == (0, 1, True)
    ended = await lab.reconcile()
    assert (ended.status, "aside" in ended.err) == (0, False)


def test_it_is_refused_while_the_service_runs(tmp_path: Path) -> None:
    config = write_settings(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "state").mkdir()
    take_lock(tmp_path / "state")
    for manner in ([], ["--dry-run"]):
        ended = CliRunner().invoke(main, ["reconcile", "--config", str(config), *manner])
        assert (ended.exit_code, "Another lambda-matrix" in ended.output) == (75, True)


def test_a_wrong_registry_is_one_sentence(tmp_path: Path) -> None:
    config = write_settings(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "agents.toml").write_text("[agent.main]\n")
    ended = CliRunner().invoke(main, ["reconcile", "--config", str(config)])
    assert (ended.exit_code, "base_url" in ended.output) == (78, True)


def test_a_disk_that_refuses_is_not_waited_for(tmp_path: Path) -> None:
    holding._refuse(DiskObeys(1.0))
    with pytest.raises(CommandError, match=r"^It is full\.$") as refused:
        holding._refuse(DiskRefuses("It is full"))
    assert refused.value.status is Exit.DISK_REFUSES
    (tmp_path / "lambda-matrix.db").write_text("x")
    with pytest.raises(CommandError, match="cannot be copied"):
        holding._copy(tmp_path, tmp_path / "nowhere")
