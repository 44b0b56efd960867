from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.errors import (
    CertificateRefused,
    HomeserverUnreachable,
    MatrixError,
)
from lambda_matrix.client_server_api.parsing import WhoAmI
from lambda_matrix.client_server_api.parsing_server import RateLimit, RoomVersions, SpecVersion
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.doctor import homeserver_verdicts as verdicts
from lambda_matrix.doctor.examination import Findings
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.exits import Exit
from lambda_matrix.ids import AccessToken, DeviceId, UserId

BOT = UserId("@bot:example.org")
DEVICE = DeviceId("LAMBDA_MATRIX")
URL = "https://example.org"
AWAY = HomeserverUnreachable("GET /x: ConnectError: refused")
DEAD = MatrixError("dead", status=401, errcode="M_UNKNOWN_TOKEN")
SOFTLY = MatrixError("soft", status=401, errcode="M_UNKNOWN_TOKEN", soft_logout=True)
LIMITED = MatrixError("slow", status=429, errcode="M_LIMIT_EXCEEDED", retry_after=296.4)
FORBIDDEN = MatrixError("no", status=403, errcode="M_FORBIDDEN")
HTML = MatrixError("GET /x: HTTP 404, no Matrix error: <html>", status=404)
GATEWAY = MatrixError("GET /x: HTTP 502, no Matrix error: nginx", status=502)


def only(findings: Findings) -> Finding:
    (finding,) = findings
    return finding


@pytest.mark.parametrize(
    ("versions", "kind", "said"),
    [
        ((), Failed, "older than v1.1"),
        ((SpecVersion(1, 0),), Failed, "older than v1.1"),
        ((SpecVersion(1, 1), SpecVersion(1, 9)), Warned, "v1.1 to v1.9"),
        ((SpecVersion(1, 1), SpecVersion(1, 11)), Passed, "v1.1 to v1.11"),
    ],
)
def test_versions(versions: tuple[SpecVersion, ...], kind: type[Finding], said: str) -> None:
    found = only(verdicts.versions(versions))
    assert isinstance(found, kind)
    assert said in found.what


@pytest.mark.parametrize(
    ("error", "hint", "status", "advice"),
    [
        (AWAY, None, 69, "start it"),
        (GATEWAY, None, 69, "the proxy before it"),
        (HTML, None, 78, "where the homeserver's client-server API is"),
        (HTML, "https://matrix.example.org/", 78, 'set url = "https://matrix.example.org"'),
        (HTML, f"{URL}/", 78, "where the homeserver's client-server API is"),
        (FORBIDDEN, None, 78, "where the homeserver's client-server API is"),
    ],
)
def test_no_matrix_api(error: MatrixError, hint: str | None, status: Exit, advice: str) -> None:
    found = only(verdicts.no_api(URL, error, hint))
    assert isinstance(found, Failed)
    assert found.status == status
    assert advice in found.advice


def test_a_refused_certificate_is_told_by_the_connection_alone() -> None:
    assert isinstance(only(verdicts.no_api(URL, CertificateRefused("no"), None)), Skipped)


NOON = "Sat, 21 Nov 2026 12:00:00 GMT"
NOON_SECONDS = 1795262400.0


@pytest.mark.parametrize(
    ("date", "ours", "kind", "said"),
    [
        (NOON, NOON_SECONDS + 3, Passed, "agree within 4 s"),
        (NOON, NOON_SECONDS + 60, Passed, "agree within 61 s"),
        (NOON, NOON_SECONDS + 61, Warned, "61 s ahead of the homeserver's"),
        (NOON, NOON_SECONDS - 3600, Warned, "3600 s behind the homeserver's"),
        (None, NOON_SECONDS, Skipped, "no date"),
        ("yesterday", NOON_SECONDS, Skipped, "no date"),
    ],
)
def test_the_clock(date: str | None, ours: float, kind: type[Finding], said: str) -> None:
    found = only(verdicts.clock(date, ours))
    assert isinstance(found, kind)
    assert said in found.what


def test_login_types() -> None:
    assert isinstance(only(verdicts.flows(frozenset({"m.login.password", "x"}))), Passed)
    found = only(verdicts.flows(frozenset({"m.login.sso"})))
    assert found == Failed(
        "the homeserver takes no passwords (only m.login.sso)",
        "take an access token: lambda-matrix login --token",
    )
    assert "only nothing" in only(verdicts.flows(frozenset())).what


@pytest.mark.parametrize(
    ("found", "source", "kind", "said"),
    [
        (WhoAmI(BOT, DEVICE), "", Passed, "the access token is good"),
        (WhoAmI(BOT, None), "session.json", Passed, "the session in session.json is good"),
        (WhoAmI(BOT, DeviceId("X")), "session.json", Warned, "of device X, not LAMBDA_MATRIX"),
        (
            WhoAmI(BOT, DeviceId("X")),
            "",
            Passed,
            "the access token is good: @bot:example.org, device X",
        ),
        (WhoAmI(UserId("@eve:x"), DEVICE), "", Failed, "is of @eve:x, not of @bot:example.org"),
    ],
)
def test_whose_a_token_is(found: WhoAmI, source: str, kind: type[Finding], said: str) -> None:
    finding = only(verdicts.whoami(found, source, BOT, DEVICE))
    assert isinstance(finding, kind)
    assert said in finding.what


def test_a_login_as_somebody_else() -> None:
    session = Session(UserId("@eve:x"), DEVICE, AccessToken("t"))
    assert isinstance(only(verdicts.logged_in(session, BOT)), Failed)


@pytest.mark.parametrize(
    ("source", "error", "kind", "said"),
    [
        ("", DEAD, Failed, "does not accept the access token"),
        ("session.json", DEAD, Failed, "has ended the session in session.json"),
        ("session.json", SOFTLY, Warned, "asks for a new login"),
        ("session.json", AWAY, Skipped, "refused"),
    ],
)
def test_a_token_that_is_not_taken(
    source: str, error: MatrixError, kind: type[Finding], said: str
) -> None:
    finding = only(verdicts.no_session(source, error))
    assert isinstance(finding, kind)
    assert said in finding.what


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (LIMITED, Skipped, "try again in 296 s"),
        (MatrixError("slow", status=429), Skipped, "try again later"),
        (FORBIDDEN, Failed, "lambda-matrix login"),
        (AWAY, Skipped, ""),
    ],
)
def test_a_password_that_makes_no_login(error: MatrixError, kind: type[Finding], said: str) -> None:
    finding = only(verdicts.no_login(BOT, error))
    assert isinstance(finding, kind)
    assert not isinstance(finding, Passed)
    assert finding.advice == said


@pytest.mark.parametrize(
    ("limit", "megabytes", "kind"),
    [
        (None, 100, Passed),
        (100_000_000, 100, Passed),
        (52_428_800, 100, Warned),
        (999_999, 100, Warned),
    ],
)
def test_the_size_of_files(limit: int | None, megabytes: int, kind: type[Finding]) -> None:
    finding = only(verdicts.media(limit, megabytes))
    assert isinstance(finding, kind)
    if isinstance(finding, Warned) and limit is not None:
        assert f"file_megabytes = {max(1, limit // 1_000_000)}," in finding.advice


def test_room_versions_and_the_time_of_a_sync() -> None:
    assert isinstance(only(verdicts.room_versions(RoomVersions("12", stable=True))), Passed)
    assert isinstance(only(verdicts.room_versions(RoomVersions("x", stable=False))), Warned)
    assert isinstance(only(verdicts.sync(0.1)), Passed)
    assert isinstance(only(verdicts.sync(5.1)), Warned)


def test_rate_limits() -> None:
    assert isinstance(only(verdicts.rate_limit(BOT, None)), Warned)
    assert "no rate limit" in only(verdicts.rate_limit(BOT, RateLimit(0, 0))).what
    assert "5 events a second, 20 at once" in only(verdicts.rate_limit(BOT, RateLimit(5, 20))).what
    unknown = only(verdicts.rate_limit_unknown(BOT, FORBIDDEN))
    assert isinstance(unknown, Skipped)
    assert "/_synapse/admin/v1/users/@bot:example.org/override_ratelimit" in unknown.advice
    assert "refused" in only(verdicts.rate_limit_unknown(BOT, AWAY)).what
