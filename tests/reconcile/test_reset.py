"""The steps of a fresh start: which they are, and that taking them is safe to be cut off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import cycle

import pytest
import trio
from attrs import define
from trio.testing import MockClock

from lambda_matrix.client_server_api.account_data import BINDING_KEY, SEQUENCE_KEY, person_key
from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.client_server_api.survey import Standing, Survey, SurveyedRoom
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.ids import AccessToken, DeviceId, RoomId
from lambda_matrix.reconcile.reset import (
    EmptyAccountData,
    ForgetRoom,
    LeaveRoom,
    Refusal,
    Step,
    Unbind,
    plan_reset,
    take_steps,
)
from tests.lab.proxy import Answer, Hold, Loss, Proxy, open_proxy, rate_limited
from tests.lab.small_homeserver import (
    ANNA,
    BORIS,
    BOT,
    TOKEN,
    SmallHomeserver,
    open_small_homeserver,
)

LEAVE = r"^POST .*/leave$"
FORGET = r"^POST .*/forget$"
SESSION = Session(BOT, DeviceId("LAMBDA_MATRIX"), AccessToken(TOKEN))


def room(name: str, standing: Standing = Standing.JOINED, **more: object) -> SurveyedRoom:
    return SurveyedRoom(room_id=RoomId(f"!{name}:x"), standing=standing, **more)  # type: ignore[arg-type]  # of the fields' types


def test_bindings_go_first_and_spaces_last() -> None:
    space = room("a-space", is_space=True)
    chat, other = room("chat", bound=(BINDING_KEY,)), room("other")
    invite, left = room("invite", Standing.INVITED), room("left", Standing.LEFT)
    gone_bound = room("gone", Standing.LEFT, bound=(BINDING_KEY,))
    survey = Survey(
        (space, chat, other, invite, left, gone_bound),
        ((person_key(ANNA), {"language": "ru"}), (SEQUENCE_KEY, {"highest": 7})),
    )
    assert plan_reset(survey) == (
        Unbind(chat, BINDING_KEY),
        Unbind(gone_bound, BINDING_KEY),
        EmptyAccountData(person_key(ANNA)),
        LeaveRoom(chat),
        ForgetRoom(chat),
        ForgetRoom(gone_bound),
        LeaveRoom(invite),
        ForgetRoom(invite),
        ForgetRoom(left),
        LeaveRoom(other),
        ForgetRoom(other),
        LeaveRoom(space),
        ForgetRoom(space),
    )


def test_the_number_sequence_alone_is_nothing_to_do() -> None:
    assert plan_reset(Survey((), ((SEQUENCE_KEY, {"highest": 7}),))) == ()


@define
class Lab:
    """A bot's account at a small homeserver, behind a proxy."""

    homeserver: SmallHomeserver
    proxy: Proxy
    client: Client

    async def reset(self) -> tuple[Refusal, ...]:
        """Look, and do all that is to be done."""
        began: list[Step] = []
        steps = plan_reset(await self.client.survey())
        refused = await take_steps(self.client, steps, began.append)
        assert tuple(began) == steps
        return refused

    async def assert_empty(self) -> None:
        """There is nothing but the number sequence."""
        assert await self.client.survey() == Survey((), ((SEQUENCE_KEY, {"highest": 7}),))
        assert await self.client.joined_rooms() == frozenset()


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with (
        open_small_homeserver() as homeserver,
        open_proxy(homeserver.url) as proxy,
        open_client(proxy.url, SESSION) as client,
    ):
        chat = homeserver.chat_of_bot(ANNA)
        homeserver.keep_of_room(chat, BINDING_KEY, {"owner": ANNA})
        homeserver.chat_of_bot(BORIS)
        homeserver.direct_chat(ANNA)
        left = homeserver.chat_of_bot(ANNA)
        homeserver.member(left, BOT, "leave", ANNA)
        homeserver.keep(person_key(ANNA), {"language": "ru"})
        homeserver.keep(SEQUENCE_KEY, {"highest": 7})
        yield Lab(homeserver, proxy, client)
        assert proxy.findings == []


async def test_everything_is_left_and_forgotten(lab: Lab) -> None:
    assert await lab.reset() == ()
    await lab.assert_empty()
    assert sorted(lab.homeserver.forgotten) == sorted(lab.homeserver.rooms)
    assert await lab.reset() == ()


async def test_cut_off_before_and_after_any_request_it_is_done_again(lab: Lab) -> None:
    is_done = cycle((False, True))  # whether the homeserver has done what it is asked
    while steps := plan_reset(await lab.client.survey()):
        hold = Hold(answer=next(is_done))
        rule = lab.proxy.spoil(r"^(PUT|POST) ", hold, times=1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(take_steps, lab.client, steps, ignore)
            await hold.caught.wait()
            nursery.cancel_scope.cancel()
        lab.proxy.mend(rule)
    await lab.assert_empty()


def ignore(_step: Step) -> None:
    """Watch nothing."""


async def test_passing_faults_are_waited_out(autojump_clock: MockClock, lab: Lab) -> None:
    autojump_clock.autojump_threshold = 0.01
    lab.proxy.spoil(LEAVE, rate_limited(60_000), times=3)
    lab.proxy.spoil(FORGET, Answer(500), times=2)
    lab.proxy.spoil(FORGET, Loss.ANSWER, times=2)
    assert await lab.reset() == ()
    await lab.assert_empty()


async def test_what_is_refused_is_told_and_the_rest_is_done(lab: Lab) -> None:
    stubborn = min(lab.homeserver.rooms)
    body = json.dumps({"errcode": "M_BAD_STATE", "error": "no way"}).encode()
    lab.proxy.spoil(f"^POST .*{stubborn[1:6]}.*/(leave|forget)$", Answer(400, body))
    refused = await lab.reset()
    assert [type(each.step) for each in refused] == [LeaveRoom, ForgetRoom]
    assert "no way" in refused[0].why
    assert await lab.client.joined_rooms() == {stubborn}


async def test_who_is_not_there_need_not_leave(lab: Lab) -> None:
    survey = await lab.client.survey()
    for each in survey.rooms:
        if each.standing is Standing.JOINED:
            lab.homeserver.member(each.room_id, BOT, "ban", ANNA)
    assert await take_steps(lab.client, plan_reset(survey), ignore) == ()
    await lab.assert_empty()


@pytest.mark.parametrize(
    ("errcode", "status", "raised"),
    [
        ("M_UNKNOWN_TOKEN", 401, SessionDeadError),
        ("M_USER_LOCKED", 401, MatrixError),
    ],
)
async def test_what_ends_it_all(
    lab: Lab, errcode: str, status: int, raised: type[Exception]
) -> None:
    body = json.dumps({"errcode": errcode, "error": "no"}).encode()
    lab.proxy.spoil("^PUT ", Answer(status, body))
    with pytest.raises(raised):
        await lab.reset()
