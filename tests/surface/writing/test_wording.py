"""What is said, as events."""

from __future__ import annotations

import json

from attrs import evolve

from lambda_matrix.conversation.ending import Ending
from lambda_matrix.ids import (
    AgentId,
    DeviceId,
    EventId,
    InstanceId,
    PlatformChatId,
    RequestId,
    RoomId,
    UserId,
)
from lambda_matrix.matrix_events import ANSWER_KEY, AnswerState
from lambda_matrix.store.records import Intent, Ourselves, Priority, Request, RoomKind
from lambda_matrix.surface.links import room_link
from lambda_matrix.surface.writing.wording import (
    final_drafts,
    notice_draft,
    preview_content,
    room_made_drafts,
    room_refused_drafts,
    root_draft,
)
from tests.surface.bridging import TEXTS

OURSELVES = Ourselves(UserId("@bot:example.org"), DeviceId("D"), InstanceId("0000000000001-x"))
ROOM, LOBBY = RoomId("!room:example.org"), RoomId("!lobby:example.org")
REQUEST = Request(
    request_id=RequestId("r1"),
    question=EventId("$question"),
    room_id=ROOM,
    asker=UserId("@anna:example.org"),
    text="Hello?",
    agent=AgentId("main"),
    platform_chat_id=PlatformChatId(1000),
    as_reply=True,
    attempts=1,
    runs=1,
    stopped=False,
    outcome=None,
)
SPACE = Intent(
    intent_id="i1",
    kind=RoomKind.SPACE,
    owner=UserId("@anna:example.org"),
    command=None,
    origin=LOBBY,
    name=None,
    agent=None,
    platform_chat_id=None,
    tries=0,
    room_id=None,
    done=False,
)
CHAT = evolve(SPACE, kind=RoomKind.CHAT, room_id=ROOM)
LINK = room_link(ROOM, "Garden", "example.org")


def test_the_first_event_is_open_and_a_reply() -> None:
    root = root_draft(REQUEST, "Hal\ud800f", OURSELVES)
    content = json.loads(root.content)
    assert content["body"] == "Hal\ufffdf"
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": "$question"}}
    assert content[ANSWER_KEY]["state"] == "open"
    assert root.priority is Priority.FIRST


def test_a_preview_is_an_edit_of_at_most_one_event() -> None:
    content = json.loads(preview_content(REQUEST, "word " * 40_000, OURSELVES))
    assert 10_000 < len(content["m.new_content"]["body"]) < 65_536
    assert "m.relates_to" not in content


def test_only_the_first_part_is_an_edit_or_a_reply() -> None:
    drafts = final_drafts(REQUEST, Ending("word " * 40_000, "answered"), OURSELVES, root=7)
    assert [draft.replaces for draft in drafts] == [7] + [None] * (len(drafts) - 1)
    assert [draft.mark.completes for draft in drafts] == [False] * (len(drafts) - 1) + [True]
    fresh = final_drafts(REQUEST, Ending("word " * 40_000, "answered"), OURSELVES, root=None)
    replies = ["m.relates_to" in json.loads(draft.content) for draft in fresh]
    assert replies == [True] + [False] * (len(fresh) - 1)


def test_a_sentence_to_nobody_may_be_one_of_several() -> None:
    open_one = notice_draft(ROOM, "First", OURSELVES, request="x", last=False)
    assert open_one.mark.state is AnswerState.OPEN
    assert open_one.mark.question is None


def test_a_room_that_was_made_is_told_in_it_and_where_it_was_ordered() -> None:
    assert room_made_drafts(SPACE, LINK, TEXTS, OURSELVES) == ()
    assert [d.room_id for d in room_made_drafts(CHAT, LINK, TEXTS, OURSELVES)] == [ROOM]
    ordered = evolve(CHAT, command=EventId("$new"))
    greeting, reply = room_made_drafts(ordered, LINK, TEXTS, OURSELVES)
    assert (greeting.room_id, reply.room_id) == (ROOM, LOBBY)
    assert reply.mark.question == "$new"


def test_a_room_that_was_refused_is_told_where_it_was_wanted() -> None:
    (told,) = room_refused_drafts(SPACE, TEXTS, OURSELVES)
    assert json.loads(told.content)["body"] == TEXTS.onboarding.failed
    (reply,) = room_refused_drafts(evolve(CHAT, command=EventId("$new")), TEXTS, OURSELVES)
    assert reply.mark.question == "$new"
    assert room_refused_drafts(evolve(SPACE, origin=None), TEXTS, OURSELVES) == ()
    nowhere = evolve(CHAT, command=EventId("$new"), origin=None)
    assert room_refused_drafts(nowhere, TEXTS, OURSELVES) == ()
