"""The agent as a program: what it keeps through a restart and a kill, and how it refuses."""

import json
import signal
import socket
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from lambda_matrix.reference.command import agent
from tests.reference.asking import TOKEN, listen, open_program, run_input
from tests.reference.fake_endpoint import open_fake, say


async def test_memory_survives_a_restart_and_a_term_ends_it_cleanly(tmp_path: Path) -> None:
    async with open_program(tmp_path) as program:
        first = await program.line.say("Apples", "q1")
        program.process.terminate()
        assert await program.process.wait() == 0
    async with open_program(tmp_path) as program:
        assert (await program.line.say("Apples", "q1", attempt=2)).text == first.text
        assert (await program.line.say("And?", "q2")).text.endswith("before it you said: Apples")
        program.process.send_signal(signal.SIGINT)
        assert await program.process.wait() == 0


async def test_a_run_cut_by_a_kill_runs_anew(tmp_path: Path) -> None:
    async with open_program(tmp_path, "--pace", "3600") as program:
        await program.line.say("Apples", "q1")
        async with program.line.open() as websocket:
            await websocket.send_message(json.dumps(run_input("slow", "q2")))
            await websocket.get_message()
            program.process.kill()
            heard = await listen(websocket)
        assert "RUN_FINISHED" not in heard.types
    async with open_program(tmp_path, "--pace", "0") as program:
        again = await program.line.say("slow", "q2", attempt=2)
        assert again.text.endswith(
            "message 2 of this conversation (thread 7); before it you said: Apples"
        )


async def test_ready_and_stopping_are_told_to_the_service_manager(tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(10)
        async with open_program(tmp_path, environ={"NOTIFY_SOCKET": name}) as program:
            assert manager.recv(1000).startswith(b"READY=1\nSTATUS=listening on ws://127.0.0.1:")
            program.process.terminate()
            assert await program.process.wait() == 0
        assert manager.recv(1000) == b"STOPPING=1"


async def test_only_the_names_that_are_meant_are_served(tmp_path: Path) -> None:
    options = ("--host", "0.0.0.0", "--allowed-host", "Agent.test")  # noqa: S104 - its point
    async with open_program(tmp_path, *options) as program:
        assert (await program.line.refusal()).status_code == 421
        async with program.line.open(host_header="agent.test:8000"):
            pass


async def test_one_folder_serves_one_agent(tmp_path: Path) -> None:
    async with open_program(tmp_path):
        code, sentence = await _refusal(*_options(tmp_path))
    assert code == 75
    assert "another agent is using the folder" in sentence


async def test_the_token_comes_from_systemd_too(tmp_path: Path) -> None:
    (tmp_path / "agent-token").write_text("two words")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    code, sentence = await _refusal("--no-memory", environ=environ)
    assert code == 78
    assert "agent-token: it must hold one word" in sentence


async def test_a_port_in_use_is_a_bad_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, sentence = await _refusal(*_options(tmp_path), "--port", str(port))
    assert code == 78
    assert f"cannot listen on 127.0.0.1:{port}" in sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "either --state or --no-memory"),
        (["--state", "x", "--no-memory"], "either --state or --no-memory"),
        (["--no-memory"], "--token-file is missing"),
        (["--no-memory", "--token-file", "/no/file"], "/no/file: No such file"),
        (["--no-memory", "--token-file", "/dev/null"], "one word of ASCII"),
        (["--no-memory", "--port", "70000"], "--port"),
        (["--no-memory", "--mode", "wise"], "--mode"),
        (["--no-memory", "--pace", "-1"], "--pace"),
        (["--no-memory", "--workspace", "/no/folder"], "/no/folder"),
        (["--unknown"], "--unknown"),
        (["--no-memory", "--config", "/no/file"], "--config needs --state"),
        (["--state", "x", "--config", "/x", "--mode", "echo"], "either --config or --mode"),
    ],
)
async def test_a_bad_option_is_one_sentence(options: list[str], sentence: str) -> None:
    code, output = await _refusal(*options)
    assert code == 78
    assert sentence in output
    assert output.startswith("Error: ")
    assert output.count("\n") == 1


async def test_a_state_that_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    options = _options(tmp_path)
    options[1] = "/dev/null/state"
    code, output = await _refusal(*options)
    assert code == 78
    assert output == "Error: --state /dev/null/state: Not a directory\n"


async def test_a_model_that_is_configured_badly_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "model.toml"
    code, output = await _refusal(*_options(tmp_path), "--config", str(config))
    assert code == 78
    assert output == f"Error: {config}: it cannot be read: No such file or directory\n"


async def test_a_model_that_is_configured_answers(tmp_path: Path) -> None:
    config = tmp_path / "model.toml"
    async with open_fake() as fake:
        config.write_text(f'base_url = "{fake.url}"\nmodel = "fake-1"\n')
        (tmp_path / "agent-model-key").write_text("from-systemd")
        fake.script(say("Hello"))
        environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
        async with open_program(tmp_path, "--config", str(config), environ=environ) as program:
            assert (await program.line.say("Hi", "q")).text == "Hello"
        assert fake.asked[0].headers["authorization"] == "Bearer from-systemd"


async def test_a_model_that_is_not_named_yet_is_rehearsed_for(tmp_path: Path) -> None:
    config = tmp_path / "model.toml"
    config.write_text("# model = 'later'\n")
    async with open_program(tmp_path, "--config", str(config)) as program:
        assert "You said: Hi" in (await program.line.say("Hi", "q")).text


async def _refusal(*options: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
    """Start the command, which is not to come far; in a thread, for it has its own event loop."""

    def invoke() -> tuple[int, str]:
        result = CliRunner().invoke(agent, list(options), env=environ)
        return result.exit_code, result.output

    return await trio.to_thread.run_sync(invoke)


def _options(folder: Path) -> list[str]:
    (folder / "token").write_text(TOKEN)
    return ["--state", str(folder / "state"), "--token-file", str(folder / "token")]
