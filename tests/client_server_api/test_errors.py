from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.errors import (
    LONGEST_RETRY_AFTER,
    AccountPaused,
    AlreadyDone,
    CertificateRefused,
    CheckMembership,
    Decision,
    HomeserverUnreachable,
    MatrixError,
    Refused,
    Retry,
    SessionDead,
    TooLarge,
    UnreadableAnswer,
    decide_retry,
    error_of_answer,
    error_of_no_answer,
    may_pass,
    passes_by_itself,
)


def matrix_error(status: int, errcode: str | None, *, soft_logout: bool = False) -> MatrixError:
    return MatrixError(
        "no", status=status, errcode=errcode, retry_after=7.0, soft_logout=soft_logout
    )


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (HomeserverUnreachable("cut"), Retry()),
        (CertificateRefused("whose?"), Refused()),
        (UnreadableAnswer("html", status=200), Retry(counted=True)),
        (matrix_error(401, "M_UNKNOWN_TOKEN"), SessionDead()),
        (matrix_error(401, "M_UNKNOWN_TOKEN", soft_logout=True), SessionDead(soft_logout=True)),
        (matrix_error(401, "M_MISSING_TOKEN"), SessionDead()),
        (matrix_error(403, "M_USER_DEACTIVATED"), SessionDead()),
        (matrix_error(401, "M_SOMETHING_NEW"), SessionDead()),
        (matrix_error(401, None), Retry(7.0, counted=True)),
        (matrix_error(401, "M_USER_LOCKED"), AccountPaused()),
        (matrix_error(403, "M_USER_SUSPENDED"), AccountPaused()),
        (matrix_error(403, "M_RESOURCE_LIMIT_EXCEEDED"), AccountPaused()),
        (matrix_error(403, "M_USER_LIMIT_EXCEEDED"), AccountPaused()),
        (matrix_error(429, "M_LIMIT_EXCEEDED"), Retry(7.0)),
        (matrix_error(400, "M_LIMIT_EXCEEDED"), Retry(7.0)),
        (matrix_error(429, None), Retry(7.0)),
        (matrix_error(429, "M_UNKNOWN"), Retry(7.0)),
        (matrix_error(408, "M_UNKNOWN"), Retry(7.0)),
        (matrix_error(425, None), Retry(7.0)),
        (matrix_error(500, "M_UNKNOWN"), Retry(7.0, counted=True)),
        (matrix_error(500, None), Retry(7.0, counted=True)),
        (matrix_error(502, None), Retry(7.0)),
        (matrix_error(503, "M_UNKNOWN"), Retry(7.0)),
        (matrix_error(504, "M_NOT_YET_UPLOADED"), Retry()),
        (matrix_error(502, "M_CONNECTION_FAILED"), Retry()),
        (matrix_error(504, "M_CONNECTION_TIMEOUT"), Retry()),
        (matrix_error(524, None), Retry(7.0)),
        (matrix_error(403, "M_FORBIDDEN"), CheckMembership()),
        (matrix_error(404, "M_NOT_FOUND"), CheckMembership()),
        (matrix_error(404, None), Retry(7.0, counted=True)),
        (matrix_error(308, None), Retry(7.0, counted=True)),
        (matrix_error(413, "M_TOO_LARGE"), TooLarge()),
        (matrix_error(413, None), TooLarge()),
        (matrix_error(400, "M_TOO_LARGE"), TooLarge()),
        (matrix_error(400, "M_DUPLICATE_ANNOTATION"), AlreadyDone()),
        (matrix_error(409, "M_CANNOT_OVERWRITE_MEDIA"), AlreadyDone()),
        (matrix_error(400, "M_BAD_JSON"), Refused()),
        (matrix_error(400, "M_INVALID_PARAM"), Refused()),
        (matrix_error(400, "M_UNKNOWN"), Refused()),
        (matrix_error(404, "M_UNRECOGNIZED"), Refused()),
        (matrix_error(403, "M_GUEST_ACCESS_FORBIDDEN"), Refused()),
        (matrix_error(400, "M_UNSUPPORTED_ROOM_VERSION"), Refused()),
    ],
    ids=lambda value: (
        f"{value.status}-{value.errcode}" if isinstance(value, MatrixError) else repr(value)
    ),
)
def test_the_table(error: MatrixError, decision: Decision) -> None:
    assert decide_retry(error) == decision


@pytest.mark.parametrize(
    ("error", "passes", "may"),
    [
        (HomeserverUnreachable("cut"), True, True),
        (CertificateRefused("whose?"), False, False),
        (matrix_error(429, "M_LIMIT_EXCEEDED"), True, True),
        (matrix_error(500, "M_UNKNOWN"), True, True),
        (matrix_error(502, None), True, True),
        (matrix_error(503, "M_FORBIDDEN"), True, True),
        (matrix_error(404, None), False, True),
        (UnreadableAnswer("html", status=200), False, True),
        (matrix_error(301, None), False, False),
        (matrix_error(403, "M_FORBIDDEN"), False, False),
        (matrix_error(404, "M_UNRECOGNIZED"), False, False),
    ],
)
def test_what_waiting_cures(error: MatrixError, *, passes: bool, may: bool) -> None:
    """Always, and where a homeserver was at the same address before."""
    assert passes_by_itself(error) is passes
    assert may_pass(error) is may


def answered(body: bytes, headers: dict[str, str] | None = None, status: int = 429) -> MatrixError:
    return error_of_answer(status, headers or {}, body, now=1_000_000.0, asked="PUT /x")


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, b'{"errcode":"M_LIMIT_EXCEEDED"}', None),
        ({}, b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}', 2.5),
        ({}, b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":-1}', 0.0),
        ({}, b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":true}', None),
        ({}, b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":"5"}', None),
        ({}, b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":NaN}', None),
        ({}, b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1e999}', LONGEST_RETRY_AFTER),
        ({"retry-after": "5"}, b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":100}', 0.1),
        ({"retry-after": "5"}, b'{"errcode":"M_LIMIT_EXCEEDED"}', 5.0),
        ({"retry-after": "99999"}, b"", LONGEST_RETRY_AFTER),
        ({"retry-after": "nan"}, b"", None),
        ({"retry-after": "Mon, 12 Jan 1970 13:47:00 GMT"}, b"", 20.0),
        ({"retry-after": "Mon, 12 Jan 1970 13:46:00 GMT"}, b"", 0.0),
        ({"retry-after": "soon"}, b"", None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert answered(body, headers).retry_after == seconds


def test_a_matrix_error_keeps_its_code() -> None:
    error = answered(b'{"errcode":"M_FORBIDDEN","error":"You may\\n not"}', status=403)

    assert (error.status, error.errcode, error.soft_logout) == (403, "M_FORBIDDEN", False)
    assert error.message == str(error) == "PUT /x: HTTP 403 M_FORBIDDEN: You may not"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<h1>Bad\n Gateway</h1>" + b"x" * 10_000, "<h1>Bad Gateway</h1>xxx"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", "an empty body"),
        (b"[1]", "[1]"),
        (b'{"errcode": 5}', '{"errcode": 5}'),
        (b"[" * 100_000, "[[[["),
    ],
)
def test_what_is_no_matrix_error_is_shown_in_part(body: bytes, shown: str) -> None:
    error = answered(body, status=502)

    assert error.errcode is None
    assert shown in error.message
    assert len(error.message) < 300


def test_a_failure_of_the_network_without_words_shows_its_cause() -> None:
    failure = OSError()
    failure.__cause__ = ConnectionRefusedError("no one there")

    error = error_of_no_answer(failure, asked="GET /x")

    assert error.message == "GET /x: OSError: ConnectionRefusedError('no one there')"
