"""The floor: what any bot on httpx and Trio must do, and nothing else. No state, no retries.

Long poll, and for each room a task that sends the echoes in order. `BOT_EXTRA` is JSON that each
event has besides.
"""

from __future__ import annotations

import json
import os
from itertools import count
from urllib.parse import quote

import httpx
import trio

USER = os.environ["BOT_USER"]
API = os.environ["BOT_HOMESERVER"] + "/_matrix/client/v3"
EXTRA = json.loads(os.environ.get("BOT_EXTRA", "{}"))
NOTHING = {"types": []}
TIMELINE = {"types": ["m.room.message"], "not_senders": [USER], "limit": 100}
FILTER = json.dumps(
    {
        "presence": NOTHING,
        "account_data": NOTHING,
        "room": {
            "state": NOTHING,
            "ephemeral": NOTHING,
            "account_data": NOTHING,
            "timeline": TIMELINE,
        },
    }
)


async def main() -> None:
    token = {"Authorization": f"Bearer {os.environ['BOT_TOKEN']}"}
    numbers = count()
    async with (
        httpx.AsyncClient(headers=token, timeout=60, trust_env=False) as http,
        trio.open_nursery() as nursery,
    ):
        rooms: dict[str, trio.MemorySendChannel[str]] = {}

        async def answer(room: str, texts: trio.MemoryReceiveChannel[str]) -> None:
            path = f"{API}/rooms/{quote(room, safe='')}/send/m.room.message"
            async for text in texts:
                echo = {"msgtype": "m.text", "body": text, **EXTRA}
                sent = await http.put(f"{path}/echo{next(numbers)}", json=echo)
                sent.raise_for_status()

        query = {"filter": FILTER, "timeout": "0"}
        while True:
            response = await http.get(f"{API}/sync", params=query)
            batch = response.raise_for_status().json()
            news = batch.get("rooms", {}).get("join", {}) if "since" in query else {}
            for room, joined in news.items():
                if room not in rooms:
                    rooms[room], texts = trio.open_memory_channel(1000)
                    nursery.start_soon(answer, room, texts)
                for event in joined["timeline"]["events"]:
                    rooms[room].send_nowait(event["content"]["body"])
            query |= {"since": batch["next_batch"], "timeout": "30000"}


trio.run(main)
