"""Where agents' files lie."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
from attrs import evolve

from lambda_matrix.agent.registry import Registry
from lambda_matrix.agent.roster import Agents
from lambda_matrix.ids import AgentId, PlatformChatId
from lambda_matrix.surface.files.workspaces import Workspaces
from tests.agent.servers import entry_at

MAIN = AgentId("main")
CHAT = PlatformChatId(17)


def open_workspaces(
    tmp_path: Path, workspace: Path | None, *, inline: bool = False
) -> tuple[Workspaces, Registry]:
    entry = entry_at("ws://127.0.0.1:1", workspace=workspace, inline_files=inline)
    twin = evolve(entry, id=AgentId("twin"))
    registry = Registry(MAIN, MappingProxyType({MAIN: entry, twin.id: twin}))
    return Workspaces(Agents(registry), tmp_path / "files"), registry


async def test_leftovers_are_cleared_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    leftover = tmp_path / "agents" / ".incoming" / "half"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    workspaces, registry = open_workspaces(tmp_path, tmp_path / "agents")
    await workspaces.prepare(registry)
    assert "1 files in" in caplog.text
    leftover.touch()
    await workspaces.prepare(registry)
    assert leftover.exists(), "somebody may be receiving it by now"


async def test_files_within_messages_lie_in_a_folder_of_our_own(tmp_path: Path) -> None:
    workspaces, registry = open_workspaces(tmp_path, None, inline=True)
    await workspaces.prepare(registry)
    found = workspaces.of(MAIN)
    assert found is not None
    assert found.root == tmp_path / "files"
    assert workspaces.shared(MAIN) is None, "the agent cannot put anything there"
    assert workspaces.of(AgentId("gone")) is None
    assert not workspaces.is_inline(AgentId("gone"))


async def test_a_chat_that_is_over_leaves_no_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "agents" / "chats" / "17" / "folder" / "a.txt"
    file.parent.mkdir(parents=True)
    file.touch()
    workspaces, _ = open_workspaces(tmp_path, tmp_path / "agents")
    await workspaces.clear(AgentId("gone"), CHAT)
    await workspaces.clear(MAIN, CHAT)
    assert list((tmp_path / "agents" / "chats").iterdir()) == []
    (tmp_path / "agents").rename(tmp_path / "elsewhere")
    await workspaces.clear(MAIN, CHAT)
    assert "files of chat 17 are left over" in caplog.text
