"""The outbox at work against a homeserver of a few lines, without sockets, so that a try is cheap.

Everything from the outbox down to the transport is real; behind the transport's channel the
homeserver takes each request by itself and gives it the outcome that was drawn for it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import trio
from attrs import define, field, frozen

from lambda_matrix.client_server_api.account import Account
from lambda_matrix.client_server_api.address import Address
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import (
    HomeserverUnreachable,
    MatrixError,
    error_of_answer,
)
from lambda_matrix.client_server_api.media import Media
from lambda_matrix.client_server_api.parsing_messages import parse_answer_mark
from lambda_matrix.client_server_api.room_state import RoomStates
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.client_server_api.transfer import Transfer
from lambda_matrix.client_server_api.transport import Transport
from lambda_matrix.ids import AccessToken, DeviceId, EventId, RoomId, UserId
from lambda_matrix.matrix_events import ANSWER_KEY, AnswerMark, AnswerState

BOT = UserId("@bot:example.org")
_SEND = re.compile(r".*/rooms/([^/]+)/send/m\.room\.message/([^/?]+)")
_MESSAGES = re.compile(r".*/rooms/([^/]+)/messages\?(?:.*&)?from=(\d+)|.*/rooms/([^/]+)/messages")
_PAGE = 5
Answer = tuple[Mapping[str, str], bytes] | MatrixError


@frozen
class Outcome:
    """What becomes of one PUT, `delay` seconds after it came.

    It is `taken` or not, and then answered with `status`: 200, an error's, or none at all.
    """

    taken: bool
    status: int | None
    errcode: str | None = None
    retry_after: int = 0
    delay: float = 0.0

    @property
    def is_refusal(self) -> bool:
        """Whether the same event will never be taken."""
        return self.errcode in {"M_FORBIDDEN", "M_TOO_LARGE", "M_BAD_JSON"}


TAKEN = Outcome(taken=True, status=200)
FAULT = 500


@frozen
class Sent:
    """An event in a room: under which transaction id of which device it came, and its content."""

    event_id: EventId
    device: DeviceId
    transaction_id: str
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def mark(self) -> AnswerMark:
        mark = parse_answer_mark(self.content[ANSWER_KEY])
        assert mark is not None
        return mark

    @property
    def is_preview(self) -> bool:
        """Whether it shows an answer in the making, and was no row."""
        return self.mark.state is AnswerState.OPEN and self.replaces is not None

    @property
    def replaces(self) -> str | None:
        relation: dict[str, str] = self.content.get("m.relates_to", {})
        return relation.get("event_id")


@frozen
class Put:
    """One try of the service's to send an event."""

    room_id: RoomId
    transaction_id: str
    body: bytes
    outcome: Outcome


@define(eq=False)
class TinyHomeserver:
    """Takes events as long as nothing else was drawn. It notes what no client should do.

    To say which rooms the bot is in takes it `listing` seconds.
    """

    device: DeviceId
    outcomes: list[Outcome]
    joined: set[RoomId]
    listing: float = 0.0
    rooms: dict[RoomId, list[Sent]] = field(factory=dict)
    puts: list[Put] = field(factory=list)
    faults: list[str] = field(factory=list)
    _under_way: Counter[RoomId] = field(factory=Counter)
    _bodies: dict[tuple[DeviceId, str], bytes] = field(factory=dict)

    async def serve(self, jobs: trio.MemoryReceiveChannel[Transfer]) -> None:
        """Answer requests, each in its own time, until cancelled."""
        async with trio.open_nursery() as requests:
            async for job in jobs:
                requests.start_soon(self._answer, job)

    async def _answer(self, job: Transfer) -> None:
        sending = _SEND.match(job.url)
        paging = _MESSAGES.match(job.url)
        if sending is not None:
            assert isinstance(job.body, bytes)
            room_id, transaction_id = RoomId(unquote(sending[1])), unquote(sending[2])
            job.end(await self._put(room_id, transaction_id, job.body, self.device))
        elif job.url.endswith("/joined_rooms"):
            answer = json.dumps({"joined_rooms": sorted(self.joined)}).encode()
            await trio.sleep(self.listing)
            job.end(({}, answer))
        elif paging is not None:
            room_id = RoomId(unquote(paging[1] or paging[3]))
            job.end(({}, self._page(room_id, None if paging[2] is None else int(paging[2]))))
        else:
            self.faults.append(f"asked for {job.url}")
            job.end(HomeserverUnreachable("no such thing"))

    async def _put(
        self, room_id: RoomId, transaction_id: str, body: bytes, device: DeviceId
    ) -> Answer:
        known = self._bodies.setdefault((device, transaction_id), body)
        if known != body:
            self.faults.append(f"another body under transaction id {transaction_id}")
        is_known = self._known(room_id, device, transaction_id) is not None
        outcome = self._outcome(room_id, is_known=is_known)
        self.puts.append(Put(room_id, transaction_id, body, outcome))
        self._under_way[room_id] += 1
        if self._under_way[room_id] > 1:
            self.faults.append(f"two events at once on their way to {room_id}")
        try:
            event_id = self._take(room_id, device, transaction_id, body) if outcome.taken else ""
            await trio.sleep(outcome.delay)
        finally:
            self._under_way[room_id] -= 1
        if outcome.status is None:
            return HomeserverUnreachable("no answer")
        if outcome.taken:
            return {}, json.dumps({"event_id": event_id}).encode()
        return _refusal(outcome)

    def _outcome(self, room_id: RoomId, *, is_known: bool) -> Outcome:
        if room_id not in self.joined and not is_known:
            return Outcome(taken=False, status=403, errcode="M_FORBIDDEN")
        outcome = self.outcomes.pop(0) if self.outcomes else TAKEN
        # What was taken once is never refused: the same transaction has the same answer.
        return TAKEN if is_known and (outcome.is_refusal or outcome.status == FAULT) else outcome

    def _known(self, room_id: RoomId, device: DeviceId, transaction_id: str) -> EventId | None:
        for event in self.rooms.get(room_id, []):
            if (event.device, event.transaction_id) == (device, transaction_id):
                return event.event_id
        return None

    def _take(self, room_id: RoomId, device: DeviceId, transaction_id: str, body: bytes) -> EventId:
        known = self._known(room_id, device, transaction_id)
        if known is not None:
            return known
        log = self.rooms.setdefault(room_id, [])
        event_id = EventId(f"${room_id.removeprefix('!')}-{len(log)}")
        log.append(Sent(event_id, device, transaction_id, body))
        return event_id

    def _page(self, room_id: RoomId, before: int | None) -> bytes:
        log = self.rooms.get(room_id, [])
        end = len(log) if before is None else before
        start = max(0, end - _PAGE)
        chunk = [
            {
                "type": "m.room.message",
                "event_id": event.event_id,
                "sender": BOT,
                "content": event.content,
            }
            for event in reversed(log[start:end])
        ]
        page = {"chunk": chunk, "start": str(end)} | ({"end": str(start)} if start else {})
        return json.dumps(page).encode()


def _refusal(outcome: Outcome) -> MatrixError:
    assert outcome.status is not None
    body = {"errcode": outcome.errcode, "error": "no", "retry_after_ms": outcome.retry_after * 1000}
    html = b"<html>bad gateway</html>"
    return error_of_answer(
        outcome.status,
        {},
        html if outcome.errcode is None else json.dumps(body).encode(),
        now=0.0,
        asked="PUT an event",
    )


def client_of(device: DeviceId, jobs: trio.MemorySendChannel[Transfer]) -> Client:
    """The service's own client, whose requests go into `jobs`."""
    session = Session(BOT, device, AccessToken("token"))
    transport = Transport(Address("http://homeserver", "homeserver"), jobs)
    token = session.access_token
    return Client(
        session,
        Media(transport, token),
        RoomStates(transport, token),
        Account(transport, token, BOT),
        transport,
        transport,
    )
