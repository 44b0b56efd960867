"""What every part of the surface works with, and the few things that all of them do with it."""

from attrs import frozen

from lambda_matrix.agent.roster import Agents
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.conversation.texts import Way
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.metrics import Metrics
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.links import way_to_chats
from lambda_matrix.surface.policy import Policy
from lambda_matrix.surface.sending.outbox import Outbox
from lambda_matrix.surface.writing.wording import notice_draft, reply_draft


@frozen(kw_only=True)
class Means:
    """The two sides, the store between them, the way out, and the words for it."""

    store: Store
    client: Client
    ourselves: Ourselves
    agents: Agents
    policy: Policy
    outbox: Outbox
    languages: Languages
    metrics: Metrics

    def reply_to(self, event: Incoming, text: str, *, once: str | None = None) -> Draft:
        """Return what is said to a command, or to a message that is no question."""
        return reply_draft(event, text, self.ourselves, once=once)

    async def reply(
        self, event: Incoming, text: str, *, once: str | None = None, ends_pick: bool = True
    ) -> None:
        """Settle `event` with a sentence (with `once`: the first time that this is told here)."""
        await self.settle(
            event, self.reply_to(event, text, once=once), once=once, ends_pick=ends_pick
        )

    async def decline(self, event: Incoming, text: str) -> None:
        """Settle what is not taken with a sentence that shows what it is about: a reply."""
        await self.settle(event, reply_draft(event, text, self.ourselves, is_quoting=True))

    async def say_new(self, room_id: RoomId, text: str, cause: str) -> None:
        """Say a sentence to nobody in particular, once for the same cause."""
        draft = notice_draft(room_id, text, self.ourselves, request=cause)
        await self.store.transact(requests.say_new, draft, self.ourselves)
        self.outbox.wake([room_id])

    async def say_once(self, draft: Draft, thing: str) -> None:
        """Say a sentence the first time that this thing is told in its room."""
        await self.store.transact(requests.say_once, draft, self.ourselves, once=thing)
        self.outbox.wake([draft.room_id])

    async def way_to_chats(self, owner: UserId) -> Way | None:
        """Return where the person's chats are; None while they are not made."""
        return await way_to_chats(self.store, owner, self.ourselves)

    async def settle(
        self,
        event: Incoming,
        *replies: Draft,
        once: str | None = None,
        ends_pick: bool = True,
    ) -> None:
        """Settle `event` together with what is said to it; nothing, if it was settled before."""
        await self.store.transact(
            requests.settle, event, replies, self.ourselves, once=once, ends_pick=ends_pick
        )
        if replies:
            self.outbox.wake([event.room_id])
