"""What the homeserver says of the topology, as it stands in the store."""

from __future__ import annotations

from attrs import evolve
from sqlite_utils import Database

from lambda_matrix.account_data import Binding, KeptSaved, KeptSettings, NothingChosen, Unbound
from lambda_matrix.ids import AgentId, PlatformChatId, RoomId
from lambda_matrix.matrix_events import LeftRoom, RoomMarker, RoomState, SpaceChild
from lambda_matrix.store.facts import load_binding, load_saved
from tests.client_server_api.test_account_data import SAVED
from tests.store.telling import ALICE, BOT, ROOM, Told, joined

CHAT = RoomId("!chat")
BINDING = Binding(owner=ALICE, agent=AgentId("main"), platform_chat_id=PlatformChatId(7))


async def rows(told: Told, query: str) -> list[tuple[object, ...]]:
    def read(db: Database) -> list[tuple[object, ...]]:
        return db.execute(query).fetchall()

    return await told.store.transact(read)


async def test_a_room_says_what_it_was_made_as(told: Told) -> None:
    state = RoomState(
        creator=BOT,
        room_type="m.space",
        predecessor=CHAT,
        marker=RoomMarker("intent", "space", ALICE),
    )
    await told.batch(joined(state=state))
    await told.batch(joined(state=RoomState(name="What is not said stays")))
    columns = "room_type, predecessor, intent, marker_kind, marker_owner"
    (made_as,) = await rows(told, f"SELECT {columns} FROM rooms")  # noqa: S608 - constants
    assert made_as == ("m.space", CHAT, "intent", "space", ALICE)


async def test_the_last_word_on_a_child_counts(told: Told) -> None:
    query = "SELECT * FROM space_children"
    await told.batch(
        joined(state=RoomState(children=(SpaceChild(CHAT, has_via=True, sender=BOT),)))
    )
    assert await rows(told, query) == [(ROOM, CHAT, 1, BOT)]
    await told.batch(
        joined(state=RoomState(children=(SpaceChild(CHAT, has_via=False, sender=ALICE),)))
    )
    assert await rows(told, query) == [(ROOM, CHAT, 0, ALICE)]
    await told.batch(left=(LeftRoom(room_id=ROOM),))
    assert await rows(told, query) == []


async def test_the_last_word_on_a_binding_counts(told: Told) -> None:
    query = "SELECT binding FROM kept_bindings"
    await told.batch(evolve(joined(), binding=BINDING))
    await told.batch(joined())
    ((text,),) = await rows(told, query)
    assert load_binding(str(text)) == BINDING
    await told.batch(evolve(joined(), binding=Unbound()))
    assert await rows(told, query) == [(None,)]


async def test_what_people_chose_and_saved(told: Told) -> None:
    chosen = KeptSettings(
        user_id=ALICE,
        language="ru",
        streaming=True,
        reply_style="plain",
        tool_lines=False,
        agent=None,
    )
    await told.batch(kept=(chosen, KeptSaved(ALICE, (evolve(SAVED, user_id=ALICE),))))
    await told.batch(kept=(evolve(chosen, streaming=False),))
    assert await rows(told, "SELECT * FROM kept_settings") == [(ALICE, "ru", 0, "plain", 0, None)]
    await told.batch(kept=(NothingChosen(ALICE),))
    assert await rows(told, "SELECT * FROM kept_settings") == []
    ((text,),) = await rows(told, "SELECT saved FROM kept_saved")
    assert load_saved(str(text)) == (evolve(SAVED, user_id=ALICE),)
