"""What the bot keeps on the homeserver, where no member of any room can see or change it."""

from collections.abc import Iterable, Mapping

from lambda_matrix.account_data import Binding, SavedContext, Stretch
from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId

SEQUENCE_KEY = "ru.coredump.lambda.sequence"
"""Global account data: the highest `platform_chat_id` ever used, PUT before it is used."""
BINDING_KEY = "ru.coredump.lambda.binding"
"""Room account data: what a chat room is bound to."""
SAVED_KEY = "ru.coredump.lambda.saved"
"""Global account data, one for each person: what they saved, under what names."""
_MILLI = 1000


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
        "loaded": _stretches_content(binding.loaded),
        "archived": binding.archived,
        "own_threads": binding.own_threads,
        "threads": dict(binding.threads),
    }


def saved_key(user_id: UserId) -> str:
    """Return the key of what this person saved."""
    return f"{SAVED_KEY}.{user_id}"


def saved_content(saved: Iterable[SavedContext]) -> dict[str, object]:
    """Return the content under `saved_key`; times are in milliseconds since the epoch."""
    return {
        "saved": [
            {
                "name": each.name,
                "stretches": _stretches_content(each.stretches),
                "agent": each.agent,
                "messages": each.messages,
                "size": each.size,
                "saved_at": round(each.saved_at * _MILLI),
            }
            for each in saved
        ]
    }


def read_saved(user_id: UserId, content: Mapping[str, object] | None) -> tuple[SavedContext, ...]:
    """Return what the person saved; what is not as `saved_content` writes it is left out."""
    entries = None if content is None else content.get("saved")
    found = (_saved(user_id, entry) for entry in _objects(entries))
    return tuple(saved for saved in found if saved is not None)


def _saved(user_id: UserId, entry: Mapping[str, object]) -> SavedContext | None:
    stretches = tuple(map(_stretch, _objects(entry.get("stretches"))))
    match entry:
        case {
            "name": str(name),
            "agent": str(agent),
            "messages": int(messages),
            "size": int(size),
            "saved_at": int(saved_at),
        } if stretches and None not in stretches:
            return SavedContext(
                user_id=user_id,
                name=name,
                stretches=tuple(stretch for stretch in stretches if stretch is not None),
                agent=AgentId(agent),
                messages=messages,
                size=size,
                saved_at=saved_at / _MILLI,
            )
        case _:
            return None


def _stretches_content(stretches: Iterable[Stretch]) -> list[dict[str, object]]:
    return [
        {
            "room_id": stretch.room_id,
            "first_event": stretch.first_event,
            "last_event": stretch.last_event,
            "platform_chat_id": stretch.platform_chat_id,
        }
        for stretch in stretches
    ]


def _stretch(content: Mapping[str, object]) -> Stretch | None:
    match content:
        case {
            "room_id": str(room_id),
            "first_event": str(first),
            "last_event": str(last),
            "platform_chat_id": int(number),
        }:
            return Stretch(
                room_id=RoomId(room_id),
                first_event=EventId(first),
                last_event=EventId(last),
                platform_chat_id=PlatformChatId(number),
            )
        case _:
            return None


def _objects(value: object) -> Iterable[Mapping[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
