"""The rehearsal's rarer events of AG-UI: state, thoughts, sub-agents, several texts. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lambda_matrix.reference.saying import LONGEST_PAUSE, answer, count, number, pieces, say
from lambda_matrix.reference.steps import Pause, Question, Spend, Step
from lambda_matrix.reference.wire import (
    ReasoningContent,
    ReasoningEnd,
    ReasoningMessageEnd,
    ReasoningMessageStart,
    ReasoningStart,
    StateDelta,
    StateSnapshot,
    TextChunk,
    TextContent,
    TextEnd,
    TextStart,
    ToolArgs,
    ToolEnd,
    ToolResult,
    ToolStart,
    Usage,
)

_MOST_TOOLS = 20
_MOST_PARAGRAPHS = 50


def use_tool(question: Question) -> Iterator[Step]:
    """Use one tool, for so many seconds."""
    words = len(question.text.split())
    yield from _call(f"{question.key}-call", question, number(question.argument) or 0.0)
    yield from answer(question, f"The tool `count_words` has counted: **{words}**.")


def use_tools(question: Question) -> Iterator[Step]:
    """Use several tools, one after the other."""
    many = count(question.argument, 2, _MOST_TOOLS)
    for position in range(1, many + 1):
        yield from _call(f"{question.key}-call-{position}", question, 0.0)
    yield from answer(question, f"The tool `count_words` was used {many} times.")


def _call(call: str, question: Question, seconds: float) -> Iterator[Step]:
    yield ToolStart(call, "count_words")
    yield ToolArgs(call, json.dumps({"text": question.text}))
    yield ToolEnd(call)
    yield Pause(min(seconds, LONGEST_PAUSE))
    yield ToolResult(f"{call}-result", call, json.dumps({"words": len(question.text.split())}))


def change_state(question: Question) -> Iterator[Step]:
    """Count the visits in the state that the client keeps for this conversation."""
    state = question.state
    visits = state.get("visits") if isinstance(state, dict) else None
    before = visits if isinstance(visits, int) else 0
    yield StateSnapshot({"visits": before, "thread": question.thread_id})
    yield StateDelta(({"op": "replace", "path": "/visits", "value": before + 1},))
    yield from answer(question, f"The state had {before} visits, and has {before + 1} now.")


def think(question: Question) -> Iterator[Step]:
    """Think aloud before the answer; thoughts are no part of it."""
    thought = f"{question.key}-thought"
    yield ReasoningStart(thought)
    yield ReasoningMessageStart(f"{thought}-1")
    yield ReasoningContent(f"{thought}-1", "A thought that nobody should read in the answer.")
    yield ReasoningMessageEnd(f"{thought}-1")
    yield ReasoningEnd(thought)
    yield from answer(question, "I have thought about it.")


def speak_through_another(question: Question) -> Iterator[Step]:
    """Let a sub-agent speak before the answer; what it says is no part of it."""
    message, run = f"{question.key}-aside", f"{question.key}-subagent"
    yield TextStart(message, subagent_run_id=run)
    yield TextContent(message, "A sub-agent's words, which are no answer.", subagent_run_id=run)
    yield TextEnd(message, subagent_run_id=run)
    yield from answer(question, "My sub-agent is done.")


def speak_in_paragraphs(question: Question) -> Iterator[Step]:
    """Say several text messages, which are the paragraphs of one answer."""
    many = count(question.argument, 2, _MOST_PARAGRAPHS)
    for position in range(1, many + 1):
        yield from say(f"{question.key}-answer-{position}", [f"Paragraph {position} of {many}."])


def speak_in_chunks(question: Question) -> Iterator[Step]:
    """Say the answer in the short form of text events."""
    for piece in pieces("This answer came in chunks, each of them an event of its own.", 3):
        yield TextChunk(f"{question.key}-answer", piece)


def spend(question: Question) -> Iterator[Step]:
    """Claim to have used so many tokens."""
    numbers = [number(word) for word in question.argument.split()[:2]]
    tokens_in, tokens_out = (int(one or 0) for one in [*numbers, None, None][:2])
    yield Spend(Usage("rehearsal", tokens_in, tokens_out))
    yield from answer(question, f"This took {tokens_in} tokens in and {tokens_out} out.")


def say_nothing(_: Question) -> Iterator[Step]:
    """End the run well without a word."""
    yield from ()
