"""The proxy itself, between a person's client and a real homeserver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from lambda_matrix.demo.bare_http import Caller, CallError, open_caller
from lambda_matrix.demo.homeserver import Account, Homeserver
from lambda_matrix.demo.person import open_person
from tests.lab.chatting import fresh_account
from tests.lab.openapi import load_validator
from tests.lab.proxy import (
    Delay,
    Doctored,
    Hold,
    Loss,
    Proxy,
    Rewrite,
    bad_gateway,
    open_proxy,
    rate_limited,
)

VERSIONS = ("_matrix", "client", "versions")


@pytest.fixture
async def proxy(synapse: Homeserver) -> AsyncIterator[Proxy]:
    async with open_proxy(synapse.url) as opened:
        yield opened


@pytest.fixture
async def caller(proxy: Proxy) -> AsyncIterator[Caller]:
    async with open_caller(proxy.url) as opened:
        yield opened


@pytest.fixture
async def account(synapse: Homeserver) -> Account:
    return await fresh_account(synapse, "anna")


async def test_it_forwards_and_remembers(proxy: Proxy, account: Account) -> None:
    async with open_person(proxy.url, account) as person:
        room = await person.create_room()
        for text in ("a", "b", "c"):
            await person.say(room, text)
        await person.wait_for(room, lambda view: len(view.messages) == 3)
    sends = proxy.made("^PUT .*/send/m.room.message/")
    assert [b'"c"' in send.body for send in sends] == [False, False, True]
    assert all(send.status == 200 for send in sends)
    assert proxy.findings == []


async def test_a_bad_request_is_a_finding(proxy: Proxy, caller: Caller) -> None:
    if load_validator() is None:
        pytest.skip("the OpenAPI specification is not at hand")
    with pytest.raises(CallError):
        await caller.call("GET", "_matrix", "client", "v3", "sync", query={"limit": 1})
    assert any("unknown query parameter 'limit'" in finding for finding in proxy.findings)


async def test_answers_are_made_up_as_often_as_said(proxy: Proxy, caller: Caller) -> None:
    proxy.spoil("GET .*versions", bad_gateway(), times=1)
    with pytest.raises(CallError, match=r"502 .*Bad Gateway"):
        await caller.call("GET", *VERSIONS)
    proxy.spoil("GET .*versions", rate_limited(10), times=2)
    assert "versions" in await caller.call("GET", *VERSIONS)
    assert [one.status for one in proxy.made("versions")] == [502, 429, 429, 200]


@pytest.mark.parametrize("loss", list(Loss))
async def test_losses_cut_the_connection(
    proxy: Proxy, account: Account, synapse: Homeserver, loss: Loss
) -> None:
    async with open_person(synapse.url, account) as person, open_caller(proxy.url) as caller:
        room = await person.create_room()
        proxy.spoil("^PUT", loss, containing=b"lost?")
        path = ("_matrix", "client", "v3", "rooms", room, "send", "m.room.message", "t1")
        body: dict[str, object] = {"msgtype": "m.text", "body": "lost?"}
        with pytest.raises(CallError, match="no answer"):
            await caller.call("PUT", *path, token=account.access_token, body=body)
        proxy.mend()
        await caller.call("PUT", *path, token=account.access_token, body=body)
        await person.wait_for(room, lambda view: len(view.messages) == 1)
    arrived = [one.status for one in proxy.made("^PUT")]
    assert arrived == ([None, 200] if loss is Loss.REQUEST else [200, 200])


@pytest.mark.parametrize("answer", [False, True])
async def test_a_held_exchange_waits(proxy: Proxy, caller: Caller, *, answer: bool) -> None:
    hold = Hold(answer=answer)
    rule = proxy.spoil("versions", hold)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(caller.call, "GET", *VERSIONS)
        await hold.caught.wait()
        (exchange,) = proxy.made("versions")
        assert exchange.status == (200 if answer else None)
        proxy.mend(rule)


async def test_an_answer_is_rewritten(proxy: Proxy, caller: Caller) -> None:
    proxy.spoil("versions", Rewrite(rb'"versions":\[[^]]*\]', b'"versions":["v9.9"]'))
    assert (await caller.call("GET", *VERSIONS))["versions"] == ["v9.9"]


async def test_an_answer_is_doctored_by_chance(proxy: Proxy, caller: Caller) -> None:
    chances = iter([False, True])
    proxy.spoil(
        "versions",
        Doctored(lambda answer: b'{"was":%d}' % len(answer)),
        chance=lambda: next(chances),
    )
    assert "versions" in await caller.call("GET", *VERSIONS)
    assert list(await caller.call("GET", *VERSIONS)) == ["was"]


async def test_an_answer_is_delayed(proxy: Proxy, caller: Caller) -> None:
    proxy.spoil("versions", Delay(lambda: 0.2))
    began = trio.current_time()
    await caller.call("GET", *VERSIONS)
    assert trio.current_time() - began >= 0.2


async def test_a_homeserver_that_is_down_is_a_cut_connection(proxy: Proxy, caller: Caller) -> None:
    there, proxy.upstream = proxy.upstream, "http://127.0.0.1:1"
    with pytest.raises(CallError, match="no answer"):
        await caller.call("GET", *VERSIONS)
    proxy.upstream = there
    await caller.call("GET", *VERSIONS)
    assert len(await proxy.wait_made("versions", 2)) == 2


async def test_waiting_for_a_request_ends_in_time(proxy: Proxy) -> None:
    with pytest.raises(AssertionError, match="fewer than 1"):
        await proxy.wait_made("never", within=0.05)
