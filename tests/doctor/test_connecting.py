from __future__ import annotations

import errno
from urllib.parse import urlsplit

import pytest
import trio

from lambda_matrix.agent.trust import trust
from lambda_matrix.doctor import connecting
from lambda_matrix.doctor.connecting import Connected, Connection, NoConnection, NoName, NotTrusted
from lambda_matrix.doctor.findings import Failed, Passed, Warned
from tests.agent.servers import hang, tcp_agent
from tests.doctor.telling import told

REFUSED = OSError(errno.ECONNREFUSED, "Error connecting to ('127.0.0.1', 9): refused")


def test_the_reason_is_the_systems_own_word() -> None:
    one, several, none = OSError("all failed"), OSError("all failed"), OSError("all failed")
    one.__cause__ = REFUSED
    several.__cause__ = ExceptionGroup("all", [OSError(errno.ENETUNREACH, "x"), REFUSED])
    assert connecting._reason(one) == "Connection refused"
    assert connecting._reason(several) == "Connection refused"
    assert connecting._reason(REFUSED) == "Connection refused"
    assert connecting._reason(none) == "all failed"


async def test_tls_that_never_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_TIMEOUT", 0.05)
    async with tcp_agent(hang, "https") as url:
        found = await connecting.connect(urlsplit(url), trust(None))
    assert found == NoConnection("no answer in 0 s")


async def test_tls_that_is_cut_off() -> None:
    async def leave(stream: trio.SocketStream) -> None:
        await stream.aclose()

    async with tcp_agent(leave, "https") as url:
        assert isinstance(await connecting.connect(urlsplit(url), trust(None)), NotTrusted)


DAY = 86_400.0


@pytest.mark.parametrize(
    ("connection", "kinds", "said"),
    [
        (Connected(0.1), [Passed], "example.org:443 connects in 0.10 s"),
        (Connected(1.5), [Warned], "example.org:443 connects in 1.50 s"),
        (Connected(0.1, 90 * DAY), [Passed, Passed], "is good for 90 days"),
        (Connected(0.1, 3 * DAY), [Passed, Warned], "expires in 3 days"),
        (NoName(), [Failed], "there is no host example.org"),
        (NoConnection("no route"), [Failed], "no connection to example.org:443: no route"),
        (NotTrusted("expired"), [Failed], "certificate of example.org:443 is refused: expired"),
    ],
)
def test_each_connection(connection: Connection, kinds: list[type], said: str) -> None:
    url = urlsplit("https://example.org")
    found = connecting.judge("homeserver", url, connection, setting="[homeserver] url", now=0.0)
    assert [type(each) for each in found] == kinds
    assert said in told(found)


@pytest.mark.parametrize(
    ("why", "advice"),
    [
        ("certificate has expired", "renew it"),
        ("certificate is not yet valid", "look at the clock of this machine"),
        ("Hostname mismatch, certificate is not valid for 'x'.", "set base_url to a name that is"),
        ("what answers there speaks no TLS", "mend base_url: is it the port"),
        ("unable to get local issuer certificate", "trust its authority: ca_file"),
    ],
)
def test_what_to_do_about_a_certificate(why: str, advice: str) -> None:
    url = urlsplit("wss://example.org")
    (found,) = connecting.judge("it", url, NotTrusted(why), setting="base_url", now=0.0)
    assert isinstance(found, Failed)
    assert found.advice.startswith(advice)
