from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.config import ListenAddress
from lambda_matrix.config.settings import AccessSection, HomeserverSection, Settings
from lambda_matrix.doctor import configuration
from lambda_matrix.doctor.findings import Failed, Passed, Skipped, Warned
from lambda_matrix.doctor.patient import Patient, read_patient
from lambda_matrix.ids import AgentId, UserId
from lambda_matrix.secret import Secret
from tests.doctor.telling import told

BOT = "@bot:example.org"


def test_settings_that_can_be_used(config: Path) -> None:
    patient = read_patient(config, {})
    assert configuration.settings(patient) == (Passed(f"{config} can be used"),)
    assert [each.reveal() for each in patient.secrets()] == ["correct horse"]


def test_a_wrong_key_is_a_fault_and_nothing_more_is_known(config: Path) -> None:
    config.write_text(config.read_text().replace("url =", "uri ="))
    patient = read_patient(config, {})
    (fault,) = configuration.settings(patient)
    assert isinstance(fault, Failed)
    assert fault.what.endswith("[homeserver] uri is no setting; did you mean url?")
    assert "configuration.md" in fault.advice
    assert (patient.settings, patient.secrets()) == (None, ())


def test_without_a_secret_the_rest_is_looked_at_even_so(config: Path) -> None:
    config.write_text(config.read_text().replace('password_file = "password"\n', ""))
    patient = read_patient(config, {})
    (fault,) = configuration.settings(patient)
    assert isinstance(fault, Failed)
    assert fault.advice == "lambda-matrix login"
    assert patient.settings is not None
    assert patient.registry is not None


def test_what_may_not_be_read_wants_root() -> None:
    patient = Patient(Path("f"), problems=("f: cannot be read: Permission denied.",))
    assert configuration.settings(patient) == (
        Skipped("f: cannot be read: Permission denied", "give this command as root"),
    )


def test_a_wrong_registry_is_a_fault(config: Path) -> None:
    (config.parent / "agents.toml").write_text("[agent.main]\n")
    patient = read_patient(config, {})
    assert "base_url: is missing" in told(configuration.settings(patient))
    assert patient.settings is not None


def test_what_a_start_would_warn_of(config: Path) -> None:
    (config.parent / "password").chmod(0o644)
    environment = {
        "LAMBDA_MATRIX_PASSWORD": "correct horse",
        "LAMBDA_MATRIX_NONSUCH": "1",
        "MATRIX_PLATFORM_BACKEND": "sqlite",
    }
    said = told(configuration.settings(read_patient(config, environment, None)))
    assert "Warned: LAMBDA_MATRIX_PASSWORD: a secret in the environment" in said
    assert "Warned: LAMBDA_MATRIX_NONSUCH: no setting has this name" in said
    assert "Warned: MATRIX_PLATFORM_BACKEND has no effect" in said
    assert "correct horse" not in said


def test_old_names_of_agents(config: Path) -> None:
    config.write_text(config.read_text().replace('registry = "agents.toml"\n', ""))
    patient = read_patient(config, {"AGENT_WS_URL": "ws://127.0.0.1:9/x"}, None)
    assert "Warned: AGENT_WS_URL is an old name" in told(configuration.settings(patient))
    assert patient.registry is not None


def test_who_the_bot_is(settings: Settings) -> None:
    assert told(configuration.names(settings)).startswith("Passed: the bot is @bot:example.org at ")
    example = evolve(
        settings, homeserver=evolve(settings.homeserver, user_id=UserId("@lambda:example.org"))
    )
    assert told(configuration.names(example)).startswith("Failed: [homeserver] user_id is still ")


@pytest.mark.parametrize(
    ("users", "said"),
    [
        (("@*:example.org",), "Passed: [access] users: @*:example.org"),
        (("@anna:example.org", "@*:*.net"), "Passed: [access] users: "),
        ((), "Warned: [access] users lets nobody in"),
        (("*",), "Warned: [access] users lets everybody in, from every server"),
        (("@*:*",), "Warned: [access] users lets everybody in, from every server"),
        (
            ("@*:exmaple.org",),
            "Warned: [access] users has nobody of the bot's own server example.org",
        ),
    ],
)
def test_who_is_let_in(users: tuple[str, ...], said: str) -> None:
    found = told(configuration.access(AccessSection(users=users), BOT))
    assert found.startswith(said)
    assert " | " not in found


@pytest.mark.parametrize(
    ("url", "is_clear"),
    [
        ("https://example.org", False),
        ("http://127.0.0.1:8008", False),
        ("http://[::1]:8008", False),
        ("http://localhost:8008", False),
        ("http://example.org", True),
        ("http://10.0.0.1", True),
    ],
)
def test_what_can_be_overheard(url: str, *, is_clear: bool) -> None:
    section = HomeserverSection(url=url, user_id=UserId(BOT))
    (found,) = configuration.homeserver_address(section)
    assert isinstance(found, Warned) == is_clear
    agent = AgentEntry(AgentId("a"), "A", url.replace("http", "ws"), token=Secret("token"))
    (found,) = configuration.agent_addresses((agent,))
    assert isinstance(found, Warned) == is_clear
    if isinstance(found, Warned):
        assert "its token goes in clear" in found.advice
    assert configuration.agent_addresses(()) == ()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, ""),
        (ListenAddress("127.0.0.1", 9114), "Passed: [service] listen: 127.0.0.1:9114"),
        (ListenAddress("0.0.0.0", 9114), "Warned: [service] listen: 0.0.0.0 is reached from"),  # noqa: S104 - what is warned of
    ],
)
def test_where_it_listens(settings: Settings, address: ListenAddress | None, said: str) -> None:
    service = evolve(settings.service, listen=address)
    assert told(configuration.listening(evolve(settings, service=service))).startswith(said)
