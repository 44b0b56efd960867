"""An answer while it is being made: typing, the first visible event (T1b), and preview edits.

The pace: nothing for a moment, since most answers are there by then; then typing, if there is no
text; then the first text as an event of its own, committed before it is sent; then edits of it, at
growing intervals and not too many (clients keep every one). Where the homeserver limits the rate,
only what costs no answer's end its time is shown, and an answer that cannot be begun is one event.
"""

import trio
from attrs import define, field

from lambda_matrix.agent_events import AgentEvent
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Attempt, Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface.runs.asking import Asked
from lambda_matrix.surface.runs.closing import Closing
from lambda_matrix.surface.sending.outbox import Outbox, Preview
from lambda_matrix.surface.sending.signals import TYPING_REFRESH, Signals
from lambda_matrix.surface.writing.wording import preview_content, root_draft

QUICK = 0.4
"""Seconds within which a whole answer is one event, without typing or preview."""
SETTLE = 0.2
"""Seconds from the first text to the first visible event: it may be the whole answer."""
FIRST_INTERVAL = 1.0
INTERVAL_GROWTH = 1.15
LONGEST_INTERVAL = 10.0
EDITS_MOST = 30
"""Preview edits of one answer; then only the final."""


@define
class Progress:
    """The draft of one attempt, and what is shown of it.

    `root` is the row of its first event; `closing` is what the run leaves, once there is a run.
    """

    attempt: Attempt
    _store: Store
    _ourselves: Ourselves
    _outbox: Outbox
    _signals: Signals
    _texts: Texts
    draft: AnswerDraft = field(factory=AnswerDraft)
    closing: Closing | None = None
    root: int | None = field(init=False)
    _changed: trio.Event = field(factory=trio.Event)
    _typing: bool = False

    def __attrs_post_init__(self) -> None:
        self.root = self.attempt.root

    def begin(self, asked: Asked) -> None:
        """The agent is asked this; nothing has come from it yet."""
        self.closing = Closing(asked)

    def feed(self, event: AgentEvent) -> None:
        """Take in what the agent says; never waits."""
        self.draft.feed(event)
        if self.closing is not None:
            self.closing.feed(event)
        self._changed.set()

    async def show(self) -> None:
        """Show the draft until cancelled, or, without streaming, that it is being made."""
        await trio.sleep(QUICK)
        if not self.attempt.settings.streaming:
            await self._keep_typing()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_typing)
            await self._show_text()

    def over(self) -> None:
        """The run is over: nobody is typing any more."""
        if self._typing:
            self._signals.typing(self.attempt.request.room_id, on=False)

    async def _keep_typing(self) -> None:
        while True:
            self._typing = True
            self._signals.typing(self.attempt.request.room_id, on=True)
            await trio.sleep(TYPING_REFRESH)

    async def _show_text(self) -> None:
        request, style = self.attempt.request, self.attempt.settings.reply_style
        shown = ""
        interval = FIRST_INTERVAL
        for _ in range(EDITS_MOST):
            text = await self._new_text(shown)
            if self.root is None:
                # Many agents think for long and then say everything at once.
                await trio.sleep(SETTLE)
                await self._outbox.begin(request.room_id)
                text = self._preview()
                root = root_draft(request, text, self._ourselves, style)
                # Cut off here it is not committed: never committed and unknown to the final.
                self.root = await self._store.transact(requests.open_answer, root, self._ourselves)
                if self.root is None:
                    return  # withdrawn: nothing is to be shown any more
                self._outbox.wake([request.room_id])
            else:
                content = preview_content(request, text, self._ourselves, style)
                self._outbox.preview(request.room_id, Preview(self.root, content))
            shown = text
            await trio.sleep(interval)
            interval = min(interval * INTERVAL_GROWTH, LONGEST_INTERVAL)

    async def _new_text(self, shown: str) -> str:
        """Wait until there is something else to be shown than `shown`; return it."""
        while True:
            text = self._preview()
            if text and text != shown and (self.draft.has_text or self.root is not None):
                return text
            await self._changed.wait()
            self._changed = trio.Event()

    def _preview(self) -> str:
        if not self.attempt.settings.tool_lines:
            return self.draft.text
        return self.draft.preview(self._texts.answers.tool_line)
