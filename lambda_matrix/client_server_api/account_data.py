"""What the bot keeps on the homeserver, where no member of any room can see or change it.

It is read as strictly as it is written: what is not as we write it is not ours, whoever put it
there, and means nothing.
"""

from collections.abc import Iterable
from typing import Final, Literal

from lambda_matrix.account_data import (
    Binding,
    KeptSaved,
    KeptSettings,
    NothingChosen,
    SavedContext,
    Stretch,
    Unbound,
)
from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    integer_at,
    is_id,
    list_at,
    text_at,
)
from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import AgentId, EventId, InstanceId, PlatformChatId, RoomId, UserId

SEQUENCE_KEY: Final = "ru.coredump.lambda.sequence"
"""Global account data: the highest `platform_chat_id` ever used, PUT before it is used."""
BINDING_KEY: Final = "ru.coredump.lambda.binding"
"""Room account data: what a chat room is bound to."""
PERSON_PREFIX: Final = "ru.coredump.lambda.person."
"""Global account data, one for each person: what they chose. Their id follows."""
SAVED_PREFIX: Final = "ru.coredump.lambda.saved."
"""Global account data, one for each person: what they saved, under what names. Likewise."""
INSTANCE_KEY: Final = "ru.coredump.lambda.instance"
"""Global account data: the start of the service that is to answer; the others fall silent."""
_MILLI = 1000
_LANGUAGES: Final[dict[str, Literal["en", "ru"]]] = {"en": "en", "ru": "ru"}
_STYLES: Final[dict[str, Literal["formatted", "plain"]]] = {
    "formatted": "formatted",
    "plain": "plain",
}


def sequence_content(highest: PlatformChatId) -> dict[str, object]:
    """Return the content under `SEQUENCE_KEY`."""
    return {"highest": highest}


def read_sequence(content: JsonObject | None) -> PlatformChatId:
    """Return the highest number ever used, 0 where none is noted."""
    return PlatformChatId(max(0, integer_at(content or {}, "highest") or 0))


def instance_content(instance: InstanceId) -> dict[str, object]:
    """Return the content under `INSTANCE_KEY`."""
    return {"instance": instance}


def read_instance(content: JsonObject) -> InstanceId | None:
    """Return the start that announced itself; None for what is not as `instance_content` is."""
    instance = id_at(content, "instance")
    return None if instance is None else InstanceId(instance)


# -- people --


def person_key(user_id: UserId) -> str:
    """Return the key of the global account data with what this person chose."""
    return f"{PERSON_PREFIX}{user_id}"


def person_content(chosen: PersonSettings) -> dict[str, object]:
    """Return the content under `person_key`."""
    return {
        "language": None if chosen.language is None else chosen.language.value,
        "streaming": chosen.streaming,
        "reply_style": chosen.reply_style.value,
        "tool_lines": chosen.tool_lines,
        "agent": chosen.agent,
    }


def read_person(user_id: UserId, content: JsonObject) -> KeptSettings | NothingChosen | None:
    """Return what the person chose; None for what is not as `person_content` writes it."""
    if not content:
        return NothingChosen(user_id)
    language, style = content.get("language"), content.get("reply_style")
    streaming, tool_lines = content.get("streaming"), content.get("tool_lines")
    agent = content.get("agent")
    if not (isinstance(streaming, bool) and isinstance(tool_lines, bool)):
        return None
    if not (isinstance(style, str) and style in _STYLES and (agent is None or is_id(agent))):
        return None
    if language is not None and not (isinstance(language, str) and language in _LANGUAGES):
        return None
    return KeptSettings(
        user_id=user_id,
        language=None if language is None else _LANGUAGES[language],
        streaming=streaming,
        reply_style=_STYLES[style],
        tool_lines=tool_lines,
        agent=None if agent is None else AgentId(agent),
    )


# -- chats --


def binding_content(binding: Binding) -> dict[str, object]:
    """Return the content under `BINDING_KEY`; that of what is bound no more is `{}`."""
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


def read_binding(content: JsonObject) -> Binding | Unbound | None:
    """Return what the chat is bound to; None for what is not as it is written."""
    if not content:
        return Unbound()
    owner, agent = id_at(content, "owner"), id_at(content, "agent")
    number, since = _number_at(content, "platform_chat_id"), content.get("since_event")
    archived, own_threads = content.get("archived"), content.get("own_threads")
    loaded, threads = _stretches(content, "loaded"), _threads(content)
    if owner is None or agent is None or number is None or loaded is None or threads is None:
        return None
    if not (isinstance(archived, bool) and isinstance(own_threads, bool)):
        return None
    if since is not None and not is_id(since):
        return None
    return Binding(
        owner=UserId(owner),
        agent=AgentId(agent),
        platform_chat_id=number,
        since_event=None if since is None else EventId(since),
        loaded=loaded,
        archived=archived,
        own_threads=own_threads,
        threads=threads,
    )


def _threads(content: JsonObject) -> tuple[tuple[EventId, PlatformChatId], ...] | None:
    threads = content.get("threads")
    if not isinstance(threads, dict):
        return None
    read = [(EventId(root), _number_at(threads, root)) for root in threads if is_id(root)]
    pairs = tuple((root, number) for root, number in read if number is not None)
    return pairs if len(pairs) == len(threads) else None


# -- saved conversations --


def saved_key(user_id: UserId) -> str:
    """Return the key of what this person saved."""
    return f"{SAVED_PREFIX}{user_id}"


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


def read_saved(user_id: UserId, content: JsonObject | None) -> KeptSaved:
    """Return what the person saved; each that is not as `saved_content` writes it is left out."""
    entries = [] if content is None else list_at(content, "saved")
    found = (_saved(user_id, entry) for entry in entries if isinstance(entry, dict))
    return KeptSaved(user_id, tuple(saved for saved in found if saved is not None))


def _saved(user_id: UserId, entry: JsonObject) -> SavedContext | None:
    name, agent = text_at(entry, "name"), id_at(entry, "agent")
    messages, size = integer_at(entry, "messages"), integer_at(entry, "size")
    saved_at, stretches = integer_at(entry, "saved_at"), _stretches(entry, "stretches")
    if not name or agent is None or messages is None or size is None or saved_at is None:
        return None
    if not stretches:
        return None
    return SavedContext(
        user_id=user_id,
        name=name,
        stretches=stretches,
        agent=AgentId(agent),
        messages=messages,
        size=size,
        saved_at=saved_at / _MILLI,
    )


# -- stretches of history --


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


def _stretches(content: JsonObject, key: str) -> tuple[Stretch, ...] | None:
    """Return the stretches under `key`; None unless all of them can be read."""
    entries = content.get(key)
    if not isinstance(entries, list):
        return None
    read = [_stretch(entry) for entry in entries if isinstance(entry, dict)]
    stretches = tuple(stretch for stretch in read if stretch is not None)
    return stretches if len(stretches) == len(entries) else None


def _stretch(entry: JsonObject) -> Stretch | None:
    room_id, number = id_at(entry, "room_id"), _number_at(entry, "platform_chat_id")
    first, last = id_at(entry, "first_event"), id_at(entry, "last_event")
    if room_id is None or first is None or last is None or number is None:
        return None
    return Stretch(
        room_id=RoomId(room_id),
        first_event=EventId(first),
        last_event=EventId(last),
        platform_chat_id=number,
    )


def _number_at(content: JsonObject, key: str) -> PlatformChatId | None:
    number = integer_at(content, key)
    return None if number is None or number < 1 else PlatformChatId(number)
