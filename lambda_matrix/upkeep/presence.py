"""Whether the homeserver is there, as a command sees it that somebody waits for.

The service waits for a homeserver that is away, however long. Who has typed a command does not want
that: after a short time it ends, and can be given again. Whatever waits within the command, for
whatever request, this looks at the wire and so needs to know nothing of it. A rate limit is an
answer: it is waited out, and told.
"""

from __future__ import annotations

from typing import NoReturn

import trio
from attrs import define, field

from lambda_matrix.client_server_api.exchange import Exchange
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.upkeep.terminal import Terminal

PATIENCE = 30.0
"""Seconds for which a homeserver may be away."""
_TOO_MANY_REQUESTS = 429
_FROM_GATEWAYS = 501
"""This status and those above it are of whatever stands before the homeserver. 500 is its own."""


@define(eq=False)
class Presence:
    """Watches the exchanges with the homeserver at `url`."""

    _url: str
    _terminal: Terminal
    _away_since: float | None = None
    _why: str = ""
    _limited: bool = False
    _is_over: bool = False
    _changed: trio.Event = field(factory=trio.Event)

    def observe(self, exchange: Exchange) -> None:
        """Note an exchange: an `Observer`."""
        status = exchange.status
        if self._is_over:
            return
        if status is None:
            self._note_away("it does not answer")
        elif status >= _FROM_GATEWAYS:
            self._note_away(f"it answers with status {status}")
        else:
            self._away_since = None
        if status == _TOO_MANY_REQUESTS and not self._limited:
            self._limited = True
            self._terminal.remark("The homeserver limits how fast this goes; waiting as it asks.")

    def _note_away(self, why: str) -> None:
        self._why = why
        if self._away_since is None:
            self._away_since = trio.current_time()
            self._changed.set()
            self._changed = trio.Event()

    def end(self) -> None:
        """Look no more: what is cut off from now on, we have cut off."""
        self._is_over = True

    async def watch(self) -> NoReturn:
        """Wait until the homeserver has been away for too long, and say what is waited for.

        It is said here: where we go away, in the middle of a request, this does not go on either.

        Raises:
            CommandError: it has.
        """
        while True:
            since = self._away_since
            if since is None:
                await self._changed.wait()
                continue
            self._terminal.remark(f"Waiting for the homeserver: {self._why}.")
            await trio.sleep_until(since + PATIENCE)
            if self._away_since == since:
                raise CommandError(
                    f"The homeserver {self._url} is away: {self._why}. Try again later.",
                    Exit.HOMESERVER_AWAY,
                )
