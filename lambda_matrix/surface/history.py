"""Reading conversations back from the homeserver, which is the archive.

A stretch is read from its last event backwards, so that of a long one the newest is had. It ends at
its first event, at the room's beginning, or at a bound: as much as agents are told, or as many
events as anybody would wait for.
"""

from collections.abc import Iterable
from functools import partial

from attrs import frozen

from lambda_matrix.account_data import Stretch
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.parsing import Page
from lambda_matrix.conversation.thread import MOST_MESSAGES, bounded
from lambda_matrix.ids import EventId, PlatformChatId, RoomId
from lambda_matrix.matrix_events import MalformedEvent
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import fails_or_hangs, persist
from lambda_matrix.surface.transcript import Transcript

PAGE = 250
BOUND = 5000
"""Events read of one stretch: each answer may have some thirty edits."""


@frozen
class Recalled:
    """What was said, oldest first. `left_out` could not be read; `is_cut`: there was more."""

    messages: tuple[ThreadMessage, ...] = ()
    left_out: int = 0
    is_cut: bool = False


@frozen
class History:
    """Reads what was said."""

    _means: Means

    async def recall(self, stretches: Iterable[Stretch]) -> Recalled:
        """Return what was said in the stretches, which are in order; the newest count most.

        Raises:
            MatrixError: not even the newest can be read, and no waiting will change that.
        """
        messages: tuple[ThreadMessage, ...] = ()
        left_out = 0
        is_cut = False
        for stretch in reversed(tuple(stretches)):
            if len(messages) >= MOST_MESSAGES:
                return Recalled(messages, left_out, is_cut=True)
            try:
                found = await self.read(
                    stretch.room_id,
                    stretch.platform_chat_id,
                    first=stretch.first_event,
                    last=stretch.last_event,
                )
            except MatrixError:
                if not messages:
                    raise
                return Recalled(messages, left_out, is_cut=True)
            known = {message.id for message in messages}
            both = (*(each for each in found.messages if each.id not in known), *messages)
            messages = bounded(both)
            left_out += found.left_out
            is_cut = is_cut or found.is_cut or len(messages) < len(both)
        return Recalled(messages, left_out, is_cut)

    async def read(
        self, room_id: RoomId, context: PlatformChatId, *, first: EventId | None, last: EventId
    ) -> Recalled:
        """Return what was said in that context from `first` (the room's beginning) to `last`.

        Raises:
            MatrixError: it cannot be read, and no waiting will change that.
        """
        me, policy = self._means.ourselves.user_id, self._means.policy
        transcript = Transcript(me, (policy.name, me), policy.command_prefix, context)
        place = await persist(
            partial(self._means.client.context, room_id, last), is_failing=fails_or_hangs
        )
        page = Page((place.event,), place.before)
        read = 0
        while True:
            for event in page.events:
                transcript.take(event)
                if not isinstance(event, MalformedEvent) and event.event_id == first:
                    return _told(transcript, is_cut=False)
            read += len(page.events)
            if read >= BOUND or transcript.count > MOST_MESSAGES:
                return _told(transcript, is_cut=True)
            if not page.events or page.end is None:
                return _told(transcript, is_cut=False)
            page = await persist(
                partial(self._means.client.messages, room_id, from_=page.end, limit=PAGE),
                is_failing=fails_or_hangs,
            )


def _told(transcript: Transcript, *, is_cut: bool) -> Recalled:
    told = transcript.messages()
    messages = bounded(told)
    return Recalled(messages, transcript.left_out, is_cut or len(messages) < len(told))
