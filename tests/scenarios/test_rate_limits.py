"""Under Synapse's default limits: ten events at once, then one every five seconds, edits included.

The person's account is not limited, so that what is seen is what the service makes of its own
limit; and the bot's only when its rooms are made, since that too counts.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio
from attrs import define

from lambda_matrix.demo.bare_http import Json, open_caller
from lambda_matrix.demo.homeserver import Account, Homeserver, Limits
from lambda_matrix.demo.person import open_person
from lambda_matrix.demo.view import RoomView, object_at, text_at
from lambda_matrix.ids import UserId
from lambda_matrix.matrix_events import ANSWER_KEY
from tests.lab.chatting import Chatting, Stack, fresh_account, open_chatting, open_stack
from tests.lab.homeserver_process import homeserver_process
from tests.lab.proxy import Exchange

pytestmark = pytest.mark.long

SENDS = r"^PUT .*/send/m\.room\.message/"
OK, TOO_MANY = 200, 429
MOST_REFUSED = 8
"""Of some dozens of events: a few to learn the pace, of each room that was sending just then."""


@pytest.fixture(scope="module")
def strict(synapse_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """A Synapse with its default limits."""
    directory = tmp_path_factory.mktemp("strict")
    with homeserver_process(synapse_python, directory, limits=Limits.DEFAULT) as homeserver:
        yield homeserver


@define
class Limiter:
    """Who is limited; by default everybody is."""

    homeserver: Homeserver
    administrator: Account

    async def lift(self, user: UserId) -> None:
        """From now on this user may send as much as they like."""
        await self._override("POST", user, {"messages_per_second": 0, "burst_count": 0})

    async def impose(self, user: UserId) -> None:
        """From now on the user is limited; what they sent before does not count."""
        await self._override("DELETE", user, None)

    async def _override(self, method: str, user: UserId, body: Json | None) -> None:
        path = ("_synapse", "admin", "v1", "users", user, "override_ratelimit")
        token = self.administrator.access_token
        async with open_caller(self.homeserver.url) as caller:
            await caller.call(method, *path, token=token, body=body)


@pytest.fixture
async def limiter(strict: Homeserver) -> Limiter:
    name = f"admin-{secrets.token_hex(4)}"
    return Limiter(strict, await strict.register(name, "of this homeserver", admin=True))


@pytest.fixture
async def unlimited(
    strict: Homeserver, limiter: Limiter, tmp_path: Path
) -> AsyncIterator[Chatting]:
    """A person and a bot, both of them still without limits."""
    async with open_stack(strict, tmp_path) as stack:
        await stack.service.start()
        await limiter.lift(stack.bot)
        async with open_chatting(stack) as opened:
            await limiter.lift(opened.person.user_id)
            yield opened


def _kind(exchange: Exchange) -> str:
    """What an event of the bot's is: `final`, `first` or `preview`."""
    content = json.loads(exchange.body)
    newest = object_at(content, "m.new_content") or content
    if text_at(newest, ANSWER_KEY, "state") == "final":
        return "final"
    return "preview" if "m.new_content" in content else "first"


def _long(words: int, seconds: int) -> str:
    return f"slow {seconds} " + " ".join(f"word-{number}" for number in range(words))


def _refused(chatting: Chatting) -> int:
    return sum(one.status == TOO_MANY for one in chatting.proxy.exchanges)


async def test_a_long_streamed_answer_arrives_complete(
    unlimited: Chatting, limiter: Limiter
) -> None:
    chatting = unlimited
    await limiter.impose(chatting.bot)
    for _ in range(6):
        await chatting.ask("!help")
    question = await chatting.say(_long(400, 25))
    answer = await chatting.answer(question, within=90)
    (only,) = answer.parts
    assert all(f"word-{number}" in only.body for number in range(400))
    assert answer.doubled == ()
    assert answer.previews >= 2
    lengths = [len(version) for version in only.versions]
    assert lengths == sorted(lengths)
    assert _refused(chatting) <= MOST_REFUSED


@pytest.mark.timeout(400)
async def test_of_a_crowd_whoever_has_to_wait_is_told_how_long(
    strict: Homeserver, tmp_path: Path
) -> None:
    """Ten rooms at once, then one a minute: enough for five people."""
    told: dict[int, str] = {}

    async def come(stack: Stack, number: int) -> None:
        account = await fresh_account(strict, f"guest{number}x")
        async with open_person(strict.url, account) as person:
            direct = await person.direct_chat(stack.bot)

            def first_word(view: RoomView) -> str | None:
                said = [message.body for message in view.said_by(stack.bot)]
                done = [body for body in said if "I will go on in" in body or "matrix.to" in body]
                return done[0] if done else None

            told[number] = await person.wait_for(direct, first_word, 240, "a word of the bot's")

    async with open_stack(strict, tmp_path) as stack:
        await stack.service.start()
        async with trio.open_nursery() as crowd:
            for number in range(8):
                crowd.start_soon(come, stack, number)
        assert "Traceback" not in stack.service.log
    waiting = [word for word in told.values() if "I will go on in" in word]
    assert 2 <= len(waiting) <= 6, told


async def test_three_long_answers_at_once_arrive_complete(
    unlimited: Chatting, limiter: Limiter
) -> None:
    chatting = unlimited
    rooms = [chatting.chat, await chatting.new_chat("!new 2"), await chatting.new_chat("!new 3")]
    await limiter.impose(chatting.bot)
    questions = [await chatting.say(_long(300, 20), room) for room in rooms]
    for room, question in zip(rooms, questions, strict=True):
        answer = await chatting.answer(question, room, within=90)
        assert "word-299" in answer.text
        assert answer.doubled == ()
        assert len(answer.parts) == 1
        assert answer.previews >= 1, "each of them was seen to grow"
    made = [one for one in chatting.proxy.made(SENDS) if one.status == OK]
    assert [_kind(one) for one in made[-3:]] == ["final"] * 3
    assert _refused(chatting) <= MOST_REFUSED


async def test_finals_go_before_previews_of_other_rooms(
    unlimited: Chatting, limiter: Limiter
) -> None:
    """Once a final is refused for the moment, no answer begins or grows until it is there."""
    chatting = unlimited
    rooms = [await chatting.new_chat("!new 2"), await chatting.new_chat("!new 3")]
    await limiter.impose(chatting.bot)
    long = await chatting.say(_long(400, 30))
    await chatting.growing(long)
    asked = [(room, await chatting.say(f"number {n}", room)) for n in range(6) for room in rooms]
    for room, question in asked:
        answer = await chatting.answer(question, room, within=90)
        assert answer.doubled == ()
    assert "word-399" in (await chatting.answer(long, within=60)).text

    made = chatting.proxy.made(SENDS)
    refused = [one for one in made if one.status == TOO_MANY]
    assert 0 < len(refused) <= MOST_REFUSED
    for one in refused:
        if _kind(one) == "final":
            tries = [n for n, other in enumerate(made) if other.target == one.target]
            meanwhile = [other for other in made[tries[0] : tries[-1]] if other.status == OK]
            assert {_kind(other) for other in meanwhile} <= {"final"}
