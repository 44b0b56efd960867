"""An echo bot on matrix-nio, written as its README has it; the filter lets no question slip by."""

from __future__ import annotations

import asyncio  # noqa: TID251 - matrix-nio knows nothing else
import os

from nio import AsyncClient, MatrixRoom, RoomMessageText


async def main() -> None:
    client = AsyncClient(os.environ["BOT_HOMESERVER"], os.environ["BOT_USER"])
    client.restore_login(os.environ["BOT_USER"], os.environ["BOT_DEVICE"], os.environ["BOT_TOKEN"])

    async def echo(room: MatrixRoom, event: RoomMessageText) -> None:
        if event.sender != client.user_id:
            content = {"msgtype": "m.text", "body": event.body}
            await client.room_send(room.room_id, "m.room.message", content)

    client.add_event_callback(echo, RoomMessageText)
    await client.sync_forever(timeout=30_000, sync_filter={"room": {"timeline": {"limit": 100}}})


asyncio.run(main())
