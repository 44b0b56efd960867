"""What a run says, as it says it: each event goes out at once, and is noted for a repeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import Factory, define, frozen

from lambda_matrix.reference.run_input import Message
from lambda_matrix.reference.wire import BodyEvent, Interrupt, TextContent, Usage, encode

Send = Callable[[str], Awaitable[None]]
"""Takes one frame to the client."""


@frozen
class Done:
    """How a run ended that did not fail: what it adds to the conversation, and what it asks."""

    messages: tuple[Message, ...] = ()
    usage: Usage | None = None
    interrupts: tuple[Interrupt, ...] = ()


@define
class Telling:
    """Sends the events of one run, and gathers them."""

    send: Send
    body: list[BodyEvent] = Factory(list)

    async def tell(self, event: BodyEvent) -> None:
        """Send an event, and note it; of one text's pieces a repeat makes one."""
        last = self.body[-1] if self.body else None
        if (
            isinstance(event, TextContent)
            and isinstance(last, TextContent)
            and last.message_id == event.message_id
        ):
            self.body[-1] = TextContent(
                last.message_id, last.delta + event.delta, last.subagent_run_id
            )
        else:
            self.body.append(event)
        await self.send(encode(event))

    @property
    def frames(self) -> tuple[str, ...]:
        """What was told, as the frames of a repeat."""
        return tuple(map(encode, self.body))
