"""Saved conversations: the whole list of a person is replaced, once for each command."""

from __future__ import annotations

from attrs import evolve

from lambda_matrix.account_data import SavedContext, Stretch
from lambda_matrix.ids import EventId, PlatformChatId
from lambda_matrix.store.conversations import saved
from tests.store.telling import AGENT, ALICE, BOB, OWN, ROOM, Told, draft, mark, said

STRETCH = Stretch(
    room_id=ROOM,
    first_event=EventId("$f"),
    last_event=EventId("$l"),
    platform_chat_id=PlatformChatId(7),
)
FIRST = SavedContext(
    user_id=ALICE,
    name="A",
    stretches=(STRETCH, STRETCH),
    agent=AGENT,
    messages=2,
    size=10,
    saved_at=1.0,
)
SECOND = evolve(FIRST, name="B", saved_at=2.0)


async def replace(told: Told, *now: SavedContext) -> None:
    command = said("$save", "!save")
    await told.events(command)
    reply = draft(mark("$save", "command:$save"))
    await told.store.transact(saved.replace, command, now, reply, OWN)


async def test_what_is_saved_is_told_the_oldest_first_to_its_owner(told: Told) -> None:
    theirs = evolve(FIRST, user_id=BOB)
    await told.store.transact(saved.restore, (theirs,))
    await replace(told, SECOND, FIRST)
    assert await told.store.transact(saved.saved_by, ALICE) == (FIRST, SECOND)
    assert await told.store.transact(saved.saved_by, BOB) == (theirs,)


async def test_a_command_changes_the_list_once(told: Told) -> None:
    await replace(told, FIRST)
    await replace(told)
    assert await told.store.transact(saved.saved_by, ALICE) == (FIRST,)
