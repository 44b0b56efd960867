"""What the bot keeps on the homeserver, where no member of any room can see or change it."""

from collections.abc import Mapping

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.store.records import Intent

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


def binding_content(intent: Intent) -> dict[str, object]:
    """Return the content under `BINDING_KEY` for a new chat."""
    return {
        "owner": intent.owner,
        "agent": intent.agent,
        "platform_chat_id": intent.platform_chat_id,
        "since_event": None,
        "loaded": None,
        "archived": False,
    }
