"""Typing and read receipts: said in passing, never owed.

Each room has at most one of each waiting to be said, the newest. A receipt waits a moment, so that
one receipt stands for a batch of messages, and a typing notice is only said for an answer that is
not there at once. What the homeserver will not take is dropped.
"""

import logging
from typing import NoReturn

import trio
from attrs import define, field

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import EventId, RoomId

logger = logging.getLogger(__name__)

RECEIPT_DELAY = 0.4
"""Seconds within which receipts of one room become one."""
TYPING_TIMEOUT_MS = 30_000
TYPING_REFRESH = 25.0
"""Seconds after which a typing notice is said again, before it runs out."""


@define
class Signals:
    """What is to be signalled to which room; `run` says it."""

    _client: Client
    _read: dict[RoomId, EventId] = field(factory=dict)
    _typing: dict[RoomId, bool] = field(factory=dict)
    _read_bell: trio.Event = field(factory=trio.Event)
    _typing_bell: trio.Event = field(factory=trio.Event)

    def read(self, room_id: RoomId, event_id: EventId) -> None:
        """Everything up to `event_id` has been taken in."""
        self._read[room_id] = event_id
        self._read_bell.set()

    def typing(self, room_id: RoomId, *, on: bool) -> None:
        """Say that an answer is being made (for `TYPING_TIMEOUT_MS` at most), or no longer."""
        self._typing[room_id] = on
        self._typing_bell.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Say what is to be said, until cancelled."""
        async with trio.open_nursery() as sayers:
            sayers.start_soon(self._say_typing)
            sayers.start_soon(self._say_read)
            task_status.started()
            await trio.sleep_forever()

    async def _say_typing(self) -> None:
        while True:
            await self._typing_bell.wait()
            self._typing_bell = trio.Event()
            while self._typing:
                room_id, on = self._typing.popitem()
                try:
                    await self._client.typing(room_id, on=on, timeout_ms=TYPING_TIMEOUT_MS)
                except MatrixError as error:
                    logger.debug("typing in room %s not said: %s", room_id, error)

    async def _say_read(self) -> None:
        while True:
            await self._read_bell.wait()
            await trio.sleep(RECEIPT_DELAY)
            self._read_bell = trio.Event()
            while self._read:
                room_id, event_id = self._read.popitem()
                try:
                    await self._client.read_receipt(room_id, event_id)
                except MatrixError as error:
                    logger.debug("receipt in room %s not said: %s", room_id, error)
