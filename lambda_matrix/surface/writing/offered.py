"""Agents' files as events, with marks of their own: no part of the answers that they came with."""

from typing import Final

from lambda_matrix.ids import RequestId
from lambda_matrix.matrix_events import AnswerMark, AnswerState
from lambda_matrix.store.records import Draft, OfferedFile, Ourselves, Request
from lambda_matrix.store.recovery import FILE
from lambda_matrix.surface.writing.cleaning import clean
from lambda_matrix.surface.writing.content import ShownFile, encode, file_message, notice
from lambda_matrix.surface.writing.rendering import render

LONGEST_CAPTION: Final = 4_000
"""Characters of a caption; an agent that has more to say says it in its answer."""


def offered_draft(
    file: OfferedFile, request: Request, shown: ShownFile, ourselves: Ourselves
) -> Draft:
    """Return the event that shows a file of an agent's, where its answer stands."""
    mark = _mark(file, request, ourselves)
    caption = None if file.caption is None else render(clean(file.caption))
    reply_to = request.question if request.as_reply else None
    content = file_message(shown, caption, mark, reply_to=reply_to, thread=request.thread_root)
    return Draft(room_id=file.room_id, content=encode(content), mark=mark)


def not_offered_draft(
    file: OfferedFile, request: Request, text: str, ourselves: Ourselves
) -> Draft:
    """Return what is said in place of a file of an agent's."""
    mark = _mark(file, request, ourselves)
    content = notice(text, mark, thread=request.thread_root)
    return Draft(room_id=file.room_id, content=encode(content), mark=mark)


def _mark(file: OfferedFile, request: Request, ourselves: Ourselves) -> AnswerMark:
    """Return the mark of a file that came with an answer, which is no part of that answer."""
    return AnswerMark(
        question=request.question,
        request=RequestId(f"{FILE}:{request.request_id}:{file.position}"),
        part=0,
        state=AnswerState.FINAL,
        instance=ourselves.instance,
    )
