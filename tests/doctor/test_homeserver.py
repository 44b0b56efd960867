from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme
from attrs import evolve, frozen

from lambda_matrix.client_server_api.session import Session, write_session
from lambda_matrix.config.settings import Settings
from lambda_matrix.doctor.findings import Finding
from lambda_matrix.doctor.homeserver import examine_homeserver, kept_token
from lambda_matrix.doctor.patient import read_patient
from lambda_matrix.ids import AccessToken, DeviceId
from lambda_matrix.secret import Secret
from tests.doctor.telling import told
from tests.lab.proxy import Answer, Loss, Proxy, open_proxy, rate_limited
from tests.lab.small_homeserver import BOT, TOKEN, SmallHomeserver, open_small_homeserver
from tests.upkeep.commands import write_settings

NO_TOKEN = Answer(401, b'{"errcode":"M_UNKNOWN_TOKEN","error":"no"}')
NO_SUCH = Answer(404, b"<html>nothing here</html>", {"Content-Type": "text/html"})
SERVED = r"_synapse|^GET /_matrix/client/v3/sync"


@frozen
class Lab:
    homeserver: SmallHomeserver
    proxy: Proxy
    settings: Settings

    async def look(self, settings: Settings | None = None) -> dict[str, str]:
        """Return what each check has found, as text."""
        examined = await examine_homeserver(settings or self.settings)
        return {each.check: told(each.findings) for each in examined}

    def keep_session(self) -> None:
        self.settings.state.directory.mkdir()
        session = Session(BOT, DeviceId("LAMBDA_MATRIX"), AccessToken(TOKEN))
        write_session(self.settings.state.directory / "session.json", session)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_small_homeserver() as homeserver, open_proxy(homeserver.url) as proxy:
        # What only Synapse has is answered here; the rest is held against the specification.
        proxy.spoil("/_synapse/", Answer(403, b'{"errcode":"M_FORBIDDEN","error":"no admin"}'))
        settings = read_patient(write_settings(tmp_path, proxy.url), {}).settings
        assert settings is not None
        yield Lab(homeserver, proxy, settings)
        assert homeserver.passing_devices == 0
        assert [each for each in proxy.findings if "_synapse" not in each] == []


async def test_before_it_ever_ran_it_logs_in_and_out_again(lab: Lab) -> None:
    found = await lab.look()
    assert found["connection"].startswith("Passed: homeserver: 127.0.0.1:")
    assert found["versions"] == "Passed: the homeserver speaks Matrix v1.11 to v1.16"
    assert found["login types"] == "Passed: the homeserver takes passwords"
    assert found["login"] == f"Passed: the password is good: logged in as {BOT}, and out again"
    assert found["room versions"] == "Passed: new rooms are of version 10"
    assert found["file size"].startswith("Warned: the homeserver takes files of 52 MB")
    assert found["sync"].startswith("Passed: an empty /sync takes 0.")
    assert found["rate limits"].startswith("Skipped: rate limits cannot be seen by this account")
    (login,) = lab.proxy.made("POST .*/login")
    assert "device_id" not in json.loads(login.body)
    assert len(lab.proxy.made("POST .*/logout")) == 1


async def test_while_the_service_runs_its_own_session_is_asked(lab: Lab) -> None:
    lab.keep_session()
    found = await lab.look()
    assert found["login"] == (
        f"Passed: the session in session.json is good: {BOT}, device LAMBDA_MATRIX"
    )
    assert lab.proxy.made("POST ") == []
    assert [each.reveal() for each in kept_token(lab.settings)] == [TOKEN]
    (sync,) = lab.proxy.made("GET .*/sync")
    assert "since" not in sync.target


async def test_a_session_that_has_ended(lab: Lab) -> None:
    lab.keep_session()
    lab.proxy.spoil("whoami", NO_TOKEN)
    found = await lab.look()
    assert found["login"] == "Failed: the homeserver has ended the session in session.json"
    assert "sync" not in found


async def test_an_access_token(lab: Lab) -> None:
    homeserver = evolve(lab.settings.homeserver, password=None, access_token=Secret(TOKEN))
    found = await lab.look(evolve(lab.settings, homeserver=homeserver))
    assert found["login"].startswith("Passed: the access token is good")
    assert found["login types"] == ""
    homeserver = evolve(homeserver, access_token=Secret("two words"))
    found = await lab.look(evolve(lab.settings, homeserver=homeserver))
    assert found["login"].startswith("Failed: the access token holds characters")


async def test_no_secret_at_all(lab: Lab) -> None:
    homeserver = evolve(lab.settings.homeserver, password=None)
    found = await lab.look(evolve(lab.settings, homeserver=homeserver))
    assert found["login"] == "Skipped: login: there is neither a password nor an access token"


async def test_a_session_that_cannot_be_read_is_no_reason_not_to_look(lab: Lab) -> None:
    (lab.settings.state.directory / "session.json").mkdir(parents=True)
    found = await lab.look()
    assert found["login"].startswith("Skipped: The session file ")
    assert "Passed: the password is good" in found["login"]


async def test_a_wrong_password_and_a_rate_limit(lab: Lab) -> None:
    homeserver = evolve(lab.settings.homeserver, password=Secret("wrong"))
    found = await lab.look(evolve(lab.settings, homeserver=homeserver))
    assert found["login"] == f"Failed: the homeserver does not accept the password of {BOT}"
    lab.proxy.spoil("POST .*/login", rate_limited(296_000))
    assert (await lab.look())["login"] == "Skipped: the password: the homeserver limits logins"


async def test_a_homeserver_that_will_not_tell(lab: Lab) -> None:
    lab.proxy.spoil("GET .*/(login|capabilities|media|sync)", Answer(400))
    found = await lab.look()
    for check in ("login types", "room versions", "file size", "sync"):
        assert found[check].startswith(f"Skipped: {check}: GET "), found[check]


async def test_what_an_admin_may_see(lab: Lab) -> None:
    lab.proxy.mend()
    lab.proxy.spoil("/_synapse/", Answer(200, b'{"messages_per_second":0,"burst_count":0}'))
    assert (await lab.look())["rate limits"] == f"Passed: no rate limit holds for {BOT}"


async def test_the_url_of_the_website_instead_of_the_api(lab: Lab) -> None:
    lab.proxy.spoil("/_matrix", NO_SUCH)
    lab.proxy.spoil(
        "/.well-known", Answer(200, b'{"m.homeserver":{"base_url":"https://matrix.example.org"}}')
    )
    found = await lab.look()
    assert "its well-known names https://matrix.example.org" in found["versions"]


async def test_a_clock_that_is_wrong(lab: Lab) -> None:
    date = {"Content-Type": "application/json", "Date": "Sat, 21 Nov 2020 12:00:00 GMT"}
    lab.proxy.spoil("versions", Answer(200, b'{"versions":["v1.11"]}', date))
    assert "ahead of the homeserver's" in (await lab.look())["clock"]


async def test_nobody_there(tmp_path: Path) -> None:
    settings = read_patient(write_settings(tmp_path, "http://127.0.0.1:9"), {}).settings
    assert settings is not None
    examined = await examine_homeserver(settings)
    found = {each.check: told(each.findings) for each in examined}
    assert (
        found["connection"]
        == "Failed: homeserver: no connection to 127.0.0.1:9: Connection refused"
    )
    assert list(found) == ["connection"]


async def test_a_homeserver_that_goes_away_meanwhile(lab: Lab) -> None:
    lab.proxy.spoil("/_matrix", Loss.REQUEST)
    found = await lab.look()
    assert found["connection"].startswith("Passed")
    assert found["versions"].startswith("Failed: the homeserver does not answer: GET ")
    assert found["clock"] == "Skipped: the homeserver's clock: it does not answer"
    assert found["login"].startswith("Skipped: login: POST ")


async def test_a_ca_file_that_went_away(lab: Lab, tmp_path: Path) -> None:
    homeserver = evolve(lab.settings.homeserver, ca_file=tmp_path / "nowhere.pem")
    found = await lab.look(evolve(lab.settings, homeserver=homeserver))
    assert list(found) == ["connection"]
    assert found["connection"].startswith("Failed: [homeserver] url or ca_file: The CA file ")


@asynccontextmanager
async def tls_server(context: ssl.SSLContext) -> AsyncIterator[str]:
    async def shake_hands(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with trio.move_on_after(5):
            try:
                await stream.do_handshake()
                await stream.receive_some()
            except trio.BrokenResourceError:
                pass

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, shake_hands, 0, context, host="127.0.0.1")
        listeners = await nursery.start(serve)
        yield f"https://localhost:{listeners[0].transport_listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def test_certificates(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with tls_server(context) as url:
        config = write_settings(tmp_path, url)
        settings = read_patient(config, {}).settings
        assert settings is not None
        assert "is refused: unable to get local issuer certificate" in await connection(settings)
        trusting = evolve(settings.homeserver, ca_file=tmp_path / "ca.pem")
        found = await connection(evolve(settings, homeserver=trusting))
    assert found.startswith("Passed: homeserver: localhost:")
    assert "Passed: homeserver: certificate of localhost:" in found


async def test_plain_http_where_tls_is_wanted(lab: Lab) -> None:
    url = lab.settings.homeserver.url.replace("http:", "https:")
    settings = evolve(lab.settings, homeserver=evolve(lab.settings.homeserver, url=url))
    assert "is refused: what answers there speaks no TLS" in await connection(settings)


async def connection(settings: Settings) -> str:
    examined = await examine_homeserver(settings)
    return told(examined[0].findings)


def test_a_finding_is_one_of_four() -> None:
    assert {each.__name__ for each in Finding.__args__} == {"Passed", "Warned", "Failed", "Skipped"}
