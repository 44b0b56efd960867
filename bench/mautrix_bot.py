"""An echo bot on mautrix, as maubot uses it; the filter lets no question slip by."""

from __future__ import annotations

import asyncio  # noqa: TID251 - mautrix knows nothing else
import os

from mautrix.client import Client
from mautrix.types import EventType, Filter, MessageEvent, RoomEventFilter, RoomFilter


async def main() -> None:
    client = Client(
        mxid=os.environ["BOT_USER"],
        device_id=os.environ["BOT_DEVICE"],
        token=os.environ["BOT_TOKEN"],
        base_url=os.environ["BOT_HOMESERVER"],
    )
    client.ignore_initial_sync = True

    async def echo(event: MessageEvent) -> None:
        if event.sender != client.mxid:
            await client.send_text(event.room_id, event.content.body)

    client.add_event_handler(EventType.ROOM_MESSAGE, echo)
    await client.start(Filter(room=RoomFilter(timeline=RoomEventFilter(limit=100))))


asyncio.run(main())
