"""Whatever happens in whatever order: each message has one answer, in its turn, and none is lost.

People have second thoughts: what they edit is answered as it stands when the answer is done, and of
what they take back nothing stays. Runs end to ask, and the word on it goes before everything else.

A homeserver in miniature keeps what was said and remembers transaction ids for each device. The
service is driven step by step through the store's operations; between any two steps it may be
killed, log in as another device, lose its database, or find an older one. In the end it is left
alone until nothing is to be done, and then the rooms are read as a person would read them.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from attrs import define, evolve, field, frozen
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlite_utils import Database

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
    Redaction,
    SyncBatch,
    TextMessage,
    TimelineEvent,
    UnknownEvent,
)
from lambda_matrix.store import intake, meta, outbox, timeline
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.questions import changes, confirmations, requests, withdrawals
from lambda_matrix.store.records import (
    Attempt,
    Confirmation,
    Done,
    Draft,
    Ourselves,
    OutboxRow,
    Question,
)
from lambda_matrix.store.schema import migrations
from tests.lab.effort import examples
from tests.store.telling import ALICE, BOT, joining, said

P = ParamSpec("P")
R = TypeVar("R")

ROOMS = (RoomId("!one"), RoomId("!two"))
TIMELINE_LIMIT = 3
"""Events of a room in one batch; short, so that gaps are common."""


Seen = TextMessage | Redaction | UnknownEvent


class CutShort(Exception):  # noqa: N818 - no error but a power cut
    """The process ended before the commit."""


@frozen
class Stored:
    """An event as the homeserver keeps it. `transaction`: device and transaction id."""

    event: TextMessage | Redaction
    transaction: tuple[DeviceId, str] | None = None
    body: object = None

    @property
    def answer(self) -> AnswerMark | None:
        return self.event.answer if isinstance(self.event, TextMessage) else None


@define
class Homeserver:
    """What was said, in the order in which the homeserver took it; `redacted` has no content."""

    log: list[Stored] = field(factory=list)
    redacted: set[EventId] = field(factory=set)

    def say(self, room: RoomId, body: str) -> None:
        self.log.append(Stored(said(self._id(), body, room=room)))

    def edit(self, room: RoomId, event_id: EventId) -> None:
        change = said(self._id(), f"edit {len(self.log)}", room=room)
        self.log.append(Stored(evolve(change, replaces=event_id)))

    def redact(self, room: RoomId, event_id: EventId, sender: UserId) -> None:
        redaction = Redaction(
            room_id=room, event_id=EventId(self._id()), sender=sender, redacts=event_id
        )
        self.redacted.add(event_id)
        self.log.append(Stored(redaction))

    def _id(self) -> str:
        """Make an event id; they sort backwards, so that nothing is in order by mere luck."""
        return f"${1_000_000 - len(self.log)}"

    def put(
        self,
        device: DeviceId,
        transaction_id: str,
        room: RoomId,
        mark: AnswerMark,
        replaces: EventId | None,
    ) -> EventId:
        """Take an event of the bot's; give the same answer to the same transaction id."""
        transaction = (device, transaction_id)
        body = (room, mark, replaces)
        for known in self.log:
            if known.transaction == transaction:
                assert known.body == body, "another body under one transaction id"
                return known.event.event_id
        event = TextMessage(
            room_id=room,
            event_id=EventId(self._id()),
            sender=BOT,
            msgtype="m.text",
            body="An answer.",
            replaces=replaces,
            answer=mark,
        )
        self.log.append(Stored(event, transaction, body))
        return event.event_id

    def events(self, room: RoomId, device: DeviceId, since: int, until: int) -> list[Seen]:
        """The room's events, as `device` sees them."""
        return [
            self._as_seen(stored, device)
            for stored in self.log[since:until]
            if stored.event.room_id == room
        ]

    def sync(self, since: SyncToken | None, device: DeviceId) -> SyncBatch:
        start, end = position(since), len(self.log)
        return SyncBatch(
            next_batch=SyncToken(f"s{end}"),
            joined=tuple(
                room
                for room_id in ROOMS
                if (room := self._room(room_id, device, start, end)).timeline or since is None
            ),
        )

    def _room(self, room_id: RoomId, device: DeviceId, start: int, end: int) -> JoinedRoom:
        events = self.events(room_id, device, start, end)
        timeline: tuple[TimelineEvent, ...] = tuple(events[-TIMELINE_LIMIT:])
        if len(events) <= TIMELINE_LIMIT:
            join = (joining(f"$join{room_id}", room=room_id),) if start == 0 else ()
            return JoinedRoom(room_id=room_id, timeline=(*join, *timeline))
        first = events[-TIMELINE_LIMIT].event_id
        index = next(i for i, stored in enumerate(self.log) if stored.event.event_id == first)
        return JoinedRoom(
            room_id=room_id, timeline=timeline, limited=True, prev_batch=SyncToken(f"s{index}")
        )

    def _as_seen(self, stored: Stored, device: DeviceId) -> Seen:
        event = stored.event
        if event.event_id in self.redacted:
            return UnknownEvent(
                room_id=event.room_id,
                event_id=event.event_id,
                sender=event.sender,
                type="m.room.message",
                is_redacted=True,
            )
        if stored.transaction is None or stored.transaction[0] != device:
            return event
        return evolve(event, transaction_id=TransactionId(stored.transaction[1]))


def position(token: SyncToken | None) -> int:
    return 0 if token is None else int(token.removeprefix("s"))


@cache
def empty_database() -> bytes:
    """The file of a database in which nothing is but its tables (making them takes long)."""
    connection = sqlite3.connect(":memory:")
    migrations.apply(Database(connection))
    return connection.serialize()


some_room = st.sampled_from(ROOMS)
some_message = st.integers(0, 3)
some_end = st.sampled_from(["crash", "stop", "another device", "loss", "backup"])


class Step(Enum):
    """What a lane of a room may do next."""

    READ_A_GAP = auto()
    REACT = auto()
    BEGIN = auto()
    OPEN_ANSWER = auto()
    DIE_OPENING = auto()
    SHOW_A_PREVIEW = auto()
    FINISH = auto()
    FINISH_IN_PARTS = auto()
    FINISH_ASKING = auto()
    DIE_FINISHING = auto()
    SEND = auto()
    SEND_UNHEARD = auto()
    REDACT = auto()
    ANSWER = auto()


ANSWER = (
    Step.READ_A_GAP,
    Step.REACT,
    Step.BEGIN,
    Step.OPEN_ANSWER,
    Step.SEND,
    Step.SHOW_A_PREVIEW,
    Step.FINISH_IN_PARTS,
    Step.SEND,
    Step.SEND,
    Step.SEND,
)
"""How one message is answered if nothing comes between."""


class Service(RuleBasedStateMachine):
    """The service as a sequence of its transactions and requests."""

    homeserver: Homeserver
    own: Ourselves
    live: bool
    forgot: bool

    def __init__(self) -> None:
        super().__init__()
        self.homeserver = Homeserver()
        self.directory = tempfile.TemporaryDirectory()
        self.starts = 0
        self.forgot = False
        self.request_count = 0
        self.running: dict[RoomId, Attempt] = {}
        self.roots: dict[RoomId, int | None] = {}
        self.database: Database | None = None
        self.backup = empty_database()

    # -- the process --

    @initialize()
    def first_start(self) -> None:
        self.start(DeviceId("ONE"))
        self.sync()

    def start(self, device: DeviceId) -> None:
        """Begin again with what the disk holds, and nothing else."""
        if self.database is not None:
            self.database.close()
        if not self.path.exists():
            self.path.write_bytes(empty_database())
        self.database = Database(sqlite3.connect(self.path))
        self.database.execute("PRAGMA synchronous = OFF")  # no power cuts here
        self.database.execute("PRAGMA foreign_keys = ON")
        self.starts += 1
        self.own = Ourselves(BOT, device, InstanceId(f"{1_000 + self.starts}-start"))
        self.running.clear()
        self.roots.clear()
        self.live = False
        self.run(meta.begin_instance, self.own)

    @property
    def path(self) -> Path:
        return Path(self.directory.name) / "lambda-matrix.db"

    @rule()
    def back_up(self) -> None:
        """Keep the database as it is now; some day this may be what is left."""
        self.backup = self.path.read_bytes()

    def run(
        self, operation: Callable[Concatenate[Database, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        assert self.database is not None
        with self.database.atomic():
            return operation(self.database, *args, **kwargs)

    def run_and_die(
        self, operation: Callable[Concatenate[Database, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Be killed before the commit."""

        def cut_short(db: Database) -> None:
            operation(db, *args, **kwargs)
            raise CutShort

        with suppress(CutShort):
            self.run(cut_short)
        self.start(self.own.device_id)

    @rule(how=some_end, catches_up=st.booleans())
    def end(self, how: str, *, catches_up: bool) -> None:
        """End in one of these ways, and start again."""
        device = self.own.device_id
        if how == "stop":
            for attempt in self.running.values():
                self.run(requests.give_back, attempt.request.request_id)
        elif how == "another device":
            device = DeviceId(f"{device}+")
        elif how == "loss":
            self.lose_the_database()
        elif how == "backup":
            self.lose_the_database()
            self.path.write_bytes(self.backup)
        self.start(device)
        if catches_up:
            self.sync()

    def lose_the_database(self) -> None:
        self.forgot = True
        assert self.database is not None
        self.database.close()
        self.database = None
        for path in Path(self.directory.name).iterdir():
            path.unlink()

    def teardown(self) -> None:
        try:
            if self.database is not None:
                self.come_to_rest()
                self.read_the_rooms()
        finally:
            if self.database is not None:
                self.database.close()
            self.directory.cleanup()

    # -- people --

    @rule(room=some_room, bodies=st.lists(st.sampled_from("?!y"), min_size=1, max_size=4))
    def say(self, room: RoomId, bodies: list[str]) -> None:
        for body in bodies:
            self.homeserver.say(room, body)

    @rule(room=some_room, back=some_message)
    def edit(self, room: RoomId, back: int) -> None:
        """Edit one of the last few messages."""
        for event_id in self.last_said(room)[back : back + 1]:
            self.homeserver.edit(room, event_id)

    @rule(room=some_room, back=some_message)
    def take_back(self, room: RoomId, back: int) -> None:
        for event_id in self.last_said(room)[back : back + 1]:
            self.homeserver.redact(room, event_id, ALICE)

    def last_said(self, room: RoomId) -> list[EventId]:
        """What people have said, and not taken back, the newest first."""
        messages = [stored.event for stored in self.homeserver.log]
        return [
            event.event_id
            for event in reversed(messages)
            if isinstance(event, TextMessage)
            and (event.room_id, event.sender, event.replaces) == (room, ALICE, None)
            and event.event_id not in self.homeserver.redacted
        ]

    # -- T1 --

    @rule()
    def sync(self) -> None:
        batch = self.next_batch()
        accepted = self.run(intake.accept_batch, batch, self.own)
        assert accepted.foreign is None or accepted.foreign < self.own.instance
        self.live = True

    @rule()
    def die_in_sync(self) -> None:
        token = self.run(meta.sync_token)
        self.run_and_die(intake.accept_batch, self.next_batch(), self.own)
        assert self.run(meta.sync_token) == token

    def next_batch(self) -> SyncBatch:
        return self.homeserver.sync(self.run(meta.sync_token), self.own.device_id)

    def read_a_gap(self, room: RoomId) -> None:
        for gap in self.run(timeline.open_gaps, room)[:1]:
            start, end = position(gap.to_token), position(gap.from_token)
            events = self.homeserver.events(room, self.own.device_id, start, end)
            self.run(intake.fill_gap, gap, tuple(events), self.own)

    # -- what a room's lanes do --

    @precondition(lambda self: self.live)
    @rule(room=some_room, steps=st.lists(st.sampled_from(Step), min_size=1, max_size=16))
    def work(self, room: RoomId, steps: list[Step]) -> None:
        for step in steps:
            self.do(step, room)
            if not self.live:
                return

    @precondition(lambda self: self.live)
    @rule(room=some_room, after=st.integers(1, len(ANSWER)), how=some_end)
    def end_in_an_answer(self, room: RoomId, after: int, how: str) -> None:
        self.say(room, ["?"])
        self.sync()
        for step in ANSWER[:after]:
            self.do(step, room)
        self.end(how, catches_up=True)

    @precondition(lambda self: self.live)
    @rule(room=some_room, after=st.integers(1, len(ANSWER)), takes_back=st.booleans())
    def think_again_in_an_answer(self, room: RoomId, after: int, *, takes_back: bool) -> None:
        self.say(room, ["?"])
        self.sync()
        for step in ANSWER[:after]:
            self.do(step, room)
        attempt = self.running.get(room)
        if attempt is not None and takes_back:
            self.homeserver.redact(room, attempt.request.question, ALICE)
        elif attempt is not None:
            self.homeserver.edit(room, attempt.request.question)
        self.sync()
        for step in (Step.READ_A_GAP, Step.REACT, *ANSWER[after:]):
            self.do(step, room)

    def do(self, step: Step, room: RoomId) -> None:  # noqa: C901 - one case for each step
        match step:
            case Step.READ_A_GAP:
                self.read_a_gap(room)
            case Step.REACT:
                self.react(room, 3)
            case Step.BEGIN:
                self.begin(room)
            case Step.OPEN_ANSWER | Step.DIE_OPENING:
                self.open_answer(room, dies=step is Step.DIE_OPENING)
            case Step.SHOW_A_PREVIEW:
                self.show_a_preview(room)
            case Step.FINISH | Step.FINISH_IN_PARTS | Step.FINISH_ASKING | Step.DIE_FINISHING:
                parts = 3 if step is Step.FINISH_IN_PARTS else 1
                asks, dies = step is Step.FINISH_ASKING, step is Step.DIE_FINISHING
                self.finish(room, parts, asks=asks, dies=dies)
            case Step.SEND | Step.SEND_UNHEARD:
                self.send(room, hears=step is Step.SEND)
            case Step.REDACT:
                self.redact(room)
            case Step.ANSWER:
                for part in ANSWER:
                    self.do(part, room)

    def react(self, room: RoomId, limit: int) -> None:
        for event in self.run(requests.look, room, limit).events:
            if isinstance(event, Redaction):
                self.run(changes.withdraw, event)
                continue
            assert isinstance(event, TextMessage)
            if event.replaces is not None:
                self.run(changes.edit, event, event.body)
            elif event.body == "!":
                self.run(requests.settle, event, (self.reply(event),), self.own)
            elif event.body == "y":
                self.give_a_word(event)
            else:
                self.ask(event)

    def give_a_word(self, command: TextMessage) -> None:
        asked = self.run(confirmations.pending, ALICE, command.room_id)
        if asked is None:
            self.run(requests.settle, command, (self.reply(command),), self.own)
            return
        question = evolve(self.question(command), resume=(), origin=EventId("$nothing of it"))
        assert self.run(changes.answer_for, command, asked, question, (), self.own) is not None

    def reply(self, command: Incoming) -> Draft:
        mark = AnswerMark(
            question=command.event_id,
            request=RequestId(f"reply:{command.event_id}"),
            part=0,
            state=AnswerState.FINAL,
            instance=self.own.instance,
        )
        return Draft(room_id=command.room_id, content=b"{}", mark=mark)

    def ask(self, question: TextMessage) -> None:
        self.run(requests.ask, question, self.question(question))

    def question(self, message: TextMessage) -> Question:
        self.request_count += 1
        return Question(
            request_id=RequestId(f"request{self.request_count}"),
            text=message.body,
            agent=AgentId("main"),
            platform_chat_id=PlatformChatId(ROOMS.index(message.room_id)),
        )

    def begin(self, room: RoomId) -> None:
        if room in self.running:
            return
        attempt = self.run(requests.begin_next, room)
        if attempt is not None:
            self.running[room] = attempt
            self.roots[room] = attempt.root

    def open_answer(self, room: RoomId, *, dies: bool) -> None:
        """T1b, unless a preview was taken over."""
        if room not in self.running or self.roots[room] is not None:
            return
        root = Draft(room_id=room, content=b"{}", mark=self.mark(room, AnswerState.OPEN))
        if dies:
            self.run_and_die(requests.open_answer, root, self.own)
        else:
            self.roots[room] = self.run(requests.open_answer, root, self.own)

    def show_a_preview(self, room: RoomId) -> None:
        """Edit the open answer: an event that is no row, under a fresh transaction id."""
        root = self.roots.get(room)
        event_id = None if root is None else self.run(outbox.event_id_of, root)
        if event_id is not None:
            fresh = f"fresh{len(self.homeserver.log)}"
            mark = self.mark(room, AnswerState.OPEN)
            self.homeserver.put(self.own.device_id, fresh, room, mark, event_id)

    def finish(self, room: RoomId, parts: int, *, dies: bool, asks: bool = False) -> None:
        """T2. The run goes on although its question is another one now, or none: a race."""
        if room not in self.running:
            return
        root = self.roots[room]
        final = self.mark(room, AnswerState.FINAL)
        answer = tuple(
            Draft(
                room_id=room,
                content=b"{}",
                mark=evolve(final, part=part, parts=parts),
                replaces=root if part == 0 else None,
            )
            for part in range(parts)
        )
        request = self.running[room].request
        asked = Confirmation(
            user_id=ALICE,
            room_id=room,
            kind="interrupts",
            platform_chat_id=request.platform_chat_id,
            request=request.request_id,
            expires_at=time.time() + 3600,
        )
        done = Done(outcome="answered", answer=answer, asked=asked if asks else None)
        if dies:
            self.run_and_die(requests.finish, request, done, self.own)
            return
        stands = self.run(changes.by_id, request.request_id)
        is_done = self.run(requests.finish, request, done, self.own)
        if is_done:
            assert stands is not None
            assert stands.text == request.text, "an older text was answered"
            assert stands.outcome is None, "what was taken back was answered"
        del self.running[room], self.roots[room]

    def mark(self, room: RoomId, state: AnswerState) -> AnswerMark:
        request = self.running[room].request
        return AnswerMark(
            question=request.question,
            request=request.request_id,
            part=0,
            state=state,
            instance=self.own.instance,
        )

    # -- T3 --

    def send(self, room: RoomId, *, hears: bool) -> None:
        """Send what the room is owed next; `hears` says whether the homeserver's answer came."""
        row = self.run(outbox.next_row, room)
        if row is None:
            return
        event_id = self.find(row) if row.device_id != self.own.device_id else None
        if event_id is None:
            if row.device_id != self.own.device_id:
                self.run(outbox.own_device, row.seq, self.own)
            assert row.replaces is None or row.root is not None
            event_id = self.homeserver.put(
                self.own.device_id, row.transaction_id, room, row.mark, row.root
            )
        if hears:
            self.run(outbox.sent, row.seq, event_id)

    def redact(self, room: RoomId) -> None:
        """Take back what answers questions that were taken back."""
        for event_id in self.run(withdrawals.to_redact, room):
            if event_id not in self.homeserver.redacted:
                self.homeserver.redact(room, event_id, BOT)
            self.run(withdrawals.redacted, event_id)

    def find(self, row: OutboxRow) -> EventId | None:
        """Look for a row of another device's in the room, by its mark."""
        for stored in self.homeserver.log:
            mark = stored.answer
            if (
                mark is not None
                and isinstance(stored.event, TextMessage)
                and stored.event.room_id == row.room_id
                and (mark.request, mark.part, mark.state, mark.instance)
                == (row.request, row.part, row.answer_state, row.instance)
                and (stored.event.replaces is None) == (row.replaces is None)
            ):
                return stored.event.event_id
        return None

    # -- what holds at any time --

    @invariant()
    def nothing_is_answered_twice(self) -> None:
        assert all(count == 1 for count in Counter(self.answered()).values())

    @invariant()
    def answers_come_in_the_order_of_their_questions(self) -> None:
        for room in ROOMS:
            questions = self.said(room, "?")
            answered = [event_id for event_id in self.answered() if event_id in questions]
            assert answered == questions[: len(answered)]

    def said(self, room: RoomId, body: str) -> list[EventId]:
        """What people said in a room, and not took back: questions or commands."""
        return [
            stored.event.event_id
            for stored in self.homeserver.log
            if isinstance(stored.event, TextMessage)
            and (stored.event.room_id, stored.event.body) == (room, body)
            and stored.event.event_id not in self.homeserver.redacted
        ]

    def answered(self) -> list[EventId]:
        """The messages that have their whole answer, in the order in which they got it."""
        marks = [stored.answer for stored in self.homeserver.log]
        return [
            mark.question
            for mark in marks
            if mark is not None and mark.completes and mark.question is not None
        ]

    # -- in the end --

    def come_to_rest(self) -> None:
        """Let the service do what there is to do, undisturbed."""
        before: object = None
        while before != (now := self.progress()):
            before = now
            self.sync()
            for room in ROOMS:
                self.read_a_gap(room)
                self.react(room, 3)
                self.begin(room)
                self.finish(room, 1, dies=False)
                self.send(room, hears=True)
                self.redact(room)
                self.run(confirmations.close, ALICE, room)  # it expires

    def progress(self) -> object:
        """Something that is another thing as long as there is something to do."""
        return len(self.homeserver.log), self.run(meta.sync_token), self.run(_unsettled)

    def read_the_rooms(self) -> None:
        for room in ROOMS:
            for body in "?!y":
                assert set(self.said(room, body)) <= set(self.answered()), "a message was lost"
        self.answers_come_in_the_order_of_their_questions()
        self.nothing_is_answered_twice()
        assert self.run(_unsettled) == (0, 0, 0, 0)
        self.of_what_was_taken_back_nothing_stays()
        for question, parts in self.parts_of_answers().items():
            assert parts == list(range(len(parts))), f"parts for {question} are lost or doubled"
        beginnings = Counter(
            stored.answer.question
            for stored in self.homeserver.log
            if stored.answer is not None
            and isinstance(stored.event, TextMessage)
            and stored.answer.part == 0
            and stored.event.replaces is None
            # A word on what was asked before all was lost begins to be answered, and is refused.
            and not (self.forgot and stored.answer.request.startswith("reply:"))
        )
        assert set(beginnings.values()) <= {1}, "an answer begins twice"

    def of_what_was_taken_back_nothing_stays(self) -> None:
        gone = self.homeserver.redacted
        stays = [
            stored.event.event_id
            for stored in self.homeserver.log
            if stored.answer is not None
            and stored.answer.question in gone
            and stored.event.event_id not in gone
            and not stored.answer.request.startswith("reply:")
        ]
        assert stays == []

    def parts_of_answers(self) -> dict[EventId, list[int]]:
        """The final parts of each answer as they stand, in the order in which they are shown."""
        shown: dict[EventId, dict[EventId, int]] = {}
        for stored in self.homeserver.log:
            mark, event = stored.answer, stored.event
            if mark is None or mark.question is None or event.event_id in self.homeserver.redacted:
                continue
            if mark.state is AnswerState.FINAL and isinstance(event, TextMessage):
                shown.setdefault(mark.question, {})[event.replaces or event.event_id] = mark.part
        return {question: list(parts.values()) for question, parts in shown.items()}


def _unsettled(db: Database) -> tuple[int, ...]:
    """What is still to be done: events, requests, rows, gaps."""
    counts = db.execute(
        "SELECT (SELECT count(*) FROM inbox WHERE settled_at IS NULL),"
        " (SELECT count(*) FROM requests WHERE outcome IS NULL),"
        " (SELECT count(*) FROM outbox WHERE state = 'pending'), (SELECT count(*) FROM gaps)"
    ).fetchone()
    return tuple(counts)


TestService = Service.TestCase
TestService.settings = settings(max_examples=examples(50), stateful_step_count=40)
