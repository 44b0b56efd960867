import re
import ssl
from pathlib import Path

import pytest
import trustme
from attrs import fields

from lambda_matrix.reference.model_settings import (
    ModelSettings,
    SettingsError,
    open_endpoint,
    read_settings,
)
from lambda_matrix.secret import Secret

LEAST = 'base_url = "https://llm.example.org/v1/"\nmodel = "small"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "model.toml"
    file.write_text(text)
    return file


def test_two_keys_are_enough(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, LEAST))
    assert settings == ModelSettings(base_url="https://llm.example.org/v1", model="small")


def test_a_file_that_sets_nothing_names_no_model(tmp_path: Path) -> None:
    assert read_settings(written(tmp_path, "# model = 'later'\n")) is None


def test_every_key_is_read(tmp_path: Path) -> None:
    text = LEAST + (
        'key_file = "key"\nca_file = "/ca.pem"\nimages = true\ntranscription_model = "ears"\n'
        'tools = false\ninstructions = " Be kind. "\nwindow_messages = 1\nwindow_characters = 2\n'
        "tool_rounds = 3\nretries = 0\nconnect_timeout = 1\nidle_timeout = 2.5\n"
        "parameters = { temperature = 0.5 }\n"
    )
    settings = read_settings(written(tmp_path, text))
    assert settings == ModelSettings(
        base_url="https://llm.example.org/v1",
        model="small",
        key_file=tmp_path / "key",
        ca_file=Path("/ca.pem"),
        images=True,
        transcription_model="ears",
        tools=False,
        instructions="Be kind.",
        window_messages=1,
        window_characters=2,
        tool_rounds=3,
        retries=0,
        connect_timeout=1.0,
        idle_timeout=2.5,
        parameters={"temperature": 0.5},
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model = 'x'", "base_url is missing"),
        ("base_url = 'http://x'", "model is missing"),
        ("base_url = 'http://x'\nmodel = ' '", "model is empty"),
        ("base_url = 'http://x'\nmodel = 7", "model must be a text"),
        ("base_url = 'ws://x'\nmodel = 'x'", "base_url must be an http:// or https:// URL"),
        ("base_url = 'http://'\nmodel = 'x'", "base_url must be an http:// or https:// URL"),
        ("base_url = 'http://[x'\nmodel = 'x'", "base_url must be an http:// or https:// URL"),
        ("base_url = 'http://u:sesame@x'\nmodel = 'x'", "base_url must have no user"),
        ("base_url = 'http://x/?a'\nmodel = 'x'", "base_url must have no user"),
        (f"{LEAST}modell = 'x'", "modell is no setting; did you mean model?"),
        (f"{LEAST}zzz = 'x'", "zzz is no setting"),
        (f"{LEAST}images = 1", "images must be true or false"),
        (f"{LEAST}retries = -1", "retries must be 0 or more"),
        (f"{LEAST}retries = true", "retries must be 0 or more"),
        (f"{LEAST}retries = 1.5", "retries must be a whole number"),
        (f"{LEAST}idle_timeout = 0", "idle_timeout must be a number of seconds"),
        (f"{LEAST}idle_timeout = true", "idle_timeout must be a number of seconds"),
        (f"{LEAST}idle_timeout = 'x'", "idle_timeout must be a number of seconds"),
        (f"{LEAST}parameters = 1", "parameters must be a table"),
        (f"{LEAST}parameters = {{stream = false}}", "parameters.stream is set by the agent"),
        ("model =", "it is not TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)) as caught:
        read_settings(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="it cannot be read: No such file"):
        read_settings(tmp_path / "none")
    (tmp_path / "latin").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="it is not UTF-8 text"):
        read_settings(tmp_path / "latin")


def settings(**more: Path) -> ModelSettings:
    return ModelSettings(base_url="https://x/v1", model="m", **more)  # type: ignore[arg-type]  # paths only


def test_the_key_comes_from_its_file_or_from_systemd(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\n")
    (tmp_path / "agent-model-key").write_text("def")
    given = settings(key_file=tmp_path / "key")
    handed_over = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert open_endpoint(given, handed_over).key == Secret("abc")
    assert open_endpoint(settings(), handed_over).key == Secret("def")
    assert open_endpoint(settings(), {}).key is None
    assert "abc" not in repr(open_endpoint(given, {}))


@pytest.mark.parametrize("content", [b"", b"two words", "ключ".encode(), b"\xff", b"a\0b"])
def test_a_key_that_is_none_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(SettingsError, match="it must hold one word of ASCII"):
        open_endpoint(settings(key_file=tmp_path / "key"), {})
    with pytest.raises(SettingsError, match="No such file"):
        open_endpoint(settings(key_file=tmp_path / "none"), {})


def test_certificates_are_the_systems_or_the_operators(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = open_endpoint(settings(ca_file=tmp_path / "ca.pem"), {}).trust
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    (tmp_path / "odd.pem").write_text("odd")
    for name in ("odd.pem", "none.pem"):
        with pytest.raises(SettingsError, match="no certificates can be read"):
            open_endpoint(settings(ca_file=tmp_path / name), {})


def test_every_key_is_documented_with_its_default() -> None:
    text = Path("docs/bundled-agent.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))
    for field in fields(ModelSettings):
        assert field.name in rows, field.name
        if isinstance(field.default, bool | int | float):
            assert rows[field.name] == f"`{str(field.default).lower()}`"
