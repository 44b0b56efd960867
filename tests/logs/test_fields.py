from __future__ import annotations

import threading

import pytest
import trio

from lambda_matrix.logs.fields import NOTHING, Fields, about, current, only_about


def test_fields_hold_within_their_block() -> None:
    with about(room="!r", user="@u"):
        with about(request="1", user="@v"):
            assert current() == Fields(room="!r", request="1", user="@v")
        assert current() == Fields(room="!r", user="@u")
    assert current() == NOTHING


def test_what_is_begun_alone_carries_nothing_on() -> None:
    with about(room="!r", request="1"), only_about(Fields(room="!s")):
        assert current() == Fields(room="!s")
        with only_about():
            assert current() == NOTHING


def test_a_block_that_fails_ends_too() -> None:
    with pytest.raises(ValueError, match="no"), about(room="!r"):
        raise ValueError("no")
    assert current() == NOTHING


def test_known_fields_have_their_names() -> None:
    fields = Fields(room="!r", event="$e", request="1", run="1.1", agent="main", user="@u")
    assert fields.known() == (
        ("room", "!r"),
        ("event", "$e"),
        ("request", "1"),
        ("run", "1.1"),
        ("agent", "main"),
        ("user", "@u"),
    )
    assert Fields(run="1.1").known() == (("run", "1.1"),)


async def test_tasks_and_threads_take_their_starters_fields_along() -> None:
    seen: list[tuple[str, Fields]] = []

    def in_a_thread() -> None:
        assert threading.current_thread() is not threading.main_thread()
        seen.append(("thread", current()))

    async def task() -> None:
        await trio.lowlevel.checkpoint()
        seen.append(("task", current()))
        await trio.to_thread.run_sync(in_a_thread)

    async with trio.open_nursery() as nursery:
        with about(room="!r"):
            nursery.start_soon(task)
        seen.append(("here", current()))
    assert dict(seen) == {"task": Fields(room="!r"), "here": NOTHING, "thread": Fields(room="!r")}
