"""A person whose client is matrix-nio: asks the bot in each room that it invites to.

    python -m tests.lab.nio_person QUESTION

A program of its own, since matrix-nio is asyncio. Joins what the bot invites to, asks QUESTION in
the first chat that greets, and prints the answer's newest text when the bot marks it as final.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - matrix-nio knows nothing else
import os
import sys

from nio import (  # type: ignore[import-untyped]  # it has no stubs
    AsyncClient,
    Event,
    InviteMemberEvent,
    MatrixInvitedRoom,
    MatrixRoom,
    RoomCreateResponse,
    RoomMessage,
    RoomPreset,
    RoomSendResponse,
)

ANSWER_KEY = "ru.coredump.lambda.answer"


async def main(question: str) -> None:
    bot, user = os.environ["BOT_USER"], os.environ["PERSON_USER"]
    client = AsyncClient(os.environ["HOMESERVER"], user)
    client.restore_login(user, os.environ["PERSON_DEVICE"], os.environ["PERSON_TOKEN"])
    asked: list[str] = []
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    lobby: list[str] = []

    async def join(room: MatrixInvitedRoom, event: InviteMemberEvent) -> None:
        if event.sender == bot and event.state_key == user:
            await client.join(room.room_id)

    async def hear(room: MatrixRoom, event: Event) -> None:
        if event.sender != bot:
            return
        content = event.source["content"]
        newest = content.get("m.new_content", content)
        mark = newest.get(ANSWER_KEY, {})
        if room.room_id not in lobby and not asked:
            asked.append("")
            said = {"msgtype": "m.text", "body": question}
            sent = await client.room_send(room.room_id, "m.room.message", said)
            assert isinstance(sent, RoomSendResponse)
            asked[0] = sent.event_id
        elif mark.get("question") in asked and mark.get("state") == "final":
            answered.set_result(newest["body"])

    client.add_event_callback(join, InviteMemberEvent)
    client.add_event_callback(hear, RoomMessage)
    made = await client.room_create(
        is_direct=True, preset=RoomPreset.trusted_private_chat, invite=[bot]
    )
    assert isinstance(made, RoomCreateResponse)
    lobby.append(made.room_id)
    following = asyncio.create_task(client.sync_forever(timeout=30_000, full_state=True))
    print(await asyncio.wait_for(answered, 60))  # noqa: T201 - whoever runs it reads it
    following.cancel()
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
