"""The core is free of Matrix: here it serves a terminal, without one import from the Matrix side.

`TerminalSurface` is what a surface has to bring: where people speak, how a question reaches an
agent, and how a text is shown. Everything that is decided and said comes from `conversation`.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable

import pytest
from attrs import define, field

from lambda_matrix.agent_events import AgentEvent, RunFinished, TextDelta, ToolStarted
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.catalogue import Texts
from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.commands import Help
from lambda_matrix.conversation.decide import (
    Ask,
    Execute,
    KeepSilent,
    ShowTheWay,
    Standing,
    TellHowToBegin,
    decide,
)
from lambda_matrix.conversation.ending import conclude
from lambda_matrix.conversation.help import help_text
from lambda_matrix.conversation.texts import Language, texts


@define
class TerminalSurface:
    """One person at a terminal, with one agent."""

    _agent: Callable[[str], AsyncIterator[AgentEvent]]
    _texts: Texts
    screen: list[str] = field(factory=list)

    async def type(self, line: str, place: Place = Place.CHAT) -> None:
        decision = decide(line, Standing(place=place), "/")
        match decision:
            case Ask(text):
                await self._answer(text)
            case Execute(Help()):
                self.screen.append(help_text(self._texts, "/"))
            case Execute(command):
                self.screen.append(f"this terminal has no {command}")
            case ShowTheWay() | TellHowToBegin():
                self.screen.append(self._texts.onboarding.strange_room)
            case KeepSilent():
                pass
            case _:
                self.screen.append(f"this terminal has no {decision}")

    async def _answer(self, text: str) -> None:
        draft = AnswerDraft()
        async for event in self._agent(text):
            draft.feed(event)
            self.screen.append(draft.preview(self._texts.answers.tool_line))
        self.screen.append(conclude(draft, None, self._texts).text)


async def _agent(text: str) -> AsyncIterator[AgentEvent]:
    yield ToolStarted("call", "think")
    yield TextDelta("message", f"You said {text}")
    yield RunFinished()


@pytest.fixture
def terminal() -> TerminalSurface:
    return TerminalSurface(_agent, texts(Language.EN, "/"))


async def test_a_conversation_at_a_terminal(terminal: TerminalSurface) -> None:
    await terminal.type("hello")
    thinking, *_, final = terminal.screen
    assert "think" in thinking
    assert final == "You said hello"


async def test_commands_never_reach_the_agent(terminal: TerminalSurface) -> None:
    await terminal.type("/help")
    assert "`/stop [all]`" in terminal.screen[-1]
    await terminal.type("/stop")
    assert "no Stop" in terminal.screen[-1]
    await terminal.type("//help")
    assert terminal.screen[-1] == "You said /help"


async def test_elsewhere_one_is_told_how_to_begin(terminal: TerminalSurface) -> None:
    await terminal.type("hello", Place.STRANGE)
    assert terminal.screen == [terminal._texts.onboarding.strange_room]


def test_the_core_brings_no_matrix_along() -> None:
    """Not even by way of others: a fresh interpreter that has the core has nothing of Matrix."""
    import subprocess  # noqa: PLC0415 - only this test starts an interpreter

    code = (
        "import sys, lambda_matrix.conversation.answer, lambda_matrix.conversation.commands,"
        "lambda_matrix.conversation.decide, lambda_matrix.conversation.ending,"
        "lambda_matrix.conversation.access;"
        "print([name for name in sys.modules if 'matrix_events' in name or 'surface' in name"
        " or 'client_server' in name or name in {'trio', 'httpx', 'sqlite3'}])"
    )
    # Measuring coverage would bring SQLite along.
    environment = {name: v for name, v in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
