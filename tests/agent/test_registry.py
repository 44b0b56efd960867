from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from lambda_matrix.agent.registry import (
    AgentEntry,
    Registry,
    load_registry,
    registry_from_environment,
)
from lambda_matrix.agent.settings_table import RegistryError
from lambda_matrix.agent.trust import trust
from lambda_matrix.ids import AgentId, PlatformChatId
from lambda_matrix.secret import Secret

MAIN = AgentId("main")


def load(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Registry:
    file = folder / "agents.toml"
    file.write_text(text, encoding="utf-8")
    return load_registry(file, environment or {})


def refusal(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> str:
    with pytest.raises(RegistryError) as caught:
        load(folder, text, environment)
    sentence = str(caught.value)
    assert sentence.startswith(f"{folder / 'agents.toml'}: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{folder / 'agents.toml'}: ")


def test_a_full_entry_is_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n", encoding="ascii")
    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    registry = load(
        tmp_path,
        f"""
        default = "main"
        [agent.main]
        name = "Lambda"
        base_url = "wss://agent.example.org:8443/lambda/"
        path = "/ws/{{platform_chat_id}}"
        workspace = "/agents/main"
        history = "client"
        inline_files = true
        token_file = "{tmp_path / "token"}"
        users = ["@*:example.org"]
        idle_timeout = 7
        run_timeout = 0.5
        ca_file = "{tmp_path / "ca.pem"}"
        [agent.second]
        base_url = "http://127.0.0.1:9000/agent"
        """,
    )
    assert registry.default == MAIN
    assert registry.warnings == ()
    assert registry.get(MAIN) == AgentEntry(
        id=MAIN,
        name="Lambda",
        base_url="wss://agent.example.org:8443/lambda/",
        path="/ws/{platform_chat_id}",
        workspace=Path("/agents/main"),
        history="client",
        inline_files=True,
        token=Secret("t0ken"),
        users=("@*:example.org",),
        idle_timeout=7.0,
        run_timeout=0.5,
        ca_file=tmp_path / "ca.pem",
    )
    second = registry.get(AgentId("second"))
    assert second is not None
    assert second.name == "second"
    assert second.idle_timeout == 120
    assert second.run_timeout == 900
    assert registry.get(AgentId("gone")) is None


@pytest.mark.parametrize(
    ("base_url", "path", "expected"),
    [
        ("ws://h:1", None, "ws://h:1/agent_ws/?thread_id=42"),
        ("ws://h:1/", None, "ws://h:1/agent_ws/?thread_id=42"),
        ("ws://h:1/x", "/y", "ws://h:1/x/y"),
        ("http://h/agent/", None, "http://h/agent/"),
        ("https://h/agent", "?t={platform_chat_id}", "https://h/agent?t=42"),
    ],
)
def test_a_run_has_its_own_url(base_url: str, path: str | None, expected: str) -> None:
    entry = AgentEntry(MAIN, "Lambda", base_url, *(() if path is None else (path,)))
    assert entry.run_url(PlatformChatId(42)).geturl() == expected


def test_users_are_globs_and_nobody_may_use_what_is_not_there(tmp_path: Path) -> None:
    registry = load(
        tmp_path,
        """
        default = "all"
        [agent.all]
        base_url = "ws://h"
        [agent.some]
        base_url = "ws://h"
        users = ["@*:example.org", "@bob:*"]
        [agent.nobody]
        base_url = "ws://h"
        users = []
        """,
    )
    assert registry.may_use(AgentId("all"), "@eve:evil.org")
    assert registry.may_use(AgentId("some"), "@alice:example.org")
    assert registry.may_use(AgentId("some"), "@bob:evil.org")
    assert not registry.may_use(AgentId("some"), "@Bob:evil.org")
    assert not registry.may_use(AgentId("nobody"), "@alice:example.org")
    assert not registry.may_use(AgentId("gone"), "@alice:example.org")
    assert registry.choose("@alice:example.org") == "all"


def test_new_chats_get_the_default_or_else_the_first_that_is_open(tmp_path: Path) -> None:
    registry = load(
        tmp_path,
        """
        default = "closed"
        [agent.closed]
        base_url = "ws://h"
        users = ["@boss:*"]
        [agent.open]
        base_url = "ws://h"
        users = ["@*:example.org"]
        """,
    )
    assert registry.choose("@boss:example.org") == "closed"
    assert registry.choose("@alice:example.org") == "open"
    assert registry.choose("@eve:evil.org") == "closed", "and is refused there"


def test_a_single_agent_is_the_default_without_being_named(tmp_path: Path) -> None:
    assert load(tmp_path, '[agent.only]\nbase_url = "ws://h"').default == "only"


ONE = '[agent.main]\nbase_url = "ws://h"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "agent: there is no [agent.<id>] in it."),
        ("agent = 1", "agent: must be a table of tables."),
        ("[agent]\nmain = 1", "agent.main: must be a table."),
        ('default = "x"\n' + ONE, "default: names agent 'x', which is not in the file."),
        (ONE + '[agent.b]\nbase_url = "ws://h"', "default: is missing."),
        ("default = 1\n" + ONE, "default: must be a string."),
        ('defualt = "main"\n' + ONE, "defualt: is no known key; perhaps default was meant."),
        ("[agent.main]", "agent.main: base_url: is missing."),
        (
            '[agent.main]\nbaseurl = "ws://h"',
            "agent.main: base_url: is missing; perhaps it is misspelt as baseurl.",
        ),
        ("[agent.main]\nbase_url = 1", "agent.main: base_url: must be a string."),
        (
            ONE + 'tokenfile = "x"',
            "agent.main: tokenfile: is no known key; perhaps token_file was meant.",
        ),
        (ONE + 'zzz = "x"', "agent.main: zzz: is no known key."),
        (ONE + 'name = ""', "agent.main: name: is empty."),
        (ONE + 'history = "both"', "agent.main: history: must be one of agent, client."),
        (ONE + "inline_files = 1", "agent.main: inline_files: must be true or false."),
        (
            ONE + "idle_timeout = 0",
            "agent.main: idle_timeout: must be a number of seconds above 0.",
        ),
        (
            ONE + "idle_timeout = inf",
            "agent.main: idle_timeout: must be a number of seconds above 0.",
        ),
        (ONE + "idle_timeout = true", "agent.main: idle_timeout: must be a number of seconds."),
        (ONE + 'users = "@*"', "agent.main: users: must be an array of strings."),
        (
            ONE + "users = [1]",
            "agent.main: users: must be an array of strings, none of them empty.",
        ),
        (ONE + 'workspace = "here"', "agent.main: workspace: must be an absolute path."),
        (
            ONE + 'path = "ws"',
            "agent.main: path: must begin with '/' or '?' and hold no spaces and no fragment.",
        ),
        (
            ONE + 'path = "/{id}"',
            "agent.main: path: knows one placeholder only, {platform_chat_id}.",
        ),
        (
            ONE + 'token_file = "/nowhere/token"',
            "agent.main: token_file: /nowhere/token cannot be read: No such file or directory.",
        ),
        (
            ONE + 'ca_file = "/nowhere/ca"',
            "agent.main: ca_file: /nowhere/ca cannot be read: No such file or directory.",
        ),
        (
            '[agent."Main Agent"]',
            "agent.Main Agent: an agent's id is made of small letters, digits, '-' and '_'.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, expected: str) -> None:
    assert refusal(tmp_path, text) == expected


@pytest.mark.parametrize(
    "url", ["h:1", "ftp://h", "ws://", "ws://h:x", "ws://h:0", "ws://[h", "ws://h /x", "ws://хост"]
)
def test_a_url_must_be_one_of_an_agent(tmp_path: Path, url: str) -> None:
    sentence = refusal(tmp_path, f'[agent.main]\nbase_url = "{url}"')
    assert "base_url: must be a URL such as ws://127.0.0.1:8000" in sentence


@pytest.mark.parametrize("url", ["ws://h?a=b", "ws://h#a"])
def test_a_base_url_has_no_query(tmp_path: Path, url: str) -> None:
    assert "no query" in refusal(tmp_path, f'[agent.main]\nbase_url = "{url}"')


def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, '[agent.main]\nbase_url = "ws://me:hunter2@h"')
    assert "token_file" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"two\nlines", b"\xff"])
def test_a_token_that_no_header_can_carry_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    sentence = refusal(tmp_path, ONE + f'token_file = "{tmp_path / "token"}"')
    assert sentence.endswith("must hold one line of visible ASCII, the token.")


def test_a_ca_file_must_hold_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", encoding="ascii")
    sentence = refusal(tmp_path, ONE + f'ca_file = "{tmp_path / "ca.pem"}"')
    assert sentence.endswith("holds no certificates in PEM form.")


def test_a_systemd_credential_is_the_token(tmp_path: Path) -> None:
    (tmp_path / "agent-main-token").write_text("credential", encoding="ascii")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    text = 'default = "main"\n' + ONE + '[agent.other]\nbase_url = "ws://h"'
    registry = load(tmp_path, text, environment)
    main, other = registry.get(MAIN), registry.get(AgentId("other"))
    assert main is not None
    assert main.token == Secret("credential")
    assert other is not None
    assert other.token is None


def test_a_token_beside_the_registry_is_found_by_commands_given_by_hand(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/agent-main-token").write_text("beside", encoding="ascii")
    main = load(tmp_path, ONE, {}).get(MAIN)
    assert main is not None
    assert main.token == Secret("beside")


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"none\.toml: cannot be read: No such file"):
        load_registry(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    with pytest.raises(RegistryError, match=r"binary\.toml: is not TOML"):
        load_registry(tmp_path / "binary.toml")


def test_a_certificate_is_read_anew_when_the_file_is(tmp_path: Path) -> None:
    text = f"""
        [agent.main]
        base_url = "wss://h"
        ca_file = "{tmp_path / "ca.pem"}"
        """
    serials = []
    for _ in range(2):
        (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
        load(tmp_path, text)
        context = trust(tmp_path / "ca.pem")
        serials.append({str(ca["serialNumber"]) for ca in context.get_ca_certs()})
    first, second = serials
    assert len(first - second) == len(second - first) == 1


def test_the_environment_names_one_agent(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t", encoding="ascii")
    registry = registry_from_environment(
        {"AGENT_BASE_URL": "ws://h:8000", "AGENT_TOKEN_FILE": str(tmp_path / "token")}
    )
    assert registry is not None
    assert registry.default == MAIN
    assert registry.warnings == ()
    main = registry.get(MAIN)
    assert main is not None
    assert main.name == "Lambda"
    assert main.token == Secret("t")
    assert main.run_url(PlatformChatId(5)).geturl() == "ws://h:8000/agent_ws/?thread_id=5"


def test_an_environment_without_an_agent_gives_no_registry() -> None:
    assert registry_from_environment({}) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://h:1/ws?t={platform_chat_id}", "ws://h:1/ws?t=9"),
        ("ws://h:1/fixed", "ws://h:1/fixed"),
        ("wss://h", "wss://h/"),
    ],
)
def test_the_old_name_of_the_url_is_taken_with_a_warning(url: str, expected: str) -> None:
    registry = registry_from_environment({"AGENT_WS_URL": url})
    assert registry is not None
    assert registry.warnings == ("AGENT_WS_URL is an old name: set AGENT_BASE_URL instead.",)
    main = registry.get(MAIN)
    assert main is not None
    assert main.run_url(PlatformChatId(9)).geturl() == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AGENT_BASE_URL": "nonsense"}, "environment: AGENT_BASE_URL: must be a URL"),
        ({"AGENT_WS_URL": "nonsense"}, "environment: AGENT_WS_URL: must be a URL"),
        ({"AGENT_WS_URL": "http://h"}, "environment: AGENT_WS_URL: must be a WebSocket URL"),
        (
            {"AGENT_BASE_URL": "ws://h", "AGENT_TOKEN_FILE": "/nowhere/t"},
            "environment: AGENT_TOKEN_FILE: /nowhere/t cannot be read",
        ),
    ],
)
def test_a_wrong_variable_is_named(environment: dict[str, str], expected: str) -> None:
    with pytest.raises(RegistryError) as caught:
        registry_from_environment(environment)
    assert str(caught.value).startswith(expected)
