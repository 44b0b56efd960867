from __future__ import annotations

from pathlib import Path

import pytest

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.workspace.folder import ChatFolder, Workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace as an operator makes it: setgid, for the group."""
    folder = tmp_path / "agents" / "main"
    folder.mkdir(parents=True)
    folder.chmod(0o2770)
    return folder


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return Workspace(root)


@pytest.fixture
def chat(workspace: Workspace) -> ChatFolder:
    return workspace.chat(PlatformChatId(17))


@pytest.fixture
def inside(root: Path) -> Path:
    """The folder of chat 17, in which an agent puts its files."""
    folder = root / "chats" / "17"
    folder.mkdir(parents=True)
    return folder
