"""Wrong settings end at once with one sentence and code 78; what is not there yet is waited for."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme

from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.processes import start
from tests.lab.chatting import Stack, fresh_account, open_chatting, open_stack
from tests.lab.proxy import Answer, bad_gateway, rate_limited

Spoil = Callable[[Path], None]


@pytest.fixture
async def unstarted(synapse: Homeserver, tmp_path: Path) -> AsyncIterator[Stack]:
    """A service that is to fail before it needs an agent."""
    async with open_stack(synapse, tmp_path, start_agent=False) as opened:
        yield opened


async def ends_with(stack: Stack, code: int) -> str:
    """Start the service, which must end by itself; returns its last line."""
    child = start(stack.service.program)
    try:
        with trio.fail_after(60):
            assert await child.wait() == code, stack.service.log
    finally:
        await child.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
    log = stack.service.log
    assert "Traceback" not in log
    return log.splitlines()[-1]


def in_config(old: str, new: str) -> Spoil:
    def spoil(directory: Path) -> None:
        file = directory / "config.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return spoil


def remove(name: str) -> Spoil:
    return lambda directory: (directory / name).unlink()


def write(name: str, text: str) -> Spoil:
    def spoil(directory: Path) -> None:
        (directory / name).write_text(text)

    return spoil


WRONG: dict[str, tuple[Spoil, list[str]]] = {
    "a missing key": (in_config("user_id =", "# user_id ="), ["config.toml", "user_id"]),
    "an unknown key": (in_config("user_id =", "usr_id = 1\nuser_id ="), ["config.toml", "usr_id"]),
    "an unknown section": (in_config("[access]", "[acces]"), ["config.toml", "acces"]),
    "not TOML": (in_config("[access]", "[access"), ["config.toml"]),
    "a value of another type": (in_config('language = "en"', "language = 5"), ["language"]),
    "a bad URL": (in_config("http://", "htp:/"), ["config.toml", "url"]),
    "a bad user id": (in_config('user_id = "@', 'user_id = "'), ["config.toml", "user_id"]),
    "no configuration": (remove("config.toml"), ["config.toml"]),
    "an unreadable secret": (remove("password"), ["password"]),
    "an empty secret": (write("password", "\n"), ["password"]),
    "a wrong password": (write("password", "wrong\n"), ["password"]),
    "no registry": (remove("agents.toml"), ["agents.toml"]),
    "a registry with an unknown key": (
        write("agents.toml", 'default = "main"\n[agent.main]\nbase = "ws://x"\n'),
        ["agents.toml", "base"],
    ),
    "a default agent that is not there": (
        write("agents.toml", 'default = "x"\n[agent.main]\nbase_url = "ws://127.0.0.1:1"\n'),
        ["agents.toml", "default"],
    ),
    "an unreadable agent's secret": (remove("agent.token"), ["agent.token"]),
}


@pytest.mark.parametrize(("spoil", "names"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_setting_ends_it_with_one_sentence(
    unstarted: Stack, spoil: Spoil, names: list[str]
) -> None:
    spoil(unstarted.settings.directory)
    sentence = await ends_with(unstarted, 78)
    for name in names:
        assert name in sentence
    assert unstarted.settings.bot.password not in unstarted.service.log
    assert unstarted.settings.agent_token not in unstarted.service.log


async def test_the_wrong_user_ends_it(unstarted: Stack) -> None:
    other = await fresh_account(unstarted.homeserver, "other")
    directory = unstarted.settings.directory
    (directory / "token").write_text(other.access_token + "\n")
    text = (directory / "config.toml").read_text()
    lines = [
        f'access_token_file = "{directory / "token"}"' if "_file" in line else line
        for line in text.splitlines()
    ]
    (directory / "config.toml").write_text("\n".join(lines) + "\n")
    sentence = await ends_with(unstarted, 78)
    assert other.user_id in sentence
    assert other.access_token not in unstarted.service.log


async def test_a_refused_certificate_ends_it(unstarted: Stack) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    async def shake_hands(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with suppress(trio.BrokenResourceError):
            await stream.do_handshake()
        await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, host="127.0.0.1")
        (listener,) = await nursery.start(serve, shake_hands, 0, context)
        port = listener.transport_listener.socket.getsockname()[1]
        in_config(unstarted.proxy.url, f"https://127.0.0.1:{port}")(unstarted.settings.directory)
        sentence = await ends_with(unstarted, 78)
        nursery.cancel_scope.cancel()
    assert "certificate" in sentence


async def test_a_second_service_on_the_same_state_is_refused(stack: Stack) -> None:
    await stack.service.start()
    second = start(stack.service.program)
    with trio.fail_after(20):
        assert await second.wait() == 75
    assert "Traceback" not in stack.service.log
    async with open_chatting(stack) as chatting:
        await chatting.ask("hello")


@pytest.mark.parametrize(
    "answer",
    [bad_gateway(), rate_limited(300), Answer(503, b"")],
    ids=["502", "429", "503"],
)
async def test_a_homeserver_that_is_not_there_yet_is_waited_for(
    stack: Stack, answer: Answer
) -> None:
    rule = stack.proxy.spoil(".*", answer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stack.service.start)
        await stack.proxy.wait_made(".*", 3, within=30)
        stack.proxy.mend(rule)
    async with open_chatting(stack) as chatting:
        await chatting.ask("hello")
    assert "Traceback" not in stack.service.log


async def test_a_homeserver_that_refuses_connections_is_waited_for(stack: Stack) -> None:
    there, stack.proxy.upstream = stack.proxy.upstream, "http://127.0.0.1:1"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stack.service.start)
        await stack.proxy.wait_made(".*", 3, within=30)
        stack.proxy.upstream = there
    async with open_chatting(stack) as chatting:
        await chatting.ask("hello")


async def test_it_stops_while_it_waits_for_the_homeserver(unstarted: Stack) -> None:
    unstarted.proxy.upstream = "http://127.0.0.1:1"
    child = start(unstarted.service.program)
    await unstarted.proxy.wait_made(".*", 2, within=30)
    with trio.fail_after(10):
        assert await child.stop() == 0


async def test_no_secret_is_in_the_log_or_the_process_list(stack: Stack) -> None:
    await stack.service.start()
    async with open_chatting(stack) as chatting:
        await chatting.ask("hello")
        child = stack.service.child
        assert child is not None
        commands = [
            path.read_bytes()
            for program in (child, stack.agent.program.child)
            if program
            for path in [Path(f"/proc/{program.pid}/cmdline")]
        ]
    session = (stack.settings.directory / "state" / "session.json").read_text()
    token = session.split('"access_token"')[1].split('"')[1]
    for secret in (stack.settings.bot.password, stack.settings.agent_token, token):
        assert secret not in stack.service.log
        assert secret not in stack.agent.program.log
        assert not any(secret.encode() in command for command in commands)


async def test_state_is_for_its_owner_alone(stack: Stack) -> None:
    await stack.service.start()
    for path in (stack.settings.directory / "state").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
