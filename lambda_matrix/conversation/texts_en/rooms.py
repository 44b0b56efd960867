"""What is said of chats as places."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.catalogue.rooms import ChatLine, RoomTexts
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal
from lambda_matrix.conversation.texts_en.wording import duration, span


def room_texts(quote: Quote) -> RoomTexts:
    """Return the sentences, with the commands as `quote` has them."""
    new, unarchive = quote(CommandName.NEW), quote(CommandName.UNARCHIVE)
    yes, no = quote(CommandName.YES), quote(CommandName.NO)
    return RoomTexts(
        space_name="Chats with Lambda",
        space_topic="Each room is a conversation of its own, with its own memory",
        chat_name=lambda number: "First chat" if number == 1 else f"Chat {number}",
        chat_topic="A conversation with Lambda",
        new_chat=lambda link: f"Your new chat: {link}. The invitation is on its way.",
        new_chat_delayed=lambda wait: (
            "The homeserver lets me create only so many rooms at a time. The chat will be there "
            f"in {duration(wait)}."
        ),
        new_chat_failed=(
            f"I could not create the chat: the homeserver would not let me. Please try {new} again "
            "later."
        ),
        chats=lambda lines: _chats(lines, new),
        renamed=lambda name: f"This chat is now called “{literal(name)}”.",
        rename_refused=(
            "I am not allowed to change the name of this room. You can do it in the room's "
            "settings, if you have the right to."
        ),
        archived=(
            "This chat is archived: I have taken it out of your Space and answer no more questions "
            f"in it. Nothing is lost; {unarchive} brings it back."
        ),
        already_archived=f"This chat is archived already. {unarchive} brings it back.",
        archived_question=(
            "This chat is archived, so I have not passed your question on. "
            f"{unarchive} brings the chat back, {new} opens a new one."
        ),
        unarchived="Welcome back! This chat is in your Space again, and I answer here.",
        not_archived="This chat is not archived.",
        delete_prompt=lambda wait: (
            "Shall I delete this chat? I will forget it and leave the room, and there is no way "
            f"back. {yes} deletes it, {no} keeps it. I will wait for {span(wait)}."
        ),
        deleted=(
            "This chat is over, and I have forgotten it. You can leave the room now. Thank you for "
            "the conversation!"
        ),
        kept="Good, this chat stays.",
        refused="The homeserver would not let me do that. Please try again later.",
        owner_only="Only the owner of this chat can do that.",
        bound=(
            "This room is a chat now. Ask me anything; where there are more than two of us, "
            "mention me or reply to me, so that I know that you mean me."
        ),
        already_bound="This room is a chat already. Just ask.",
        bind_needs_power=(
            "To make this room a chat, you need the right to change its name. Please ask somebody "
            "who has it."
        ),
        moved_here="I have moved here with you: this chat goes on where it was.",
        moved_to=lambda link: f"This chat goes on in {link}; here I do not answer any more.",
        not_invited=(
            "This room has been replaced, and I am not allowed into the new one. Please invite me "
            "there, and the chat goes on in it."
        ),
        space_not_moved=(
            "Your Space has been replaced, but I could not make sure that the new one is its "
            "continuation. Your chats stay in the old one."
        ),
        not_moved=(
            "This room has been replaced, but I could not make sure that the new one is the same "
            f"chat, so I have not moved there. {new} opens a new chat."
        ),
        stale=lambda agent: (
            f"The agent of this chat, {as_code(agent)}, is no longer there, so nobody can answer "
            f"here. {new} opens a chat with another agent."
        ),
    )


def _chats(lines: Sequence[ChatLine], new: str) -> str:
    if not lines:
        return f"You have no chats yet. {new} opens one."
    return "Your chats:\n" + "\n".join(f"- {_chat(line)}" for line in lines)


def _chat(line: ChatLine) -> str:
    agent = "" if line.agent is None else f", with {literal(line.agent)}"
    return f"{line.link}{agent} – {_state(line)}"


def _state(line: ChatLine) -> str:
    if line.is_archived:
        return "archived"
    if line.is_stale:
        return "its agent is gone"
    if not line.is_busy:
        return "idle"
    return f"answering, {line.waiting} waiting" if line.waiting else "answering"
