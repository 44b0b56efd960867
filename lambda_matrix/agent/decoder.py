"""From the frames of one run to what the agent says (`agent_events`). Sans-IO, one per run.

The rules, after AG-UI 1.0 and docs/agent-wire.md:

* `RUN_STARTED` comes first, once, and names the run that was asked for: an answer that belongs
  elsewhere must never appear under this question. Only `RUN_ERROR` may come without it.
* Exactly one terminal event. What comes after it is dropped and counted, whatever it is.
* Only text of role `assistant`, and of no subagent, reaches the answer. Content of a message that
  was never started is fatal: nobody knows whose words those are.
* A chunk stands for start, content and end. The first of a message (a call) names it, later ones
  may leave the name out, and any event of another kind ends it.
* A tool is finished by its result. One whose result never comes (some agents send none) is
  finished when text goes on after its arguments were complete.
* What was left open when the run finishes is closed by the end: strictness would help nobody.
* Some agents (LangGraph's, around a model that does not stream) tell their text in a snapshot of
  the messages alone. Where nothing else was said it is the answer.
* What subagents do is no part of the thread. Their tool calls are shown, and that is all.
"""

from typing import assert_never

from lambda_matrix.agent.errors import BadFrame
from lambda_matrix.agent.frames import (
    Custom,
    Frame,
    Ignored,
    MessagesSnapshot,
    RunErrorFrame,
    RunFinishedFrame,
    RunStarted,
    StateDelta,
    StateSnapshot,
    TextChunk,
    TextContent,
    TextEnd,
    TextStart,
    ToolCallArgs,
    ToolCallChunk,
    ToolCallEnd,
    ToolCallResult,
    ToolCallStart,
    UnknownEvent,
)
from lambda_matrix.agent.outcome import outcome_of
from lambda_matrix.agent.parsing import parse_file, parse_frame
from lambda_matrix.agent.snapshot import parse_messages, text_of
from lambda_matrix.agent.strictness import json_text
from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    MessagesReplaced,
    RunOutcome,
    StatePatched,
    StateReplaced,
    TextDelta,
    TextStarted,
    ThreadMessage,
    ToolArguments,
    ToolFinished,
    ToolReturned,
    ToolStarted,
)
from lambda_matrix.ids import PlatformChatId, RunId

_NOTHING: tuple[AgentEvent, ...] = ()


class FrameDecoder:
    """Follows one run. `outcome` is None until the terminal event; `skipped` counts the dropped."""

    def __init__(self, thread_id: PlatformChatId, run_id: RunId, *, resuming: bool = False) -> None:
        """Begin; `resuming`: the run goes on after an interrupt, with no question of its own."""
        self.outcome: RunOutcome | None = None
        self.skipped = 0
        self._ids = (str(thread_id), run_id)
        self._resuming = resuming
        self._started = False
        self._has_spoken = False
        self._open_texts: dict[str, bool] = {}  # message id -> is it shown
        self._open_tools: dict[str, bool] = {}  # call id -> are its arguments complete
        self._inner_tools: set[str] = set()  # calls of subagents
        self._chunk_text: str | None = None
        self._chunk_tool: str | None = None

    def feed(self, text: str) -> tuple[AgentEvent, ...]:
        """Take one text frame; give what it says, which is often nothing.

        Raises:
            BadFrame: not JSON, not an event, an event out of order, or one of another run.
        """
        if self.outcome is not None:
            self.skipped += 1
            return _NOTHING
        frame = parse_frame(text)
        if isinstance(frame, UnknownEvent):
            self.skipped += 1
            return _NOTHING
        self._check_order(frame)
        self._end_chunks(frame)
        return self._decode(frame)

    def _check_order(self, frame: Frame) -> None:
        if isinstance(frame, RunStarted):
            if self._started:
                raise BadFrame("a second RUN_STARTED in one run")
            self._started = True
        elif not self._started and not isinstance(frame, RunErrorFrame):
            raise BadFrame("the first event is not RUN_STARTED")
        if isinstance(frame, RunStarted | RunFinishedFrame):
            ids = (frame.thread_id, frame.run_id)
            if ids != self._ids:
                raise BadFrame(f"an event of run {ids}, where {self._ids} was asked for")

    def _end_chunks(self, frame: Frame) -> None:
        if self._chunk_text is not None and not isinstance(frame, TextChunk):
            self._open_texts.pop(self._chunk_text, None)
            self._chunk_text = None
        if self._chunk_tool is not None and not isinstance(frame, ToolCallChunk):
            self._complete_tool(self._chunk_tool)
            self._chunk_tool = None

    def _decode(self, frame: Frame) -> tuple[AgentEvent, ...]:  # noqa: PLR0911 PLR0912 C901 - a closed union, one line for each
        match frame:
            case TextContent():
                return self._text_content(frame)
            case TextChunk():
                return self._text_chunk(frame)
            case TextStart():
                shown = frame.role in {None, "assistant"} and frame.subagent_run_id is None
                return self._start_text(frame.message_id, shown=shown)
            case TextEnd():
                self._end_text(frame)
                return _NOTHING
            case ToolCallStart():
                return self._start_tool(frame.tool_call_id, frame.tool_call_name, frame)
            case ToolCallArgs():
                return self._arguments(frame.tool_call_id, frame.delta)
            case ToolCallEnd():
                self._complete_tool(frame.tool_call_id)
                return _NOTHING
            case ToolCallChunk():
                return self._tool_chunk(frame)
            case ToolCallResult():
                return (*self._returned(frame), *self._finish_tool(frame.tool_call_id))
            case StateSnapshot():
                return (StateReplaced(json_text(frame.snapshot)),)
            case StateDelta():
                return (StatePatched(json_text(frame.delta)),)
            case MessagesSnapshot():
                messages = parse_messages(frame.messages)
                return (*self._untold(messages), MessagesReplaced(messages))
            case Custom():
                return self._custom(frame)
            case RunFinishedFrame() | RunErrorFrame():
                self.outcome = outcome_of(frame)
                return (self.outcome,)
            case RunStarted() | Ignored() | UnknownEvent():
                return _NOTHING
            case _:
                assert_never(frame)

    def _start_text(self, message_id: str, *, shown: bool) -> tuple[AgentEvent, ...]:
        if message_id in self._open_texts:
            raise BadFrame("a text message that is open is started again")
        self._open_texts[message_id] = shown
        return (*self._finish_complete_tools(), TextStarted(message_id)) if shown else _NOTHING

    def _text_content(self, frame: TextContent) -> tuple[AgentEvent, ...]:
        shown = self._open_texts.get(frame.message_id)
        if shown is None:
            raise BadFrame("content of a text message that was not started")
        return self._delta(frame.message_id, frame.delta, frame.subagent_run_id)

    def _end_text(self, frame: TextEnd) -> None:
        if self._open_texts.pop(frame.message_id, None) is None:
            raise BadFrame("the end of a text message that was not started")

    def _delta(
        self, message_id: str, delta: str | None, subagent: str | None
    ) -> tuple[AgentEvent, ...]:
        if not delta or subagent is not None or not self._open_texts[message_id]:
            return _NOTHING
        self._has_spoken = True
        return (TextDelta(message_id, delta),)

    def _untold(self, messages: tuple[ThreadMessage, ...]) -> tuple[AgentEvent, ...]:
        """Say what a snapshot has from this run, if nothing was said so far.

        A run's part begins after its question. One that resumes shares it with the run that asked,
        and begins after the results of what was decided.
        """
        if self._has_spoken:
            return _NOTHING
        before = max((n for n, each in enumerate(messages) if each.role == "user"), default=-1)
        if self._resuming:
            tools = (n for n, each in enumerate(messages) if each.role == "tool" and n > before)
            before = max(tools, default=len(messages))
        told: list[AgentEvent] = []
        for message in messages[before + 1 :]:
            if message.role == "assistant" and message.content:
                told += [TextStarted(message.id), TextDelta(message.id, message.content)]
        self._has_spoken = bool(told)
        return (*self._finish_complete_tools(), *told) if told else _NOTHING

    def _text_chunk(self, frame: TextChunk) -> tuple[AgentEvent, ...]:
        message_id = frame.message_id if frame.message_id is not None else self._chunk_text
        if message_id is None:
            raise BadFrame("the first chunk of a text message does not name it")
        started = _NOTHING
        if message_id not in self._open_texts:
            if self._chunk_text is not None:
                self._open_texts.pop(self._chunk_text)
            shown = frame.role in {None, "assistant"} and frame.subagent_run_id is None
            started = self._start_text(message_id, shown=shown)
            self._chunk_text = message_id
        return (*started, *self._delta(message_id, frame.delta, frame.subagent_run_id))

    def _start_tool(
        self, call_id: str, name: str, frame: ToolCallStart | ToolCallChunk
    ) -> tuple[AgentEvent, ...]:
        if call_id in self._open_tools:
            raise BadFrame("a tool call that is open is started again")
        self._open_tools[call_id] = False
        inner = frame.subagent_run_id is not None
        if inner:
            self._inner_tools.add(call_id)
        return (ToolStarted(call_id, name, frame.parent_message_id, by_subagent=inner),)

    def _tool_chunk(self, frame: ToolCallChunk) -> tuple[AgentEvent, ...]:
        call_id = frame.tool_call_id if frame.tool_call_id is not None else self._chunk_tool
        if call_id is None:
            raise BadFrame("the first chunk of a tool call does not name it")
        started = _NOTHING
        if call_id not in self._open_tools:
            if frame.tool_call_name is None:
                raise BadFrame("the first chunk of a tool call does not name the tool")
            if self._chunk_tool is not None:
                self._complete_tool(self._chunk_tool)
            self._chunk_tool = call_id
            started = self._start_tool(call_id, frame.tool_call_name, frame)
        return (*started, *self._arguments(call_id, frame.delta))

    def _arguments(self, call_id: str, delta: str | None) -> tuple[AgentEvent, ...]:
        taken = self._open_tools.get(call_id) is False and call_id not in self._inner_tools
        return (ToolArguments(call_id, delta),) if delta and taken else _NOTHING

    def _returned(self, frame: ToolCallResult) -> tuple[AgentEvent, ...]:
        """Give a result, also of a call that an earlier run made: that is what a resume brings."""
        if frame.subagent_run_id is not None or frame.tool_call_id in self._inner_tools:
            return _NOTHING
        return (ToolReturned(frame.tool_call_id, frame.message_id, text_of(frame.content)),)

    def _complete_tool(self, call_id: str) -> None:
        if call_id in self._open_tools:  # after a resume: a call of an earlier run
            self._open_tools[call_id] = True

    def _finish_tool(self, call_id: str) -> tuple[AgentEvent, ...]:
        known = self._open_tools.pop(call_id, None) is not None
        return (ToolFinished(call_id),) if known else _NOTHING

    def _finish_complete_tools(self) -> tuple[AgentEvent, ...]:
        complete = [call_id for call_id, done in self._open_tools.items() if done]
        return tuple(event for call_id in complete for event in self._finish_tool(call_id))

    def _custom(self, frame: Custom) -> tuple[AgentEvent, ...]:
        if frame.name != "file":
            return _NOTHING
        file = parse_file(frame.value)
        if file is None:
            self.skipped += 1
            return _NOTHING
        return (FileOffered(file.path, file.caption),)
