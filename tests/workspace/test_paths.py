from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.workspace.errors import FileRefused, Refusal
from lambda_matrix.workspace.paths import parts_in_chat, path_of

CHAT = PlatformChatId(17)
ROOT = Path("/srv/agents/main")
PIECES = st.sampled_from(
    ["chats", "17", "..", ".", "", "a", "\0", "workspace", "agents", "main", "/", "srv", "\ud800"]
)


@pytest.mark.parametrize(
    "said",
    [
        "chats/17/a/b.txt",
        "./chats/./17//a/b.txt",
        "/workspace/chats/17/a/b.txt",
        "/agents/chats/17/a/b.txt",
        "/agents/main/chats/17/a/b.txt",
        "/srv/agents/main/chats/17/a/b.txt",
        "/workspace//chats/17/a/b.txt",
    ],
)
def test_the_ways_to_say_it(said: str) -> None:
    assert parts_in_chat(said, ROOT, CHAT) == ("a", "b.txt")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", Refusal.MALFORMED),
        ("/workspace/", Refusal.MALFORMED),
        ("chats/17/a\0b", Refusal.MALFORMED),
        ("chats/17/\udcff", Refusal.MALFORMED),
        ("chats/17/" + "a/" * 4096, Refusal.MALFORMED),
        ("a.txt", Refusal.OUTSIDE),
        ("chats/18/a.txt", Refusal.OUTSIDE),
        ("chats/017/a.txt", Refusal.OUTSIDE),
        ("chats/17/../18/a.txt", Refusal.OUTSIDE),
        ("chats/17/b/../a.txt", Refusal.OUTSIDE),
        ("/etc/passwd", Refusal.OUTSIDE),
        ("/chats/17/a.txt", Refusal.OUTSIDE),
        ("/workspace/../etc/passwd", Refusal.OUTSIDE),
        ("/agents/other/chats/17/a.txt", Refusal.OUTSIDE),
        ("/workspaces/chats/17/a.txt", Refusal.OUTSIDE),
        ("chats/17", Refusal.NOT_A_FILE),
        ("chats/17/.", Refusal.NOT_A_FILE),
    ],
)
def test_what_is_refused(said: str, reason: Refusal) -> None:
    with pytest.raises(FileRefused) as refused:
        parts_in_chat(said, ROOT, CHAT)
    assert refused.value.reason is reason
    assert refused.value.path == said


@given(st.lists(PIECES | st.text()).map("/".join))
def test_what_is_let_through_stays_beneath_the_chat(said: str) -> None:
    try:
        parts = parts_in_chat(said, ROOT, CHAT)
    except FileRefused:
        return
    assert parts
    assert not {"", ".", ".."} & set(parts)
    assert not any("/" in each or "\0" in each for each in parts)
    assert parts_in_chat(path_of(CHAT, *parts), ROOT, CHAT) == parts
