"""One request's story: what it is told under, so that one match of journalctl finds all of it.

A question is taken, runs are begun and end, its answer is committed and sent: each is done in
another room of this building, and each says by `about_request` or `about_row` whose story goes on.
"""

from contextlib import AbstractContextManager

from lambda_matrix import logs
from lambda_matrix.store.records import OutboxRow, Request
from lambda_matrix.store.recovery import FILE

_ABOUT_REQUESTS = frozenset({"queue", "limit", "waits", FILE})
"""Causes of what is said on a request's way besides its answer; `<cause>:<its id>` is the row's."""


def about_request(request: Request) -> AbstractContextManager[None]:
    """Within this block records belong to the request's story."""
    return logs.about(
        room=request.room_id,
        event=request.question,
        request=request.request_id,
        agent=request.agent,
        user=request.asker,
    )


def about_row(row: OutboxRow) -> AbstractContextManager[None]:
    """Within this block records belong to the story that the row is the end of.

    That is a request's, or, for a reply to a command, its message's.
    """
    return logs.about(room=row.room_id, event=row.question, request=_request_of(row))


def _request_of(row: OutboxRow) -> str | None:
    cause, _, rest = row.request.partition(":")
    if cause in _ABOUT_REQUESTS:
        return rest.partition(":")[0]
    return row.request if row.mark.is_answer else None
