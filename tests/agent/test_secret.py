from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.secret import Secret
from lambda_matrix.ids import AgentId


def test_a_secret_is_shown_to_nobody_who_does_not_ask() -> None:
    secret = Secret("hunter2")
    entry = AgentEntry(AgentId("main"), "Lambda", "ws://h", token=secret)
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {entry} {entry!r} {[secret]}"


def test_secrets_are_equal_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
