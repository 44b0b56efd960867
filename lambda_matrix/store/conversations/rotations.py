"""A chat, or a thread with a context of its own, goes on in another context."""

from sqlite_utils import Database

from lambda_matrix.ids import PlatformChatId, RequestId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store import people
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.questions import changes, confirmations, requests
from lambda_matrix.store.records import Draft, NewContext, Ourselves


def rotate(
    db: Database,
    command: TextMessage,
    old: PlatformChatId | None,
    new: NewContext,
    reply: Draft,
    own: Ourselves,
    *,
    at_work: RequestId | None,
) -> RequestId | None:
    """Settle a `!clear` or `!load`: `new` takes the place of `old`.

    What its agent waits to be told is over, and so are the room's lists to pick from. The request
    `at_work` is noted as stopped, if it was asked in `old`, and returned: its run is cancelled
    after the commit. Those that wait keep the context that they were asked in.
    """
    if not requests.settle(db, command, (reply,), own):
        return None
    contexts.begin(db, new)
    people.close_picks(db, command.room_id)
    if old is None:
        return None
    confirmations.close_context(db, command.room_id, old)
    running = changes.by_id(db, at_work)
    if running is None or running.outcome is not None or running.platform_chat_id != old:
        return None
    requests.mark_stopped(db, running.request_id)
    return running.request_id
