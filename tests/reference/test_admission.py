import pytest

from lambda_matrix.reference.admission import Admission, Admitted, Refused

ADMISSION = Admission(b"secret", frozenset({"localhost", "[::1]", "agent.example.org"}))
TARGET = "/agent_ws/?thread_id=7"
TOKEN = (b"authorization", b"Bearer secret")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "[::1]:8000", "[::1]", "Agent.example.org"]
)
def test_a_program_with_the_token_is_let_in(host: str) -> None:
    assert ADMISSION.judge(TARGET, host, [TOKEN]) == Admitted("7")


def test_the_scheme_is_spelled_as_one_likes() -> None:
    verdict = ADMISSION.judge(TARGET, "localhost", [(b"authorization", b"bearer  secret")])
    assert verdict == Admitted("7")


@pytest.mark.parametrize(
    ("status", "target", "host", "headers"),
    [
        (403, TARGET, "localhost", [TOKEN, (b"origin", b"http://localhost")]),
        (403, TARGET, "localhost", [TOKEN, (b"origin", b"null")]),
        (421, TARGET, "rebound.example.org", [TOKEN]),
        (421, TARGET, "localhost.example.org:80", [TOKEN]),
        (421, TARGET, "", [TOKEN]),
        (401, TARGET, "localhost", []),
        (401, TARGET, "localhost", [(b"authorization", b"Bearer wrong")]),
        (401, TARGET, "localhost", [(b"authorization", b"Bearer")]),
        (401, TARGET, "localhost", [(b"authorization", b"Basic secret")]),
        (401, TARGET, "localhost", [(b"authorization", b"Bearer s\xc3\xa9cret")]),
        (401, TARGET, "localhost", [TOKEN, TOKEN]),
        (404, "/", "localhost", [TOKEN]),
        (404, "/agent_ws/", "localhost", [TOKEN]),
        (404, "//agent_ws/?thread_id=7", "localhost", [TOKEN]),
        (404, "http://localhost/agent_ws/?thread_id=7", "localhost", [TOKEN]),
        (400, "/agent_ws/?", "localhost", [TOKEN]),
        (400, "/agent_ws/?thread_id=", "localhost", [TOKEN]),
        (400, "/agent_ws/?thread_id=..%2f7", "localhost", [TOKEN]),
        (400, "/agent_ws/?thread_id=7&thread_id=8", "localhost", [TOKEN]),
    ],
)
def test_the_others_are_refused(
    status: int, target: str, host: str, headers: list[tuple[bytes, bytes]]
) -> None:
    verdict = ADMISSION.judge(target, host, headers)
    assert isinstance(verdict, Refused)
    assert verdict.status == status
    assert "secret" not in verdict.sentence
