"""What else people are promised (docs/coverage.md), tried on a real homeserver without limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import trio

from lambda_matrix.demo.bare_http import CallError, Json
from lambda_matrix.demo.settings_files import Table, to_toml
from lambda_matrix.demo.view import text_at
from lambda_matrix.ids import EventId
from tests.lab.chatting import Chatting, fresh_account, open_chatting
from tests.lab.homeserver_process import ROOT

RUSSIAN_HELP = "Вот что я понимаю"


# -- settings --


async def test_each_setting_does_what_it_says_for_its_person_alone(chatting: Chatting) -> None:
    board = (await chatting.ask("!settings")).text
    for part in (chatting.person.user_id, "Lambda", "context", "version", "streaming"):
        assert part in board

    async with open_chatting(chatting.stack, "boris") as boris:
        await chatting.ask("!set language ru")
        assert RUSSIAN_HELP in (await chatting.ask("!help")).text
        assert RUSSIAN_HELP not in (await boris.ask("!help")).text
        await chatting.ask("!настроить язык en")

        await chatting.ask("!set streaming off")
        assert (await chatting.ask("slow 3 one two three")).previews == 0
        assert (await boris.ask("slow 3 one two three")).previews > 0
        await chatting.ask("!set streaming on")

        assert "<table>" in ((await chatting.ask("table")).parts[0].html or "")
        await chatting.ask("!set style plain")
        assert (await chatting.ask("table")).parts[0].html is None

        await chatting.ask("!set tools off")
        shown = " ".join((await chatting.ask("tool 3")).parts[0].versions[:-1])
        assert "Using" not in shown

    await chatting.service.kill()
    await chatting.service.start()
    assert (await chatting.ask("table")).parts[0].html is None, "settings outlive a kill"


async def test_a_bad_argument_gets_one_line_that_says_what_it_takes(chatting: Chatting) -> None:
    for command, takes in {
        "!stop sideways": "!stop [all]",
        "!rename": "!rename <name>",
        "!chats now": "!chats",
        "!remove it": "!remove <number or all>",
        "!yes perhaps": "!yes [numbers]",
        "!forget": "!forget <name>",
        "!set streaming sideways": "`on` or `off`",
        "!set colour red": "There is no setting",
        "!agent nobody": "no agent `nobody`",
    }.items():
        told = (await chatting.ask(command)).text
        assert takes in told
        assert "\n" not in told


async def test_the_prefix_is_a_setting(chatting: Chatting) -> None:
    await chatting.stack.restart_with(service={"command_prefix": "/"})
    assert "/stop" in (await chatting.ask("/help")).text
    assert (await chatting.ask("!help")).text.startswith("You said: !help")


# -- agents --


def _register(chatting: Chatting, *names: str) -> None:
    """Write the registry anew: the bundled agent under each of these names."""
    settings = chatting.stack.settings
    tables: dict[str, Table] = {
        f"agent.{name}": {
            "name": f"Agent {name}",
            "base_url": settings.agent_url,
            "token_file": str(settings.directory / "agent.token"),
        }
        for name in names
    }
    registry = f'default = "{names[0]}"\n' + to_toml(tables)
    (settings.directory / "agents.toml").write_text(registry)


async def reload(chatting: Chatting) -> None:
    child = chatting.service.child
    assert child is not None
    before = chatting.service.log.count("reloaded")
    os.kill(child.pid, signal.SIGHUP)
    with trio.fail_after(10):
        while chatting.service.log.count("reloaded") == before:  # noqa: ASYNC110 - a file tells nobody
            await trio.sleep(0.05)


async def test_a_chat_keeps_its_agent_and_new_ones_get_the_chosen_one(chatting: Chatting) -> None:
    _register(chatting, "main", "second")
    await reload(chatting)
    listed = (await chatting.ask("!agent")).text
    assert "Agent main" in listed
    assert "Agent second" in listed
    assert "Agent second" in (await chatting.ask("2")).text, "the next bare number picks"
    other = await chatting.new_chat("!new Other")
    await chatting.service.kill()
    await chatting.service.start()
    assert "Agent main" in (await chatting.ask("!context")).text
    assert "Agent second" in (await chatting.ask("!context", other)).text
    assert "Agent second" in (await chatting.ask("!chats")).text
    assert "Agent second" in (await chatting.ask("!settings")).text

    _register(chatting, "main")
    await reload(chatting)
    stale = (await chatting.ask("hello", other)).text
    assert "no longer there" in stale
    assert "!new" in stale
    assert "its agent is gone" in (await chatting.ask("!chats", other)).text
    assert (await chatting.ask("hello")).text.startswith("You said: hello")
    _register(chatting, "main", "second")
    await reload(chatting)
    assert (await chatting.ask("there?", other)).text.startswith("You said: there?")


# -- limits --


async def test_each_limit_is_one_polite_sentence(chatting: Chatting) -> None:
    await chatting.stack.restart_with(limits={"questions_in_line": 2, "runs_per_person": 1})
    other = await chatting.new_chat()
    running = await chatting.say("hang")
    waiting = [await chatting.say(f"number {n}") for n in range(2)]
    assert "The line is full here" in (await chatting.ask("one too many")).text
    elsewhere = await chatting.say("and here?", other)
    await chatting.person.wait_for(
        other, lambda view: [m for m in view.said_by(chatting.bot) if "this one is next" in m.body]
    )
    await chatting.say("!stop")
    for question in (running, *waiting):
        await chatting.answer(question)
    assert (await chatting.answer(elsewhere, other)).text.startswith("You said: and here?")

    await chatting.stack.restart_with(limits={"questions_per_minute": 1})
    async with open_chatting(chatting.stack, "boris") as boris:
        assert (await boris.ask("first")).text.startswith("You said: first")
        assert "That was a lot at once" in (await boris.ask("second")).text


async def test_nothing_that_one_person_does_slows_another(chatting: Chatting) -> None:
    async with open_chatting(chatting.stack, "boris") as boris:
        rooms = [boris.chat, await boris.new_chat(), await boris.new_chat()]
        asked: list[EventId] = []
        for number in range(4):
            asked += [await boris.say(f"slow 6 {number}", room) for room in rooms]
        for number in range(3):
            answer = await chatting.ask(f"number {number}")
            assert answer.text.startswith(f"You said: number {number}")
        last = boris.person.rooms[rooms[-1]].answer(asked[-1], boris.bot)
        assert last is None, "he still waits for his own"


async def test_whoever_is_denied_is_not_heard(chatting: Chatting) -> None:
    async with open_chatting(chatting.stack, "boris") as boris:
        await boris.ask("hello")
        access: Table = {"deny": [boris.person.user_id]}
        await chatting.stack.restart_with(access=access)
        unheard = [await boris.say("hello?"), await boris.say("!chats")]
        assert (await chatting.ask("hello")).text.startswith("You said: hello")
        for said in unheard:
            assert boris.view.answer(said, boris.bot) is None


# -- confirmations, threads, rooms --


async def test_a_word_that_comes_too_late_is_told_so(chatting: Chatting) -> None:
    other = await chatting.new_chat()
    await chatting.ask("confirm expiring 1")
    await chatting.ask("slow 2 meanwhile", other)
    assert "That came too late" in (await chatting.ask("!yes")).text
    assert (await chatting.ask("And now?")).text.startswith("You said: And now?")


async def test_a_question_in_a_thread_is_answered_in_it(chatting: Chatting) -> None:
    root = await chatting.say("the beginning")
    await chatting.answer(root)
    relation = {"rel_type": "m.thread", "event_id": root}
    asked = await chatting.person.say(chatting.chat, "slow 2 within", **{"m.relates_to": relation})
    answer = await chatting.answer(asked)
    event = next(e for e in chatting.view.events if e["event_id"] == answer.parts[0].event_id)
    assert text_at(event, "content", "m.relates_to", "rel_type") == "m.thread"
    assert text_at(event, "content", "m.relates_to", "event_id") == root


async def test_a_binding_is_where_no_member_can_change_it(chatting: Chatting) -> None:
    (put,) = chatting.proxy.made(r"^PUT .*/account_data/ru\.coredump\.lambda\.binding")
    path = ("user", chatting.bot, "rooms", chatting.chat, "account_data")
    bodies: dict[str, Json | None] = {"GET": None, "PUT": {"owner": "somebody"}}
    for method, body in bodies.items():
        with pytest.raises(CallError) as refused:
            await chatting.person.call(method, *path, "ru.coredump.lambda.binding", body=body)
        assert refused.value.status == 403
    assert put.status == 200
    assert not [kind for kind, _ in chatting.view.state if "binding" in kind]


async def test_a_client_that_nobody_here_wrote(chatting: Chatting) -> None:
    """matrix-nio as the person's client, from the first invite to a formatted answer."""
    account = await fresh_account(chatting.stack.homeserver, "nina")
    done = await trio.run_process(
        [sys.executable, "-m", "tests.lab.nio_person", "slow 3 through another client"],
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env={
            **os.environ,
            "HOMESERVER": chatting.stack.homeserver.url,
            "BOT_USER": chatting.bot,
            "PERSON_USER": account.user_id,
            "PERSON_DEVICE": account.device_id,
            "PERSON_TOKEN": account.access_token,
        },
        check=False,
    )
    told = done.stdout.decode()
    assert done.returncode == 0, told
    assert "You said: slow 3 through another client" in told
