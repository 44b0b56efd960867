"""A request on its way to whoever makes it, and its outcome on the way back.

Most requests and answers are short and go as a whole. Files stream through in pieces, over a
channel without a buffer between the one who makes the request and the one who reads or writes the
file: the slower of the two sets the pace, and no file is ever in memory.
"""

from __future__ import annotations

from collections.abc import Mapping

import trio
from attrs import define, field, frozen

from lambda_matrix.client_server_api.errors import HomeserverUnreachable, MatrixError


@frozen
class Outgoing:
    """A body of `size` bytes that comes in pieces.

    Whoever sends the pieces closes the channel after the last, and gives the transfer up if they
    do not come to `size`. The channel breaks where the answer has come before the end.
    """

    pieces: trio.MemoryReceiveChannel[bytes]
    size: int


@frozen
class Incoming:
    """Where the pieces of a good answer go; it is closed after the last. At most `most` bytes."""

    pieces: trio.MemorySendChannel[bytes]
    most: int


@define(eq=False)
class Transfer:
    """One request and its outcome.

    `asked` names it in messages and holds no query, which may be a secret; `kind` is its endpoint's
    name. `timeout` is for all of
    it, `patience` for each wait on the connection; both in seconds. `is_repeatable` says that to do
    it twice is to do it once.
    """

    asked: str
    kind: str
    method: str
    url: str
    headers: dict[str, str]
    timeout: float
    patience: float
    is_repeatable: bool
    body: bytes | Outgoing | None = None
    into: Incoming | None = None
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    _is_connected: bool = False
    _is_given_up: bool = False
    _done: trio.Event = field(factory=trio.Event)
    _answer: tuple[Mapping[str, str], bytes] | MatrixError | None = None

    @property
    def is_file(self) -> bool:
        """Whether it goes through in pieces, and may be given up."""
        return self.into is not None or isinstance(self.body, Outgoing)

    def end(self, answer: tuple[Mapping[str, str], bytes] | MatrixError | None) -> None:
        """Tell the outcome: headers and body (empty where it went in pieces), or an error."""
        self._answer = answer
        if self.into is not None:
            self.into.pieces.close()
        if isinstance(self.body, Outgoing):
            self.body.pieces.close()
        self._done.set()

    async def answer(self) -> tuple[Mapping[str, str], bytes]:
        """Wait for the outcome: the answer's headers and body.

        Raises:
            MatrixError: As `Transport.request`.
        """
        await self._done.wait()
        if isinstance(self._answer, MatrixError):
            raise self._answer
        if self._answer is None:
            raise HomeserverUnreachable(f"{self.asked}: given up")
        return self._answer

    def give_up(self) -> None:
        """End it; nothing happens where it has ended. While it connects, it is left to connect."""
        self._is_given_up = True
        if self._is_connected:
            self.scope.cancel()

    def connect(self) -> None:
        """It begins to connect, perhaps once more: now it must not be cancelled."""
        self._is_connected = False

    def connected(self) -> None:
        """The connection stands: now it may be cancelled."""
        self._is_connected = True
        if self._is_given_up:
            self.scope.cancel()
