"""The contents of the events that the service sends, and their bytes.

An edit is kept without its `m.relates_to`, because the root's event id may still be unknown when
the edit is committed; it is added when the edit is sent, and always gives the same bytes (under one
transaction id a homeserver takes only one body). An edit carries the text three times: as the
fallback `body`, and as text and HTML in `m.new_content`. An answer's last edit has it once more, as
the fallback's HTML, if there is room.
"""

import json
from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from lambda_matrix.ids import EventId
from lambda_matrix.matrix_events import ANSWER_KEY, AnswerMark
from lambda_matrix.surface.writing.rendering import Rendered, render

JsonValue = str | int | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Content = dict[str, JsonValue]

EVENT_LIMIT = 65_536
"""Bytes of an event in canonical JSON, with everything that homeservers add (room versions)."""
ENVELOPE = 4_096
"""Bytes set aside for what is not content: ids of up to 255 bytes (room, sender, an edit's root),
up to 20 previous and 10 auth events, hashes, signatures, `unsigned`. Measured: 600 to 1,100."""


def text_message(
    rendered: Rendered,
    mark: AnswerMark,
    *,
    reply_to: EventId | None = None,
    thread: EventId | None = None,
) -> Content:
    """Return an answer (m.text). `thread` is the root of the thread that it belongs in."""
    return _message("m.text", rendered, mark, reply_to, thread)


def notice(
    text: str,
    mark: AnswerMark,
    *,
    reply_to: EventId | None = None,
    thread: EventId | None = None,
) -> Content:
    """Return one of the service's own sentences, given as Markdown (m.notice)."""
    return _message("m.notice", render(text), mark, reply_to, thread)


@frozen(kw_only=True)
class ShownFile:
    """A file in the homeserver's content repository, and what clients want to know of it."""

    name: str
    url: str
    mime_type: str
    kind: Literal["image", "audio", "video", "document"]
    size: int
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    thumbnail: "ShownFile | None" = None


def file_message(
    file: ShownFile,
    caption: Rendered | None,
    mark: AnswerMark,
    *,
    reply_to: EventId | None = None,
    thread: EventId | None = None,
) -> Content:
    """Return a file (m.image, m.audio, m.video, m.file); `body` is the caption, if it has one."""
    msgtype = "m.file" if file.kind == "document" else f"m.{file.kind}"
    message = _message(msgtype, caption or Rendered(file.name, None), mark, reply_to, thread)
    return {**message, "filename": file.name, "url": file.url, "info": _info(file)}


def _info(file: ShownFile) -> Content:
    known: dict[str, JsonValue] = {
        "mimetype": file.mime_type,
        "size": file.size,
        "w": file.width,
        "h": file.height,
        "duration": file.duration_ms,
    }
    if file.thumbnail is not None:
        known |= {"thumbnail_url": file.thumbnail.url, "thumbnail_info": _info(file.thumbnail)}
    return {key: value for key, value in known.items() if value is not None}


def mark_content(mark: AnswerMark) -> Content:
    """Return `mark` as it stands in an event under `ANSWER_KEY`."""
    content: Content = {
        "question": mark.question,
        "request": mark.request,
        "part": mark.part,
        "parts": mark.parts,
        "state": mark.state.value,
        "instance": mark.instance,
    }
    if mark.context is not None:
        content["context"] = mark.context
    if mark.own:
        content["own"] = mark.own
    if mark.asks:
        content["asks"] = True
    if mark.waits is not None:
        content["waits"] = mark.waits
    return content


def as_edit(content: Content) -> Content:
    """Return the edit that puts `content` in the place of an earlier event, but for its relation.

    The mark stands at the top and in `m.new_content`; the relation of the earlier event stays.
    """
    new_content = {key: value for key, value in content.items() if key != "m.relates_to"}
    return {
        "msgtype": content["msgtype"],
        "body": f"* {content['body']}",
        "m.mentions": {},
        ANSWER_KEY: content[ANSWER_KEY],
        "m.new_content": new_content,
    }


def as_final_edit(content: Content) -> Content:
    """Return `as_edit()` of a whole answer, formatted also for clients that know no edits.

    Those show an edit as a message of its own. Where both forms are too much for one event they
    have to do with the plain one.
    """
    edit = as_edit(content)
    if "formatted_body" not in content:
        return edit
    html = f"* {content['formatted_body']}"
    formatted: Content = {**edit, "format": content["format"], "formatted_body": html}
    return formatted if event_size(formatted) <= EVENT_LIMIT else edit


def with_replacement(edit: bytes, root: EventId) -> bytes:
    """Complete an encoded `as_edit()` to the edit of event `root`; the same bytes at each call."""
    relation = encode({"rel_type": "m.replace", "event_id": root})
    return b'%s,"m.relates_to":%s}' % (edit.removesuffix(b"}"), relation)


def plain_of_edit(edit: bytes) -> bytes:
    """Return an encoded `as_edit()` as an event of its own, for when its root is lost."""
    content = json.loads(edit)["m.new_content"]
    return encode(content)


def encode(content: Mapping[str, JsonValue]) -> bytes:
    """Return canonical JSON (appendices, 3.): equal contents give equal bytes."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def event_size(content: Mapping[str, JsonValue]) -> int:
    """Return how many bytes an event with `content` takes at most, to hold against EVENT_LIMIT."""
    return len(encode(content)) + ENVELOPE


def fits(content: Content) -> bool:
    """Return whether `content` may be sent both as it is and as an edit."""
    return event_size(as_edit(content)) <= EVENT_LIMIT


def _message(
    msgtype: str,
    rendered: Rendered,
    mark: AnswerMark,
    reply_to: EventId | None,
    thread: EventId | None,
) -> Content:
    content: Content = {
        "msgtype": msgtype,
        "body": rendered.body,
        "m.mentions": {},  # nothing that an agent writes rings anybody's bell
        ANSWER_KEY: mark_content(mark),
    }
    if rendered.formatted_body is not None:
        content["format"] = "org.matrix.custom.html"
        content["formatted_body"] = rendered.formatted_body
    relation = _relation(reply_to, thread)
    if relation:
        content["m.relates_to"] = relation
    return content


def _relation(reply_to: EventId | None, thread: EventId | None) -> Content:
    relation: Content = {}
    if thread is not None:
        is_fallback = reply_to is None
        relation = {"rel_type": "m.thread", "event_id": thread, "is_falling_back": is_fallback}
    replied = reply_to or thread
    if replied is not None:
        relation["m.in_reply_to"] = {"event_id": replied}
    return relation
