"""Whatever becomes of what is sent: each room's events arrive in order, once, and none is stuck.

A script of what the service commits and what happens to it is drawn, and what becomes of each PUT.
In the end the homeserver is well again and the bot is in every room, and all is counted.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import TypeVar

import trio
from attrs import define, evolve, field, frozen
from hypothesis import given, settings, strategies as st
from sqlite_utils import Database
from trio.testing import MockClock

from lambda_matrix.client_server_api.transfer import Transfer
from lambda_matrix.ids import DeviceId, EventId, InstanceId, RequestId, RoomId, TransactionId
from lambda_matrix.matrix_events import AnswerMark, AnswerState, TextMessage
from lambda_matrix.metrics import Metrics
from lambda_matrix.store import outbox as rows
from lambda_matrix.store.records import Draft, Ourselves, OutboxRow, Priority
from lambda_matrix.store.schema import migrations
from lambda_matrix.store.store import Store
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.sending.delivery import FAULTS_MOST, Delivery
from lambda_matrix.surface.sending.outbox import Outbox, Preview
from lambda_matrix.surface.sending.pace import Pace
from lambda_matrix.surface.writing.content import as_edit, encode, text_message
from lambda_matrix.surface.writing.rendering import Rendered
from tests.lab.effort import examples
from tests.surface.bridging import POLICY
from tests.surface.sending.sending_lab import (
    BOT,
    Outcome,
    Put,
    Sent,
    TinyHomeserver,
    client_of,
)

R = TypeVar("R")

ROOMS = (RoomId("!one"), RoomId("!two"))
LONG = 40 * 3600.0
"""Seconds after which all that can be sent is sent."""

outcomes = st.builds(
    evolve,
    st.sampled_from(
        [
            Outcome(taken=True, status=200),
            Outcome(taken=True, status=None),  # only its answer is lost
            Outcome(taken=False, status=None),
            Outcome(taken=False, status=429, errcode="M_LIMIT_EXCEEDED", retry_after=1),
            Outcome(taken=False, status=429, errcode="M_LIMIT_EXCEEDED", retry_after=20),
            Outcome(taken=False, status=500, errcode="M_UNKNOWN"),
            Outcome(taken=False, status=500, errcode="M_UNKNOWN"),
            Outcome(taken=False, status=502),
            Outcome(taken=False, status=503, errcode="M_UNKNOWN"),
            Outcome(taken=False, status=403, errcode="M_USER_SUSPENDED"),
            Outcome(taken=False, status=401, errcode="M_UNKNOWN_TOKEN"),
            Outcome(taken=False, status=403, errcode="M_FORBIDDEN"),
            Outcome(taken=False, status=413, errcode="M_TOO_LARGE"),
            Outcome(taken=False, status=400, errcode="M_BAD_JSON"),
        ]
    ),
    delay=st.sampled_from([0.0, 0.0, 0.5, 30.0]),
)


@frozen
class Begin:
    """An answer is shown to have begun: its first event is committed (T1b)."""

    room_id: RoomId


@frozen
class Grow:
    """More of it is shown."""

    room_id: RoomId


@frozen
class Finish:
    """The whole answer is committed (T2), as an edit of its beginning if it has one."""

    room_id: RoomId
    parts: int


@frozen
class Echo:
    """The newest event of the room comes back by sync (T1)."""

    room_id: RoomId


@frozen
class Removed:
    """The bot is thrown out, and `told` so by sync or not."""

    room_id: RoomId
    told: bool


@frozen
class Readmitted:
    """It is in the room again, and learns of it by sync."""

    room_id: RoomId


@frozen
class Restart:
    """The process ends and begins again, perhaps as another device."""

    device: str


@frozen
class Wait:
    """Time passes, in seconds."""

    seconds: float


Step = Begin | Grow | Finish | Echo | Removed | Readmitted | Restart | Wait
somewhere = st.sampled_from(ROOMS)
steps = st.one_of(
    st.builds(Begin, somewhere),
    st.builds(Grow, somewhere),
    st.builds(Finish, somewhere, st.integers(1, 3)),
    st.builds(Finish, somewhere, st.just(1)),
    st.builds(Echo, somewhere),
    st.builds(Removed, somewhere, st.booleans()),
    st.builds(Readmitted, somewhere),
    st.builds(Restart, st.sampled_from(["ONE", "ONE", "TWO"])),
    st.builds(Wait, st.sampled_from([0.1, 3.0, 90.0])),
    st.builds(Wait, st.just(1.0)),
)


@cache
def _empty_database() -> bytes:
    connection = sqlite3.connect(":memory:")
    migrations.apply(Database(connection))
    return connection.serialize()


@contextmanager
def open_database() -> Iterator[Database]:
    """A store of which nobody has told anything yet."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(_empty_database())
        yield Database(connection)


async def _directly(call: Callable[[], R], /) -> R:
    await trio.lowlevel.checkpoint()
    return call()


@define(eq=False)
class Sender:
    """The service, as far as it sends; `begun` are the roots of answers in the making."""

    homeserver: TinyHomeserver
    store: Store
    own: Ourselves
    outbox: Outbox
    begun: dict[RoomId, tuple[RequestId, int]] = field(factory=dict)
    numbers: count[int] = field(factory=lambda: count(1))

    def mark(self, request: RequestId, state: AnswerState) -> AnswerMark:
        return AnswerMark(
            question=EventId(f"${request}"),
            request=request,
            part=0,
            state=state,
            instance=self.own.instance,
        )

    async def begin(self, room_id: RoomId) -> None:
        if room_id in self.begun:
            return
        request = RequestId(f"r{next(self.numbers)}")
        mark = self.mark(request, AnswerState.OPEN)
        content = text_message(Rendered("…", None), mark)
        first = Draft(room_id=room_id, content=encode(content), mark=mark, priority=Priority.FIRST)
        (seq,) = await self.store.transact(rows.add, (first,), self.own)
        self.begun[room_id] = request, seq
        self.outbox.wake([room_id])

    def grow(self, room_id: RoomId) -> None:
        if room_id in self.begun:
            request, seq = self.begun[room_id]
            mark = self.mark(request, AnswerState.OPEN)
            content = text_message(Rendered(f"… {next(self.numbers)}", None), mark)
            self.outbox.preview(room_id, Preview(seq, encode(as_edit(content))))

    async def finish(self, room_id: RoomId, parts: int) -> None:
        request, root = self.begun.pop(room_id, (None, None))
        self.outbox.drop_preview(room_id)
        mark = self.mark(request or RequestId(f"r{next(self.numbers)}"), AnswerState.FINAL)
        drafts: list[Draft] = []
        for part in range(parts):
            marked = evolve(mark, part=part, parts=parts)
            content = text_message(Rendered(f"Part {part} of {mark.request}", None), marked)
            replaces = root if part == 0 else None
            drafts.append(
                Draft(
                    room_id=room_id,
                    content=encode(content if replaces is None else as_edit(content)),
                    mark=marked,
                    replaces=replaces,
                )
            )
        first = await self.store.transact(_add_then_next, tuple(drafts), self.own, room_id)
        self.outbox.offer(room_id, first)

    async def hear_echo(self, room_id: RoomId) -> None:
        for sent in self.homeserver.rooms.get(room_id, [])[-1:]:
            mark = sent.mark
            event = TextMessage(
                room_id=room_id,
                event_id=sent.event_id,
                sender=BOT,
                msgtype="m.text",
                body="",
                replaces=None if sent.replaces is None else EventId(sent.replaces),
                transaction_id=TransactionId(sent.transaction_id)
                if sent.device == self.own.device_id
                else None,
                answer=mark,
            )
            await self.store.transact(rows.settle, event, mark)

    async def take(self, step: Step) -> None:
        match step:
            case Begin(room_id):
                await self.begin(room_id)
            case Grow(room_id):
                self.grow(room_id)
            case Finish(room_id, parts):
                await self.finish(room_id, parts)
            case Echo(room_id):
                await self.hear_echo(room_id)
            case Removed(room_id, told):
                self.homeserver.joined.discard(room_id)
                if told:
                    await self.store.transact(rows.park, room_id)
            case Readmitted(room_id):
                self.homeserver.joined.add(room_id)
                await self.store.transact(rows.unpark, room_id)
                self.outbox.wake([room_id])
            case Wait(seconds):
                await trio.sleep(seconds)
            case Restart():
                raise AssertionError("that is the whole script's affair")


def _add_then_next(
    db: Database, drafts: Sequence[Draft], own: Ourselves, room_id: RoomId
) -> OutboxRow | None:
    rows.add(db, drafts, own)
    return rows.next_row(db, room_id)


@asynccontextmanager
async def sending(
    homeserver: TinyHomeserver, store: Store, numbers: count[int]
) -> AsyncIterator[Sender]:
    """One start of the service."""
    own = Ourselves(BOT, homeserver.device, InstanceId("1000-start"))
    jobs, taken = trio.open_memory_channel[Transfer](0)
    client = client_of(homeserver.device, jobs)
    pace = Pace()
    metrics = Metrics()
    delivery = Delivery(store, client, pace, own, Languages(store, POLICY), metrics)
    async with trio.open_nursery() as tasks:
        tasks.start_soon(homeserver.serve, taken)
        sender = Sender(homeserver, store, own, Outbox(store, client, pace, delivery, metrics))
        sender.numbers = numbers
        await tasks.start(sender.outbox.run)
        yield sender
        tasks.cancel_scope.cancel()


async def play(script: list[Step], homeserver: TinyHomeserver, store: Store) -> None:
    """Act out the script, then let everything come to rest."""
    numbers = count(1)
    begins = [0, *(at + 1 for at, step in enumerate(script) if isinstance(step, Restart))]
    for begin, end in zip(begins, [*(at - 1 for at in begins[1:]), len(script)], strict=True):
        if begin:
            restart = script[begin - 1]
            assert isinstance(restart, Restart)
            homeserver.device = DeviceId(restart.device)
        async with sending(homeserver, store, numbers) as sender:
            for step in script[begin:end]:
                await sender.take(step)
            if end == len(script):
                await come_to_rest(sender)


async def come_to_rest(sender: Sender) -> None:
    for room_id in list(sender.begun):
        await sender.finish(room_id, 1)
    sender.homeserver.outcomes.clear()
    for room_id in ROOMS:
        await sender.take(Readmitted(room_id))
    await trio.sleep(LONG)


@settings(max_examples=examples(800))
@given(
    st.lists(steps, max_size=25),
    st.lists(outcomes, max_size=20),
    st.sampled_from([0.0, 10.0]),
)
def test_what_is_owed_arrives_in_order_and_once(
    script: list[Step], drawn: list[Outcome], listing: float
) -> None:
    act_out(script, TinyHomeserver(DeviceId("ONE"), list(drawn), set(ROOMS), listing))


async def test_who_is_let_in_again_while_the_room_is_given_up_hears_the_answer(
    autojump_clock: MockClock,
) -> None:
    assert autojump_clock.rate == 0
    room_id = ROOMS[0]
    homeserver = TinyHomeserver(DeviceId("ONE"), [], set(ROOMS), listing=10.0)
    with open_database() as database:
        store = Store(database, _directly, Path())
        async with sending(homeserver, store, count(1)) as sender:
            await sender.take(Removed(room_id, told=False))
            await sender.finish(room_id, 1)
            await trio.sleep(1)  # refused; which rooms there are is being asked
            await sender.take(Readmitted(room_id))
            await trio.sleep(60)
        assert len(homeserver.rooms[room_id]) == 1


def act_out(script: list[Step], homeserver: TinyHomeserver) -> None:
    """Play the script with an empty store, and look at what is there in the end."""
    with open_database() as database:
        store = Store(database, _directly, Path())
        trio.run(play, script, homeserver, store, clock=MockClock(autojump_threshold=0))
        assert homeserver.faults == []
        for room_id in ROOMS:
            check_room(database, homeserver, room_id)


def check_room(database: Database, homeserver: TinyHomeserver, room_id: RoomId) -> None:
    """Hold what is in the room against the rows that it was owed."""
    fields = (
        "seq, transaction_id, state, event_id, request, part, answer_state, last_resort, replaces"
    )
    owed = [
        Owed(*row)
        for row in database.execute(
            f"SELECT {fields} FROM outbox WHERE room_id = ? ORDER BY seq",  # noqa: S608 - constants
            (room_id,),
        )
    ]
    log = homeserver.rooms.get(room_id, [])
    check_arrivals(owed, [event for event in log if not event.is_preview])
    check_refusals(owed, [put for put in homeserver.puts if put.room_id == room_id])
    check_previews(log)


@frozen
class Owed:
    """A row of the outbox, in the end."""

    seq: int
    transaction_id: str
    state: str
    event_id: str | None
    request: str
    part: int
    answer_state: str
    last_resort: int
    replaces: int | None


def check_arrivals(owed: list[Owed], log: list[Sent]) -> None:
    """Each row is settled; each one that was sent is there once, in its order, and nothing else."""
    assert {row.state for row in owed} <= {"sent", "undeliverable"}
    by_id = {row.event_id: row for row in owed if row.event_id is not None}
    assert len(by_id) == len([row for row in owed if row.event_id is not None])
    there = [by_id[event.event_id] for event in log if event.event_id in by_id]
    assert there == [row for row in owed if row.event_id is not None]
    assert all(row.event_id is not None for row in owed if row.state == "sent")
    given_up = {row.transaction_id for row in owed if row.state == "undeliverable"}
    for event in log:
        assert event.event_id in by_id or event.transaction_id in given_up
    roots = {row.seq: row for row in owed}
    for event in log:
        row = by_id.get(event.event_id)
        if row is not None and row.replaces is not None:
            root = roots[row.replaces]
            assert event.replaces == (None if root.state == "undeliverable" else root.event_id)


def check_refusals(owed: list[Owed], puts: list[Put]) -> None:
    """A row is given up only if it was refused for good, and a final then leaves a notice."""
    refused = {put.transaction_id for put in puts if put.outcome.is_refusal}
    faults = Counter(put.transaction_id for put in puts if put.outcome.status in {500, 502})
    notices = Counter((row.request, row.part) for row in owed if row.last_resort)
    for row in owed:
        is_final = row.answer_state == "final"
        if row.state == "undeliverable" and is_final:
            assert row.transaction_id in refused or faults[row.transaction_id] > FAULTS_MOST
            assert row.last_resort or notices[row.request, row.part] == 1
        elif is_final and not row.last_resort:
            assert notices[row.request, row.part] == 0


def check_previews(log: list[Sent]) -> None:
    """After the whole answer nothing of its making is shown any more."""
    whole: set[str | None] = set()
    for event in log:
        if event.is_preview:
            assert event.replaces not in whole
        elif event.replaces is not None:
            whole.add(event.replaces)
