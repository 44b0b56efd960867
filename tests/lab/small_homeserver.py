"""A homeserver in the test's own process: rooms, accounts and /sync in memory, on a real socket.

It knows one account by its API, the bot's; the people act through methods. What it does, it does as
the specification says: every answer is held against the official OpenAPI. It is small because it
refuses what the service never asks. What no homeserver does by itself (errors, lost answers) is
`tests.lab.proxy`'s, which stands before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from itertools import count
from urllib.parse import parse_qsl, unquote, urlsplit

import trio
from attrs import define, field

from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.matrix_events import ANSWER_KEY
from tests.lab.openapi import load_validator
from tests.lab.small_http import Asked, Json, Reply, reply, serve_http
from tests.lab.small_repository import SmallRepository
from tests.lab.small_rooms import Room, is_about

BOT = UserId("@bot:example.org")
ANNA = UserId("@anna:example.org")
BORIS = UserId("@boris:example.org")
PASSWORD = "correct horse"
TOKEN = "secret-token"
PASSING_TOKEN = "passing-token"
"""Of a device that the homeserver has chosen: a login that says none."""
_SINCE_EVER = 1_700_000_000_000


class Refusal(Exception):  # noqa: N818 - an answer that says no
    """A Matrix error."""

    def __init__(self, status: int, errcode: str) -> None:
        super().__init__(errcode)
        self.status, self.body = status, {"errcode": errcode, "error": "no"}


@define(eq=False)
class SmallHomeserver:
    """Made by `open_small_homeserver`. Set `timeline_limit` low to have timelines limited."""

    url: str = ""
    device_id: str = "LAMBDA_MATRIX"
    passing_devices: int = 0
    """Devices of the homeserver's choosing that are logged in."""
    timeline_limit: int = 50
    rooms: dict[RoomId, Room] = field(factory=dict)
    account_data: dict[str, Json] = field(factory=dict)
    room_account_data: dict[tuple[RoomId, str], Json] = field(factory=dict)
    _kept_at: dict[str | tuple[RoomId, str], int] = field(factory=dict)
    typing: list[tuple[RoomId, bool]] = field(factory=list)
    receipts: list[tuple[RoomId, EventId]] = field(factory=list)
    forgotten: list[RoomId] = field(factory=list)
    created: list[RoomId] = field(factory=list)
    display_name: str | None = None
    avatar_url: str | None = None
    repository: SmallRepository = field(factory=SmallRepository)
    findings: list[str] = field(factory=list)
    position: int = 0
    _transactions: dict[tuple[str, ...], EventId] = field(factory=dict)
    _filters: list[Json] = field(factory=list)
    _changed: trio.Event = field(factory=trio.Event)
    _number: count[int] = field(factory=lambda: count(1))

    # -- the people --

    def direct_chat(
        self, inviter: UserId, *, encrypted: bool = False, is_direct: bool = True
    ) -> RoomId:
        """`inviter` makes a room and invites the bot to it."""
        room_id = self._new_room(inviter, {})
        if encrypted:
            content = {"algorithm": "m.megolm.v1.aes-sha2"}
            self.add(room_id, "m.room.encryption", content, inviter, state_key="")
        self.member(room_id, BOT, "invite", inviter, is_direct=is_direct)
        return room_id

    def chat_of_bot(self, *people: UserId) -> RoomId:
        """A room that the bot made, in which those people are."""
        room_id = self._new_room(BOT, {})
        for person in people:
            self.member(room_id, person, "join", person)
        return room_id

    def member(
        self, room_id: RoomId, target: UserId, membership: str, sender: UserId, **more: object
    ) -> EventId:
        content = {"membership": membership, **more}
        return self.add(room_id, "m.room.member", content, sender, state_key=target)

    def say(self, room_id: RoomId, sender: UserId, body: str, **content: object) -> EventId:
        """A text message of a person, unless `content` says otherwise."""
        message = {"msgtype": "m.text", "body": body, **content}
        return self.add(room_id, "m.room.message", message, sender)

    def redact(self, room_id: RoomId, event_id: EventId, sender: UserId) -> EventId:
        """Somebody takes an event back: its content is gone, and an event says so."""
        content = {"redacts": event_id}
        redaction = self.add(room_id, "m.room.redaction", content, sender, redacts=event_id)
        event = self.rooms[room_id].event(event_id)
        if event is not None:
            because = {**self.rooms[room_id].events[-1][1], "room_id": room_id}
            event.update(content={}, unsigned={"redacted_because": because})
        return redaction

    def upgrade(self, room_id: RoomId, sender: UserId) -> RoomId:
        """Somebody replaces a room by a new one, in which only they are."""
        replacement = self._new_room(sender, {"predecessor": {"room_id": room_id}})
        content = {"body": "It goes on elsewhere", "replacement_room": replacement}
        self.add(room_id, "m.room.tombstone", content, sender, state_key="")
        return replacement

    def add(
        self, room_id: RoomId, kind: str, content: Json, sender: UserId, **more: object
    ) -> EventId:
        """Any event, with no questions asked."""
        self.position += 1
        event_id = EventId(f"$event{self.position:05d}")
        event = {
            "type": kind,
            "event_id": event_id,
            "sender": sender,
            "origin_server_ts": _SINCE_EVER + self.position,
            "content": content,
            **more,
        }
        self.rooms[room_id].events.append((self.position, event))
        self.tell()
        return event_id

    def keep(self, kind: str, content: Json) -> None:
        """The bot's account data of this type is now so."""
        self.position += 1
        self.account_data[kind], self._kept_at[kind] = content, self.position
        self.tell()

    def keep_of_room(self, room_id: RoomId, kind: str, content: Json) -> None:
        """The bot's account data of this room and type is now so."""
        self.position += 1
        self.room_account_data[room_id, kind] = content
        self._kept_at[room_id, kind] = self.position
        self.tell()

    # -- what is to be seen --

    def sent(self, room_id: RoomId) -> list[Json]:
        """The bot's messages in a room, edits among them, in order."""
        return [
            event
            for _, event in self.rooms[room_id].events
            if event["type"] == "m.room.message" and event["sender"] == BOT
        ]

    def bodies(self, room_id: RoomId) -> list[str]:
        """The texts of the bot's messages: edits begin with `* `, redacted ones are empty."""
        return [event["content"].get("body", "") for event in self.sent(room_id)]

    def about(self, room_id: RoomId, question: EventId | None) -> list[Json]:
        """The bot's messages that answer `question`, in order."""
        marked = [e for e in self.sent(room_id) if ANSWER_KEY in e["content"]]
        return [e for e in marked if e["content"][ANSWER_KEY]["question"] == question]

    def finals(self, room_id: RoomId, question: EventId | None) -> list[Json]:
        """The contents of the final events that answer `question`, edits as what they make."""
        about = [event["content"] for event in self.about(room_id, question)]
        contents = [content.get("m.new_content", content) for content in about]
        return [content for content in contents if content[ANSWER_KEY]["state"] == "final"]

    async def wait(self, is_so: Callable[[], bool], within: float = 600) -> None:
        """Wait until something is so. Raises trio.TooSlowError (the clock may be a jumping one)."""
        with trio.fail_after(within):
            while not is_so():
                await self._changed.wait()

    async def answer(self, room_id: RoomId, question: EventId | None, within: float = 600) -> str:
        """Wait for the final answer; return its text."""
        await self.wait(lambda: bool(self.finals(room_id, question)), within)
        body: str = self.finals(room_id, question)[0]["body"]
        return body

    def tell(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = trio.Event()

    def room_of_kind(self, owner: UserId, kind: str) -> RoomId:
        """The only room of the bot that is marked as a `space` or `chat` of `owner`."""
        (room_id,) = self.rooms_of_kind(owner, kind)
        return room_id

    def rooms_of_kind(self, owner: UserId, kind: str) -> list[RoomId]:
        """The rooms that the bot is in and that are marked as of this kind."""
        return [
            room.room_id
            for room in self.rooms.values()
            if (marker := room.events[0][1]["content"].get("ru.coredump.lambda.room"))
            and (marker["owner"], marker["kind"]) == (owner, kind)
            and room.membership(BOT) == "join"
        ]

    def forget_transactions(self) -> None:
        """As after a day: a transaction id that comes again is a new one."""
        self._transactions.clear()

    # -- the API: each takes the path's parts, the query and the body, and returns the answer --

    def _versions(self, _query: Json, _body: Json) -> Json:
        return {"versions": ["v1.11", "v1.16"]}

    def _login(self, _query: Json, body: Json) -> Json:
        if body["password"] != PASSWORD:
            raise Refusal(403, "M_FORBIDDEN")
        if "device_id" in body:
            return {"user_id": BOT, "access_token": TOKEN, "device_id": body["device_id"]}
        self.passing_devices += 1
        return {"user_id": BOT, "access_token": PASSING_TOKEN, "device_id": "CHOSEN"}

    def _login_flows(self, _query: Json, _body: Json) -> Json:
        return {"flows": [{"type": "m.login.password"}]}

    def _logout(self, _query: Json, _body: Json) -> Json:
        self.passing_devices -= 1
        return {}

    def _whoami(self, _query: Json, _body: Json) -> Json:
        return {"user_id": BOT, "device_id": self.device_id}

    def _capabilities(self, _query: Json, _body: Json) -> Json:
        return {
            "capabilities": {"m.room_versions": {"default": "10", "available": {"10": "stable"}}}
        }

    def _filter(self, _user: str, _query: Json, body: Json) -> Json:
        self._filters.append(body)
        return {"filter_id": str(len(self._filters))}

    def _get_display_name(self, _user: str, _query: Json, _body: Json) -> Json:
        return {} if self.display_name is None else {"displayname": self.display_name}

    def _display_name(self, _user: str, _query: Json, body: Json) -> Json:
        self.display_name = body["displayname"]
        return {}

    def _get_avatar(self, user: UserId, _query: Json, _body: Json) -> Json:
        return {} if self.avatar_url is None or user != BOT else {"avatar_url": self.avatar_url}

    def _put_avatar(self, _user: str, _query: Json, body: Json) -> Json:
        self.avatar_url = body["avatar_url"]
        return {}

    def _get_account_data(self, _user: str, kind: str, _query: Json, _body: Json) -> Json:
        if kind not in self.account_data:
            raise Refusal(404, "M_NOT_FOUND")
        return self.account_data[kind]

    def _put_account_data(self, _user: str, kind: str, _query: Json, body: Json) -> Json:
        self.keep(kind, body)
        return {}

    def _get_room_account_data(
        self, _user: str, room_id: RoomId, kind: str, _query: Json, _body: Json
    ) -> Json:
        if (room_id, kind) not in self.room_account_data:
            raise Refusal(404, "M_NOT_FOUND")
        return self.room_account_data[room_id, kind]

    def _put_room_account_data(
        self, _user: str, room_id: RoomId, kind: str, _query: Json, body: Json
    ) -> Json:
        self.keep_of_room(room_id, kind, body)
        return {}

    def _send(self, room_id: RoomId, kind: str, txn: str, _query: Json, body: Json) -> Json:
        key = (self.device_id, room_id, kind, txn)
        if key not in self._transactions:
            self._joined(room_id)
            unsigned = {"transaction_id": txn}
            self._transactions[key] = self.add(room_id, kind, body, BOT, unsigned=unsigned)
        return {"event_id": self._transactions[key]}

    def _put_state(self, room_id: RoomId, kind: str, key: str, _query: Json, body: Json) -> Json:
        self._joined(room_id)
        return {"event_id": self.add(room_id, kind, body, BOT, state_key=key)}

    def _redact(
        self, room_id: RoomId, event_id: EventId, txn: str, _query: Json, _body: Json
    ) -> Json:
        key = (self.device_id, room_id, "redact", txn)
        if key not in self._transactions:
            self._joined(room_id)
            self._transactions[key] = self.redact(room_id, event_id, BOT)
        return {"event_id": self._transactions[key]}

    def _get_state(self, room_id: RoomId, kind: str, key: str, query: Json, _body: Json) -> Json:
        for event in self._joined(room_id).state():
            if (event["type"], event["state_key"]) == (kind, key):
                content: Json = event["content"]
                return event if query.get("format") == "event" else content
        raise Refusal(404, "M_NOT_FOUND")

    def _event(self, room_id: RoomId, event_id: EventId, _query: Json, _body: Json) -> Json:
        room = self._joined(room_id)
        event = room.event(event_id)
        if event is None:
            raise Refusal(404, "M_NOT_FOUND")
        return room.shown(event)

    def _context(self, room_id: RoomId, event_id: EventId, query: Json, body: Json) -> Json:
        event = self._event(room_id, event_id, query, body)
        at = next(at for at, e in self.rooms[room_id].events if e["event_id"] == event_id)
        return {"event": event, "start": f"s{at - 1}", "end": f"s{at}"}

    def _messages(self, room_id: RoomId, query: Json, _body: Json) -> Json:
        room, is_back = self._joined(room_id), query["dir"] == "b"
        begin, end = (self.position, 0) if is_back else (0, self.position)
        begin = int(query["from"][1:]) if "from" in query else begin
        end = int(query["to"][1:]) if "to" in query else end
        oldest, newest = (end, begin) if is_back else (begin, end)
        events = [(at, event) for at, event in room.events if oldest < at <= newest]
        events = events[::-1] if is_back else events
        chunk = events[: int(query["limit"])]
        page: Json = {"start": f"s{begin}", "chunk": [room.shown(event) for _, event in chunk]}
        if len(chunk) < len(events):
            page["end"] = f"s{chunk[-1][0] - 1}" if is_back else f"s{chunk[-1][0]}"
        return page

    def _typing(self, room_id: RoomId, _user: str, _query: Json, body: Json) -> Json:
        self.typing.append((room_id, body["typing"]))
        self.tell()
        return {}

    def _receipt(self, room_id: RoomId, event_id: EventId, _query: Json, _body: Json) -> Json:
        self.receipts.append((room_id, event_id))
        self.tell()
        return {}

    def _create_room(self, _query: Json, body: Json) -> Json:
        room_id = self._new_room(BOT, body["creation_content"])
        self.created.append(room_id)
        levels = {"users": {BOT: 100}, **body["power_level_content_override"]}
        self.add(room_id, "m.room.power_levels", levels, BOT, state_key="")
        self.add(room_id, "m.room.name", {"name": body["name"]}, BOT, state_key="")
        for event in body["initial_state"]:
            key, content = event["state_key"], event["content"]
            self.add(room_id, event["type"], content, BOT, state_key=key)
        for person in body["invite"]:
            self.member(room_id, person, "invite", BOT)
        return {"room_id": room_id}

    def _join(self, room_id: RoomId, _query: Json, _body: Json) -> Json:
        if self.rooms[room_id].membership(BOT) not in {"invite", "join"}:
            raise Refusal(403, "M_FORBIDDEN")
        if self.rooms[room_id].membership(BOT) != "join":
            self.member(room_id, BOT, "join", BOT)
        return {"room_id": room_id}

    def _leave(self, room_id: RoomId, _query: Json, body: Json) -> Json:
        if self.rooms[room_id].membership(BOT) not in {"invite", "join"}:
            raise Refusal(403, "M_FORBIDDEN")
        self.member(room_id, BOT, "leave", BOT, **body)
        return {}

    def _forget(self, room_id: RoomId, _query: Json, _body: Json) -> Json:
        self.forgotten.append(room_id)
        self.tell()
        return {}

    def _invite(self, room_id: RoomId, _query: Json, body: Json) -> Json:
        if self._joined(room_id).membership(body["user_id"]) in {"join", "ban"}:
            raise Refusal(403, "M_FORBIDDEN")
        self.member(room_id, body["user_id"], "invite", BOT)
        return {}

    def _joined_rooms(self, _query: Json, _body: Json) -> Json:
        rooms = self.rooms.values()
        return {"joined_rooms": [r.room_id for r in rooms if r.membership(BOT) == "join"]}

    def _joined_members(self, room_id: RoomId, _query: Json, _body: Json) -> Json:
        return {"joined": {user: {} for user in self._joined(room_id).members()}}

    async def sync(self, query: Json) -> Json:
        """/sync: at once what is new, else what comes within the time."""
        since = int(query["since"][1:]) if "since" in query else 0
        given = query["filter"]
        wanted = json.loads(given) if given.startswith("{") else self._filters[int(given) - 1]
        with trio.move_on_after(int(query["timeout"]) / 1000):
            while "since" in query and not self._is_news(since, wanted):
                await self._changed.wait()
        return {
            "next_batch": f"s{self.position}",
            "rooms": self._news(since, wanted["room"]),
            "account_data": {"events": self._kept(since, wanted["account_data"])},
        }

    def _is_news(self, since: int, wanted: Json) -> bool:
        kept = self._kept(since, wanted["account_data"])
        return bool(kept) or any(self._news(since, wanted["room"]).values())

    def _kept(self, since: int, wanted: Json) -> list[Json]:
        return [
            {"type": kind, "content": content}
            for kind, content in self.account_data.items()
            if self._kept_at[kind] > since and _is_wanted(kind, wanted)
        ]

    def _kept_of_room(self, room_id: RoomId, since: int, wanted: Json) -> list[Json]:
        return [
            {"type": kind, "content": content}
            for (room, kind), content in self.room_account_data.items()
            if room == room_id and self._kept_at[room, kind] > since and _is_wanted(kind, wanted)
        ]

    def _news(self, since: int, wanted: Json) -> Json:
        news: Json = {"join": {}, "invite": {}, "leave": {}}
        for room in self.rooms.values():
            own = next((at, e) for at, e in [*room.events[::-1], (0, {})] if is_about(e, BOT))
            changed_at, membership = own[0], room.membership(BOT)
            kept = self._kept_of_room(room.room_id, since, wanted["account_data"])
            if membership is None or (room.events[-1][0] <= since and not kept):
                continue
            if membership == "join":
                # The whole state comes with a room that was joined only now.
                begin = 0 if changed_at > since else since
                section = self._joined_section(room, begin, wanted)
                # Account data does not come with it once more (as Synapse has it).
                news["join"][room.room_id] = {**section, "account_data": {"events": kept}}
            elif changed_at > since and membership == "invite":
                keys = ("type", "state_key", "sender", "content")
                state = [{key: event[key] for key in keys} for event in room.state()]
                news["invite"][room.room_id] = {"invite_state": {"events": state}}
            elif changed_at > since and self._tells_left(room.room_id, since, wanted):
                events = [event for at, event in room.events if since < at <= changed_at]
                news["leave"][room.room_id] = {
                    "timeline": {"events": events},
                    "account_data": {"events": kept},
                }
        return news

    def _tells_left(self, room_id: RoomId, since: int, wanted: Json) -> bool:
        """Without a token, rooms that were left come only to whoever wants them."""
        return bool(since or wanted.get("include_leave")) and room_id not in self.forgotten

    def _joined_section(self, room: Room, since: int, wanted: Json) -> Json:
        types = wanted["timeline"]["types"]
        new = [(at, event) for at, event in room.events if at > since and event["type"] in types]
        shown = new[-min(self.timeline_limit, wanted["timeline"]["limit"]) :]
        state = [event for event in room.state(since) if event["type"] in wanted["state"]["types"]]
        first = shown[0][0] if shown else self.position + 1
        return {
            "timeline": {
                "events": [event for _, event in shown],
                "limited": len(shown) < len(new),
                "prev_batch": f"s{first - 1}",
            },
            "state_after": {"events": state},
            "summary": {"m.joined_member_count": len(room.members())},
        }

    def _joined(self, room_id: RoomId) -> Room:
        room = self.rooms.get(room_id)
        if room is None or room.membership(BOT) != "join":
            raise Refusal(403, "M_FORBIDDEN")
        return room

    def _new_room(self, creator: UserId, creation_content: Json) -> RoomId:
        room_id = RoomId(f"!room{next(self._number)}:example.org")
        self.rooms[room_id] = Room(room_id)
        content = {"room_version": "10", "creator": creator, **creation_content}
        self.add(room_id, "m.room.create", content, creator, state_key="")
        self.member(room_id, creator, "join", creator)
        return room_id

    # -- HTTP --

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        await serve_http(stream, self._answer)

    async def _answer(self, asked: Asked) -> Reply:
        passing = asked.headers.get("authorization") == f"Bearer {PASSING_TOKEN}"
        token = PASSING_TOKEN if passing and self.passing_devices else TOKEN
        found = self.repository.answer(asked, token) or await self._answer_json(asked)
        if validator := load_validator():
            self.findings += validator.check_response(
                asked.method, asked.target, found.status, {}, found.content
            )
        return found

    async def _answer_json(self, asked: Asked) -> Reply:
        url = urlsplit(asked.target)
        what = f"{asked.method} {url.path.removeprefix('/_matrix/client/')}"
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            if what == "GET v3/sync":
                return reply(await self.sync(query))
            for pattern, operation in _OPERATIONS:
                if found := pattern.fullmatch(what):
                    parts = [unquote(part) for part in found.groups()]
                    return reply(operation(self, *parts, query, asked.json))
        except Refusal as refusal:
            return reply(refusal.body, refusal.status)
        return reply({"errcode": "M_UNRECOGNIZED", "error": f"{what} is not known here"}, 404)


def _is_wanted(kind: str, wanted: Json) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in wanted["types"])


_BY_PATH: dict[str, Callable[..., Json]] = {
    "GET versions": SmallHomeserver._versions,
    "GET v3/login": SmallHomeserver._login_flows,
    "POST v3/login": SmallHomeserver._login,
    "POST v3/logout": SmallHomeserver._logout,
    "GET v3/account/whoami": SmallHomeserver._whoami,
    "GET v3/capabilities": SmallHomeserver._capabilities,
    "POST v3/user/{}/filter": SmallHomeserver._filter,
    "GET v3/profile/{}/displayname": SmallHomeserver._get_display_name,
    "PUT v3/profile/{}/displayname": SmallHomeserver._display_name,
    "GET v3/profile/{}/avatar_url": SmallHomeserver._get_avatar,
    "PUT v3/profile/{}/avatar_url": SmallHomeserver._put_avatar,
    "GET v3/user/{}/account_data/{}": SmallHomeserver._get_account_data,
    "PUT v3/user/{}/account_data/{}": SmallHomeserver._put_account_data,
    "GET v3/user/{}/rooms/{}/account_data/{}": SmallHomeserver._get_room_account_data,
    "PUT v3/user/{}/rooms/{}/account_data/{}": SmallHomeserver._put_room_account_data,
    "PUT v3/rooms/{}/send/{}/{}": SmallHomeserver._send,
    "PUT v3/rooms/{}/state/{}/{}": SmallHomeserver._put_state,
    "GET v3/rooms/{}/state/{}/{}": SmallHomeserver._get_state,
    "PUT v3/rooms/{}/redact/{}/{}": SmallHomeserver._redact,
    "GET v3/rooms/{}/event/{}": SmallHomeserver._event,
    "GET v3/rooms/{}/context/{}": SmallHomeserver._context,
    "GET v3/rooms/{}/messages": SmallHomeserver._messages,
    "PUT v3/rooms/{}/typing/{}": SmallHomeserver._typing,
    "POST v3/rooms/{}/receipt/m.read/{}": SmallHomeserver._receipt,
    "POST v3/createRoom": SmallHomeserver._create_room,
    "POST v3/join/{}": SmallHomeserver._join,
    "POST v3/rooms/{}/leave": SmallHomeserver._leave,
    "POST v3/rooms/{}/forget": SmallHomeserver._forget,
    "POST v3/rooms/{}/invite": SmallHomeserver._invite,
    "GET v3/joined_rooms": SmallHomeserver._joined_rooms,
    "GET v3/rooms/{}/joined_members": SmallHomeserver._joined_members,
}
_OPERATIONS = [
    (re.compile(re.escape(path).replace(r"\{\}", "([^/]*)")), operation)
    for path, operation in _BY_PATH.items()
]


@asynccontextmanager
async def open_small_homeserver() -> AsyncIterator[SmallHomeserver]:
    """Serve on a port of loopback for the length of the block; then look at the findings."""
    load_validator()  # takes seconds, which nobody should wait for who has asked something
    homeserver = SmallHomeserver()
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        homeserver.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.start_soon(trio.serve_listeners, homeserver.serve, [listener])  # noqa: ASYNC113 - it listens already
        yield homeserver
        nursery.cancel_scope.cancel()
    assert not homeserver.findings, "\n".join(homeserver.findings)
