"""What is said, as events: drafts for the outbox, each with the mark of what it answers."""

from attrs import evolve

from lambda_matrix.conversation.ending import Ending
from lambda_matrix.conversation.settings import ReplyStyle
from lambda_matrix.conversation.texts import Link, Texts
from lambda_matrix.ids import EventId, RequestId, RoomId
from lambda_matrix.matrix_events import AnswerMark, AnswerState, MediaMessage, TextMessage
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records import (
    Draft,
    Intent,
    Ourselves,
    Priority,
    Request,
    RoomKind,
    StagedFile,
)
from lambda_matrix.surface.writing.cleaning import clean
from lambda_matrix.surface.writing.content import (
    Content,
    as_edit,
    as_final_edit,
    encode,
    fits,
    notice,
    text_message,
)
from lambda_matrix.surface.writing.rendering import Rendered, render
from lambda_matrix.surface.writing.splitting import parts, split

FORMATTED = ReplyStyle.FORMATTED
COMMAND = "command"
"""The cause that the mark of a reply names, if there is no other."""


def notice_draft(
    room_id: RoomId, text: str, ourselves: Ourselves, *, request: str, last: bool = True
) -> Draft:
    """Return a sentence to nobody's question. `request` names its cause; it is said once for it."""
    mark = AnswerMark(
        question=None,
        request=RequestId(request),
        part=0,
        state=AnswerState.FINAL if last else AnswerState.OPEN,
        instance=ourselves.instance,
    )
    return Draft(room_id=room_id, content=encode(notice(text, mark)), mark=mark)


def reply_draft(
    event: Incoming,
    text: str,
    ourselves: Ourselves,
    *,
    is_quoting: bool = False,
    once: str | None = None,
) -> Draft:
    """Return what is said to a command, or to a message that is no question.

    With `is_quoting` clients show to which one. `once` names a thing that is told once in a room.
    """
    thread = event.thread_root if isinstance(event, TextMessage | MediaMessage) else None
    reply_to = event.event_id if is_quoting else None
    return _reply(
        event.room_id,
        event.event_id,
        text,
        ourselves,
        thread=thread,
        reply_to=reply_to,
        request=None if once is None else told(event.room_id, once),
    )


def told(room_id: RoomId, thing: str) -> RequestId:
    """Return how the mark of what is told once in a room names it: so history tells that it was."""
    return RequestId(f"{thing}:{room_id}")


def file_reply(file: StagedFile, text: str, ourselves: Ourselves, *, cause: str = COMMAND) -> Draft:
    """Return what is said to somebody's file."""
    return _reply(
        file.room_id, file.event_id, text, ourselves, thread=file.thread_root, cause=cause
    )


def _reply(
    room_id: RoomId,
    question: EventId,
    text: str,
    ourselves: Ourselves,
    *,
    thread: EventId | None = None,
    reply_to: EventId | None = None,
    request: RequestId | None = None,
    cause: str = COMMAND,
) -> Draft:
    mark = AnswerMark(
        question=question,
        request=request or RequestId(f"{cause}:{question}"),
        part=0,
        state=AnswerState.FINAL,
        instance=ourselves.instance,
    )
    return Draft(
        room_id=room_id,
        content=encode(notice(text, mark, thread=thread, reply_to=reply_to)),
        mark=mark,
    )


def room_made_drafts(
    intent: Intent, link: Link, texts: Texts, ourselves: Ourselves
) -> tuple[Draft, ...]:
    """Return what is said when a room has been made: in it, and where it was asked for."""
    if intent.kind is not RoomKind.CHAT or intent.room_id is None:
        return ()
    greeting = notice_draft(
        intent.room_id,
        texts.onboarding.greeting_chat,
        ourselves,
        request=f"greeting:{intent.intent_id}",
    )
    return (greeting, *order_answered_drafts(intent, link, texts, ourselves))


def order_answered_drafts(
    intent: Intent, link: Link, texts: Texts, ourselves: Ourselves
) -> tuple[Draft, ...]:
    """Return what is said where a chat was asked for, if it was."""
    return _answer_to_order(intent, texts.rooms.new_chat(link), ourselves)


def room_refused_drafts(intent: Intent, texts: Texts, ourselves: Ourselves) -> tuple[Draft, ...]:
    """Return what is said when the homeserver will not have a room made."""
    if intent.command is not None:
        return _answer_to_order(intent, texts.rooms.new_chat_failed, ourselves)
    if intent.origin is None:
        return ()
    request = f"refused:{intent.intent_id}"
    return (notice_draft(intent.origin, texts.onboarding.failed, ourselves, request=request),)


def _answer_to_order(intent: Intent, text: str, ourselves: Ourselves) -> tuple[Draft, ...]:
    if intent.command is None or intent.origin is None:
        return ()
    return (_reply(intent.origin, intent.command, text, ourselves),)


def root_draft(
    request: Request, text: str, ourselves: Ourselves, style: ReplyStyle = FORMATTED
) -> Draft:
    """Return the first visible event of an answer in the making (T1b)."""
    mark = _mark(request, ourselves, AnswerState.OPEN)
    content = _first_part(request, text, mark, style)
    return Draft(
        room_id=request.room_id, content=encode(content), mark=mark, priority=Priority.FIRST
    )


def preview_content(
    request: Request, text: str, ourselves: Ourselves, style: ReplyStyle = FORMATTED
) -> bytes:
    """Return the edit that shows an answer in the making as it stands."""
    mark = _mark(request, ourselves, AnswerState.OPEN)
    return encode(as_edit(_first_part(request, text, mark, style)))


def final_drafts(
    request: Request,
    ending: Ending,
    ourselves: Ourselves,
    style: ReplyStyle = FORMATTED,
    *,
    root: int | None,
    waits: EventId | None = None,
) -> tuple[Draft, ...]:
    """Return the whole answer (T2): its first part as an edit of `root` where there is one.

    `waits` was said before the question, and waits to be answered, too.
    """
    final = _mark(request, ourselves, AnswerState.FINAL)
    whole = evolve(final, own=ending.own, asks=ending.asks, waits=waits)
    texts = split(
        clean(ending.text), lambda part: fits(text_message(_rendered(part, style), whole))
    )
    return tuple(
        _final_part(
            request, _rendered(part, style), evolve(whole, part=number, parts=len(texts)), root
        )
        for number, part in enumerate(texts)
    )


def _final_part(request: Request, text: Rendered, mark: AnswerMark, root: int | None) -> Draft:
    reply_to = request.question if request.as_reply and mark.part == 0 else None
    content = text_message(text, mark, reply_to=reply_to, thread=request.thread_root)
    is_edit = root is not None and mark.part == 0
    return Draft(
        room_id=request.room_id,
        content=encode(as_final_edit(content) if is_edit else content),
        mark=mark,
        replaces=root if is_edit else None,
    )


def _first_part(request: Request, text: str, mark: AnswerMark, style: ReplyStyle) -> Content:
    """Return as much of a growing text as one event holds; what is beyond comes with the final."""
    whole = clean(text)
    first = next(parts(whole, lambda part: fits(text_message(_rendered(part, style), mark))))
    reply_to = request.question if request.as_reply else None
    rendered = _rendered(first, style)
    return text_message(rendered, mark, reply_to=reply_to, thread=request.thread_root)


def _rendered(text: str, style: ReplyStyle) -> Rendered:
    return Rendered(clean(text)) if style is ReplyStyle.PLAIN else render(text)


def _mark(request: Request, ourselves: Ourselves, state: AnswerState) -> AnswerMark:
    return AnswerMark(
        question=request.question,
        request=request.request_id,
        part=0,
        state=state,
        instance=ourselves.instance,
        context=request.platform_chat_id,
    )
