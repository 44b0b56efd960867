from __future__ import annotations

import pytest
from sqlite_utils import Database

from lambda_matrix.ids import EventId, InstanceId, SyncToken
from lambda_matrix.matrix_events import (
    AnswerMark,
    AnswerState,
    EncryptedMessage,
    OtherMessage,
    Redaction,
    StateChange,
    SyncBatch,
    TextMessage,
    TimelineEvent,
    UnknownEvent,
)
from lambda_matrix.store import intake, meta, outbox, timeline
from lambda_matrix.store.intake import MALFORMED_KEPT
from lambda_matrix.store.questions import requests
from tests.store.telling import (
    ALICE,
    BOB,
    BOT,
    INSTANCE,
    NEWER_INSTANCE,
    OTHER_ROOM,
    OWN,
    ROOM,
    Told,
    draft,
    echo,
    joined,
    joining,
    malformed,
    mark,
    said,
)

OPEN = AnswerState.OPEN


async def knows(told: Told, event_id: str) -> bool:
    return await told.store.transact(timeline.is_known, EventId(event_id))


async def root_of(told: Told, question: str = "$q1") -> int | None:
    return await told.store.transact(outbox.root_of, EventId(question))


# -- once, and together with the token --


async def test_what_is_said_waits_in_its_rooms_order(told: Told) -> None:
    accepted = await told.batch(
        joined(said("$b"), said("$a")),
        joined(said("$c", room=OTHER_ROOM), room=OTHER_ROOM),
    )
    await told.events(said("$0"))
    assert accepted.wake == {ROOM, OTHER_ROOM}
    assert await told.waits() == ["$b", "$a", "$0"]
    assert await told.waits(limit=1) == ["$b"]
    assert await told.waits(OTHER_ROOM) == ["$c"]
    assert await knows(told, "$a")
    assert not await knows(told, "$z")


async def test_a_batch_told_twice_is_taken_in_once(told: Told) -> None:
    question = said("$q1")
    await told.events(question)
    accepted = await told.events(question, said("$q2"))
    assert accepted.wake == {ROOM}
    assert await told.waits() == ["$q1", "$q2"]
    assert (await told.events(question)).wake == set()


async def test_a_settled_event_told_again_stays_settled(told: Told) -> None:
    question = said("$q1")
    await told.events(question)
    await told.store.transact(requests.settle, question, (), OWN)
    assert (await told.events(question)).wake == set()
    assert await told.waits() == []


async def test_the_token_moves_with_the_batch(told: Told) -> None:
    await told.events(said("$q1"))
    assert await told.store.transact(meta.sync_token) == "s1"


async def test_a_batch_that_raises_leaves_neither_events_nor_token(told: Told) -> None:
    def cut_short(db: Database, batch: SyncBatch) -> None:
        intake.accept_batch(db, batch, OWN)
        raise ZeroDivisionError

    await told.events(said("$q1"))
    batch = SyncBatch(next_batch=SyncToken("s9"), joined=(joined(said("$q2")),))
    with pytest.raises(ZeroDivisionError):
        await told.store.transact(cut_short, batch)
    assert await told.store.transact(meta.sync_token) == "s1"
    assert await told.waits() == ["$q1"]
    await told.store.transact(intake.accept_batch, batch, OWN)
    assert await told.waits() == ["$q1", "$q2"]


# -- what wants a reaction --


X = EventId("$x")


@pytest.mark.parametrize(
    "event",
    [
        said("$x"),
        TextMessage(room_id=ROOM, event_id=X, sender=BOB, msgtype="m.emote", body="waves"),
        OtherMessage(room_id=ROOM, event_id=X, sender=ALICE, kind="m.image"),
        EncryptedMessage(room_id=ROOM, event_id=X, sender=ALICE),
        echo("$x", mark("$q1"), by=ALICE),
        echo("$x", None, edits="$y", by=ALICE),
        Redaction(room_id=ROOM, event_id=X, sender=ALICE, redacts=EventId("$y")),
    ],
    ids=["text", "emote", "image", "encrypted", "forged mark", "edit", "redaction"],
)
async def test_what_somebody_says_is_taken_in(told: Told, event: TimelineEvent) -> None:
    accepted = await told.events(event)
    assert accepted.wake == {ROOM}
    assert await told.waits() == ["$x"]


@pytest.mark.parametrize(
    "event",
    [
        said("$x", by=BOT),
        OtherMessage(room_id=ROOM, event_id=X, sender=BOT, kind="m.file"),
        TextMessage(room_id=ROOM, event_id=X, sender=BOB, msgtype="m.notice", body="beep"),
        Redaction(room_id=ROOM, event_id=X, sender=BOT, redacts=EventId("$y")),
        joining("$x", ALICE),
        StateChange(room_id=ROOM, event_id=X, sender=ALICE, type="m.room.name", state_key=""),
        UnknownEvent(room_id=ROOM, event_id=X, sender=ALICE, type="m.reaction"),
        malformed("$x"),
    ],
    ids=["own text", "own file", "notice", "own redaction", "join", "state", "unknown", "bad"],
)
async def test_what_wants_no_reaction_is_not_taken_in(told: Told, event: TimelineEvent) -> None:
    accepted = await told.events(event)
    assert accepted.wake == set()
    assert await told.waits() == []
    assert not await knows(told, "$x")


async def test_what_cannot_be_read_is_kept_and_the_rest_goes_on(told: Told) -> None:
    await told.events(malformed(None), said("$q1"))
    assert await told.value("SELECT why || ' ' || raw FROM malformed") == "no sender {}"
    assert await told.waits() == ["$q1"]


async def test_of_what_cannot_be_read_only_the_newest_are_kept(told: Told) -> None:
    await told.events(*(malformed(f"$bad{i}") for i in range(MALFORMED_KEPT + 7)))
    assert await told.value("SELECT count(*) FROM malformed") == MALFORMED_KEPT
    assert await told.value("SELECT event_id FROM malformed ORDER BY id LIMIT 1") == "$bad7"


# -- echoes --


async def test_an_echo_settles_its_row_by_the_transaction_id(told: Told) -> None:
    (seq,) = await told.commit(draft(mark(None, "greeting")))
    row = await told.row()
    accepted = await told.events(echo("$e", mark(None, "other"), transaction_id=row.transaction_id))
    assert await told.answered_event(seq) == "$e"
    assert await told.next_row() is None
    assert accepted.foreign is None


async def test_an_echo_settles_its_row_by_the_mark_on_another_device(told: Told) -> None:
    first, second = await told.commit(
        draft(mark("$q1", part=0, parts=2)), draft(mark("$q1", part=1, parts=2))
    )
    await told.events(echo("$e2", mark("$q1", part=1, parts=2)))
    assert await told.state(first) == "pending"
    assert await told.state(second) == "sent"
    await told.events(echo("$e1", mark("$q1", part=0, parts=2), transaction_id="of a lost store"))
    assert await told.answered_event(first) == "$e1"
    assert await told.answered_event(second) == "$e2"


async def test_a_mark_settles_nothing_in_another_room(told: Told) -> None:
    (seq,) = await told.commit(draft(mark("$q1")))
    await told.events(echo("$e", mark("$q1"), room=OTHER_ROOM), room=OTHER_ROOM)
    assert await told.state(seq) == "pending"


async def test_an_echo_that_comes_again_changes_nothing(told: Told) -> None:
    (seq,) = await told.commit(draft(mark("$q1")))
    await told.store.transact(outbox.sent, seq, EventId("$e"))
    await told.events(echo("$later", mark("$q1")))
    assert await told.answered_event(seq) == "$e"


async def test_an_echo_without_a_mark_settles_nothing(told: Told) -> None:
    (seq,) = await told.commit(draft(mark("$q1")))
    accepted = await told.events(echo("$e", None))
    assert await told.state(seq) == "pending"
    assert accepted.foreign is None


async def test_the_echo_of_a_previews_edit_settles_nothing(told: Told) -> None:
    await told.asked()
    (root,) = await told.commit(draft(mark("$q1", state=OPEN)))
    (final,) = await told.commit(draft(mark("$q1"), replaces=root))
    await told.events(echo("$edit", mark("$q1", state=OPEN), edits="$root", transaction_id="fresh"))
    assert [await told.state(seq) for seq in (root, final)] == ["pending", "pending"]
    assert await told.outcome() is None


async def test_the_roots_and_the_finals_echo_are_told_apart(told: Told) -> None:
    (root,) = await told.commit(draft(mark("$q1", state=OPEN)))
    (final,) = await told.commit(draft(mark("$q1"), replaces=root))
    await told.events(echo("$final", mark("$q1"), edits="$root"))
    assert [await told.state(seq) for seq in (root, final)] == ["pending", "sent"]
    await told.events(echo("$root", mark("$q1", state=OPEN)))
    assert await told.answered_event(root) == "$root"


async def test_a_final_that_went_out_as_an_event_of_its_own_is_known_by_its_mark(
    told: Told,
) -> None:
    """Its root was refused for good; on another device only the mark tells."""
    (root,) = await told.commit(draft(mark("$q1", state=OPEN)))
    (final,) = await told.commit(draft(mark("$q1"), replaces=root))
    await told.store.transact(outbox.refuse, root, None, OWN)
    await told.events(echo("$e", mark("$q1")))
    assert await told.answered_event(final) == "$e"
    assert await told.state(root) == "undeliverable"


async def test_an_answer_seen_settles_its_question(told: Told) -> None:
    await told.asked("$q1", "q1")
    await told.asked("$q2", "q2")
    await told.events(said("$q3"))
    await told.events(echo("$e1", mark("$q1", "q1")), echo("$e3", mark("$q3", "q3")))
    assert await told.outcome("q1") == "answered"
    assert await told.outcome("q2") is None
    assert await told.waits() == []


async def test_an_answer_seen_does_not_change_how_its_request_ended(told: Told) -> None:
    await told.asked()
    await told.finish("q1", outcome="stopped")
    await told.events(echo("$e", mark("$q1")))
    assert await told.outcome() == "stopped"


async def test_only_the_last_part_completes_an_answer(told: Told) -> None:
    await told.asked()
    await told.events(echo("$e1", mark("$q1", part=0, parts=3)))
    await told.events(echo("$e2", mark("$q1", part=1, parts=3)))
    assert await told.outcome() is None
    await told.events(echo("$e3", mark("$q1", part=2, parts=3)))
    assert await told.outcome() == "answered"


async def test_a_question_told_after_its_answer_finds_its_place_taken(told: Told) -> None:
    await told.events(echo("$e", mark("$q1")))
    accepted = await told.events(said("$q1"), said("$q2"))
    assert accepted.wake == {ROOM}
    assert await told.waits() == ["$q2"]


async def test_an_unknown_open_answer_is_taken_over(told: Told) -> None:
    """The database was lost, the preview is in the room: the next attempt edits it."""
    seen = echo("$root", mark("$q1", "lost", state=OPEN), transaction_id="lost")
    await told.events(said("$q1"), seen)
    root = await root_of(told)
    assert root is not None
    assert await told.answered_event(root) == "$root"
    assert await told.next_row() is None
    await told.ask(said("$q1"))
    attempt = await told.store.transact(requests.begin_next, ROOM)
    assert attempt is not None
    assert attempt.root == root
    await told.events(seen)
    assert await told.value("SELECT count(*) FROM outbox") == 1


@pytest.mark.parametrize(
    "seen",
    [
        echo("$e", mark("$q1", "lost")),
        echo("$e", mark("$q1", "lost", state=OPEN), edits="$root"),
        echo("$e", mark(None, "lost", state=OPEN)),
    ],
    ids=["final", "edit", "answers nobody"],
)
async def test_nothing_else_is_taken_over(told: Told, seen: TextMessage) -> None:
    await told.events(seen)
    assert await root_of(told) is None


@pytest.mark.parametrize("first", [mark("$q1", state=OPEN), mark("$q1", parts=3)])
async def test_an_answer_that_was_taken_over_may_be_told_again(
    told: Told, first: AnswerMark
) -> None:
    """A homeserver may give the same answer of /sync twice."""
    seen = echo("$root", first)
    await told.events(seen)
    root = await root_of(told)
    await told.events(seen, said("$q2"))
    assert await root_of(told) == root
    assert await told.waits() == ["$q2"]
    assert await told.value("SELECT count(*) FROM outbox") == 1


async def test_a_known_open_answer_is_not_taken_over(told: Told) -> None:
    (root,) = await told.commit(draft(mark("$q1", state=OPEN)))
    await told.events(echo("$root", mark("$q1", state=OPEN)))
    assert await root_of(told) == root
    assert await told.value("SELECT count(*) FROM outbox") == 1


async def test_a_start_that_is_not_ours_is_reported(told: Told) -> None:
    older = InstanceId("1600000000000-cccc")
    accepted = await told.events(
        echo("$e1", mark("$q1", instance=NEWER_INSTANCE)),
        echo("$e2", mark("$q2", instance=older)),
        echo("$e3", mark("$q3", instance=INSTANCE)),
    )
    assert accepted.foreign == NEWER_INSTANCE
    assert (await told.events(echo("$e4", mark("$q4", instance=older)))).foreign == older
    forged = echo("$e5", mark("$q5", instance=NEWER_INSTANCE), by=ALICE)
    assert (await told.events(forged)).foreign is None
