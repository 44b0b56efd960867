"""What the bot keeps on the homeserver, where no member of any room can see or change it."""

from collections.abc import Mapping

from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import PlatformChatId, UserId
from lambda_matrix.store.records import Binding

SEQUENCE_KEY = "ru.coredump.lambda.sequence"
"""Global account data: the highest `platform_chat_id` ever used, PUT before it is used."""
BINDING_KEY = "ru.coredump.lambda.binding"
"""Room account data: what a chat room is bound to."""


def sequence_content(highest: PlatformChatId) -> dict[str, object]:
    """Return the content under `SEQUENCE_KEY`."""
    return {"highest": highest}


def read_sequence(content: Mapping[str, object] | None) -> PlatformChatId:
    """Return the highest number ever used, 0 where none is noted."""
    highest = None if content is None else content.get("highest")
    return PlatformChatId(highest if isinstance(highest, int) and highest > 0 else 0)


def person_key(user_id: UserId) -> str:
    """Return the key of the global account data with what this person chose."""
    return f"ru.coredump.lambda.person.{user_id}"


def person_content(chosen: PersonSettings) -> dict[str, object]:
    """Return the content under `person_key`."""
    return {
        "language": None if chosen.language is None else chosen.language.value,
        "streaming": chosen.streaming,
        "reply_style": chosen.reply_style.value,
        "tool_lines": chosen.tool_lines,
        "agent": chosen.agent,
    }


def binding_content(binding: Binding) -> dict[str, object]:
    """Return the content under `BINDING_KEY`."""
    return {
        "owner": binding.owner,
        "agent": binding.agent,
        "platform_chat_id": binding.platform_chat_id,
        "since_event": binding.since_event,
        "loaded": [
            {
                "room_id": stretch.room_id,
                "first_event": stretch.first_event,
                "last_event": stretch.last_event,
            }
            for stretch in binding.loaded
        ],
        "archived": binding.archived,
        "own_threads": binding.own_threads,
        "threads": dict(binding.threads),
    }
