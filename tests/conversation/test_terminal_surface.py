"""The core is free of Matrix: here it serves a terminal, without one import from the Matrix side.

`TerminalSurface` is what a surface has to bring: where people speak, how a question reaches an
agent, what is kept, and how a text is shown. All that is decided and said is `conversation`'s.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import assert_never

import pytest
from attrs import define, evolve, field

from lambda_matrix.agent_events import (
    AgentEvent,
    Interrupt,
    ResumeEntry,
    RunFinished,
    RunInterrupted,
    TextDelta,
    ToolStarted,
)
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.commands import (
    BadArgument,
    ChangeSetting,
    Command,
    Help,
    Load,
    No,
    Rename,
    Save,
    UnknownCommand,
    Yes,
)
from lambda_matrix.conversation.decide import (
    Ask,
    Execute,
    KeepSilent,
    Pick,
    RemindOfConfirmation,
    SayArchived,
    SayNotHere,
    SayOutOfRange,
    ShowTheWay,
    Standing,
    TellHowToBegin,
    decide,
    ends_pick,
)
from lambda_matrix.conversation.ending import conclude
from lambda_matrix.conversation.help import help_text
from lambda_matrix.conversation.interrupts import prompt_lines, resume_entries
from lambda_matrix.conversation.limits import Bucket, Limits, QueueFull, Take, TooFast, admit
from lambda_matrix.conversation.settings import PersonSettings, SetThreads, changed
from lambda_matrix.conversation.texts import Language, LoadedFacts, SavedLine, Texts, texts
from lambda_matrix.conversation.titles import title_of

Agent = Callable[[str, tuple[ResumeEntry, ...]], AsyncIterator[AgentEvent]]


HERE = Standing(place=Place.CHAT, names=("Lambda",))


@define
class TerminalSurface:
    """One person at a terminal, with one agent. A question takes a second, by its clock."""

    _agent: Agent
    here: Standing = HERE
    title: str | None = None
    settings: PersonSettings = field(factory=PersonSettings)
    saved: dict[str, int] = field(factory=dict)
    screen: list[str] = field(factory=list)
    _asked: tuple[Interrupt, ...] = ()
    _bucket: Bucket | None = None
    _now: float = 0.0

    @property
    def texts(self) -> Texts:
        return texts(self.settings.language or Language.EN, "/")

    async def type(self, line: str) -> None:  # noqa: C901 - a closed union, one line for each
        decision = decide(line, self.here, "/")
        if ends_pick(decision):
            self.here = evolve(self.here, pick=None)
        match decision:
            case Ask(text):
                await self._ask(text)
            case Execute(command):
                await self._execute(command)
            case Pick(number):
                self._load(list(self.saved)[number - 1])
            case SayOutOfRange(count):
                self.screen.append(self.texts.commands.pick_out_of_range(count))
            case RemindOfConfirmation():
                lines = prompt_lines(self._asked)
                self.screen.append(self.texts.confirmations.reminder(lines))
            case SayArchived():
                self.screen.append(self.texts.rooms.archived_question)
            case SayNotHere(usage, place):
                self.screen.append(self.texts.commands.not_here(usage, place))
            case ShowTheWay() | TellHowToBegin():
                self.screen.append(self.texts.onboarding.strange_room)
            case KeepSilent():
                pass
            case _:
                assert_never(decision)

    async def _execute(self, command: Command) -> None:
        say = self.texts
        match command:
            case Help():
                self.screen.append(help_text(say, "/", self.here.place))
            case ChangeSetting(change) if not isinstance(change, SetThreads):
                self.settings = changed(self.settings, change)
                self.screen.append(self.texts.settings.changed(change))
            case Rename(name):
                self.title = name
                self.screen.append(say.rooms.renamed(name))
            case Save(name):
                name = name or say.contexts.default_name(self.title or "", 1)
                self.saved[name] = len(self.screen)
                self.screen.append(say.contexts.saved(name, self.saved[name]))
            case Load(None):
                lines = [SavedLine(name, "here", n, 0, 0.0) for name, n in self.saved.items()]
                self.here = evolve(self.here, pick=len(lines) or None)
                self.screen.append(say.contexts.saved_list(lines))
            case Yes(numbers):
                answer = resume_entries(self._asked, frozenset(numbers) or "all")
                await self._run("", answer)
            case No(reason):
                await self._run("", resume_entries(self._asked, frozenset(), reason))
            case UnknownCommand(word, nearest):
                self.screen.append(say.commands.unknown(word, nearest))
            case BadArgument(usage, problem):
                self.screen.append(say.commands.bad_argument(usage, problem))
            case _:
                self.screen.append(f"this terminal has no {command}")

    def _load(self, name: str) -> None:
        facts = LoadedFacts(name=name, messages=self.saved[name])
        self.screen.append(self.texts.contexts.loaded(facts))

    async def _ask(self, text: str) -> None:
        self._now += 1
        verdict = admit(self._bucket, 0, self._now, Limits(burst=3))
        match verdict:
            case Take(bucket):
                self._bucket = bucket
                self.title = self.title or title_of(text)
                await self._run(text)
            case TooFast(wait):
                self.screen.append(self.texts.questions.too_fast(wait))
            case QueueFull(waiting):
                self.screen.append(self.texts.questions.queue_full(waiting))
            case _:
                assert_never(verdict)

    async def _run(self, text: str, answer: tuple[ResumeEntry, ...] = ()) -> None:
        draft = AnswerDraft()
        async for event in self._agent(text, answer):
            draft.feed(event)
            self.screen.append(draft.preview(self.texts.answers.tool_line))
        outcome = draft.outcome
        self._asked = outcome.interrupts if isinstance(outcome, RunInterrupted) else ()
        self.here = evolve(self.here, is_asked=bool(self._asked))
        self.screen.append(conclude(draft, None, self.texts).text)


async def _agent(text: str, answer: tuple[ResumeEntry, ...]) -> AsyncIterator[AgentEvent]:
    if text.startswith("delete"):
        yield RunInterrupted((Interrupt("i", "tool_call", "Delete it?"),))
        return
    yield ToolStarted("call", "think")
    yield TextDelta("message", f"You said {text or answer[0].status}")
    yield RunFinished()


@pytest.fixture
def terminal() -> TerminalSurface:
    return TerminalSurface(_agent)


async def test_a_conversation_at_a_terminal(terminal: TerminalSurface) -> None:
    await terminal.type("Lambda: **hello**")
    thinking, *_, final = terminal.screen
    assert "think" in thinking
    assert final == "You said **hello**"
    assert terminal.title == "hello"


async def test_commands_never_reach_the_agent(terminal: TerminalSurface) -> None:
    await terminal.type("/help")
    assert "`/stop [all]`" in terminal.screen[-1]
    await terminal.type("/stop")
    assert "no Stop" in terminal.screen[-1]
    await terminal.type("/stpo")
    assert "Did you mean `/stop`?" in terminal.screen[-1]
    await terminal.type("/rename")
    assert "`/rename <name>`" in terminal.screen[-1]
    await terminal.type("//help")
    assert terminal.screen[-1] == "You said /help"


async def test_a_person_chooses_how_they_are_spoken_to(terminal: TerminalSurface) -> None:
    await terminal.type("/set language ru")
    assert terminal.screen[-1] == "Готово: `язык` теперь `ru`."
    await terminal.type("/set language tlh")
    assert "`language`" in terminal.screen[-1]


async def test_what_is_saved_is_picked_by_its_number(terminal: TerminalSurface) -> None:
    for line in ("hello", "/save", "/rename Trip", "/save Two", "/load", "3"):
        await terminal.type(line)
    assert "from 1 to 2" in terminal.screen[-1]
    await terminal.type("2")
    assert "“Two”" in terminal.screen[-1]
    await terminal.type("2")
    assert terminal.screen[-1] == "You said 2"


async def test_consent_is_given_by_its_word_alone(terminal: TerminalSurface) -> None:
    await terminal.type("delete it")
    assert "Delete it?" in terminal.screen[-1]
    await terminal.type("sure")
    assert "still waits" in terminal.screen[-1]
    await terminal.type("/no not now")
    assert terminal.screen[-1] == "You said cancelled"
    await terminal.type("delete it")
    await terminal.type("/yes")
    assert terminal.screen[-1] == "You said resolved"


async def test_nobody_asks_too_much_at_once(terminal: TerminalSurface) -> None:
    for _ in range(4):
        await terminal.type("again")
    assert terminal.screen[-1] == terminal.texts.questions.too_fast(3.0)


async def test_elsewhere_one_is_told_how_to_begin(terminal: TerminalSurface) -> None:
    terminal.here = Standing(place=Place.STRANGE)
    await terminal.type("hello")
    assert terminal.screen == [terminal.texts.onboarding.strange_room]
    terminal.here = Standing(place=Place.LOBBY)
    await terminal.type("/save")
    assert "not here" in terminal.screen[-1]
    terminal.here = Standing(place=Place.CHAT, is_archived=True)
    await terminal.type("hello")
    assert terminal.screen[-1] == terminal.texts.rooms.archived_question
    terminal.here = Standing(place=Place.CHAT, addressed=False)
    await terminal.type("hello")
    assert len(terminal.screen) == 3


def test_the_core_brings_no_matrix_along() -> None:
    """Not even by way of others: a fresh interpreter that has the core has nothing of Matrix."""
    import subprocess  # noqa: PLC0415 - only this test starts an interpreter

    code = (
        "import importlib, pkgutil, sys, lambda_matrix.conversation as core;"
        "[importlib.import_module(each.name)"
        " for each in pkgutil.walk_packages(core.__path__, core.__name__ + '.')];"
        "print([name for name in sys.modules if 'matrix_events' in name or 'surface' in name"
        " or 'client_server' in name or name in {'trio', 'httpx', 'sqlite3'}])"
    )
    # Measuring coverage would bring SQLite along.
    environment = {name: v for name, v in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
