from __future__ import annotations

import contextlib
import json
import logging
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from lambda_matrix.client_server_api.backoff import Health, HomeserverAway, HomeserverBack
from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.sync import (
    FIRST_SYNC_FILTER,
    FIRST_TIMELINE_LIMIT,
    SYNC_FILTER,
    SYNC_FILTER_FINGERPRINT,
    TIMELINE_LIMIT,
    SessionDeadError,
    sync_forever,
    sync_once,
    tell_all,
)
from lambda_matrix.ids import FilterId, SyncToken
from lambda_matrix.matrix_events import SyncBatch
from lambda_matrix.pulse import Pulse
from tests.client_server_api.conftest import SESSION, SpecificationCheck
from tests.client_server_api.fake_homeserver import CUT, Answer, FakeHomeserver, html, refusal
from tests.client_server_api.sync_answers import Json, event, joined

ROOM = "!r:example.org"
FILTER, SINCE = FilterId("7"), SyncToken("s1")


def batch(token: str, *events: object, limited: bool = False) -> Json:
    section = joined(*events)
    section["timeline"]["limited"] = limited
    return {"next_batch": token, "rooms": {"join": {ROOM: section}} if events else {}}


HELD = Answer(batch("never"), gate=trio.Event())


@define
class Taken:
    """What a sync loop handed over, and whether it was caught up by then."""

    batches: list[SyncBatch] = field(factory=list)
    filters: list[FilterId] = field(factory=list)
    health: list[Health] = field(factory=list)
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    caught_up_after: int | None = None

    @property
    def tokens(self) -> list[str]:
        return [batch.next_batch for batch in self.batches]


async def synced(
    client: Client,
    until: str,
    *,
    since: SyncToken | None = SINCE,
    filter_id: FilterId | None = FILTER,
) -> Taken:
    """Run the loop until it has handed over the batch with this token."""
    taken = Taken()

    async def on_batch(batch: SyncBatch) -> None:
        taken.batches.append(batch)
        if batch.next_batch == until:
            taken.scope.cancel()
        await trio.lowlevel.checkpoint()

    async def on_filter(filter_id: FilterId) -> None:
        await trio.lowlevel.checkpoint()
        taken.filters.append(filter_id)

    with taken.scope:
        async with trio.open_nursery() as nursery:
            await nursery.start(
                partial(
                    sync_forever,
                    client,
                    since=since,
                    filter_id=filter_id,
                    on_batch=on_batch,
                    on_filter=on_filter,
                    watch=taken.health.append,
                )
            )
            taken.caught_up_after = len(taken.batches)
    return taken


def sinces(homeserver: FakeHomeserver) -> list[str]:
    """The tokens and timeouts of the syncs that were asked for."""
    found = []
    for one in homeserver.of("GET .*/sync"):
        query = dict(part.split("=") for part in one.target.split("?")[1].split("&"))
        found.append(f"{query.get('since', '-')}/{query['timeout']}")
    return found


async def test_one_batch(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("sync", batch("s2", event()))

    assert (await sync_once(client, SINCE, FILTER, 0)).next_batch == "s2"


def test_the_filter_leaves_nothing_of_ours_out() -> None:
    wanted = json.loads(SYNC_FILTER)

    timeline = wanted["room"]["timeline"]
    first = json.loads(FIRST_SYNC_FILTER)
    assert first["room"]["timeline"].pop("limit") == FIRST_TIMELINE_LIMIT
    assert timeline.pop("limit") == TIMELINE_LIMIT >= 50
    assert first == wanted
    assert "not_senders" not in timeline
    assert {"m.room.message", "m.room.encrypted", "m.room.redaction"} <= set(timeline["types"])
    assert wanted["room"]["state"]["lazy_load_members"]
    assert wanted["room"]["account_data"]["types"] == ["ru.coredump.lambda.binding"]
    assert len(SYNC_FILTER_FINGERPRINT) == 16


async def test_it_catches_up_before_it_is_relied_on(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on(
        "sync",
        batch("s2", event(event_id="$1"), limited=True),
        batch("s3", event(event_id="$2")),
        batch("s4", event(event_id="$3")),
    )

    taken = await synced(client, "s4")

    assert taken.tokens == ["s2", "s3", "s4"]
    assert taken.caught_up_after == 2
    assert sinces(homeserver) == ["s1/0", "s2/0", "s3/30000"]
    assert taken.health == []
    assert taken.filters == []


async def test_the_first_answer_of_all_may_be_an_old_one(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("sync", batch("s5", event(event_id="$1")), batch("s6"), batch("s7", event()))

    taken = await synced(client, "s7", since=None)

    assert taken.caught_up_after == 2
    assert sinces(homeserver) == ["-/0", "s5/0", "s6/30000"]


async def test_the_first_start_uploads_the_filter(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("POST .*filter", {"filter_id": "9"})
    homeserver.on("sync", batch("s1", event(), limited=True), batch("s2", event()))

    taken = await synced(client, "s2", since=None, filter_id=None)

    assert taken.filters == ["9"]
    assert homeserver.of("filter$")[0].body == SYNC_FILTER
    assert sinces(homeserver) == ["-/0", "s1/0"]
    first, second = (parse_qs(urlsplit(one.target).query) for one in homeserver.of("GET .*/sync"))
    assert first["filter"] == [FIRST_SYNC_FILTER], "the first answer is bounded"
    assert second["filter"] == ["9"]


async def test_an_answer_with_nothing_new_is_handed_over_too(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("sync", batch("s1"), batch("s2", event()))

    taken = await synced(client, "s2")

    assert taken.tokens == ["s1", "s2"]
    assert taken.batches[0].is_empty


async def test_trouble_is_waited_out_and_told_once(
    homeserver: FakeHomeserver,
    client: Client,
    jumping_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    homeserver.on(
        "sync",
        batch("s2", event()),
        html(502),
        CUT,
        CUT,
        refusal(429, "M_LIMIT_EXCEEDED", retry_after_ms=120_000),
        refusal(500, "M_UNKNOWN"),
        refusal(403, "M_USER_SUSPENDED"),
        Answer(b"<html>Welcome to the hotel</html>", is_valid=False),
        batch("s3", event()),
    )
    began = jumping_clock.current_time()

    with caplog.at_level(logging.INFO):
        taken = await synced(client, "s3")

    assert taken.tokens == ["s2", "s3"]
    assert jumping_clock.current_time() - began > 120
    assert [type(one) for one in taken.health] == [HomeserverAway, HomeserverBack]
    assert len(caplog.records) == 2
    assert set(sinces(homeserver)[2:]) == {"s2/0"}, "after a failure nobody waits for news"


async def test_an_unknown_filter_is_uploaded_again(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("POST .*filter", {"filter_id": "9"})
    homeserver.on(r"sync.*filter=9", batch("s2", event()))
    homeserver.on("sync", refusal(400, "M_INVALID_PARAM"))

    taken = await synced(client, "s2")

    assert taken.filters == ["9"]
    assert sinces(homeserver) == ["s1/0", "s1/0"]


async def test_a_token_that_is_refused_is_given_up(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("POST .*filter", {"filter_id": "9"})
    homeserver.on("sync.*since=s1", refusal(400, "M_UNKNOWN"))
    homeserver.on("sync", batch("s2", event()))

    taken = await synced(client, "s2")

    assert sinces(homeserver) == ["s1/0", "s1/0", "-/0"]
    assert taken.tokens == ["s2"]


async def test_a_homeserver_that_refuses_everything_is_waited_for(
    homeserver: FakeHomeserver, client: Client, jumping_clock: MockClock
) -> None:
    del jumping_clock  # it is there to be in force
    homeserver.on("POST .*filter", {"filter_id": "9"})
    refusals = [refusal(404, "M_UNRECOGNIZED")] * 5
    homeserver.on("sync", *refusals, batch("s2", event()))

    taken = await synced(client, "s2", filter_id=None)

    assert len(homeserver.of("filter$")) == 2
    assert [type(one) for one in taken.health] == [HomeserverAway, HomeserverBack]


async def test_a_page_of_a_proxy_never_costs_the_token(
    homeserver: FakeHomeserver, client: Client, jumping_clock: MockClock
) -> None:
    del jumping_clock  # it is there to be in force
    homeserver.on("sync", html(404), html(404), html(404), batch("s2", event()))

    await synced(client, "s2")

    assert set(sinces(homeserver)) == {"s1/0"}


@pytest.mark.parametrize("soft_logout", [False, True])
async def test_a_dead_session_ends_the_loop(
    homeserver: FakeHomeserver, client: Client, *, soft_logout: bool
) -> None:
    dead = refusal(401, "M_UNKNOWN_TOKEN", soft_logout=soft_logout)
    homeserver.on("sync", batch("s2", event()), dead)

    with pytest.RaisesGroup(SessionDeadError) as caught:
        await synced(client, "never")

    (error,) = caught.value.exceptions
    assert isinstance(error, SessionDeadError)
    assert error.soft_logout is soft_logout
    assert "secret-token" not in str(error)


async def test_empty_answers_that_come_at_once_are_slowed_down(
    homeserver: FakeHomeserver, client: Client, jumping_clock: MockClock
) -> None:
    empty = [batch(f"e{number}") for number in range(10)]
    homeserver.on("sync", *empty, batch("s2", event()))
    began = jumping_clock.current_time()

    await synced(client, "s2")

    assert jumping_clock.current_time() - began == pytest.approx(9, abs=1)


async def test_an_answer_that_trickles_is_given_up(
    jumping_clock: MockClock, observed: SpecificationCheck
) -> None:
    """Its whole has a deadline, so that no pause between two bytes can keep the loop for ever."""
    tries = 0

    async def trickle(stream: trio.SocketStream) -> None:
        nonlocal tries
        tries += 1
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                await stream.send_all(b" ")
                await trio.sleep(5)

    pulse = Pulse()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, trickle, 0, host="127.0.0.1", handler_nursery=nursery)
        )
        url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        async with open_client(url, SESSION, observe=observed) as client:
            with trio.move_on_after(3600):
                loop = partial(sync_forever, since=SINCE, filter_id=FILTER, pulse=pulse)
                nursery.start_soon(partial(_judge, pulse))
                await loop(client, on_batch=_never)
        nursery.cancel_scope.cancel()
    assert tries > 10
    assert jumping_clock.current_time() >= 3600


async def _judge(pulse: Pulse) -> None:
    """Look again and again whether the loop seems stuck."""
    while True:
        assert pulse.stuck() is None
        await trio.sleep(7)


async def _never(_batch: SyncBatch) -> None:
    raise AssertionError


async def test_the_loop_says_what_it_is_at(
    homeserver: FakeHomeserver, client: Client, jumping_clock: MockClock
) -> None:
    pulse = Pulse()
    at: list[str] = []

    def note() -> None:
        assert pulse.sync.at is not None
        at.append(f"{pulse.sync.at.doing} {pulse.sync.at.within:.0f}")

    async def on_batch(_batch: SyncBatch) -> None:
        note()
        await trio.lowlevel.checkpoint()

    homeserver.on("POST .*filter", Answer({"filter_id": "9"}, gate=(gate := trio.Event())))
    homeserver.on("sync", batch("s1", event()), refusal(502, "M_UNKNOWN"), batch("s2"), HELD)
    async with trio.open_nursery() as nursery:
        assert pulse.sync_age is None
        nursery.start_soon(
            partial(
                sync_forever, client, since=None, filter_id=None, on_batch=on_batch, pulse=pulse
            )
        )
        await homeserver.wait_asked("filter$")
        note()
        gate.set()
        await homeserver.wait_asked("sync", 2)
        note()
        await homeserver.wait_asked("sync", 4)
        note()
        assert pulse.sync_age == pytest.approx(pulse.sync.age, abs=2)
        nursery.cancel_scope.cancel()
    assert at == [
        "taking in an answer 121",
        "uploading the filter 368",
        "waiting for news 164",
        "taking in an answer 121",
        "waiting for news 224",
    ]


async def test_what_the_consumer_raises_ends_the_loop(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("sync", batch("s2", event()), HELD)

    async def on_batch(_batch: SyncBatch) -> None:
        await trio.lowlevel.checkpoint()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await sync_forever(client, since=SINCE, filter_id=FILTER, on_batch=on_batch)


async def test_a_filter_need_not_be_kept(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("POST .*filter", {"filter_id": "9"})
    homeserver.on("sync", batch("s2", event()))

    async def on_batch(_batch: SyncBatch) -> None:
        await trio.lowlevel.checkpoint()
        scope.cancel()

    with trio.CancelScope() as scope:
        await sync_forever(client, since=SINCE, filter_id=None, on_batch=on_batch)

    assert len(homeserver.of("filter$")) == 1


async def test_everything_is_told_anew_and_nothing_kept(
    homeserver: FakeHomeserver, client: Client
) -> None:
    homeserver.on("sync", {"next_batch": "s1"})
    for _ in range(2):
        assert await tell_all(client) == SyncBatch(next_batch=SyncToken("s1"))
    first, second = (parse_qs(urlsplit(asked.target).query) for asked in homeserver.asked)
    assert first["filter"] != second["filter"]  # Synapse keeps answers for two minutes
    wanted, stored = json.loads(first["filter"][0]), json.loads(SYNC_FILTER)
    assert wanted["room"]["timeline"].pop("limit") == FIRST_TIMELINE_LIMIT
    assert stored["room"]["timeline"].pop("limit") == TIMELINE_LIMIT
    assert (wanted["room"], wanted["account_data"]) == (stored["room"], stored["account_data"])
