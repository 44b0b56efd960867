"""`!yes`, `!no`, `!delete`: what waits for one person's word in one room.

A word on what an agent asks is a request like any other: the command is its question, and what the
agent says then is its answer, so it has no reply of its own. It goes before everything that waits
in the context, and with it, in one transaction, the confirmation is closed. What is not on this
side any more when the word is given (expired, withdrawn, the database lost) is said in a sentence.
"""

import time
from typing import Literal

from attrs import frozen

from lambda_matrix.agent_events import Interrupt
from lambda_matrix.conversation.interrupts import prompt_lines, resume_entries
from lambda_matrix.ids import RoomId
from lambda_matrix.store import standing
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.questions import changes
from lambda_matrix.store.records import Confirmation, Draft, Question
from lambda_matrix.surface.commands.order import Order, Said
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.endings import Endings
from lambda_matrix.surface.runs.expiry import Expiry
from lambda_matrix.surface.runs.taking import Taking, new_request_id
from lambda_matrix.surface.writing.wording import notice_draft

DELETE_WAITS = 600.0
"""Seconds for which `!delete` waits to be confirmed."""


@frozen
class _Asked:
    """A confirmation of an agent's, with what it is about."""

    confirmation: Confirmation
    interrupts: tuple[Interrupt, ...]
    lines: tuple[str, ...]


@frozen
class ConfirmationCommands:
    """The commands that ask and answer. `runs` answer what waits."""

    _means: Means
    _taking: Taking
    _runs: Lanes[RoomId]
    _expiry: Expiry
    _endings: Endings

    async def ask_to_delete(self, order: Order) -> None:
        """Ask whether the chat is to end for good."""
        asked = Confirmation(
            user_id=order.sender,
            room_id=order.room_id,
            kind="delete",
            expires_at=time.time() + DELETE_WAITS,
        )
        prompt = self._means.reply_to(order.message, order.texts.rooms.delete_prompt(DELETE_WAITS))
        await self._means.store.transact(
            changes.ask_us, order.message, asked, prompt, self._means.ourselves
        )
        self._expiry.look_again()
        self._means.outbox.wake([order.room_id])
        self._go_on(order.room_id)  # whatever else they were asked here is over

    async def consent(self, order: Order, numbers: tuple[int, ...]) -> None:
        """Take a `!yes`: to all that is asked, or to these alone."""
        confirmation = await self._wanted(order)
        if confirmation is None:
            return
        if confirmation.kind == "delete":
            await self._endings.end(order.message, order.texts)
            return
        asked = await self._look_up(confirmation)
        count = len(asked.lines)
        if any(number > count for number in numbers):
            await self._means.reply(order.message, order.texts.confirmations.out_of_range(count))
            return
        approved = frozenset(numbers)
        if not approved or len(approved) == count:
            await self._pass_on(order, asked, "all")
            return
        partly = order.texts.confirmations.consented(len(approved), count)
        await self._pass_on(order, asked, approved, said=partly)

    async def refuse(self, order: Order, reason: str | None) -> None:
        """Take a `!no`."""
        confirmation = await self._wanted(order)
        if confirmation is None:
            return
        if confirmation.kind == "delete":
            await self._drop(order, order.texts.rooms.kept)
            return
        await self._pass_on(order, await self._look_up(confirmation), frozenset(), reason=reason)

    async def remind(self, order: Said) -> None:
        """Say what is pending, to a text that is neither a yes nor a no."""
        wanted = await self._means.store.transact(standing.word_wanted, order.room_id, order.sender)
        if wanted.mine is None:  # it has expired since the text was looked at
            text = order.texts.confirmations.expired
        elif wanted.mine.kind == "delete":
            text = order.texts.rooms.delete_prompt(max(wanted.mine.expires_at - time.time(), 0))
        else:
            text = order.texts.confirmations.reminder((await self._look_up(wanted.mine)).lines)
        await self._means.reply(order.message, text)

    async def remind_if_asked(self, order: Order) -> bool:
        """Say what an agent wants to know from the sender; return whether there is anything."""
        wanted = await self._means.store.transact(standing.word_wanted, order.room_id, order.sender)
        is_asked = wanted.mine is not None and not wanted.has_expired
        if is_asked and wanted.mine is not None and wanted.mine.kind == "interrupts":
            await self.remind(order)
            return True
        return False

    async def _wanted(self, order: Order) -> Confirmation | None:
        """Return what the sender is asked here; None, and that is said, if nothing is."""
        wanted = await self._means.store.transact(standing.word_wanted, order.room_id, order.sender)
        if wanted.mine is not None and not wanted.has_expired:
            return wanted.mine
        confirmations = order.texts.confirmations
        if wanted.mine is not None:
            await self._drop(order, confirmations.expired)
        else:
            text = confirmations.not_yours if wanted.others else confirmations.nothing_pending
            await self._means.reply(order.message, text)
        return None

    async def _look_up(self, confirmation: Confirmation) -> _Asked:
        assert confirmation.platform_chat_id is not None  # noqa: S101 - an agent's has a context
        thread = await self._means.store.transact(contexts.thread, confirmation.platform_chat_id)
        lines = prompt_lines(thread.interrupts, (*thread.loaded, *thread.messages))
        return _Asked(confirmation, thread.interrupts, lines)

    async def _pass_on(
        self,
        order: Order,
        asked: _Asked,
        approved: frozenset[int] | Literal["all"],
        *,
        reason: str | None = None,
        said: str | None = None,
    ) -> None:
        """Have the agent told; what it says then is the answer to this command."""
        question = await self._question(order, asked, approved, reason)
        notice: tuple[Draft, ...] = ()
        if said is not None:
            cause = f"partly:{order.message.event_id}"
            notice = (notice_draft(order.room_id, said, self._means.ourselves, request=cause),)
        taken = await self._means.store.transact(
            changes.answer_for,
            order.message,
            asked.confirmation,
            question,
            notice,
            self._means.ourselves,
        )
        if taken is None:  # it has expired just now
            await self._drop(order, order.texts.confirmations.expired)
            return
        self._means.outbox.wake([order.room_id])
        self._go_on(order.room_id)

    async def _question(
        self,
        order: Order,
        asked: _Asked,
        approved: frozenset[int] | Literal["all"],
        reason: str | None,
    ) -> Question:
        """Return the request that takes the word to where it was asked."""
        number = asked.confirmation.platform_chat_id
        earlier = await self._means.store.transact(changes.by_id, asked.confirmation.request)
        context = None
        if number is not None:
            context = await self._means.store.transact(contexts.context, number)
        agent, here = await self._taking.destination(order)
        return Question(
            request_id=new_request_id(),
            text=order.message.body,
            agent=agent if context is None else context.agent,
            platform_chat_id=here if number is None else number,
            thread_root=order.message.thread_root if earlier is None else earlier.thread_root,
            origin=None if earlier is None else earlier.origin or earlier.question,
            resume=resume_entries(asked.interrupts, approved, reason),
            as_reply=not order.room.is_private,
        )

    async def _drop(self, order: Order, text: str) -> None:
        """Settle the command: what its sender was asked is over."""
        reply = self._means.reply_to(order.message, text)
        await self._means.store.transact(changes.drop, order.message, reply, self._means.ourselves)
        self._means.outbox.wake([order.room_id])
        self._go_on(order.room_id)

    def _go_on(self, room_id: RoomId) -> None:
        """What had to wait for the sender's word waits no longer."""
        self._runs.wake([room_id])
