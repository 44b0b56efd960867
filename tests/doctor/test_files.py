from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from attrs import evolve

from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.config.settings import Settings
from lambda_matrix.doctor import files
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.doctor.patient import Patient, read_patient
from lambda_matrix.ids import AgentId
from tests.doctor.telling import told


def test_the_configuration_file(config: Path) -> None:
    config.chmod(0o644)
    assert told(files.configuration_file(config)) == f"Passed: {config} is there (0644)"
    config.chmod(0o666)
    assert told(files.configuration_file(config)).startswith(
        f"Warned: everybody can change {config}"
    )
    config.unlink()
    assert told(files.configuration_file(config)) == f"Failed: {config}: No such file or directory"


def test_secrets_that_others_can_read(config: Path, tmp_path: Path) -> None:
    token = tmp_path / "agent.token"
    token.write_text("t0ken")
    token.chmod(0o640)
    (tmp_path / "agents.toml").write_text(
        f'[agent.main]\nbase_url = "ws://127.0.0.1:9"\ntoken_file = "{token}"\n'
    )
    found = files.secret_files(read_patient(config, {}), {})
    assert found == (
        Passed(f"password: {tmp_path}/password (0600)"),
        Warned(f"token of agent main: others can read {token} (0640)", f"chmod 600 {token}"),
    )


def test_credentials_beside_the_configuration_are_found(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace('password_file = "password"\n', ""))
    (tmp_path / "credentials").mkdir()
    (tmp_path / "password").rename(tmp_path / "credentials/password")
    found = files.secret_files(read_patient(config, {}), {})
    assert found == (Passed(f"password: {tmp_path}/credentials/password (0600)"),)
    assert files.secret_files(Patient(config), {}) == ()


def test_a_secret_that_went_away(config: Path, tmp_path: Path) -> None:
    patient = read_patient(config, {})
    (tmp_path / "password").unlink()
    (found,) = files.secret_files(patient, {})
    assert isinstance(found, Skipped)


def test_whose_a_secret_is(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.touch(0o600)
    real = path.stat()
    status = os.stat_result((*real[:4], 4711, *real[5:10]))
    secret = files.SecretFile(path, "password")
    assert "belongs to user 4711, not to root" in told(
        files.judge_secret(secret, status, ourselves=0)
    )
    assert told(files.judge_secret(secret, status, ourselves=4711)).startswith("Passed")


def test_authorities(settings: Settings, tmp_path: Path) -> None:
    assert files.certificates(settings, None) == ()
    entry = AgentEntry(AgentId("main"), "Lambda", "wss://x", ca_file=tmp_path / "gone.pem")
    registry = Registry(entry.id, {entry.id: entry})
    said_of_agent = told(files.certificates(settings, registry))
    assert said_of_agent.startswith(f"Failed: agent main: ca_file: {tmp_path}/gone.pem cannot")
    later = datetime.now(UTC) + timedelta(days=100)
    authority, leaf = trustme.CA(), tmp_path / "leaf.pem"
    good, expired = tmp_path / "ca.pem", tmp_path / "broken.pem"
    authority.cert_pem.write_to_path(str(good))
    authority.issue_cert("localhost", not_after=later).cert_chain_pems[0].write_to_path(str(leaf))
    expired.write_text("nothing")
    said = {
        path: told(
            files.certificates(
                evolve(settings, homeserver=evolve(settings.homeserver, ca_file=path)), None
            )
        )
        for path in (good, leaf, expired)
    }
    assert said[good].startswith(f"Passed: [homeserver] ca_file: {good} is good for ")
    assert said[leaf].endswith("has certificates, none of an authority")
    assert said[expired].startswith(f"Failed: [homeserver] ca_file: {expired} cannot be used")


@pytest.mark.parametrize(
    ("days", "kind", "said"),
    [(-1, Failed, "has expired"), (3, Warned, "expires in 3 days"), (90, Passed, "90 days")],
)
def test_when_a_certificate_ends(days: int, kind: type[Finding], said: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    found = files.judge_end("it", now + days * 86_400, now)
    assert isinstance(found, kind)
    assert said in found.what
    assert "(202" in found.what


def test_the_picture(settings: Settings, tmp_path: Path) -> None:
    assert files.picture(settings) == ()

    def of(path: Path) -> str:
        return told(
            files.picture(evolve(settings, service=evolve(settings.service, avatar_file=path)))
        )

    picture = tmp_path / "a.png"
    assert of(picture).startswith("Failed: [service] avatar_file: The picture ")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert of(picture) == f"Passed: [service] avatar_file: {picture}"
