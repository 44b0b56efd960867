"""Something to say for each sentence of the catalogue: in each of its forms at least once."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import attrs

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.agent_faults import AgentFault
from lambda_matrix.conversation.catalogue.service import AgentState, ServiceFigures
from lambda_matrix.conversation.command_table import CommandName, Group, Place
from lambda_matrix.conversation.commands import (
    NeedsArgument,
    NumberAsName,
    TakesNothing,
    TakesNumbers,
    TakesOnly,
)
from lambda_matrix.conversation.setting_table import BadValue, UnknownSetting
from lambda_matrix.conversation.settings import (
    PersonSettings,
    ReplyStyle,
    SetLanguage,
    SetReplyStyle,
    SetStreaming,
    SetThreads,
    SetToolLines,
    Threads,
)
from lambda_matrix.conversation.texts import (
    AgentLine,
    ChatFacts,
    ChatLine,
    ContextFacts,
    Dashboard,
    Language,
    Link,
    LoadedFacts,
    SavedLine,
    SettingFacts,
    StagedLine,
    StatusFacts,
    Texts,
    UnsupportedKind,
    Way,
)
from lambda_matrix.ids import PlatformChatId

LINK = Link("2*2", "https://matrix.to/#/!abc?via=example.org")
WAY = Way(space=Link("Lambda", "https://matrix.to/#/!space"), chat=LINK)
STATUS = StatusFacts(agent="main", failure=None, running=1, waiting=2, version="1.0", sync_age=0.5)
FIGURES = ServiceFigures(
    up_for=5000,
    rooms=61,
    people=1,
    running=2,
    waiting=3,
    oldest=70,
    unsent=1,
    oldest_unsent=1.5,
    agents=(
        AgentState(name="a*b", is_up=True),
        AgentState(name="c_d", is_up=False),
        AgentState(name="e", is_up=None),
    ),
)
IDLE = ServiceFigures(
    up_for=1,
    rooms=1,
    people=0,
    running=0,
    waiting=0,
    oldest=None,
    unsent=0,
    oldest_unsent=None,
    agents=FIGURES.agents[:1],
)
COUNTS = [(count,) for count in (1, 2, 5, 21, 1234)]
TIMES = [(seconds,) for seconds in (0.2, 5.0, 59.7, 60.0, 300.0, 3599.0, 7200.0, 200_000.0)]
NAMES = [("a_b.png",), ("x",)]
NEAR = [("!x", "!y"), ("!x", None)]
SAVED = tuple(
    SavedLine("a*b", "2_2", count, 700 * count, 100.0 * count) for count in (1, 2, 5, 1000)
)
CONTEXT = ContextFacts(agent="a_b", platform_chat_id=PlatformChatId(7), messages=3, age=5000)
SETTINGS = SettingFacts(language=Language.EN, settings=PersonSettings())
CHAT = ChatFacts(agent="a_b", platform_chat_id=PlatformChatId(7), messages=12)
BOARD = Dashboard(
    person="@a_b:example.org", space=LINK, agent="a", chat=CHAT, settings=SETTINGS, version="1.0"
)
FILES = (StagedLine("a_b.png", 512, "image/png"), StagedLine("b", 1_234_567, "text/plain"))
PROBLEMS = [
    NeedsArgument(),
    TakesNothing(),
    TakesOnly("x"),
    TakesNumbers(),
    NumberAsName(),
    UnknownSetting("x", "y", ("a", "b")),
    UnknownSetting("x", None, ("a", "b")),
    BadValue("x", "y", ("a", "b")),
    BadValue("x", None, ("a", "b")),
]
CHANGES = [
    (SetLanguage(Language.RU),),
    (SetStreaming(is_on=False),),
    (SetReplyStyle(ReplyStyle.PLAIN),),
    (SetToolLines(is_on=True),),
    (SetThreads(Threads.OWN),),
]
SAMPLES: dict[str, list[tuple[Any, ...]]] = {
    "onboarding.delayed": TIMES,
    "onboarding.greeting_lobby": [(WAY,)],
    "onboarding.greeting_again": [(WAY,)],
    "onboarding.greeting_room": [(WAY,)],
    "onboarding.invited_again": [(WAY,)],
    "onboarding.encrypted_room": [(LINK,), (None,)],
    "rooms.chat_name": COUNTS,
    "rooms.moved_to": [(LINK,)],
    "rooms.new_chat": [(LINK,)],
    "rooms.new_chat_delayed": TIMES,
    "rooms.chats": [
        ((),),
        ((ChatLine(LINK, is_busy=False, agent="a"), ChatLine(LINK, is_busy=True)),),
        (
            (
                ChatLine(LINK, is_busy=True, waiting=3),
                ChatLine(LINK, is_busy=False, is_archived=True),
            ),
        ),
        ((ChatLine(LINK, is_busy=False, is_stale=True),),),
    ],
    "rooms.renamed": NAMES,
    "rooms.delete_prompt": TIMES,
    "rooms.stale": NAMES,
    "commands.help_outro": [(place,) for place in Place],
    "commands.heading": [(group,) for group in Group],
    "commands.line": [(name,) for name in CommandName],
    "commands.unknown": NEAR,
    "commands.bad_argument": [("!x", problem) for problem in PROBLEMS],
    "commands.not_here": [("!x", place) for place in Place],
    "commands.pick_out_of_range": COUNTS,
    "settings.agents": [
        ((),),
        ((AgentLine("a", "A_A"),),),
        ((AgentLine("a", "A", is_selected=True, is_here=True), AgentLine("b", "B")),),
    ],
    "settings.agent_selected": [("a", None), ("a", "b")],
    "settings.no_such_agent": NEAR,
    "settings.dashboard": [
        (BOARD,),
        (attrs.evolve(BOARD, space=None, chat=None),),
        (attrs.evolve(BOARD, chat=attrs.evolve(CHAT, is_archived=True, is_stale=True)),),
    ],
    "settings.all": [(SETTINGS,), (attrs.evolve(SETTINGS, threads=Threads.OWN),)],
    "settings.changed": CHANGES,
    "contexts.context": [
        (CONTEXT,),
        (attrs.evolve(CONTEXT, input_tokens=12_345, loaded="x", threads=Threads.OWN),),
        (attrs.evolve(CONTEXT, output_tokens=1, sent_limit=200, is_stale=True, saved=SAVED),),
    ],
    "contexts.saved": [("x", count) for (count,) in COUNTS],
    "contexts.saved_again": [("x", count) for (count,) in COUNTS],
    "contexts.name_taken": NAMES,
    "contexts.default_name": [("2", 1), ("2", 2)],
    "contexts.too_many_saved": COUNTS,
    "contexts.forgotten": NAMES,
    "contexts.no_such_saved": NEAR,
    "contexts.saved_list": [((),), (SAVED,)],
    "contexts.loaded": [
        (LoadedFacts(name="x", messages=5, left_out=left, is_cut=cut),)
        for left, cut in product((0, 1, 2, 5), (True, False))
    ],
    "contexts.source_gone": NAMES,
    "files.staged": [(FILES[0], 1), (FILES[1], 2), (attrs.evolve(FILES[0], size=340_000), 5)],
    "files.staged_list": [((),), (FILES,)],
    "files.removed": [(("a",),), (("a", "b"),), (("a", "b", "c"),)],
    "files.no_such_number": [(0,), *COUNTS],
    "files.too_many": COUNTS,
    "files.too_large": [("a", 50_000_000), ("a", 2_500_000_000), ("a", 1)],
    "files.type_refused": [("a", "text/html")],
    "files.not_fetched": NAMES,
    "files.encrypted": NAMES,
    "files.no_workspace": NAMES,
    "files.disk_full": NAMES,
    "files.folder_broken": NAMES,
    "files.not_all_inline": [(("a",), 20_000_000), (("a", "b"), 20_000_000)],
    "files.caption_only": NAMES,
    "files.offered_missing": NAMES,
    "files.offered_outside": NAMES,
    "files.offered_too_large": [("a", 60_000_000, 50_000_000)],
    "files.offered_unreadable": NAMES,
    "files.offered_not_sent": NAMES,
    "confirmations.prompt": [
        (("delete a_b",), None),
        (("a", "b"), 600.0),
        (("a", "b", "c"), 86_400.0),
    ],
    "confirmations.reminder": [(("a",),), (("a", "b"),), (("a", "b", "c"),)],
    "confirmations.consented": [(1, 1), (2, 5)],
    "confirmations.out_of_range": COUNTS,
    "questions.queued": COUNTS,
    "questions.queue_full": COUNTS,
    "questions.too_fast": TIMES,
    "questions.too_many_runs": COUNTS,
    "questions.stopped_all": COUNTS,
    "questions.unsupported": [(kind,) for kind in UnsupportedKind],
    "answers.tool_line": NAMES,
    "answers.failure": [(failure,) for failure in RunFailure],
    "answers.agent_fault": [(fault,) for fault in AgentFault],
    "answers.only_files": COUNTS,
    "service.status": [
        *((attrs.evolve(STATUS, sync_age=age),) for age in (None, *(s for (s,) in TIMES))),
        *((attrs.evolve(STATUS, failure=failure),) for failure in RunFailure),
        *((attrs.evolve(STATUS, service=figures),) for figures in (FIGURES, IDLE)),
    ],
}


def sentences(say: Texts) -> Iterator[tuple[str, str]]:
    """Everything that can be said, and its place in the catalogue."""
    for part in attrs.fields(Texts):
        if part.name == "language":
            continue
        for name, value in attrs.asdict(getattr(say, part.name), recurse=False).items():
            where = f"{part.name}.{name}"
            if isinstance(value, str):
                yield where, value
            else:
                for arguments in SAMPLES[where]:
                    yield where, value(*arguments)
