"""The service put together: its start, its end, and what it says to the service manager."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import pytest
import trio
from attrs import define, evolve, field
from trio.testing import wait_all_tasks_blocked

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.config import ConfigError
from lambda_matrix.config.settings import (
    AccessSection,
    AgentsSection,
    DeniedInvites,
    HomeserverSection,
    ServiceSection,
    Settings,
    StateSection,
)
from lambda_matrix.conversation.texts import Language, texts
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.secret import Secret
from lambda_matrix.service.monitoring.asking import Said, ask as ask_service
from lambda_matrix.service.monitoring.listening import STATUS_SOCKET
from lambda_matrix.service.supervisor import serve
from lambda_matrix.store.store import StoreDamagedError, StoreLockedError, open_store
from tests.agent.servers import websocket_agent
from tests.lab.log_ear import hearing
from tests.lab.proxy import Answer, Hold, Proxy, open_proxy
from tests.lab.small_homeserver import (
    ANNA,
    BOT,
    PASSWORD,
    TOKEN,
    SmallHomeserver,
    open_small_homeserver,
)
from tests.surface.bridging import MALLORY, SEND, Agent, answer_at_once, say_nothing

WITHIN = 60  # seconds of real time that anything may take, on the slowest machine


def refusal(status: int, errcode: str, **more: object) -> Answer:
    return Answer(status, json.dumps({"errcode": errcode, "error": "no", **more}).encode())


@define(eq=False)
class Manager:
    """The service manager's end of NOTIFY_SOCKET.

    It always listens, as systemd does: where many wait to be read, what is said more is lost.
    """

    _channel: trio.socket.SocketType
    heard: list[str] = field(factory=list)
    _more: trio.Event = field(factory=trio.Event)

    async def listen(self) -> NoReturn:
        """Hear what the service says, until cancelled."""
        while True:
            self.heard += (await self._channel.recv(4096)).decode().splitlines()
            self._more.set()
            self._more = trio.Event()

    async def wait_for(self, line: str) -> None:
        """Wait until the service says this line, if it has not."""
        with trio.fail_after(WITHIN):
            while line not in self.heard:
                await self._more.wait()


@define(eq=False)
class Place:
    """Where the service is started."""

    homeserver: SmallHomeserver
    proxy: Proxy
    agent: Agent
    manager: Manager
    settings: Settings
    changed: Settings | ConfigError | None = None
    """What a reload finds; None: what was there at the start."""

    def read_again(self) -> Settings:
        if isinstance(self.changed, ConfigError):
            raise self.changed
        return self.changed or self.settings

    async def reload(self) -> None:
        """Send SIGHUP, and wait until it was obeyed or refused."""
        self.manager.heard.clear()
        signal.raise_signal(signal.SIGHUP)
        await self.manager.wait_for("RELOADING=1")
        await self.manager.wait_for("READY=1")

    @asynccontextmanager
    async def running(self, settings: Settings | None = None) -> AsyncIterator[None]:
        """The service, ready; ended by SIGTERM."""
        self.manager.heard.clear()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, settings or self.settings, self.read_again)  # noqa: ASYNC113 - READY=1 is waited for
            await self.manager.wait_for("READY=1")
            yield
            signal.raise_signal(signal.SIGTERM)
            await self.manager.wait_for("STOPPING=1")

    async def ask(self, body: str) -> str:
        """Have Anna ask in her first chat, which is made if need be."""
        homeserver = self.homeserver
        if not homeserver.rooms_of_kind(ANNA, "chat"):
            homeserver.direct_chat(ANNA)
            await homeserver.wait(
                lambda: any(map(homeserver.sent, homeserver.rooms_of_kind(ANNA, "chat"))), WITHIN
            )
        chat = homeserver.room_of_kind(ANNA, "chat")
        return await homeserver.answer(chat, homeserver.say(chat, ANNA, body), WITHIN)

    async def say_unheard(self, chat: RoomId, person: UserId) -> None:
        """Have somebody speak who has no access, and wait until the service has come by that."""
        with hearing("lambda_matrix.surface.reactions") as ear, trio.fail_after(WITHIN):
            self.homeserver.say(chat, person, "And now?")
            await ear.wait_for(f"not taken: {person} has no access")


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    agent = Agent()
    channel = trio.socket.from_stdlib_socket(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    with channel:
        await channel.bind(f"\0{tmp_path.name}-{id(agent)}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{tmp_path.name}-{id(agent)}")
        async with (
            open_small_homeserver() as homeserver,
            open_proxy(homeserver.url) as proxy,
            websocket_agent(agent.serve) as agent_url,
            trio.open_nursery() as nursery,
        ):
            monkeypatch.setenv("AGENT_BASE_URL", agent_url)
            settings = Settings(
                homeserver=HomeserverSection(url=proxy.url, user_id=BOT, password=Secret(PASSWORD)),
                state=StateSection(directory=tmp_path / "state"),
                access=AccessSection(users=("@*:example.org",), deny=(MALLORY,)),
                service=ServiceSection(language=Language.EN, display_name="Lambda (test)"),
                agents=AgentsSection(),
            )
            manager = Manager(channel)
            nursery.start_soon(manager.listen)
            yield Place(homeserver, proxy, agent, manager, settings)
            nursery.cancel_scope.cancel()
        assert proxy.findings == []


async def test_a_start_to_its_orderly_end(place: Place) -> None:
    async with place.running():
        assert await place.ask("Hello?") == "Answer to Hello?"
        assert place.homeserver.display_name == "Lambda (test)"
    assert "STATUS=ready: 0 rooms, 0 requests running, synced 0 s ago" in place.manager.heard
    async with place.running():
        assert await place.ask("Again?") == "Answer to Again?"
    assert len(place.proxy.made("POST .*/login")) == 1, "the session is kept"
    assert len(place.proxy.made("POST .*/filter")) == 1, "so is the filter"


async def test_it_can_be_watched_from_the_beginning(place: Place) -> None:
    socket_file = place.settings.state.directory / STATUS_SOCKET
    caught = Hold(answer=True)
    rule = place.proxy.spoil("POST .*/login", caught)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, place.settings, place.read_again)
        await caught.caught.wait()
        waiting = await ask_service(socket_file, "/readyz")
        place.proxy.mend(rule)
        caught.release()
        assert await place.ask("Hello?") == "Answer to Hello?"
        place.changed = ConfigError("no")
        await place.reload()
        ready = await ask_service(socket_file, "/readyz")
        metrics = (await ask_service(socket_file, "/metrics")).text
        report = json.loads((await ask_service(socket_file, "/status.json")).text)
        signal.raise_signal(signal.SIGTERM)
    assert waiting == Said(503, "waiting for the homeserver\n", os.getpid())
    assert ready == Said(200, "ready\n", os.getpid())
    for expected in (
        'lambda_matrix_answers_total{outcome="answered"} 1.0',
        'lambda_matrix_agent_up{agent="main"} 1.0',
        "lambda_matrix_chats 1.0",
        "lambda_matrix_config_last_reload_successful 0.0",
        'lambda_matrix_homeserver_requests_total{endpoint="login",status="2xx"} 1.0',
    ):
        assert f"\n{expected}\n" in metrics
    assert report["faults"][0]["text"].startswith("not reloaded")
    assert report["user"] == BOT


async def test_at_sigterm_an_answer_is_finished_and_what_waits_is_left(place: Place) -> None:
    homeserver, manager = place.homeserver, place.manager
    async with place.running():
        await place.ask("Hello?")
        place.agent.behave = say_nothing
        chat = homeserver.room_of_kind(ANNA, "chat")
        question, behind = homeserver.say(chat, ANNA, "Think"), homeserver.say(chat, ANNA, "And?")
        run = await place.agent.run(2)
        manager.heard.clear()
        signal.raise_signal(signal.SIGTERM)
        await manager.wait_for("STATUS=stopping: 1 answer being finished, 10 s left")
        extended = next(line for line in manager.heard if line.startswith("EXTEND_TIMEOUT_USEC="))
        assert int(extended.partition("=")[2]) == pytest.approx(25e6, rel=0.1)
        await run.text("Thought")
        await run.finish()
        assert await homeserver.answer(chat, question, WITHIN) == "Thought"
    assert place.agent.questions == ["Hello?", "Think"]
    place.agent.behave = answer_at_once
    async with place.running():
        assert await homeserver.answer(chat, behind, WITHIN) == "Answer to And?"
    assert len(homeserver.finals(chat, question)) == 1


async def test_a_run_that_the_second_sigterm_cuts_off_is_taken_up_again(place: Place) -> None:
    async with place.running():
        await place.ask("Hello?")
        place.agent.behave = say_nothing
        chat = place.homeserver.room_of_kind(ANNA, "chat")
        question = place.homeserver.say(chat, ANNA, "Think")
        await place.agent.run(2)
        signal.raise_signal(signal.SIGTERM)
        await place.manager.wait_for("STATUS=stopping: 1 answer being finished, 10 s left")
    async with open_store(place.settings.state.directory) as store:
        (row,) = await store.transact(
            lambda db: db.execute("SELECT attempts FROM requests WHERE outcome IS NULL").fetchall()
        )
        assert row == (0,)
    async with place.running():
        run = await place.agent.run(3)
        await run.text("At last")
        await run.finish()
        assert await place.homeserver.answer(chat, question, WITHIN) == "At last"


async def test_a_soft_logout_is_mended_by_one_new_login(place: Place) -> None:
    dead = refusal(401, "M_UNKNOWN_TOKEN", soft_logout=True)
    async with place.running():
        await place.ask("Hello?")
        place.proxy.spoil("GET .*/sync", dead, times=1)
        place.proxy.spoil("GET .*/whoami", dead, times=1)
        place.manager.heard.clear()
        place.homeserver.direct_chat(ANNA)  # something for the open long poll to bring
        await place.manager.wait_for("READY=1")
        assert await place.ask("Still there?") == "Answer to Still there?"
    logins = [json.loads(login.body) for login in place.proxy.made("POST .*/login")]
    assert len(logins) == 2
    assert {login["device_id"] for login in logins} == {"LAMBDA_MATRIX"}


async def test_what_a_reload_put_into_force_outlives_a_soft_logout(
    place: Place, tmp_path: Path
) -> None:
    dead = refusal(401, "M_UNKNOWN_TOKEN", soft_logout=True)
    async with place.running():
        await place.ask("Hello?")
        place.changed = evolve(
            place.settings,
            access=evolve(place.settings.access, deny=(ANNA,)),
            state=evolve(place.settings.state, directory=tmp_path / "elsewhere"),
        )
        await place.reload()
        place.proxy.spoil("GET .*/sync", dead, times=1)
        place.proxy.spoil("GET .*/whoami", dead, times=1)
        place.manager.heard.clear()
        place.homeserver.direct_chat(MALLORY)  # something for the open long poll to bring
        await place.manager.wait_for("READY=1")
        chat = place.homeserver.room_of_kind(ANNA, "chat")
        await place.say_unheard(chat, ANNA)
        assert len(place.agent.runs) == 1
    assert not (tmp_path / "elsewhere").exists(), "that needs a restart"


async def test_a_reload_waits_for_the_homeserver(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caught = Hold(answer=True)
    rule = place.proxy.spoil("POST .*/login", caught)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, place.settings, place.read_again)
        await caught.caught.wait()
        signal.raise_signal(signal.SIGHUP)
        place.proxy.mend(rule)
        caught.release()
        await place.manager.wait_for("RELOADING=1")
        assert await place.ask("Hello?") == "Answer to Hello?"
        assert "reloaded; the agents are the same" in caplog.text
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft-twice"])
async def test_a_dead_session_ends_the_service(place: Place, *, soft: bool) -> None:
    dead = refusal(401, "M_UNKNOWN_TOKEN", soft_logout=soft)
    place.proxy.spoil("GET .*/sync", dead)
    with (
        trio.fail_after(WITHIN),
        pytest.RaisesGroup(SessionDeadError, flatten_subgroups=True),
    ):
        await serve(place.settings, place.read_again)
    assert (place.settings.state.directory / "session.json").exists(), "everything is kept"


async def test_looks_are_set_where_they_are_others(place: Place) -> None:
    async with place.running():
        pass
    async with place.running():
        assert place.homeserver.display_name == "Lambda (test)"
    assert len(place.proxy.made("PUT .*/displayname")) == 1
    assert len(place.proxy.made("PUT .*/avatar_url")) == 1


async def test_a_name_that_may_not_be_set_is_no_reason_to_stop(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.proxy.spoil("PUT .*/displayname", refusal(403, "M_FORBIDDEN"))
    async with place.running():
        assert await place.ask("Hello?") == "Answer to Hello?"
    assert "display_name" in caplog.text


async def test_the_registry_may_be_a_file(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "agents.toml"
    file.write_text('[agent.main]\nbase_url = "ws://127.0.0.1:1"\n')
    settings = evolve(place.settings, agents=AgentsSection(registry=file))
    async with place.running(settings):
        place.homeserver.direct_chat(ANNA)
        await place.homeserver.wait(
            lambda: bool(place.homeserver.rooms_of_kind(ANNA, "chat")), WITHIN
        )


async def test_a_reload_puts_access_and_agents_into_force(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with place.running():
        assert await place.ask("Hello?") == "Answer to Hello?"
        file = tmp_path / "agents.toml"
        file.write_text('[agent.other]\nbase_url = "ws://127.0.0.1:1"\n')
        state = evolve(place.settings.state, directory=tmp_path)
        service = evolve(place.settings.service, language=Language.RU)
        place.changed = evolve(
            place.settings,
            agents=AgentsSection(registry=file),
            state=state,
            service=service,
        )
        await place.reload()
        assert await place.ask("Hello?") == texts(Language.RU).answers.failure(RunFailure.NO_AGENT)
        assert "[state] directory: changed; it needs a restart" in caplog.text
        assert caplog.text.count("needs a restart") == 1
        told = "reloaded; agents added: other; agents removed: main; the default is other now"
        assert told in caplog.text


async def test_who_loses_access_by_a_reload_loses_the_run(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with place.running():
        await place.ask("Hello?")
        place.agent.behave = say_nothing
        chat = place.homeserver.room_of_kind(ANNA, "chat")
        question = place.homeserver.say(chat, ANNA, "Think")
        await place.agent.run(2)
        place.changed = evolve(place.settings, access=evolve(place.settings.access, deny=(ANNA,)))
        await place.reload()
        assert "reloaded; the agents are the same" in caplog.text
        stopped = texts(Language.EN).answers.stopped
        assert await place.homeserver.answer(chat, question, WITHIN) == stopped
        await place.say_unheard(chat, ANNA)


async def test_a_bad_reload_changes_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    async with place.running():
        place.changed = ConfigError("config.toml: [access] usres is no setting")
        await place.reload()
        assert "usres" in caplog.text
        assert any("; not reloaded: config.toml: [access]" in line for line in place.manager.heard)
        assert await place.ask("Hello?") == "Answer to Hello?"
        place.changed = None
        await place.reload()
        said = [line for line in place.manager.heard if line.startswith("STATUS=")]
        assert said
        assert "not reloaded" not in said[-1]


async def test_without_an_agent_there_is_no_start(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGENT_BASE_URL")
    with pytest.raises(ConfigError):
        await serve(place.settings, place.read_again)


async def test_a_state_directory_serves_one_process(place: Place) -> None:
    async with open_store(place.settings.state.directory):
        with pytest.RaisesGroup(StoreLockedError):
            await serve(place.settings, place.read_again)


async def test_a_database_that_is_damaged_at_work_ends_it_and_the_next_start_begins_anew(
    place: Place,
) -> None:
    path = place.settings.state.directory / "lambda-matrix.db"
    async with place.running():
        await place.ask("Hello?")
    chat = place.homeserver.room_of_kind(ANNA, "chat")
    with pytest.raises(ExceptionGroup) as ended:  # noqa: PT012 - the block is what ends
        async with trio.open_nursery() as nursery:
            place.manager.heard.clear()
            nursery.start_soon(serve, place.settings, place.read_again)
            await place.manager.wait_for("READY=1")
            path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 1_000_000)
            place.homeserver.say(chat, ANNA, "And now?")
    assert ended.value.split(StoreDamagedError)[1] is None
    async with place.running():
        (status,) = {line for line in place.manager.heard if line.startswith("STATUS=ready")}
        assert "a damaged database was set aside: lambda-matrix.db.damaged-" in status


async def test_the_settings_reach_who_obeys_them(place: Place) -> None:
    homeserver_section = evolve(
        place.settings.homeserver, password=None, access_token=Secret(TOKEN)
    )
    access = evolve(place.settings.access, denied_invites=DeniedInvites.IGNORE)
    service = evolve(place.settings.service, language=Language.RU, command_prefix="/")
    settings = evolve(place.settings, homeserver=homeserver_section, access=access, service=service)
    async with place.running(settings):
        lobby = place.homeserver.direct_chat(MALLORY)
        assert await place.ask("/stop") == texts(Language.RU, "/").questions.nothing_to_stop
        assert place.homeserver.rooms[lobby].membership(BOT) == "invite"
    assert not place.proxy.made("POST .*/login")


async def test_what_may_have_arrived_is_not_sent_before_the_catch_up(place: Place) -> None:
    arrived = Hold(answer=True)
    async with place.running():
        await place.ask("Hello?")
        rule = place.proxy.spoil(SEND, arrived)
        chat = place.homeserver.room_of_kind(ANNA, "chat")
        question = place.homeserver.say(chat, ANNA, "Again?")
        await arrived.caught.wait()
        deaf = place.proxy.spoil("GET .*/sync", Hold())
        await place.homeserver.answer(chat, question, WITHIN)
    async with open_store(place.settings.state.directory) as store:
        # As if the process had ended before the echo was heard.
        await store.transact(
            lambda db: db.execute("UPDATE outbox SET state = 'pending' WHERE seq > 2").rowcount
        )
        await store.transact(
            lambda db: db.execute("UPDATE meta SET value = 's1' WHERE key = 'sync_token'").rowcount
        )
    place.proxy.mend(deaf)
    place.proxy.mend(rule)
    puts = len(place.proxy.made(SEND))
    catching_up = Hold()
    rule = place.proxy.spoil("GET .*/sync", catching_up)
    place.manager.heard.clear()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, place.settings, place.read_again)
        await catching_up.caught.wait()
        await wait_all_tasks_blocked(0.3)
        assert len(place.proxy.made(SEND)) == puts
        place.proxy.mend(rule)
        await place.manager.wait_for("READY=1")
        await wait_all_tasks_blocked(0.3)
        signal.raise_signal(signal.SIGTERM)
    assert len(place.proxy.made(SEND)) == puts
