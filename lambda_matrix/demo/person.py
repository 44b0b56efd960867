"""A person with a Matrix client: joins, talks, and sees what a client would show.

For the demo, the tests and the bench: the far side of the homeserver. Shares no code with the
service's own client.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import trio
from attrs import define, field

from lambda_matrix.demo.bare_http import Caller, CallError, Json, open_caller
from lambda_matrix.demo.homeserver import Account
from lambda_matrix.demo.view import Answer, RoomView, list_at, object_at, text_at
from lambda_matrix.ids import AccessToken, DeviceId, EventId, RoomId, UserId

T = TypeVar("T")
_CLIENT = ("_matrix", "client", "v3")
_PAGE = 100
_SYNC_MS = 30_000
_FILTER = json.dumps({"room": {"timeline": {"limit": _PAGE}}, "presence": {"types": []}})
_RETRY_EVERY = 0.2


class NotSeenError(Exception):
    """What the person waited for did not come in time; the text tells what was there instead."""


async def log_in(url: str, user: str, password: str) -> Account:
    """A new session for `user` (a localpart or a whole id) by password (client-server API, 5.7).

    Raises:
      CallError: the homeserver refuses.
    """
    body: Json = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user},
        "password": password,
    }
    async with open_caller(url) as caller:
        made = await caller.call("POST", *_CLIENT, "login", body=body)
    return Account(
        UserId(str(made["user_id"])),
        password,
        AccessToken(str(made["access_token"])),
        DeviceId(str(made["device_id"])),
    )


@define
class Person:
    """One user's client; made by `open_person`. `rooms` is kept up to date by a sync loop."""

    account: Account
    _caller: Caller
    rooms: dict[RoomId, RoomView] = field(factory=dict)
    _changed: trio.Event = field(factory=trio.Event)

    @property
    def user_id(self) -> UserId:
        """Who this is."""
        return self.account.user_id

    # -- doing --

    async def call(self, method: str, *path: str, body: Json | None = None) -> Json:
        """One request to `/_matrix/client/v3/...` as this person; errors as `Caller.call`."""
        token = self.account.access_token
        return await self._caller.call(method, *_CLIENT, *path, token=token, body=body)

    async def create_room(self, *invite: UserId, **settings: object) -> RoomId:
        """A new private room; `settings` are the body's further keys (10.1.1)."""
        body: Json = {"preset": "private_chat", "invite": list(invite), **settings}
        made = await self.call("POST", "createRoom", body=body)
        return RoomId(str(made["room_id"]))

    async def direct_chat(self, other: UserId) -> RoomId:
        """What "start a chat" does in a client: a room marked as direct, `other` invited."""
        return await self.create_room(other, is_direct=True, preset="trusted_private_chat")

    async def invite(self, room: RoomId, other: UserId) -> None:
        """Invite `other` to the room."""
        await self.call("POST", "rooms", room, "invite", body={"user_id": other})

    async def join(self, room: RoomId) -> RoomView:
        """Join, and wait until the client shows the room."""
        await self.call("POST", "rooms", room, "join", body={})
        return await self.wait_for(room, lambda view: view if view.membership == "join" else None)

    async def leave(self, room: RoomId) -> None:
        """Leave the room, or decline its invite."""
        await self.call("POST", "rooms", room, "leave", body={})

    async def send(
        self, room: RoomId, content: Json, event_type: str = "m.room.message"
    ) -> EventId:
        """Send any event; its transaction id is new."""
        transaction = secrets.token_hex(8)
        path = ("rooms", room, "send", event_type, transaction)
        return EventId(str((await self.call("PUT", *path, body=content))["event_id"]))

    async def say(self, room: RoomId, text: str, **more: object) -> EventId:
        """Send a text message; `more` are further keys of its content."""
        return await self.send(room, {"msgtype": "m.text", "body": text, **more})

    async def send_file(
        self, room: RoomId, name: str, content: bytes, mime_type: str, **more: object
    ) -> EventId:
        """Send a file as clients do; `more` are further keys of its content, such as `msgtype`."""
        address = await self._caller.upload(content, name, mime_type, self.account.access_token)
        info: Json = {"mimetype": mime_type, "size": len(content)}
        described: Json = {"msgtype": "m.file", "body": name, "url": address, "info": info}
        return await self.send(room, described | more)

    async def edit(self, room: RoomId, message: EventId, text: str) -> EventId:
        """Replace the text of an own message (11.37)."""
        new: Json = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": message}
        content = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relation}
        return await self.send(room, content)

    async def redact(self, room: RoomId, message: EventId) -> None:
        """Take a message back."""
        path = ("rooms", room, "redact", message, secrets.token_hex(8))
        await self.call("PUT", *path, body={})

    # -- seeing --

    async def wait_until(
        self, check: Callable[[], T | None], within: float = 20, what: str = "it"
    ) -> T:
        """Wait until `check`, asked anew after each sync, gives something true; returns that.

        Raises:
          NotSeenError: it did not within `within` seconds.
        """
        with trio.move_on_after(within):
            while not (found := check()):
                await self._changed.wait()
            return found
        raise NotSeenError(f"{self.user_id} waited {within:g} s in vain for {what}; {self.seen()}")

    async def wait_for(
        self,
        room: RoomId,
        predicate: Callable[[RoomView], T | None],
        within: float = 20,
        what: str = "a change of the room",
    ) -> T:
        """`wait_until` for one room, which may be still unknown."""

        def check() -> T | None:
            return predicate(self.rooms[room]) if room in self.rooms else None

        return await self.wait_until(check, within, what)

    async def wait_for_answer(
        self, room: RoomId, question: EventId, by: UserId, within: float = 20
    ) -> Answer:
        """Wait until `by` has answered `question` to the end."""

        def whole(view: RoomView) -> Answer | None:
            answer = view.answer(question, by)
            return answer if answer and answer.is_final else None

        return await self.wait_for(room, whole, within, f"the answer to {question}")

    async def history(self, room: RoomId) -> list[Json]:
        """All events of a room as the homeserver has them now, oldest first (/messages)."""
        return [event async for event in self._pages(room, "f", None)]

    async def download(self, address: str) -> bytes:
        """Return the file at an mxc: address."""
        return await self._caller.download(address, self.account.access_token)

    def seen(self, messages: int = 6) -> str:
        """A few lines on each room and its last messages, for an error's text."""
        lines = ["what is there:"]
        for view in self.rooms.values():
            lines.append(f"  {view.room_id} {view.name!r}, {view.membership}")
            for said in view.messages[-messages:]:
                state = said.mark.state.value if said.mark else ""
                lines.append(f"    {said.sender} {said.msgtype} {state}: {said.body[:200]!r}")
        return "\n".join(lines)

    # -- the sync loop --

    async def _sync_forever(self, *, task_status: trio.TaskStatus[None]) -> None:
        since: str | None = None
        while True:
            query: dict[str, str | int] = {"filter": _FILTER, "timeout": _SYNC_MS}
            if since is not None:
                query["since"] = since
            token = self.account.access_token
            try:
                batch = await self._caller.call(
                    "GET", *_CLIENT, "sync", token=token, query=query, within=_SYNC_MS / 1000 + 30
                )
            except CallError as error:
                if error.status is not None and error.status < 500:  # noqa: PLR2004  the 4xx are ours
                    raise
                await trio.sleep(_RETRY_EVERY)
                continue
            await self._take(batch)
            if since is None:
                task_status.started()
            since = text_at(batch, "next_batch")
            self._changed.set()
            self._changed = trio.Event()

    async def _take(self, batch: Json) -> None:
        rooms = object_at(batch, "rooms")
        for membership in ("join", "leave"):
            for room_id, news in object_at(rooms, membership).items():
                view = self._view(RoomId(room_id))
                view.add_state(list_at(news, "state", "events"))
                if object_at(news, "timeline").get("limited"):
                    await self._fill_gap(view, text_at(news, "timeline", "prev_batch"))
                view.add_timeline(list_at(news, "timeline", "events"))
                view.add_ephemeral(list_at(news, "ephemeral", "events"))
                # Last: who waits for it is to find all of the room, also after a gap was filled.
                view.membership = membership
        for room_id, news in object_at(rooms, "invite").items():
            view = self._view(RoomId(room_id))
            view.membership = "invite"
            stripped = list_at(news, "invite_state", "events")
            view.add_state(stripped)
            for event in stripped:
                if text_at(event, "state_key") == self.user_id:
                    view.inviter = UserId(text_at(event, "sender") or "")

    def _view(self, room: RoomId) -> RoomView:
        return self.rooms.setdefault(room, RoomView(room))

    async def _fill_gap(self, view: RoomView, prev_batch: str | None) -> None:
        missed: list[Json] = []
        async with aclosing(self._pages(view.room_id, "b", prev_batch)) as pages:
            async for event in pages:
                if view.knows(event):
                    break
                missed.append(event)
        view.add_timeline(reversed(missed))

    async def _pages(
        self, room: RoomId, direction: str, start: str | None
    ) -> AsyncGenerator[Json, None]:
        path = (*_CLIENT, "rooms", room, "messages")
        token = self.account.access_token
        while True:
            query: dict[str, str | int] = {"dir": direction, "limit": _PAGE}
            if start is not None:
                query["from"] = start
            page = await self._caller.call("GET", *path, token=token, query=query)
            for event in list_at(page, "chunk"):
                yield event
            start = text_at(page, "end")
            if start is None:
                return


@asynccontextmanager
async def open_person(url: str, account: Account) -> AsyncIterator[Person]:
    """A person's client on the homeserver at `url`, synced once when the block begins.

    Raises:
      CallError: the homeserver refuses the session.
    """
    async with open_caller(url) as caller, trio.open_nursery() as nursery:
        person = Person(account, caller)
        await nursery.start(person._sync_forever)  # noqa: SLF001  the loop is this module's
        yield person
        nursery.cancel_scope.cancel()
