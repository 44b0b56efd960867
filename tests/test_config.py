from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
import trustme

from lambda_matrix.config import (
    ConfigError,
    DeniedInvites,
    ListenAddress,
    ListenPath,
    Settings,
    load_settings,
)
from lambda_matrix.config.loading import read_secret
from lambda_matrix.config.settings import LimitsSection
from lambda_matrix.conversation.texts import Language
from lambda_matrix.ids import PersonId
from lambda_matrix.logs import Format, Level, Wanted
from lambda_matrix.secret import Secret

MINIMAL = """
[homeserver]
url = "http://127.0.0.1:8008"
user_id = "@lambda:example.org"
password_file = "password"
[state]
directory = "state"
[access]
users = ["@*:example.org"]
[agents]
registry = "agents.toml"
"""
FULL = """
[homeserver]
url = "https://matrix.example.org:8448/"
user_id = "@lambda:example.org"
device_id = "BOT"
access_token_file = "token"
[state]
directory = "/var/lib/lambda-matrix"
[access]
users = ["@*:example.org", "*:example.com"]
deny = ["@mallory:*"]
admins = ["@root:example.org"]
denied_invites = "ignore"
[service]
language = "en"
display_name = "Λ"
command_prefix = "!!"
listen = "[::1]:9114"
[agents]
registry = "/etc/lambda-matrix/agents.toml"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("password", "hunter2\n"), ("token", "syt_token")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return tmp_path


def load(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    file = folder / "config.toml"
    file.write_text(text)
    return load_settings(file, environment or {})


def refusal(folder: Path, text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, environment)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence.replace(str(folder), "…")


def test_the_least_that_must_be_said(folder: Path) -> None:
    settings = load(folder, MINIMAL)
    assert settings.homeserver.url == "http://127.0.0.1:8008"
    assert settings.homeserver.device_id == "LAMBDA_MATRIX"
    assert settings.homeserver.password == Secret("hunter2")
    assert settings.homeserver.access_token is None
    assert settings.state.directory == folder / "state"
    assert settings.agents.registry == folder / "agents.toml"
    assert settings.service.language is Language.RU
    assert settings.service.listen is None
    assert settings.access.denied_invites is DeniedInvites.REJECT
    assert settings.secrets() == (Secret("hunter2"),)


def test_everything_that_can_be_said(folder: Path) -> None:
    settings = load(folder, FULL)
    assert settings.homeserver.url == "https://matrix.example.org:8448"
    assert settings.homeserver.access_token == Secret("syt_token")
    assert settings.homeserver.device_id == "BOT"
    assert settings.state.directory == Path("/var/lib/lambda-matrix")
    assert settings.access.admins == ("@root:example.org",)
    assert settings.access.denied_invites is DeniedInvites.IGNORE
    assert settings.access.policy.allows(PersonId("@anna:example.com"))
    assert not settings.access.policy.allows(PersonId("@mallory:example.org"))
    assert settings.service.language is Language.EN
    assert settings.service.command_prefix == "!!"
    assert settings.service.listen == ListenAddress("::1", 9114)


def test_a_secret_is_in_no_repr(folder: Path) -> None:
    settings = load(folder, MINIMAL)
    assert "hunter2" not in repr(settings)
    assert "***" in repr(settings)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("url =", "uri =", "[homeserver] uri is no setting; did you mean url?"),
        ("[access]", "[acess]", "there is no section [acess]; did you mean access?"),
        ("[homeserver]", "x = 1\n[homeserver]", "there is no key x"),
        (
            'user_id = "@lambda:example.org"\n',
            "",
            "[homeserver] user_id is missing (or set LAMBDA_MATRIX_HOMESERVER_USER_ID)",
        ),
        ("[state]\n", "[[state]]\n", "[state] must be a table"),
        ('"state"', "7", "[state] directory must be a string, not an integer"),
        ('"state"', '" "', "[state] directory must not be empty"),
        (
            '"state"',
            '"a\\nb"',
            "[state] directory must be one line of printable text",
        ),
        (
            '["@*:example.org"]',
            '"@*:example.org"',
            "[access] users must be a list of strings, not a string",
        ),
        (
            '["@*:example.org"]',
            "[1979-05-27]",
            "[access] users must be a string, not a date or time",
        ),
        (
            '["@*:example.org"]',
            '["anna"]',
            "[access] users must hold patterns of user ids such as @*:example.org, not 'anna'",
        ),
        (
            "@lambda:example.org",
            "lambda",
            "[homeserver] user_id must be a user id such as @lambda:example.org, not 'lambda'",
        ),
        (
            'password_file = "password"',
            'password_file = "absent"',
            "[homeserver] password_file cannot be read: …/absent: No such file or directory",
        ),
        (
            'password_file = "password"\n',
            "",
            (
                "[homeserver] the bot's password or access token is missing: lambda-matrix "
                "login asks for one and keeps it (or set password_file or access_token_file)"
            ),
        ),
        (
            'password_file = "password"',
            'password_file = "password"\naccess_token_file = "token"',
            (
                "[homeserver] password_file and access_token_file: both a password and "
                "an access token are given; leave one out"
            ),
        ),
        (
            'registry = "agents.toml"',
            "",
            "[agents] registry is missing (or set AGENT_BASE_URL for one agent)",
        ),
        (
            'password_file = "password"',
            'password_file = "password"\nca_file = "absent"',
            "[homeserver] ca_file cannot be read: …/absent: No such file or directory",
        ),
        (
            'password_file = "password"',
            'password_file = "password"\nca_file = "token"',
            "[homeserver] ca_file holds no PEM certificates: …/token",
        ),
    ],
)
def test_a_mistake_is_named_in_one_sentence(
    folder: Path, old: str, new: str, sentence: str
) -> None:
    assert old in MINIMAL
    assert refusal(folder, MINIMAL.replace(old, new, 1)) == f"…/config.toml: {sentence}"


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "ftp://example.org",
        "https://",
        "https://example.org:0",
        "https://example.org:port",
        "https://[::1",
        "https://exam ple.org",
        "https://example.org/?a=b",
        "https://example.org/#a",
    ],
)
def test_a_url_that_leads_nowhere(folder: Path, url: str) -> None:
    said = refusal(folder, MINIMAL.replace("http://127.0.0.1:8008", url))
    assert said.startswith("…/config.toml: [homeserver] url must be a ")


def test_a_password_within_a_url_is_not_repeated(folder: Path) -> None:
    said = refusal(folder, MINIMAL.replace("127.0.0.1", "bot:hunter2@example.org"))
    assert said == "…/config.toml: [homeserver] url must not hold a user name or a password"


@pytest.mark.parametrize("mode", ["660", "0660"])
def test_a_unix_socket_may_be_listened_on(folder: Path, mode: str) -> None:
    text = FULL.replace('"[::1]:9114"', f'"unix:/run/x/s.sock"\nlisten_mode = "{mode}"')
    settings = load(folder, text)
    assert settings.service.listen == ListenPath(Path("/run/x/s.sock"))
    assert settings.service.listen_mode == 0o660


@pytest.mark.parametrize("listen", ["unix:", "unix:s.sock", "unix:/run/"])
def test_a_unix_socket_has_a_whole_path(folder: Path, listen: str) -> None:
    said = refusal(folder, FULL.replace("[::1]:9114", listen))
    assert said.startswith("…/config.toml: [service] listen must name a socket by its whole path")


@pytest.mark.parametrize("mode", ["rw", "66", "0o660", "888", "07777"])
def test_a_mode_is_octal(folder: Path, mode: str) -> None:
    said = refusal(folder, FULL.replace('"[::1]:9114"', f'""\nlisten_mode = "{mode}"'))
    assert said.startswith("…/config.toml: [service] listen_mode must be three octal digits")


@pytest.mark.parametrize("listen", ["9114", "localhost:", "::1:80", "[::g]:80", "a:0", "a:70000"])
def test_an_address_that_nobody_can_listen_on(folder: Path, listen: str) -> None:
    said = refusal(folder, FULL.replace("[::1]:9114", listen))
    assert said.startswith("…/config.toml: [service] listen must be host:port")


@pytest.mark.parametrize("prefix", ["a", "! ", "1", "!" * 9])
def test_a_prefix_that_would_swallow_talk(folder: Path, prefix: str) -> None:
    said = refusal(folder, FULL.replace('"!!"', f'"{prefix}"'))
    assert said.startswith(
        "…/config.toml: [service] command_prefix must be one to eight characters"
    )


def test_a_choice_names_what_there_is(folder: Path) -> None:
    said = refusal(folder, FULL.replace('language = "en"', 'language = "de"'))
    assert said == "…/config.toml: [service] language must be one of ru, en, not 'de'"


def test_limits_have_defaults_and_bounds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(folder, MINIMAL).limits == LimitsSection()
    limits = '[limits]\nruns = 7\nfile_types = ["image/*"]\n'
    assert load(folder, MINIMAL + limits).limits == LimitsSection(runs=7, file_types=("image/*",))
    monkeypatch.setenv("LAMBDA_MATRIX_LIMITS_RUNS", "8")
    assert load_settings(folder / "config.toml", os.environ).limits.runs == 8


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("runs = 0", "must be from 1 to 10000, not 0"),
        ("runs = true", "must be a whole number, not a boolean"),
        ("runs = 1.5", "must be a whole number, not a float"),
        ('file_types = ["png"]', "must hold media types such as image/png or image/*, not 'png'"),
    ],
)
def test_a_limit_that_is_none(folder: Path, key: str, why: str) -> None:
    name, _, _ = key.partition(" ")
    said = refusal(folder, f"{MINIMAL}[limits]\n{key}\n")
    assert said == f"…/config.toml: [limits] {name} {why}"


def test_the_log_is_quiet_about_texts_unless_they_are_wanted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(folder, MINIMAL).log.wanted == Wanted()
    section = '[log]\nlevel = "warning"\nformat = "json"\ntexts = true\n'
    wanted = Wanted(level=Level.WARNING, format=Format.JSON, texts=True)
    assert load(folder, MINIMAL + section).log.wanted == wanted
    monkeypatch.setenv("LAMBDA_MATRIX_LOG_TEXTS", "false")
    assert load_settings(folder / "config.toml", os.environ).log.texts is False
    monkeypatch.setenv("LAMBDA_MATRIX_LOG_TEXTS", "true")
    load(folder, MINIMAL)
    assert load_settings(folder / "config.toml", os.environ).log.texts is True


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("texts = 1", "must be true or false, not an integer"),
        ('texts = "yes"', "must be true or false, not a string"),
        ('format = "xml"', "must be one of auto, plain, json, journald, not 'xml'"),
        ('level = "all"', "must be one of auto, debug, info, warning, error, not 'all'"),
    ],
)
def test_a_log_that_there_is_not(folder: Path, key: str, why: str) -> None:
    name, _, _ = key.partition(" ")
    said = refusal(folder, f"{MINIMAL}[log]\n{key}\n")
    assert said == f"…/config.toml: [log] {name} {why}"


def test_a_usable_ca_file_and_no_address(folder: Path) -> None:
    trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
    text = MINIMAL.replace("user_id =", 'ca_file = "ca.pem"\nuser_id =')
    settings = load(folder, text + '[service]\nlisten = ""\n')
    assert settings.homeserver.ca_file == folder / "ca.pem"
    assert settings.service.listen is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"nowhere\.toml: the configuration cannot be read: No su"
    ):
        load_settings(tmp_path / "nowhere.toml", {})


def test_a_file_that_is_not_toml(folder: Path) -> None:
    assert "the configuration is not TOML" in refusal(folder, "[homeserver")


def test_a_file_that_is_not_text(folder: Path) -> None:
    file = folder / "config.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(file, {})


# -- the environment --


def test_the_environment_overrides_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    environment = {
        "LAMBDA_MATRIX_HOMESERVER_URL": "http://localhost:1",
        "LAMBDA_MATRIX_ACCESS_USERS": "@a:x, @b:y,",
        "LAMBDA_MATRIX_STATE_DIRECTORY": "elsewhere",
    }
    settings = load(folder, MINIMAL, environment)
    assert settings.homeserver.url == "http://localhost:1"
    assert settings.access.users == ("@a:x", "@b:y")
    assert settings.state.directory == folder.parent / "elsewhere"


def test_a_wrong_variable_is_blamed_and_not_the_file(folder: Path) -> None:
    said = refusal(folder, MINIMAL, {"LAMBDA_MATRIX_HOMESERVER_URL": "nowhere"})
    assert said.startswith(
        "environment variable LAMBDA_MATRIX_HOMESERVER_URL: [homeserver] url must be a URL"
    )


def test_a_variable_without_a_setting_is_told_about(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(folder, MINIMAL, {"LAMBDA_MATRIX_HOMSERVER_URL": "x", "PATH": "/bin"})
    assert "LAMBDA_MATRIX_HOMSERVER_URL: no setting has this name" in caplog.text
    assert "PATH:" not in caplog.text


@pytest.mark.parametrize("name", ["AGENT_BASE_URL", "AGENT_WS_URL"])
def test_one_agent_needs_no_registry(folder: Path, name: str) -> None:
    text = MINIMAL.replace('[agents]\nregistry = "agents.toml"\n', "")
    assert load(folder, text, {name: "ws://127.0.0.1:8000"}).agents.registry is None


def test_old_names_are_taken_with_a_hint(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = MINIMAL.replace('registry = "agents.toml"', "")
    environment = {"MATRIX_AGENT_REGISTRY_PATH": "/old.toml", "MATRIX_PLATFORM_BACKEND": "local"}
    assert load(folder, text, environment).agents.registry == Path("/old.toml")
    hints = [record.getMessage() for record in caplog.records]
    assert len(hints) == 2
    assert all("\n" not in hint for hint in hints)
    assert load(folder, MINIMAL, environment).agents.registry == folder / "agents.toml"


# -- secrets --


def test_a_credential_of_systemd_is_found_by_its_name(folder: Path, tmp_path: Path) -> None:
    text = MINIMAL.replace('password_file = "password"\n', "")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "access_token").write_text("syt_credential\n")
    settings = load(folder, text, {"CREDENTIALS_DIRECTORY": str(credentials)})
    assert settings.homeserver.access_token == Secret("syt_credential")
    (credentials / "access_token").write_text("two\nlines")
    said = refusal(folder, text, {"CREDENTIALS_DIRECTORY": str(credentials)})
    assert said.startswith("credential access_token must hold the secret alone")
    (credentials / "access_token").write_text("\n")
    said = refusal(folder, text, {"CREDENTIALS_DIRECTORY": str(credentials)})
    assert "password or access token is missing" in said


def test_a_command_given_by_hand_finds_the_credential_beside_the_file(folder: Path) -> None:
    text = MINIMAL.replace('password_file = "password"\n', "")
    (folder / "credentials").mkdir()
    (folder / "credentials/password").write_text("beside\n")
    assert load(folder, text, {}).homeserver.password == Secret("beside")


def test_a_secret_in_the_environment_is_warned_about(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load(folder, MINIMAL, {"LAMBDA_MATRIX_PASSWORD": "hunter3"})
    assert settings.homeserver.password == Secret("hunter3")
    assert "LAMBDA_MATRIX_PASSWORD: a secret in the environment can be read" in caplog.text
    assert "hunter3" not in caplog.text


def test_a_secret_that_everybody_can_read_is_warned_about(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "password").chmod(0o644)
    load(folder, MINIMAL)
    assert "[homeserver] password_file: everybody on this machine can read" in caplog.text


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"x" * 65_537])
def test_a_secret_stands_alone_in_its_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="x_file must hold the secret alone, on one line"):
        read_secret(file, "x_file")


def test_a_secret_is_text(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="x_file is not UTF-8 text"):
        read_secret(file, "x_file")


def test_nothing_is_warned_about_when_all_is_well(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        load(folder, MINIMAL)
    assert not caplog.records
