"""What a homeserver may tell, and what we may answer, in few words."""

from __future__ import annotations

import sqlite3
from itertools import count

from attrs import define, field
from sqlite_utils import Database

from lambda_matrix.account_data import KeptOfPerson
from lambda_matrix.ids import (
    AgentId,
    DeviceId,
    EventId,
    InstanceId,
    PlatformChatId,
    RequestId,
    RoomId,
    SyncToken,
    TransactionId,
    UserId,
)
from lambda_matrix.matrix_events import (
    AnswerMark,
    AnswerState,
    JoinedRoom,
    LeftRoom,
    MalformedEvent,
    MemberChange,
    Membership,
    RoomState,
    SyncBatch,
    TextMessage,
    TimelineEvent,
)
from lambda_matrix.store import intake, outbox
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import (
    Accepted,
    Done,
    Draft,
    Ourselves,
    OutboxRow,
    Question,
    Request,
)
from lambda_matrix.store.rows import columns, read
from lambda_matrix.store.store import Store

BOT = UserId("@bot:example.org")
ALICE = UserId("@alice:example.org")
BOB = UserId("@bob:example.org")
ROOM = RoomId("!room")
OTHER_ROOM = RoomId("!other")
AGENT = AgentId("main")
CHAT = PlatformChatId(1000)
INSTANCE = InstanceId("1700000000000-aaaa")
NEWER_INSTANCE = InstanceId("1800000000000-bbbb")
OWN = Ourselves(BOT, DeviceId("LAMBDA"), INSTANCE)


def said(
    event_id: str, body: str = "Hello?", *, by: UserId = ALICE, room: RoomId = ROOM
) -> TextMessage:
    """What a person writes."""
    return TextMessage(
        room_id=room, event_id=EventId(event_id), sender=by, msgtype="m.text", body=body
    )


def joining(event_id: str, who: UserId = BOT, *, room: RoomId = ROOM) -> MemberChange:
    return MemberChange(
        room_id=room,
        event_id=EventId(event_id),
        sender=who,
        target=who,
        membership=Membership.JOIN,
    )


def malformed(event_id: str | None = "$bad") -> MalformedEvent:
    return MalformedEvent(ROOM, None if event_id is None else EventId(event_id), "no sender", "{}")


def mark(
    question: str | None,
    request: str = "q1",
    *,
    state: AnswerState = AnswerState.FINAL,
    part: int = 0,
    parts: int = 1,
    instance: InstanceId = INSTANCE,
) -> AnswerMark:
    return AnswerMark(
        question=None if question is None else EventId(question),
        request=RequestId(request),
        part=part,
        state=state,
        instance=instance,
        parts=parts,
    )


def echo(
    event_id: str,
    of: AnswerMark | None,
    *,
    transaction_id: str | None = None,
    edits: str | None = None,
    by: UserId = BOT,
    room: RoomId = ROOM,
) -> TextMessage:
    """An event of ours as it comes back by sync."""
    return TextMessage(
        room_id=room,
        event_id=EventId(event_id),
        sender=by,
        transaction_id=None if transaction_id is None else TransactionId(transaction_id),
        msgtype="m.text",
        body="An answer.",
        replaces=None if edits is None else EventId(edits),
        answer=of,
    )


def draft(
    of: AnswerMark, *, replaces: int | None = None, room: RoomId = ROOM, content: bytes = b"{}"
) -> Draft:
    return Draft(room_id=room, content=content, mark=of, replaces=replaces)


def joined(
    *timeline: TimelineEvent,
    room: RoomId = ROOM,
    prev_batch: str | None = None,
    state: RoomState | None = None,
) -> JoinedRoom:
    """A room of a batch; with `prev_batch` its timeline is limited."""
    return JoinedRoom(
        room_id=room,
        timeline=timeline,
        limited=prev_batch is not None,
        prev_batch=None if prev_batch is None else SyncToken(prev_batch),
        state=state or RoomState(),
    )


@define
class Told:
    """A store, and a homeserver that tells it things."""

    store: Store
    own: Ourselves = OWN
    _tokens: count[int] = field(factory=lambda: count(1))

    async def batch(
        self,
        *rooms: JoinedRoom,
        left: tuple[LeftRoom, ...] = (),
        kept: tuple[KeptOfPerson, ...] = (),
    ) -> Accepted:
        """Tell one batch."""
        token = SyncToken(f"s{next(self._tokens)}")
        batch = SyncBatch(next_batch=token, joined=rooms, left=left, kept=kept)
        return await self.store.transact(intake.accept_batch, batch, self.own)

    async def events(self, *timeline: TimelineEvent, room: RoomId = ROOM) -> Accepted:
        """Tell what is new in one room."""
        return await self.batch(joined(*timeline, room=room))

    async def waits(self, room: RoomId = ROOM, limit: int = 50) -> list[str]:
        """Return the ids of what waits in the room's inbox."""
        look = await self.store.transact(requests.look, room, limit)
        return [event.event_id for event in look.events]

    async def ask(self, message: TextMessage, request_id: str = "q1") -> Request:
        """Make a request of what was told."""
        request = await self.store.transact(
            requests.ask,
            message,
            Question(
                request_id=RequestId(request_id),
                text=message.body,
                agent=AGENT,
                platform_chat_id=CHAT,
            ),
        )
        assert request is not None
        return request

    async def asked(self, event_id: str = "$q1", request_id: str = "q1") -> Request:
        """Tell a question and make a request of it."""
        question = said(event_id)
        await self.events(question)
        return await self.ask(question, request_id)

    async def finish(self, request_id: str, *answer: Draft, outcome: str = "answered") -> bool:
        def finish(db: Database) -> bool:
            row = db.execute(
                f"SELECT {columns(Request)} FROM requests WHERE request_id = ?",  # noqa: S608 - column names
                (request_id,),
            ).fetchone()
            done = Done(outcome=outcome, answer=answer)
            return requests.finish(db, read(Request, row), done, self.own)

        return await self.store.transact(finish)

    async def commit(self, *drafts: Draft) -> tuple[int, ...]:
        """Owe the room some events."""
        return await self.store.transact(outbox.add, drafts, self.own)

    async def next_row(self, room: RoomId = ROOM) -> OutboxRow | None:
        return await self.store.transact(outbox.next_row, room)

    async def row(self, room: RoomId = ROOM) -> OutboxRow:
        """Return the row that the room is to be sent next; there is one."""
        row = await self.next_row(room)
        assert row is not None
        return row

    async def value(self, sql: str, *arguments: object) -> object:
        """Return the one value that the database holds, where no operation tells it."""
        return await self.store.transact(_value, sql, arguments)

    async def outcome(self, request_id: str = "q1") -> object:
        return await self.value("SELECT outcome FROM requests WHERE request_id = ?", request_id)

    async def state(self, seq: int) -> object:
        """Return what became of a row of the outbox."""
        return await self.value("SELECT state FROM outbox WHERE seq = ?", seq)

    async def answered_event(self, seq: int) -> EventId | None:
        return await self.store.transact(outbox.event_id_of, seq)


def _value(db: Database, sql: str, arguments: tuple[object, ...]) -> object:
    row: sqlite3.Row | None = db.execute(sql, arguments).fetchone()
    return None if row is None else row[0]
