from __future__ import annotations

import resource
import ssl
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.client_server_api.backoff import Health, HomeserverAway, HomeserverBack
from lambda_matrix.client_server_api.errors import CertificateRefused, LoginRefused, MatrixError
from lambda_matrix.client_server_api.login import (
    BadLogin,
    Credentials,
    NoHomeserver,
    WrongUser,
    open_session,
)
from lambda_matrix.client_server_api.session import (
    Session,
    read_session,
    write_session,
)
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.client_server_api.transport import Transport, open_transport
from lambda_matrix.disk import DiskHealth, DiskObeys, DiskRefuses
from lambda_matrix.ids import AccessToken, DeviceId, UserId
from tests.client_server_api.conftest import ME, SESSION, SpecificationCheck
from tests.client_server_api.fake_homeserver import (
    CUT,
    LOOPBACK,
    Answer,
    FakeHomeserver,
    html,
    open_fake_homeserver,
    refusal,
)
from tests.lab.small_http import Asked, Reply, reply, serve_http

PASSWORD = Credentials(user_id=ME, password="hunter2")
LOGGED_IN: dict[str, object] = {
    "user_id": ME,
    "device_id": "LAMBDA_MATRIX",
    "access_token": "new-token",
}
I_AM: dict[str, object] = {"user_id": ME, "device_id": "LAMBDA_MATRIX"}


@pytest.fixture
async def transport(
    homeserver: FakeHomeserver, observed: SpecificationCheck
) -> AsyncIterator[Transport]:
    async with open_transport(homeserver.url, observe=observed) as opened:
        yield opened


@pytest.fixture
def session_file(tmp_path: Path) -> Path:
    return tmp_path / "session.json"


def tokens(homeserver: FakeHomeserver) -> list[str]:
    """The access tokens that whoami was asked with."""
    return [one.headers["authorization"] for one in homeserver.of("whoami")]


async def test_the_first_start_logs_in_once_and_keeps_the_session(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    homeserver.on("login", LOGGED_IN)
    homeserver.on("whoami", I_AM)

    first = await open_session(transport, PASSWORD, session_file)
    second = await open_session(transport, PASSWORD, session_file)

    assert first == second == Session(ME, DeviceId("LAMBDA_MATRIX"), AccessToken("new-token"))
    (login,) = homeserver.of("login")
    assert login.json["identifier"] == {"type": "m.id.user", "user": ME}
    assert login.json["device_id"] == "LAMBDA_MATRIX"
    assert tokens(homeserver) == ["Bearer new-token"] * 2


async def test_an_access_token_goes_before_everything(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    homeserver.on("whoami", {"user_id": ME, "device_id": "ELSEWHERE"})
    write_session(session_file, SESSION)
    credentials = evolve(PASSWORD, access_token=AccessToken("given"))

    session = await open_session(transport, credentials, session_file)

    assert tokens(homeserver) == ["Bearer given"]
    assert session == Session(ME, DeviceId("ELSEWHERE"), AccessToken("given"))
    assert read_session(session_file) == session


async def test_an_application_service_has_the_device_of_its_settings(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    homeserver.on("whoami", {"user_id": ME})
    credentials = Credentials(
        user_id=ME, device_id=DeviceId("MINE"), access_token=AccessToken("given")
    )

    session = await open_session(transport, credentials, session_file)

    assert session.device_id == "MINE"


async def test_a_homeserver_that_is_not_there_yet_is_waited_for(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path, jumping_clock: MockClock
) -> None:
    del jumping_clock  # it is there to be in force
    told: list[Health] = []
    homeserver.on("login", CUT, refusal(429, "M_LIMIT_EXCEEDED", retry_after_ms=1), LOGGED_IN)
    homeserver.on("whoami", html(502), I_AM)

    await open_session(transport, PASSWORD, session_file, watch=told.append)

    assert [type(one) for one in told] == [HomeserverAway, HomeserverBack] * 2


async def test_a_soft_logout_is_mended_by_one_login_of_the_same_device(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    write_session(session_file, evolve(SESSION, device_id=DeviceId("OLD")))
    homeserver.on(
        "whoami",
        refusal(401, "M_UNKNOWN_TOKEN", soft_logout=True),
        {"user_id": ME, "device_id": "OLD"},
    )
    homeserver.on("login", {**LOGGED_IN, "device_id": "OLD"})

    session = await open_session(transport, PASSWORD, session_file)

    assert session == Session(ME, DeviceId("OLD"), AccessToken("new-token"))
    (login,) = homeserver.of("login")
    assert login.json["device_id"] == "OLD"
    assert read_session(session_file) == session


async def test_a_dead_session_is_not_logged_in_again(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    write_session(session_file, SESSION)
    homeserver.on("whoami", refusal(401, "M_UNKNOWN_TOKEN"))

    with pytest.raises(SessionDeadError) as caught:
        await open_session(transport, PASSWORD, session_file)

    assert not caught.value.soft_logout
    assert homeserver.of("login") == []
    assert read_session(session_file) == SESSION


async def refused(
    transport: Transport, credentials: Credentials, session_file: Path
) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        await open_session(transport, credentials, session_file)
    assert "hunter2" not in str(caught.value)
    assert "hush" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "M_FORBIDDEN"),
        refusal(403, "M_USER_DEACTIVATED"),
        refusal(400, "M_UNKNOWN"),
    ],
)
async def test_a_bad_password(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path, answer: Answer
) -> None:
    homeserver.on("login", answer)

    error = await refused(transport, PASSWORD, session_file)

    assert isinstance(error, BadLogin)
    assert str(error).startswith(f"The homeserver does not accept the login of {ME}: M_")
    assert read_session(session_file) is None


async def test_another_users_token(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    homeserver.on("whoami", {"user_id": "@other:h"})
    credentials = Credentials(user_id=ME, access_token=AccessToken("hush"))

    error = await refused(transport, credentials, session_file)

    assert isinstance(error, WrongUser)
    assert "@other:h" in str(error)


async def test_another_users_session(
    transport: Transport, session_file: Path, homeserver: FakeHomeserver
) -> None:
    write_session(session_file, SESSION)
    credentials = evolve(PASSWORD, user_id=UserId("@other:h"))

    assert isinstance(await refused(transport, credentials, session_file), WrongUser)
    assert homeserver.asked == []


async def test_neither_password_nor_token(transport: Transport, session_file: Path) -> None:
    error = await refused(transport, Credentials(user_id=ME), session_file)

    assert isinstance(error, BadLogin)


@pytest.mark.parametrize("token", ["hush\n", "hush hush", "", "hüsh"])
async def test_a_token_that_cannot_be_one_is_never_shown(
    transport: Transport, session_file: Path, token: str
) -> None:
    credentials = Credentials(user_id=ME, access_token=AccessToken(token))

    assert isinstance(await refused(transport, credentials, session_file), BadLogin)


@pytest.mark.parametrize("path", ["whoami", "login"])
@pytest.mark.parametrize("answer", [html(404), html(405), refusal(404, "M_UNRECOGNIZED")])
async def test_what_is_no_homeserver_is_a_wrong_setting(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path, path: str, answer: Answer
) -> None:
    homeserver.on("login", LOGGED_IN)
    homeserver.on("whoami", I_AM)
    homeserver.on(path, answer)

    error = await refused(transport, PASSWORD, session_file)

    assert isinstance(error, NoHomeserver)
    assert str(error).startswith("What answers there is no homeserver: ")


@pytest.mark.parametrize("page", [html(404), html(421)])
async def test_where_a_homeserver_was_a_page_is_weather(
    homeserver: FakeHomeserver,
    transport: Transport,
    session_file: Path,
    jumping_clock: MockClock,
    page: Answer,
) -> None:
    """Some proxies answer 404 while what is behind them starts."""
    del jumping_clock  # it is there to be in force
    await kept_here(homeserver, transport, session_file)
    told: list[Health] = []
    homeserver.on("whoami", page, page, I_AM)

    session = await open_session(
        transport, PASSWORD, session_file, watch=told.append, is_patient=True
    )

    assert session.access_token == "new-token"
    assert [type(one) for one in told] == [HomeserverAway, HomeserverBack]


async def kept_here(homeserver: FakeHomeserver, transport: Transport, session_file: Path) -> None:
    """Keep a session of this homeserver."""
    homeserver.on("login", LOGGED_IN)
    homeserver.on("whoami", I_AM)
    await open_session(transport, PASSWORD, session_file)


async def test_who_is_not_patient_is_told_of_a_page(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    await kept_here(homeserver, transport, session_file)
    homeserver.on("whoami", html(404))

    assert isinstance(await refused(transport, PASSWORD, session_file), NoHomeserver)


@pytest.mark.parametrize("url", [None, "https://elsewhere.example.org"])
async def test_at_another_address_than_before_a_page_is_a_wrong_setting(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path, url: str | None
) -> None:
    write_session(session_file, evolve(SESSION, url=url))
    homeserver.on("whoami", html(404))

    with pytest.raises(NoHomeserver):
        await open_session(transport, PASSWORD, session_file, is_patient=True)


async def test_a_page_that_says_yes_is_weather_too(
    session_file: Path, jumping_clock: MockClock
) -> None:
    del jumping_clock  # it is there to be in force
    answers = [Reply(b"<html>Please wait</html>", content_type="text/html"), reply(I_AM)]

    async def whoami(asked: Asked) -> Reply:
        assert asked.path.endswith("/whoami")
        return answers.pop(0)

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, partial(serve_http, answer=whoami), 0, host=LOOPBACK)
        (listener,) = await nursery.start(serve)
        url = f"http://{LOOPBACK}:{listener.socket.getsockname()[1]}"
        write_session(session_file, evolve(SESSION, url=url))
        async with open_transport(url) as transport:
            session = await open_session(transport, PASSWORD, session_file, is_patient=True)
        nursery.cancel_scope.cancel()

    assert session.device_id == "LAMBDA_MATRIX"
    assert answers == []


async def test_what_no_time_mends_is_a_wrong_setting_whatever_was_before(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    await kept_here(homeserver, transport, session_file)
    homeserver.on("whoami", refusal(404, "M_UNRECOGNIZED"))

    with pytest.raises(NoHomeserver):
        await open_session(transport, PASSWORD, session_file, is_patient=True)


async def test_the_address_of_a_session_is_kept_with_it(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    write_session(session_file, SESSION)
    homeserver.on("whoami", {"user_id": ME, "device_id": SESSION.device_id})

    await open_session(transport, PASSWORD, session_file)

    kept = read_session(session_file)
    assert kept is not None
    assert kept.url == transport.base_url


async def test_any_other_refusal_of_a_login_is_told_as_it_is(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    homeserver.on("login", refusal(413, "M_TOO_LARGE"))

    with pytest.raises(MatrixError) as caught:
        await open_session(transport, PASSWORD, session_file)

    assert caught.value.errcode == "M_TOO_LARGE"


async def test_a_refused_certificate_is_no_bad_password(session_file: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(LOOPBACK).configure_cert(server)
    async with open_fake_homeserver(server) as impostor, open_transport(impostor.url) as transport:
        with pytest.raises(CertificateRefused):
            await open_session(transport, PASSWORD, session_file)

    assert impostor.asked == []


async def test_a_session_waits_for_a_disk_that_is_full(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    """The homeserver allows few logins, so none is thrown away."""
    homeserver.on("login", LOGGED_IN)
    homeserver.on("whoami", I_AM)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    said: list[DiskHealth] = []

    def watch(health: DiskHealth) -> None:
        said.append(health)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        session = await open_session(transport, PASSWORD, session_file, watch_disk=watch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_session(session_file) == session
    refuses, obeys = said
    assert isinstance(refuses, DiskRefuses)
    assert refuses.why.endswith("session.json cannot be written: File too large")
    assert isinstance(obeys, DiskObeys)
    assert [path.name for path in session_file.parent.iterdir()] == ["session.json"]


def test_credentials_never_show_their_secrets() -> None:
    credentials = evolve(PASSWORD, access_token=AccessToken("hush"))

    assert "hunter2" not in repr(credentials)
    assert "hush" not in repr(credentials)


async def test_a_given_token_that_was_never_good_is_a_wrong_setting(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    homeserver.on("whoami", refusal(401, "M_UNKNOWN_TOKEN"))
    credentials = Credentials(user_id=ME, access_token=AccessToken("hush"))

    assert isinstance(await refused(transport, credentials, session_file), BadLogin)


async def test_a_given_token_that_was_good_once_is_a_session_that_ended(
    homeserver: FakeHomeserver, transport: Transport, session_file: Path
) -> None:
    credentials = Credentials(user_id=ME, access_token=AccessToken("hush"))
    homeserver.on("whoami", I_AM)
    await open_session(transport, credentials, session_file)
    homeserver.on("whoami", refusal(401, "M_UNKNOWN_TOKEN"))

    with pytest.raises(SessionDeadError):
        await open_session(transport, credentials, session_file)
