"""Everything told anew takes the place of what was told, and moves nothing else."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from lambda_matrix.account_data import KeptSaved, Unbound
from lambda_matrix.ids import DeviceId, EventId, InstanceId, RoomId, SyncToken, UserId
from lambda_matrix.matrix_events import JoinedRoom, RoomState, SpaceChild, SyncBatch, TextMessage
from lambda_matrix.reconcile.topology import read_topology
from lambda_matrix.store import intake, meta, timeline
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.retelling import accept_anew
from lambda_matrix.store.store import Store, open_store

ME, ANNA = UserId("@bot:x"), UserId("@anna:x")
OURSELVES = Ourselves(ME, DeviceId("D"), InstanceId("0000000000001-a"))
SPACE, CHAT, OTHER = RoomId("!space:x"), RoomId("!chat:x"), RoomId("!other:x")
CAUGHT_UP = SyncToken("s1")


def said(room_id: RoomId, name: str) -> TextMessage:
    return TextMessage(
        room_id=room_id, event_id=EventId(f"${name}"), sender=ANNA, msgtype="m.text", body=name
    )


def child(room_id: RoomId) -> SpaceChild:
    return SpaceChild(room_id, has_via=True, sender=ME)


def told(*rooms: JoinedRoom, token: str) -> SyncBatch:
    return SyncBatch(next_batch=SyncToken(token), joined=rooms)


async def caught_up(store: Store) -> None:
    """A Space with two links, a bound chat, and what somebody saved."""
    await store.transact(meta.begin_instance, OURSELVES)
    batch = told(
        JoinedRoom(
            room_id=SPACE, state=RoomState(creator=ME, children=(child(CHAT), child(OTHER)))
        ),
        JoinedRoom(room_id=CHAT, binding=Unbound(), state=RoomState(name="Old")),
        token=CAUGHT_UP,
    )
    batch = evolve(batch, kept=(KeptSaved(ANNA, ()),))
    await store.transact(intake.accept_batch, batch, OURSELVES)


async def test_what_is_told_no_more_is_gone_and_the_token_stays(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await caught_up(store)
        anew = told(
            JoinedRoom(room_id=SPACE, state=RoomState(children=(child(CHAT),))),
            JoinedRoom(room_id=CHAT, state=RoomState(name="New")),
            token="s9",
        )
        await store.transact(accept_anew, anew, OURSELVES, CAUGHT_UP)
        observed, _ = await store.transact(read_topology, ME)
        assert [(link.space_id, link.room_id) for link in observed.children] == [(SPACE, CHAT)]
        assert (observed.bindings, observed.saved) == ({}, ())
        assert await store.transact(meta.sync_token) == CAUGHT_UP


async def test_the_past_of_known_rooms_is_left_to_the_token(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await caught_up(store)
        room = JoinedRoom(
            room_id=CHAT, timeline=(said(CHAT, "b"),), limited=True, prev_batch=SyncToken("p")
        )
        await store.transact(accept_anew, told(room, token="s9"), OURSELVES, CAUGHT_UP)
        assert await store.transact(timeline.rooms_with_gaps) == ()
        assert not await store.transact(timeline.is_known, EventId("$b"))


async def test_an_unknown_room_comes_with_its_past(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await caught_up(store)
        room = JoinedRoom(room_id=OTHER, limited=True, prev_batch=SyncToken("p"))
        await store.transact(accept_anew, told(room, token="s9"), OURSELVES, CAUGHT_UP)
        (gap,) = await store.transact(timeline.open_gaps, OTHER)
        assert (gap.from_token, gap.to_token) == ("p", None)
