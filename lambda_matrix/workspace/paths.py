"""Where an agent's word for a file leads: always beneath the chat's own folder, or nowhere."""

from __future__ import annotations

from pathlib import Path

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.workspace.errors import FileRefused, Refusal

CHATS = "chats"
"""The folder in a workspace that has a folder for each chat."""
_MAX_PATH = 4096
"""Bytes; PATH_MAX of Linux."""


def path_of(chat: PlatformChatId, *parts: str) -> str:
    """Return the path, relative to the workspace, of something in a chat's folder."""
    return "/".join((CHATS, str(chat), *parts))


def parts_in_chat(said: str, root: Path, chat: PlatformChatId) -> tuple[str, ...]:
    """Return the names that lead from the chat's folder to the file that `said` names.

    `said` is relative to the workspace, or begins with where that is mounted: `/workspace/` at the
    agent; `/agents/`, `/agents/<name>/` or `root` itself here.

    Raises:
        FileRefused: MALFORMED or OUTSIDE.
    """
    try:
        length = len(said.encode())
    except UnicodeEncodeError as error:  # a lone surrogate
        raise FileRefused(Refusal.MALFORMED, said) from error
    if "\0" in said or length > _MAX_PATH:
        raise FileRefused(Refusal.MALFORMED, said)
    parts = tuple(each for each in _relative(said, root).split("/") if each not in {"", "."})
    if not parts:
        raise FileRefused(Refusal.MALFORMED, said)
    folder, inside = parts[:2], parts[2:]
    if ".." in parts or folder != (CHATS, str(chat)):
        raise FileRefused(Refusal.OUTSIDE, said)
    if not inside:
        raise FileRefused(Refusal.NOT_A_FILE, said)
    return inside


def _relative(said: str, root: Path) -> str:
    """Strip the first mount point that fits; an absolute path elsewhere fits none and stays."""
    if not said.startswith("/"):
        return said
    for mount in (f"{root}/", f"/agents/{root.name}/", "/agents/", "/workspace/"):
        if said.startswith(mount):
            return said.removeprefix(mount)
    raise FileRefused(Refusal.OUTSIDE, said)
