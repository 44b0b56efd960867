"""What is planned, by example: each repair, and each thing that is left alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from lambda_matrix.account_data import Binding, Unbound
from lambda_matrix.ids import EventId, PlatformChatId, RoomId
from lambda_matrix.reconcile.plan import plan
from lambda_matrix.reconcile.repairs import (
    BindRoom,
    FinishChat,
    FinishTree,
    FollowBinding,
    KeepBinding,
    LeaveDuplicate,
    LinkChat,
    NoteByHand,
    NoteLeft,
    NoteMoved,
    RestoreChat,
    RestoreDirect,
    RestoreSpace,
    UnlinkChat,
)
from lambda_matrix.reconcile.topology import Observed, Recorded, RecordedRoom, SeenRoom
from lambda_matrix.store.records import RoomKind
from tests.reconcile.topologies import (
    ANNA,
    BINDING,
    BORIS,
    CHAT,
    LOBBY,
    ME,
    NOTHING,
    RECORDED,
    SECOND,
    SECOND_BINDING,
    SPACE,
    TREE,
    chat,
    intent,
    link,
    made,
    observed,
)

NEW = RoomId("!new")


def with_room(recorded: Recorded, **changes: object) -> Recorded:
    """The same, but for the chat's row."""
    changed = evolve(recorded.rooms[CHAT], **changes)  # type: ignore[arg-type] # columns by name
    return evolve(recorded, rooms={**recorded.rooms, CHAT: changed})


def with_binding(seen: Observed, **changes: object) -> Observed:
    """The same, but for the chat's binding."""
    changed = evolve(BINDING, **changes)  # type: ignore[arg-type] # fields by name
    return evolve(seen, bindings={**seen.bindings, CHAT: changed})


def with_seen(seen: Observed, **changes: object) -> Observed:
    """The same, but for what is said of the chat."""
    rooms = tuple(
        evolve(room, **changes) if room.room_id == CHAT else room  # type: ignore[arg-type] # likewise
        for room in seen.rooms
    )
    return evolve(seen, rooms=rooms)


def test_where_all_is_well_nothing_is_planned() -> None:
    assert plan(TREE, RECORDED) == ()


def test_all_of_it_comes_back_in_the_order_in_which_it_was_made() -> None:
    backwards = evolve(TREE, rooms=TREE.rooms[::-1])
    expected = (
        RestoreSpace(room_id=SPACE, owner=ANNA, intent="for !space"),
        RestoreChat(room_id=CHAT, binding=BINDING, intent="for !chat", created_at=3),
        RestoreChat(room_id=SECOND, binding=SECOND_BINDING, intent="$new", created_at=4),
        RestoreDirect(room_id=LOBBY, owner=ANNA, is_greeted=True),
    )
    assert plan(TREE, NOTHING) == expected
    assert plan(backwards, NOTHING) == expected


# -- where the bot is --


def test_rooms_that_the_bot_is_not_in_any_more_were_left() -> None:
    seen = evolve(TREE, joined=TREE.joined - {CHAT, SECOND})
    assert plan(seen, RECORDED) == (NoteLeft(room_id=CHAT), NoteLeft(room_id=SECOND))


def test_nothing_is_made_of_a_room_that_the_bot_is_not_in() -> None:
    seen = evolve(TREE, joined=TREE.joined - {SPACE, CHAT})
    assert plan(seen, NOTHING) == (
        RestoreChat(room_id=SECOND, binding=SECOND_BINDING, intent="$new", created_at=4),
        RestoreDirect(room_id=LOBBY, owner=ANNA, is_greeted=False),
    )


# -- forgeries --


def test_a_marker_in_a_room_of_anybody_elses_is_none() -> None:
    forged = (
        made(SPACE, "space", 1, creator=BORIS),
        made(CHAT, "chat", 2, creator=BORIS),
        evolve(made(SECOND, "chat", 3), creator=None),
    )
    seen = observed(*forged, children=(link(CHAT, by=BORIS),), may_talk=frozenset({ANNA}))
    assert plan(seen, NOTHING) == ()


def test_a_room_in_the_space_of_others_is_not_theirs() -> None:
    """Boris puts a room that we made for somebody else into his own Space."""
    his = made(NEW, "space", 1, owner=BORIS)
    unbound = made(CHAT, at=2)
    seen = observed(his, unbound, children=(link(CHAT, space_id=NEW, by=BORIS),))
    assert plan(seen, NOTHING) == (RestoreSpace(room_id=NEW, owner=BORIS, intent="for !new"),)


# -- chats --


def test_a_chat_of_somebody_elses_making_comes_back_without_an_intent() -> None:
    seen = with_seen(TREE, creator=BORIS, marker=None)
    assert RestoreChat(room_id=CHAT, binding=BINDING, created_at=3) in plan(seen, NOTHING)


def test_a_direct_room_that_is_bound_is_a_chat() -> None:
    direct = RecordedRoom(room_id=CHAT, kind=RoomKind.DIRECT, owner=ANNA)
    recorded = evolve(RECORDED, rooms={**RECORDED.rooms, CHAT: direct}, numbers={})
    assert plan(with_seen(TREE, creator=ANNA, marker=None), recorded) == (
        RestoreChat(room_id=CHAT, binding=BINDING, created_at=3),
    )


def test_a_bind_that_was_cut_off_is_left_to_its_command() -> None:
    seen = with_binding(with_seen(TREE, creator=ANNA, marker=None), since_event=EventId("$bind"))
    recorded = evolve(
        RECORDED,
        rooms={**RECORDED.rooms, CHAT: RecordedRoom(room_id=CHAT)},
        numbers={PlatformChatId(8): SECOND},
        pending=frozenset({EventId("$bind")}),
    )
    assert plan(seen, evolve(recorded, highest=PlatformChatId(8))) == ()
    lost = evolve(recorded, highest=PlatformChatId(0))
    assert [type(repair) for repair in plan(seen, lost)] == [RestoreChat]


def test_no_two_rooms_have_one_number() -> None:
    twice = evolve(TREE, bindings={CHAT: BINDING, SECOND: BINDING})
    restored = [r.room_id for r in plan(twice, NOTHING) if isinstance(r, RestoreChat)]
    assert restored == [CHAT]
    threads = ((EventId("$1"), PlatformChatId(8)),)
    assert not any(
        isinstance(r, FollowBinding) for r in plan(with_binding(TREE, threads=threads), RECORDED)
    )


@pytest.mark.parametrize(
    "newer",
    [
        {"platform_chat_id": PlatformChatId(9), "since_event": EventId("$clear")},
        {"archived": False, "own_threads": True},
        {"threads": ((EventId("$1"), PlatformChatId(9)),)},
    ],
)
def test_a_newer_binding_is_followed(newer: Mapping[str, object]) -> None:
    binding = evolve(BINDING, **newer)  # type: ignore[arg-type] # fields by name
    seen = with_binding(TREE, **newer)
    assert plan(seen, RECORDED) == (FollowBinding(room_id=CHAT, binding=binding),)
    pending = frozenset({EventId("$clear")})
    is_pending = binding.since_event in pending
    assert (plan(seen, evolve(RECORDED, pending=pending)) == ()) == is_pending


def test_an_archive_that_was_forgotten_is_followed_and_taken_out() -> None:
    archived = evolve(BINDING, archived=True)
    assert plan(with_binding(TREE, archived=True), RECORDED) == (
        FollowBinding(room_id=CHAT, binding=archived),
        UnlinkChat(space_id=SPACE, room_id=CHAT, owner=ANNA),
    )


def test_an_older_binding_is_replaced() -> None:
    older = with_binding(TREE, platform_chat_id=PlatformChatId(6))
    assert plan(older, RECORDED) == (KeepBinding(room_id=CHAT),)
    none = evolve(TREE, bindings={SECOND: SECOND_BINDING})
    assert plan(none, RECORDED) == (KeepBinding(room_id=CHAT),)


@pytest.mark.parametrize("binding", [None, Unbound()])
def test_a_chat_that_is_ended_is_left_alone(binding: Unbound | None) -> None:
    bindings = {SECOND: SECOND_BINDING} | ({} if binding is None else {CHAT: binding})
    seen = evolve(TREE, bindings=bindings, children=(link(CHAT, has_via=False), link(SECOND)))
    assert plan(seen, with_room(RECORDED, ended=True)) == ()
    assert (plan(seen, RECORDED) == ()) is (binding is not None)


# -- upgrades --

MOVED = observed(
    evolve(made(CHAT, "chat", 1), replaced_by=NEW),
    evolve(made(NEW, at=2, creator=ANNA), predecessor=CHAT),
)


def test_a_chat_that_went_on_elsewhere_has_moved() -> None:
    seen = evolve(MOVED, bindings={CHAT: Unbound(), NEW: BINDING})
    assert plan(seen, NOTHING) == (
        NoteMoved(room_id=CHAT, owner=ANNA, intent="for !chat"),
        RestoreChat(room_id=NEW, binding=BINDING, created_at=2),
    )
    others = with_seen(seen, creator=BORIS)
    assert plan(others, NOTHING)[0] == NoteMoved(room_id=CHAT, owner=ANNA)
    forgotten = evolve(seen, bindings={NEW: BINDING})
    assert plan(forgotten, NOTHING) == plan(seen, NOTHING)
    theirs = with_seen(forgotten, creator=BORIS)
    assert not any(isinstance(r, NoteMoved) for r in plan(theirs, NOTHING))
    nowhere = evolve(others, bindings={CHAT: Unbound()})
    assert plan(nowhere, NOTHING)[0] == NoteMoved(room_id=CHAT, owner=None)


@pytest.mark.parametrize("new", [{}, {NEW: BINDING}])
def test_an_upgrade_that_is_not_followed_yet_is_left_to_be(new: dict[RoomId, Binding]) -> None:
    seen = evolve(MOVED, bindings={CHAT: BINDING, **new})
    restored = RestoreChat(room_id=CHAT, binding=BINDING, intent="for !chat", created_at=1)
    assert plan(seen, NOTHING) == (restored,)
    old, replacement = MOVED.rooms
    by_a_wrong_clock = evolve(seen, rooms=(old, evolve(replacement, created_at=0)))
    assert plan(by_a_wrong_clock, NOTHING) == (restored,)
    recorded = evolve(RECORDED, rooms={CHAT: chat(CHAT)})
    assert plan(seen, evolve(recorded, intents=(intent(CHAT),))) == ()


def test_nothing_is_linked_into_a_space_that_goes_on_elsewhere() -> None:
    rooms = (evolve(made(SPACE, "space", 2), replaced_by=NEW), made(CHAT, "chat", 3))
    assert plan(observed(*rooms, bindings={CHAT: BINDING}), RECORDED) == (
        NoteLeft(room_id=LOBBY),
        NoteLeft(room_id=SECOND),
    )
    alone = observed(rooms[0])
    assert plan(alone, NOTHING) == (RestoreSpace(room_id=SPACE, owner=ANNA, intent="for !space"),)


def test_moved_rooms_stay_moved() -> None:
    moved = RecordedRoom(room_id=CHAT, kind=RoomKind.MOVED, owner=ANNA)
    recorded = Recorded(
        rooms={CHAT: moved, NEW: chat(NEW)},
        numbers={PlatformChatId(7): NEW},
        intents=(intent(CHAT),),
    )
    assert plan(evolve(MOVED, bindings={CHAT: Unbound(), NEW: BINDING}), recorded) == ()


# -- rooms from before there were bindings --


def test_rooms_without_a_binding_get_one_in_the_order_in_which_they_were_made() -> None:
    seen = observed(
        made(SPACE, "space", 1),
        made(RoomId("!b"), at=5),
        made(RoomId("!a"), at=5),
        made(RoomId("!c"), at=4),
        made(RoomId("!not linked"), at=2),
        made(RoomId("!linked by others"), at=2),
        children=(
            *(link(RoomId(f"!{name}")) for name in "abc"),
            link(RoomId("!linked by others"), by=ANNA),
        ),
    )
    bound = [r.room_id for r in plan(seen, NOTHING) if isinstance(r, BindRoom)]
    assert bound == ["!c", "!a", "!b"]
    assert len(plan(seen, NOTHING)) == 4


# -- half of a tree --


def test_a_chat_that_was_made_and_never_bound_is_finished() -> None:
    seen = observed(made(SPACE, "space", 1), made(CHAT, "chat", 2, intent="$new"))
    assert plan(seen, NOTHING) == (
        RestoreSpace(room_id=SPACE, owner=ANNA, intent="for !space"),
        FinishChat(room_id=CHAT, owner=ANNA, intent="$new"),
    )
    upgraded = with_seen(seen, replaced_by=NEW)
    assert not any(isinstance(r, FinishChat) for r in plan(upgraded, NOTHING))
    ended = evolve(seen, bindings={CHAT: Unbound()})
    assert not any(isinstance(r, FinishChat) for r in plan(ended, NOTHING))


def test_what_is_still_being_made_is_left_to_whoever_makes_it() -> None:
    seen = observed(made(SPACE, "space", 1), made(CHAT, "chat", 2))
    rooms = {room: RecordedRoom(room_id=room) for room in (SPACE, CHAT)}
    for known in (SPACE, None):
        going_on = (
            intent(known, RoomKind.SPACE, name="for !space", done=False),
            intent(None, name="for !chat", done=False),
        )
        assert plan(seen, Recorded(rooms=rooms, intents=going_on)) == ()
        bound = evolve(seen, bindings={CHAT: BINDING})
        numbered = evolve(
            going_on[1], platform_chat_id=BINDING.platform_chat_id, agent=BINDING.agent
        )
        assert plan(bound, Recorded(rooms=rooms, intents=(going_on[0], numbered))) == ()


@pytest.mark.parametrize("number", [None, PlatformChatId(6)])
def test_a_chat_that_was_made_is_not_made_once_more(number: PlatformChatId | None) -> None:
    """The database was set back to before that; what was said in the chat is not to be lost."""
    seen = observed(made(CHAT, "chat", 2), bindings={CHAT: BINDING})
    forgotten = evolve(
        intent(None, name="for !chat", done=False), platform_chat_id=number, agent=BINDING.agent
    )
    recorded = Recorded(rooms={CHAT: RecordedRoom(room_id=CHAT)}, intents=(forgotten,))
    restored = RestoreChat(room_id=CHAT, binding=BINDING, intent="for !chat", created_at=2)
    assert plan(seen, recorded) == (restored,)


def test_a_room_whose_chat_has_ended_is_not_made_again() -> None:
    """The bot was invited back to a chat that its owner had deleted."""
    seen = observed(made(SPACE, "space", 1), made(CHAT, "chat", 2), children=(link(CHAT),))
    rooms = {SPACE: RECORDED.rooms[SPACE], CHAT: RecordedRoom(room_id=CHAT)}
    assert plan(seen, evolve(RECORDED, rooms=rooms, numbers={})) == ()


def test_a_space_that_never_had_a_chat_gets_its_first() -> None:
    space = made(SPACE, "space", 1)
    restored = RestoreSpace(room_id=SPACE, owner=ANNA, intent="for !space")
    finish = FinishTree(space_id=SPACE, owner=ANNA)
    assert plan(observed(space), NOTHING) == (restored, finish)
    had_one = observed(space, children=(link(CHAT, has_via=False, by=ANNA),))
    assert plan(had_one, NOTHING) == (restored,)
    left = evolve(observed(space, made(LOBBY, creator=ANNA)), absent=frozenset({ANNA}))
    greeted = RestoreDirect(room_id=LOBBY, owner=ANNA, is_greeted=True)
    assert plan(left, NOTHING) == (restored, greeted)
    only_space = {SPACE: RECORDED.rooms[SPACE]}
    assert plan(observed(space), evolve(RECORDED, rooms=only_space)) == ()


@pytest.mark.parametrize(
    ("bindings", "kept"),
    [({}, CHAT), ({CHAT: BINDING}, CHAT), ({SECOND: SECOND_BINDING}, SECOND)],
)
def test_of_two_rooms_of_one_intent_one_is_left(
    bindings: dict[RoomId, Binding | Unbound], kept: RoomId
) -> None:
    rooms = (made(CHAT, "chat", 1, intent="i"), made(SECOND, "chat", 2, intent="i"))
    (left,) = {CHAT, SECOND} - {kept}
    repairs = plan(observed(*rooms, bindings=bindings), NOTHING)
    assert LeaveDuplicate(room_id=left, kept=kept) in repairs
    assert {r.room_id for r in repairs if isinstance(r, RestoreChat | FinishChat)} == {kept}
    known = Recorded(rooms={kept: chat(kept)}, intents=(intent(kept, name="i"),))
    assert LeaveDuplicate(room_id=left, kept=kept) in plan(observed(*rooms), known)


def test_a_room_is_not_left_for_one_that_is_gone() -> None:
    seen = observed(made(SECOND, "chat", 2, intent="i"))
    known = Recorded(intents=(intent(CHAT, name="i"),))
    assert plan(seen, known) == ()


# -- the user's hand --


def test_what_somebody_took_out_is_archived_and_never_linked_again() -> None:
    seen = evolve(TREE, children=(link(CHAT, has_via=False, by=ANNA), link(SECOND)))
    noted = NoteByHand(room_id=CHAT, archived=True)
    assert plan(seen, RECORDED) == (noted,)
    assert noted in plan(seen, NOTHING)
    assert plan(with_binding(seen, archived=True), with_room(RECORDED, archived=True)) == ()


def test_what_somebody_put_back_is_a_chat_again() -> None:
    seen = with_binding(evolve(TREE, children=(link(CHAT, by=ANNA), link(SECOND))), archived=True)
    noted = NoteByHand(room_id=CHAT, archived=False)
    assert plan(seen, with_room(RECORDED, archived=True)) == (noted,)
    assert noted in plan(seen, NOTHING)


def test_a_hand_that_is_noted_already_is_left_to_be_followed() -> None:
    by_hand = with_room(RECORDED, archived=True, noted=False)
    seen = evolve(TREE, children=(link(CHAT, has_via=False, by=ANNA), link(SECOND)))
    assert plan(seen, by_hand) == ()


def test_a_hand_that_is_noted_is_newer_than_the_binding() -> None:
    by_hand = with_room(RECORDED, archived=True, noted=False)
    newer = with_binding(TREE, platform_chat_id=PlatformChatId(9))
    followed = evolve(BINDING, platform_chat_id=PlatformChatId(9), archived=True)
    assert plan(newer, by_hand) == (FollowBinding(room_id=CHAT, binding=followed),)


def test_what_we_took_out_ourselves_means_nothing() -> None:
    seen = evolve(TREE, children=(link(CHAT, has_via=False), link(SECOND)))
    assert plan(seen, RECORDED) == ()


def test_an_archived_chat_is_taken_out() -> None:
    seen = with_binding(TREE, archived=True)
    repairs = plan(seen, with_room(RECORDED, archived=True))
    assert repairs == (UnlinkChat(space_id=SPACE, room_id=CHAT, owner=ANNA),)
    never = evolve(seen, children=(link(SECOND),))
    assert plan(never, with_room(RECORDED, archived=True)) == ()


def test_a_link_that_never_was_is_made() -> None:
    seen = evolve(TREE, children=(link(SECOND), link(CHAT, space_id=NEW)))
    assert plan(seen, RECORDED) == (LinkChat(space_id=SPACE, room_id=CHAT, owner=ANNA),)


# -- direct rooms --


@pytest.mark.parametrize(
    "lobby",
    [
        evolve(made(LOBBY, creator=ANNA), member_count=3),
        evolve(made(LOBBY, creator=ANNA), room_type="m.space"),
        evolve(made(LOBBY, creator=ANNA), replaced_by=NEW),
        evolve(made(LOBBY), creator=None),
        made(LOBBY),
    ],
)
def test_other_rooms_are_not_direct_ones(lobby: SeenRoom) -> None:
    assert plan(observed(lobby), NOTHING) == ()


def test_a_direct_room_is_one_of_somebody_who_may_talk_to_us() -> None:
    room = made(LOBBY, creator=ANNA)
    direct = RestoreDirect(room_id=LOBBY, owner=ANNA, is_greeted=False)
    assert plan(observed(room), NOTHING) == (direct,)
    assert plan(observed(room, may_talk=frozenset({BORIS, ME})), NOTHING) == ()
    assert plan(observed(room, bindings={LOBBY: Unbound()}), NOTHING) == ()


def test_who_has_a_space_and_no_chat_yet_was_not_greeted() -> None:
    seen = observed(made(LOBBY, creator=ANNA), made(SPACE, "space", 2))
    direct = RestoreDirect(room_id=LOBBY, owner=ANNA, is_greeted=False)
    assert plan(seen, NOTHING)[-1] == direct
    assert ME not in {room.creator for room in seen.rooms if room.room_id == LOBBY}


def test_who_had_a_chat_that_goes_on_elsewhere_gets_no_first_one() -> None:
    """A chat by `!bind`, upgraded: the one in which it goes on is still to be followed."""
    bound = evolve(made(CHAT, creator=ANNA), replaced_by=NEW)
    seen = observed(bound, made(SPACE, "space"), bindings={CHAT: BINDING})
    space = RecordedRoom(room_id=SPACE, kind=RoomKind.SPACE, owner=ANNA)
    recorded = Recorded(
        rooms={CHAT: chat(CHAT), SPACE: space},
        numbers={PlatformChatId(7): CHAT},
        intents=(intent(SPACE, RoomKind.SPACE),),
    )
    assert plan(seen, recorded) == ()


def test_what_is_kept_of_a_room_that_the_bot_is_not_in_counts_for_nothing() -> None:
    """It is kept until the departure is noted, which is a repair as well."""
    seen = observed(evolve(made(NEW, creator=ANNA), predecessor=CHAT), made(CHAT))
    seen = evolve(
        seen, joined=frozenset({NEW}), bindings={CHAT: BINDING, NEW: BINDING}, may_talk=frozenset()
    )
    (repair,) = plan(seen, NOTHING)
    assert isinstance(repair, RestoreChat)
    assert repair.room_id == NEW
