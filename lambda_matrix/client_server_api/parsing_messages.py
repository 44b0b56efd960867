"""The content of `m.room.message` → a text, a file, or something else that was said.

Theory. What matters of a message is its msgtype; all else is read where it is there and of the
right type. An edit is read from `m.new_content`, which is the message as it is now; an edit of
anything but text says nothing to the service and is `UnknownEvent` rather than a second attachment.
The newest edit also comes along with the event itself wherever the homeserver tells of it ("Event
replacements", "Server-side aggregation"); it counts under the same section's rules of validity: the
same sender, the same type, this very event.
"""

from __future__ import annotations

from typing import Final, Literal, TypedDict

from lambda_matrix.client_server_api.content_address import read_mxc
from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    integer_at,
    is_id,
    list_at,
    object_at,
    text_at,
    whole,
)
from lambda_matrix.ids import (
    EventId,
    InstanceId,
    PlatformChatId,
    RequestId,
    RoomId,
    TransactionId,
    UserId,
)
from lambda_matrix.matrix_events import (
    ANSWER_KEY,
    AnswerMark,
    AnswerState,
    InvokedCommand,
    MediaMessage,
    OtherMessage,
    TextMessage,
    TimelineEvent,
    UnknownEvent,
)

_TEXT_KINDS: Final[dict[str, Literal["m.text", "m.notice", "m.emote"]]] = {
    "m.text": "m.text",
    "m.notice": "m.notice",
    "m.emote": "m.emote",
}
_MEDIA_KINDS: Final[dict[str, Literal["m.image", "m.audio", "m.video", "m.file"]]] = {
    "m.image": "m.image",
    "m.audio": "m.audio",
    "m.video": "m.video",
    "m.file": "m.file",
}
_VOICE_KEYS: Final = ("org.matrix.msc3245.voice", "m.voice")
_COMMAND_KEYS: Final = ("org.matrix.msc4391.command", "m.bot.command")
_ANSWER_STATES: Final = {state.value: state for state in AnswerState}


class CommonFields(TypedDict):
    """What each fact has, as keyword arguments."""

    room_id: RoomId
    event_id: EventId
    sender: UserId
    origin_server_ts: int
    transaction_id: TransactionId | None


class _Relations(TypedDict):
    """To what else a message belongs, as keyword arguments."""

    in_reply_to: EventId | None
    thread_root: EventId | None
    mentions: frozenset[UserId]


def parse_message(
    event: JsonObject, content: JsonObject, common: CommonFields
) -> TimelineEvent | str:
    """Give the fact, or the reason why there is none."""
    relation = object_at(content, "m.relates_to")
    if relation.get("rel_type") == "m.replace":
        return _edit(content, relation, common)
    msgtype, body = content.get("msgtype"), text_at(content, "body")
    if not isinstance(msgtype, str):
        return "the message has no msgtype"
    if msgtype in _TEXT_KINDS:
        return "the message has no body" if body is None else _text(event, content, body, common)
    media = _media(content, common) if msgtype in _MEDIA_KINDS else None
    return media or OtherMessage(kind=whole(msgtype), body=body or "", **common)


def _text(event: JsonObject, content: JsonObject, body: str, common: CommonFields) -> TextMessage:
    newest = _newest_edit(event, common)
    return TextMessage(
        msgtype=_TEXT_KINDS[str(content["msgtype"])],
        body=without_reply_fallback(body) if _is_reply(content) else body,
        answer=parse_answer_mark(content.get(ANSWER_KEY)),
        newest_body=None if newest is None else newest.body,
        newest_answer=None if newest is None else newest.answer,
        command=_command(content),
        **_relations(content),
        **common,
    )


def _media(content: JsonObject, common: CommonFields) -> MediaMessage | None:
    """Read a file; None where nobody can say which file it is."""
    url = id_at(content, "url")
    if isinstance(content.get("file"), dict):
        url = None  # encrypted; what stands beside it is for nobody
    elif url is None or read_mxc(url) is None:
        return None
    info, size = object_at(content, "info"), integer_at(object_at(content, "info"), "size")
    filename, body = text_at(content, "filename"), text_at(content, "body") or ""
    caption = body if filename and body and body != filename else None
    if caption is not None and _is_reply(content):
        caption = without_reply_fallback(caption)
    return MediaMessage(
        msgtype=_MEDIA_KINDS[str(content["msgtype"])],
        filename=filename or body,
        url=url,
        caption=caption or None,
        mimetype=text_at(info, "mimetype"),
        size=None if size is None or size < 0 else size,
        is_voice=any(key in content for key in _VOICE_KEYS),
        answer=parse_answer_mark(content.get(ANSWER_KEY)),
        **_relations(content),
        **common,
    )


def _edit(content: JsonObject, relation: JsonObject, common: CommonFields) -> TimelineEvent | str:
    replaces, newer = id_at(relation, "event_id"), object_at(content, "m.new_content")
    msgtype, body = newer.get("msgtype"), text_at(newer, "body")
    if replaces is None:
        return "the edit names no event"
    if not isinstance(msgtype, str):
        return "the edit has no new content"
    if msgtype not in _TEXT_KINDS:
        return UnknownEvent(type="m.room.message", **common)
    if body is None:
        return "the edit has no new body"
    return TextMessage(
        msgtype=_TEXT_KINDS[msgtype],
        body=body,
        replaces=EventId(replaces),
        mentions=_mentions(newer),
        answer=parse_answer_mark(newer.get(ANSWER_KEY, content.get(ANSWER_KEY))),
        **common,
    )


def _newest_edit(event: JsonObject, common: CommonFields) -> TextMessage | None:
    """Read the edit that the homeserver bundled with the event, if it is a valid one of a text."""
    edit = object_at(object_at(object_at(event, "unsigned"), "m.relations"), "m.replace")
    content = object_at(edit, "content")
    relation = object_at(content, "m.relates_to")
    if relation.get("rel_type") != "m.replace" or "state_key" in edit:
        return None
    if edit.get("type") != "m.room.message" or edit.get("sender") != common["sender"]:
        return None
    found = _edit(content, relation, common)
    is_of_this = isinstance(found, TextMessage) and found.replaces == common["event_id"]
    return found if isinstance(found, TextMessage) and is_of_this else None


def _replied_to(content: JsonObject) -> EventId | None:
    reply = object_at(object_at(content, "m.relates_to"), "m.in_reply_to")
    event_id = id_at(reply, "event_id")
    return None if event_id is None else EventId(event_id)


def _is_reply(content: JsonObject) -> bool:
    return _replied_to(content) is not None


def _relations(content: JsonObject) -> _Relations:
    relation = object_at(content, "m.relates_to")
    is_thread = relation.get("rel_type") == "m.thread"
    thread_root = id_at(relation, "event_id") if is_thread else None
    # Such a reply is only there for clients that do not know threads.
    is_fallback = is_thread and relation.get("is_falling_back") is True
    return {
        "in_reply_to": None if is_fallback else _replied_to(content),
        "thread_root": None if thread_root is None else EventId(thread_root),
        "mentions": _mentions(content),
    }


def _mentions(content: JsonObject) -> frozenset[UserId]:
    user_ids = list_at(object_at(content, "m.mentions"), "user_ids")
    return frozenset(UserId(user_id) for user_id in user_ids if is_id(user_id))


def without_reply_fallback(body: str) -> str:
    """Strip the quote that old clients put before a reply (until v1.13, "Rich replies").

    Only a quote that begins by naming its author is one; a person may quote with `> ` too.
    """
    if not body.startswith(("> <@", "> * <@")):
        return body
    lines = body.split("\n")
    first = next((at for at, line in enumerate(lines) if not line.startswith(">")), len(lines))
    if first < len(lines) and not lines[first]:
        first += 1
    return "\n".join(lines[first:])


def parse_answer_mark(value: object) -> AnswerMark | None:
    """Read `ru.coredump.lambda.answer`; None where it is absent or not as we write it."""
    if not isinstance(value, dict):
        return None
    question, request = value.get("question"), id_at(value, "request")
    instance, state = id_at(value, "instance"), value.get("state")
    part, parts = integer_at(value, "part"), integer_at({"parts": 1, **value}, "parts")
    if request is None or instance is None or part is None or parts is None:
        return None
    if not isinstance(state, str) or state not in _ANSWER_STATES or not 0 <= part < parts:
        return None
    if question is not None and not is_id(question):
        return None
    context, waits = integer_at(value, "context"), id_at(value, "waits")
    return AnswerMark(
        question=None if question is None else EventId(question),
        request=RequestId(request),
        part=part,
        state=_ANSWER_STATES[state],
        instance=InstanceId(instance),
        parts=parts,
        context=None if context is None else PlatformChatId(context),
        own=max(0, integer_at(value, "own") or 0),
        asks=value.get("asks") is True,
        waits=None if waits is None else EventId(waits),
    )


def _command(content: JsonObject) -> InvokedCommand | None:
    """Read a command that the client spelled out (MSC4391, "Command invocation")."""
    invoked = next((object_at(content, key) for key in _COMMAND_KEYS if key in content), {})
    name = text_at(invoked, "command")
    if not name:
        return None
    values = (
        (whole(key), _as_text(value)) for key, value in object_at(invoked, "arguments").items()
    )
    return InvokedCommand(name, tuple((key, value) for key, value in values if value is not None))


def _as_text(value: object) -> str | None:
    """Write an argument as a person would type it; None for what no argument is."""
    if isinstance(value, list):  # of simple values only: arrays do not nest
        return " ".join(text for item in value if (text := _simple_as_text(item)) is not None)
    return _simple_as_text(value)


def _simple_as_text(value: object) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int():
            return whole(str(value))
        case {"id": str(name)} | {"event_id": str(name)} | {"room_id": str(name)}:
            return whole(name)
        case _:
            return None
