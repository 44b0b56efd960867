"""A thread's messages: what a run adds to them, and how many of them the next run is told.

An agent that does not remember by itself (`history = "client"`) is told the conversation with each
run, tool calls and their results included; stock agents want the calls resent also to go on after
an interrupt. Model providers refuse a conversation that is not well formed, for good: a call
without its result, a result without its call or far from it. So what is kept is well formed
whatever the agent said, and what is cut is cut where it may be.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, assert_never

from attrs import define, evolve, field

from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    JsonText,
    MessagesReplaced,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunInterrupted,
    StatePatched,
    StateReplaced,
    TextDelta,
    TextStarted,
    ThreadMessage,
    ToolArguments,
    ToolCall,
    ToolFinished,
    ToolReturned,
    ToolStarted,
)
from lambda_matrix.conversation.agent_state import AgentState

MOST_MESSAGES: Final = 200
MOST_BYTES: Final = 256 * 1024
"""How much of a conversation goes to an agent that is told all of it."""


@define
class _Call:
    id: str
    name: str
    arguments: list[str] = field(factory=list)

    def call(self) -> ToolCall:
        return ToolCall(self.id, _clean(self.name), _clean("".join(self.arguments)))


@define
class _Said:
    """An assistant's message in the making."""

    id: str
    text: list[str] = field(factory=list)
    calls: dict[str, _Call] = field(factory=dict)

    def message(self) -> ThreadMessage:
        return ThreadMessage(
            id=_clean(self.id),
            role="assistant",
            content=_clean("".join(self.text)),
            tool_calls=tuple(call.call() for call in self.calls.values()),
        )


class RunMessages:
    """What one run adds to its thread, and the state that it leaves there.

    Takes whatever comes, as `AnswerDraft` does. A snapshot of the agent's messages replaces what
    this run added so far by what follows the last known message in it; what an agent changes in
    the past, such as a summary in place of it, is its own affair.
    """

    def __init__(self, known: Iterable[ThreadMessage] = (), state: JsonText | None = None) -> None:
        """Begin a run on a thread of these messages, the run's own question among them.

        `known` should hold what an earlier run added also where the agent is not sent it: by it
        the result of a call that waited for an answer finds its call.
        """
        thread = tuple(known)
        answered = {message.tool_call_id for message in thread}
        calls = {call.id for message in thread for call in message.tool_calls}
        self._known_ids = {message.id for message in thread}
        self._known_calls = calls
        self._known_open = calls - answered
        self._state = AgentState(state)
        self._clear()
        self._is_waiting = False

    def _clear(self) -> None:
        self._said: dict[str, _Said] = {}
        self._calls: dict[str, _Call] = {}
        self._results: dict[str, ThreadMessage] = {}  # by the call that they answer
        self._latest: _Said | None = None  # what a call without a parent belongs to

    def feed(self, event: AgentEvent) -> None:  # noqa: C901 - a closed union, one line for each
        """Take in what the agent says next."""
        match event:
            case TextStarted(message_id):
                self._latest = self._assistant(message_id)
            case TextDelta(message_id, delta):
                self._assistant(message_id).text.append(delta)
            case ToolStarted():
                self._start_call(event)
            case ToolArguments(tool_call_id, delta):
                if (call := self._calls.get(_clean(tool_call_id))) is not None:
                    call.arguments.append(delta)
            case ToolReturned():
                self._take_result(event)
            case StateReplaced(state):
                self._state.replace(state)
            case StatePatched(patch):
                self._state.patch(patch)
            case MessagesReplaced(messages):
                self._replace(messages)
            case RunInterrupted():
                self._is_waiting = True
            case ToolFinished() | FileOffered() | RunFinished() | RunCancelled() | RunFailed():
                pass
            case _:
                assert_never(event)

    @property
    def messages(self) -> tuple[ThreadMessage, ...]:
        """What the run adds to the thread, well formed.

        Each result stands right after its call. A call without a result is left out, unless the run
        ended to ask: then it waits for the answer, and `settled` takes it out if none comes.
        """
        late = (self._results[call] for call in self._results if call in self._known_open)
        said = (said.message() for said in self._said.values())
        added = settled((*said, *self._results.values()), waiting=self._is_waiting)
        return (*late, *added)

    @property
    def state(self) -> JsonText | None:
        """The state to go along with the next run; None if there is none."""
        return self._state.text()

    @property
    def problem(self) -> str | None:
        """What was wrong with the state, for the journal; None if nothing was."""
        self._state.text()
        return self._state.problem

    def _assistant(self, message_id: str) -> _Said:
        return self._said.setdefault(message_id, _Said(message_id))

    def _start_call(self, event: ToolStarted) -> None:
        call_id = _clean(event.tool_call_id)
        if event.by_subagent or call_id in self._known_calls or call_id in self._calls:
            return  # a resumed run may tell again what it goes on with
        parent = event.parent_message_id
        if parent is not None and parent not in self._known_ids:
            self._latest = self._assistant(parent)
        elif self._latest is None:
            self._latest = self._assistant(f"{call_id}.call")
        self._calls[call_id] = self._latest.calls[call_id] = _Call(call_id, event.name)

    def _take_result(self, event: ToolReturned) -> None:
        self._latest = None  # what is called now is called in the light of it
        call_id = _clean(event.tool_call_id)
        self._results[call_id] = ThreadMessage(
            id=_clean(event.message_id),
            role="tool",
            content=_clean(event.content),
            tool_call_id=call_id,
        )

    def _replace(self, messages: tuple[ThreadMessage, ...]) -> None:
        added: list[ThreadMessage] = []
        for message in messages:
            if message.role == "user" or message.id in self._known_ids:
                added.clear()
            else:
                added.append(message)
        self._clear()
        for message in added:
            if message.tool_call_id is not None:
                self._take_result(ToolReturned(message.tool_call_id, message.id, message.content))
                continue
            self._latest = self._assistant(message.id)
            self._latest.text.append(message.content)
            for call in message.tool_calls:
                self._start_call(ToolStarted(call.id, call.name, message.id))
                self.feed(ToolArguments(call.id, call.arguments))


def settled(
    messages: Iterable[ThreadMessage], *, waiting: bool = False
) -> tuple[ThreadMessage, ...]:
    """Give a thread in the form that model providers take.

    Each call is followed by its result; calls and results without each other are left out, and
    messages in which nothing is left. With `waiting`, calls after the last question may be without
    result: a resume is to answer them.
    """
    thread = tuple(messages)
    results = {message.tool_call_id: message for message in thread if message.role == "tool"}
    last_question = max((n for n, each in enumerate(thread) if each.role == "user"), default=-1)
    formed: list[ThreadMessage] = []
    for n, message in enumerate(thread):
        if message.role == "assistant":
            may_wait = waiting and n > last_question
            made = {call.id: call for call in message.tool_calls}
            calls = tuple(call for call in made.values() if may_wait or call.id in results)
            if message.content or calls:
                formed.append(evolve(message, tool_calls=calls))
            formed += [results.pop(call.id) for call in calls if call.id in results]
        elif message.role == "user":
            formed.append(message)
    return tuple(formed)


def bounded(
    messages: Iterable[ThreadMessage],
    most: int = MOST_MESSAGES,
    size: int = MOST_BYTES,
    *,
    resuming: bool = False,
) -> tuple[ThreadMessage, ...]:
    """Give the newest of a thread's messages, settled: `most` of them and `size` bytes at most.

    It is cut before a question, never between a question and what belongs to it. An older turn
    that does not fit goes without its tool calls, or not at all. The newest turn goes as it is.
    With `resuming` (the run answers interrupts) its calls may still wait for their results.
    """
    turns = list(_turns(settled(messages, waiting=resuming)))
    kept: list[ThreadMessage] = turns.pop() if turns else []
    if kept and kept[0].role != "user" and not resuming:
        return ()
    for turn in reversed(turns):
        forms = (form + kept for form in (turn, _words(turn)))
        fitting = next((form for form in forms if _fits(form, most, size)), None)
        if fitting is None or fitting[0].role != "user":
            break
        kept = fitting
    return tuple(kept)


def _turns(thread: Iterable[ThreadMessage]) -> Iterator[list[ThreadMessage]]:
    """Give each question with what follows it; what comes before the first is a turn as well."""
    turn: list[ThreadMessage] = []
    for message in thread:
        if message.role == "user" and turn:
            yield turn
            turn = []
        turn.append(message)
    if turn:
        yield turn


def _words(turn: list[ThreadMessage]) -> list[ThreadMessage]:
    """Give what was said in a turn, without what was done."""
    return [evolve(said, tool_calls=()) for said in turn if said.content and said.role != "tool"]


def _fits(messages: list[ThreadMessage], most: int, size: int) -> bool:
    return len(messages) <= most and sum(map(_size, messages)) <= size


def _size(message: ThreadMessage) -> int:
    words = chain(
        (message.content,),
        *((call.name, call.arguments) for call in message.tool_calls),
        (attached.path for attached in message.attachments),
    )
    return sum(len(word.encode("utf-8", "replace")) for word in words)


def _clean(text: str) -> str:
    """Put together surrogates that came in pieces; a lone one, which nothing can keep, is lost."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
