"""A conversation folded from the events of a room, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from lambda_matrix.ids import EventId, InstanceId, PlatformChatId, RequestId, RoomId, UserId
from lambda_matrix.matrix_events import (
    AnswerMark,
    AnswerState,
    EncryptedMessage,
    MalformedEvent,
    MediaMessage,
    OtherMessage,
    TextMessage,
    TimelineEvent,
    UnknownEvent,
)
from lambda_matrix.surface.transcript import Transcript

ROOM = RoomId("!room")
BOT, ANNA, BORIS = UserId("@bot:x"), UserId("@anna:x"), UserId("@boris:x")
HERE, ELSEWHERE = PlatformChatId(7), PlatformChatId(8)


def said(event_id: str, body: str, sender: UserId = ANNA) -> TextMessage:
    return TextMessage(
        room_id=ROOM, event_id=EventId(event_id), sender=sender, msgtype="m.text", body=body
    )


def mark(
    question: str,
    *,
    state: AnswerState = AnswerState.FINAL,
    request: str = "q",
    part: int = 0,
    parts: int = 1,
    context: PlatformChatId | None = HERE,
    own: int = 0,
) -> AnswerMark:
    return AnswerMark(
        question=EventId(question),
        request=RequestId(request),
        part=part,
        state=state,
        instance=InstanceId("i"),
        parts=parts,
        context=context,
        own=own,
    )


def answered(event_id: str, body: str, of: AnswerMark) -> TextMessage:
    return evolve(said(event_id, body, BOT), answer=of)


def edit(of: TextMessage, body: str, by: UserId | None = None) -> TextMessage:
    return evolve(
        of,
        event_id=EventId(f"{of.event_id}-edit"),
        body=body,
        replaces=of.event_id,
        sender=by or of.sender,
    )


def image(event_id: str, caption: str | None = None, sender: UserId = ANNA) -> MediaMessage:
    return MediaMessage(
        room_id=ROOM,
        event_id=EventId(event_id),
        sender=sender,
        msgtype="m.image",
        filename=f"{event_id}.png",
        url="mxc://x/y",
        caption=caption,
    )


def taken_back(kind: str) -> UnknownEvent:
    return UnknownEvent(
        room_id=ROOM, event_id=EventId("$r"), sender=ANNA, type=kind, is_redacted=True
    )


def folded(*events: TimelineEvent) -> tuple[list[tuple[str, str, str]], int]:
    """Fold events, given oldest first; return (id, role, text) of each, and what is left out."""
    transcript = Transcript(BOT, ("Lambda", BOT), "!", HERE)
    for event in reversed(events):
        transcript.take(event)
    messages = [(each.id, str(each.role), each.content) for each in transcript.messages()]
    return messages, transcript.left_out


def texts(*events: TimelineEvent) -> list[str]:
    return [text for _, _, text in folded(*events)[0]]


def test_questions_and_answers_are_told_in_turn_with_their_ids() -> None:
    assert folded(
        said("$q1", "One"),
        said("$q2", "Lambda: !!Two"),
        answered("$a1", "First", mark("$q1")),
        answered("$a2", "Second", mark("$q2")),
    ) == (
        [
            ("$q1", "user", "One"),
            ("$a1", "assistant", "First"),
            ("$q2", "user", "!Two"),
            ("$a2", "assistant", "Second"),
        ],
        0,
    )


def test_what_no_agent_answered_is_no_part_of_it() -> None:
    assert (
        texts(
            said("$c", "!help"),
            answered("$n", "Help", mark("$c", request="command:$c")),
            said("$chatter", "Boris, look!"),
            said("$waits", "Still there?"),
            answered("$p", "I am", mark("$waits", state=AnswerState.OPEN)),
            evolve(answered("$u", "It could not be sent.", mark("$waits")), msgtype="m.notice"),
            said("$g", "Welcome", BOT),
            said("$q", "Of another context"),
            answered("$a", "There", mark("$q", context=ELSEWHERE)),
            answered("$lost", "An answer to what is not there", mark("$before")),
            OtherMessage(room_id=ROOM, event_id=EventId("$s"), sender=ANNA, kind="m.sticker"),
        )
        == []
    )


def test_a_mark_of_before_contexts_were_noted_counts() -> None:
    assert texts(said("$q", "One"), answered("$a", "1", mark("$q", context=None))) == ["One", "1"]


def test_a_forged_mark_is_nobodys_answer() -> None:
    forged = evolve(answered("$f", "Forged", mark("$q")), sender=BORIS)
    assert texts(said("$q", "One"), forged) == []


def test_the_newest_edit_by_the_same_sender_counts() -> None:
    question, answer = said("$q", "Old"), answered("$a", "…", mark("$q", state=AnswerState.OPEN))
    final = evolve(edit(answer, "Final"), answer=mark("$q"))
    assert texts(
        question,
        answer,
        edit(question, "New"),
        edit(question, "Newer"),
        edit(question, "Forged", BORIS),
        final,
    ) == ["Newer", "Final"]
    bundled = evolve(answer, newest_body="Bundled", newest_answer=mark("$q"))
    assert texts(evolve(question, newest_body="Newest"), bundled) == ["Newest", "Bundled"]


def test_an_edit_never_makes_it_a_command() -> None:
    question = evolve(said("$q", "Old"), newest_body="!help")
    assert texts(question, answered("$a", "1", mark("$q"))) == ["!help", "1"]


def test_the_parts_of_an_answer_are_one_message() -> None:
    assert texts(
        said("$q", "Much"),
        answered("$a2", "two", mark("$q", part=1, parts=2)),
        answered("$a1", "one", mark("$q", part=0, parts=2)),
    ) == ["Much", "one\n\ntwo"]


def test_our_own_words_under_an_answer_are_left_out() -> None:
    assert texts(
        said("$q1", "One"),
        answered("$a1", "Some text\n\nStopped.", mark("$q1", own=1)),
        said("$q2", "Two"),
        answered("$a2", "It failed.", mark("$q2", own=1)),
        said("$q3", "Three"),
        answered("$a3", "May I?\n\nReally?\n\n!yes", mark("$q3", own=2)),
        said("$yes", "!yes"),
        answered("$a4", "Done.", mark("$yes")),
        said("$q5", "Five"),
        answered("$a5", "Odd", mark("$q5", own=9)),
    ) == ["One", "Some text", "Two", "Three", "May I?", "Done.", "Five"]


def test_files_go_before_the_question_that_took_them_along() -> None:
    assert texts(
        image("$i1"),
        image("$other", sender=BORIS),
        said("$q", "What is it?"),
        answered("$a", "A cat", mark("$q")),
        image("$i2", "And this?"),
        answered("$b", "A dog", mark("$i2")),
        image("$i3"),
    ) == ["$i1.png", "What is it?", "A cat", "$i2.png\n\nAnd this?", "A dog"]


def test_what_cannot_be_read_is_counted() -> None:
    odd: Sequence[TimelineEvent] = (
        EncryptedMessage(room_id=ROOM, event_id=EventId("$e"), sender=ANNA),
        MalformedEvent(ROOM, EventId("$m"), "odd", "{}"),
        taken_back("m.room.message"),
        taken_back("m.reaction"),
    )
    assert folded(*odd) == ([], 3)
