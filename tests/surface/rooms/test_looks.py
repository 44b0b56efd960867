"""What rooms of ours look like, and commands that clients spell out."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from lambda_matrix.conversation.command_table import TABLE
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.parsing import Spoken, parse
from lambda_matrix.matrix_events import InvokedCommand
from lambda_matrix.surface.commands.invoked import typed
from lambda_matrix.surface.rooms.looks import command_descriptions
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import TEXTS, open_lab
from tests.surface.rooms.test_onboarding import onboarded

DESCRIPTION = "org.matrix.msc4391.command_description"


@pytest.mark.parametrize("language", Language)
def test_each_described_command_is_one(language: Language) -> None:
    described = command_descriptions(language)
    for command in described:
        spoken = parse(typed(InvokedCommand(command.name), "!"), "!")
        assert isinstance(spoken, Spoken)
        taken = TABLE[spoken.name].argument
        assert [argument.is_optional for argument in command.arguments] == (
            [] if taken is None else [not taken.is_required]
        )
    assert len({command.name for command in described}) == len(described) > 15


def test_a_command_is_typed_with_its_arguments_in_order() -> None:
    command = InvokedCommand("set", (("key", "language"), ("value", "ru")))
    assert typed(command, "!") == "!set language ru"
    assert typed(InvokedCommand("!stop"), "!") == "!stop"


async def test_chats_describe_their_commands(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, space, chat = await onboarded(lab)
        state = lab.homeserver.rooms[chat].state()
        names = {e["content"]["command"] for e in state if e["type"] == DESCRIPTION}
        assert {"stop", "new", "clear"} <= names
        assert DESCRIPTION not in {e["type"] for e in lab.homeserver.rooms[space].state()}


async def test_a_command_that_is_spelled_out_counts(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        invoked = {"command": "rename", "arguments": {"name": "Garden party"}}
        said = lab.homeserver.say(
            service.room, ANNA, "what other clients show", **{DESCRIPTION[:-12]: invoked}
        )
        assert await lab.homeserver.answer(service.room, said) == TEXTS.rooms.renamed(
            "Garden party"
        )
        assert lab.agent.runs == []
