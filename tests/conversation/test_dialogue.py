"""A whole dialogue in one place, whatever is said in it by either side, in any order.

The rules are the surface's in small: a question starts a run, commands act, what an agent says is
folded into an answer and into the thread, and what it asks waits for a word.
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    Interrupt,
    MessagesReplaced,
    RunCancelled,
    RunFailed,
    RunFailure,
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
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.decide import (
    Ask,
    Decision,
    Execute,
    Pick,
    RemindOfConfirmation,
    SayNotHere,
    SayOutOfRange,
    Standing,
    decide,
    decide_file,
    ends_pick,
)
from lambda_matrix.conversation.ending import LONGEST_ANSWER, conclude
from lambda_matrix.conversation.interrupts import prompt_lines, resume_entries
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.limits import Bucket, Limits, QueueFull, Take, TooFast, admit
from lambda_matrix.conversation.parsing import parse
from lambda_matrix.conversation.texts import texts
from lambda_matrix.conversation.thread import RunMessages, bounded
from tests.lab.effort import examples

NAMES = ("Lambda", "@lambda:example.org")
LIMITS = Limits(burst=3, interval=5.0, waiting=4)
ALPHABETS = st.characters(exclude_categories=["Cs"])
"""Every script that there is; lone surrogates are replaced before anybody reads a text."""

any_text = st.text(ALPHABETS, max_size=12)
said = st.one_of(
    any_text,
    st.builds(
        lambda words, rest: f"{words}{rest}",
        st.sampled_from(["!", "!!", "Lambda: ", "@lambda "]),
        any_text,
    ),
    st.sampled_from(
        [
            "!help",
            "!помощь",
            "!stop all",
            "!yes 1",
            "!нет",
            "2",
            "№ 3",
            "!clear",
            "! a",
            "!ＨＥＬＰ",
        ]
    ),
)
ids = st.sampled_from(["a", "b", "c"])
json_texts = st.sampled_from(
    ["{}", "[]", "null", "not JSON", '{"a": {"b": [1]}}', '[{"op": "add"}]']
)
interrupts = st.builds(
    Interrupt,
    ids,
    any_text,
    st.none() | any_text,
    st.none() | ids,
    st.none() | st.sampled_from(["{}", '{"type": "boolean"}', "[1]"]),
    st.none() | st.sampled_from(["{}", '{"langgraph": {"raw": {"action_requests": [{}, {}]}}}']),
)
messages = st.builds(
    ThreadMessage,
    id=ids,
    role=st.sampled_from(["user", "assistant", "tool"]),
    content=any_text,
    tool_calls=st.lists(st.builds(ToolCall, ids, any_text, any_text), max_size=2).map(tuple),
    tool_call_id=st.none() | ids,
)
events: st.SearchStrategy[AgentEvent] = st.one_of(
    st.builds(TextStarted, ids),
    st.builds(TextDelta, ids, any_text),
    st.builds(TextDelta, ids, any_text),
    st.builds(ToolStarted, ids, any_text, st.none() | ids),
    st.builds(ToolArguments, ids, any_text),
    st.builds(ToolReturned, ids, ids, any_text),
    st.builds(ToolFinished, ids),
    st.builds(FileOffered, any_text, st.none() | any_text),
    st.builds(StateReplaced, json_texts),
    st.builds(StatePatched, json_texts),
    st.builds(MessagesReplaced, st.lists(messages, max_size=3).map(tuple)),
    st.just(RunFinished()),
    st.builds(RunInterrupted, st.lists(interrupts, min_size=1, max_size=2).map(tuple)),
    st.just(RunCancelled()),
    st.builds(RunFailed, any_text, st.none() | st.sampled_from(["model_busy", "else"])),
)


standings = st.builds(
    Standing,
    place=st.sampled_from(Place),
    addressed=st.booleans(),
    is_archived=st.booleans(),
    pick=st.none() | st.integers(1, 5),
    is_asked=st.booleans(),
    names=st.just(NAMES),
)


@settings(max_examples=examples(400))
@given(said, standings)
def test_what_is_said_never_goes_where_it_should_not(text: str, standing: Standing) -> None:
    check(text, standing, decide(text, standing, "!"))


def check(text: str, standing: Standing, decision: Decision) -> None:
    """A command is never asked, and only what is open is answered."""
    match decision:
        case Ask():
            assert parse(text) is None
            assert standing.place is Place.CHAT
            assert standing.addressed
            assert not standing.is_asked
            assert not standing.is_archived
        case Pick(number):
            assert standing.pick is not None
            assert 1 <= number <= standing.pick
        case SayOutOfRange(count):
            assert count == standing.pick
        case RemindOfConfirmation():
            assert standing.is_asked
        case Execute() | SayNotHere():
            assert "!" in text
        case _:
            assert (
                standing.place is not Place.CHAT or not standing.addressed or (standing.is_archived)
            )


class Dialogue(RuleBasedStateMachine):
    """A person, an agent, and what stands between them."""

    def __init__(self) -> None:
        super().__init__()
        self.standing = Standing(place=Place.CHAT, names=NAMES)
        self.language = Language.EN
        self.bucket: Bucket | None = None
        self.now = 0.0
        self.waiting: list[str] = []
        self.thread: tuple[ThreadMessage, ...] = ()
        self.draft: AnswerDraft | None = None
        self.run = RunMessages()
        self.asked: tuple[Interrupt, ...] = ()

    @rule(
        place=st.sampled_from(Place),
        addressed=st.booleans(),
        is_archived=st.booleans(),
        is_asked=st.booleans(),
        language=st.sampled_from(Language),
    )
    def go_elsewhere(
        self,
        place: Place,
        language: Language,
        *,
        addressed: bool,
        is_archived: bool,
        is_asked: bool,
    ) -> None:
        self.language = language
        self.asked = ()
        self.standing = Standing(
            place=place,
            addressed=addressed,
            is_archived=is_archived,
            is_asked=is_asked,
            names=NAMES,
        )

    @rule(text=said)
    def say(self, text: str) -> None:
        decision = decide(text, self.standing, "!")
        assert decision == decide(text, self.standing, "!")
        check(text, self.standing, decision)
        if ends_pick(decision):
            self.standing = evolve(self.standing, pick=None)
        if isinstance(decision, Ask):
            self.ask(decision.text)

    @rule(caption=st.none() | said)
    def send_a_file(self, caption: str | None) -> None:
        decision = decide_file(caption, self.standing, "!")
        assert not isinstance(decision, Ask) or not self.standing.is_asked

    @rule(count=st.integers(1, 5))
    def see_a_list(self, count: int) -> None:
        self.standing = evolve(self.standing, pick=count)

    def ask(self, text: str) -> None:
        self.now += 1
        verdict = admit(self.bucket, len(self.waiting), self.now, LIMITS)
        match verdict:
            case Take(bucket):
                self.bucket = bucket
                assert 0 <= bucket.tokens < LIMITS.burst
                self.waiting.append(text)
            case TooFast(wait):
                assert 0 < wait <= LIMITS.interval
            case QueueFull(waiting):
                assert waiting == len(self.waiting) >= LIMITS.waiting

    @precondition(lambda self: self.waiting and self.draft is None)
    @rule()
    def begin_a_run(self) -> None:
        question = ThreadMessage(id=f"q{self.now}", role="user", content=self.waiting.pop(0))
        self.thread = (*bounded(self.thread), question)
        self.draft, self.run = AnswerDraft(), RunMessages(self.thread)

    @precondition(lambda self: self.draft is not None)
    @rule(said_by_agent=st.lists(events, min_size=1, max_size=6))
    def hear_the_agent(self, said_by_agent: list[AgentEvent]) -> None:
        assert self.draft is not None
        for event in said_by_agent:
            self.draft.feed(event)
            self.run.feed(event)
            assert self.draft.has_text == bool(self.draft.text)
            assert self.draft.preview(texts(self.language).answers.tool_line).startswith(
                self.draft.text
            )

    @precondition(lambda self: self.draft is not None)
    @rule(
        failure=st.none() | st.sampled_from(RunFailure),
        stopped=st.booleans(),
        wait=st.none() | st.floats(1, 1e6),
    )
    def end_the_run(self, failure: RunFailure | None, wait: float | None, *, stopped: bool) -> None:
        """The answer has words of its own in every language, and all that the agent said."""
        assert self.draft is not None
        self.thread = (*self.thread, *self.run.messages)
        for language in Language:
            ending = conclude(
                self.draft,
                failure,
                texts(language),
                stopped=stopped,
                thread=self.thread,
                wait=wait,
            )
            assert ending.text.strip()
            assert ending.text.startswith(self.draft.text[:LONGEST_ANSWER])
            assert ending.own <= ending.text.count("\n\n") + 1
        outcome = self.draft.outcome
        is_asked = failure is None and not stopped and isinstance(outcome, RunInterrupted)
        self.asked = outcome.interrupts if is_asked and isinstance(outcome, RunInterrupted) else ()
        self.standing = evolve(self.standing, is_asked=bool(self.asked))
        self.draft = None

    @precondition(lambda self: self.asked)
    @rule(approved=st.frozensets(st.integers(1, 4)), reason=st.none() | any_text)
    def answer_it(self, approved: frozenset[int], reason: str | None) -> None:
        assert len(prompt_lines(self.asked, self.thread)) >= len(self.asked)
        entries = resume_entries(self.asked, approved, reason)
        assert [entry.interrupt_id for entry in entries] == [each.id for each in self.asked]
        self.asked = ()
        self.standing = evolve(self.standing, is_asked=False)


TestDialogue = Dialogue.TestCase
TestDialogue.settings = settings(max_examples=examples(250), stateful_step_count=30)
