"""What T2 notes of a request that is done: its answer, its files, and what it leaves behind."""

import logging

from lambda_matrix.agent_events import FileOffered
from lambda_matrix.conversation.ending import Ending
from lambda_matrix.store.records import Done, Ourselves
from lambda_matrix.surface.runs.progress import Progress
from lambda_matrix.surface.writing.cleaning import clean
from lambda_matrix.surface.writing.offered import LONGEST_CAPTION
from lambda_matrix.surface.writing.wording import final_drafts

logger = logging.getLogger(__name__)

FILES_MOST = 50
"""Files of one answer that are sent."""
LONGEST_PATH = 5_000
"""Characters of a file's path; no system takes more, so this one will be refused."""


def done_of(progress: Progress, ending: Ending, ourselves: Ourselves) -> Done:
    """Return what T2 is to note."""
    attempt, closing = progress.attempt, progress.closing
    answer = final_drafts(
        attempt.request,
        ending,
        ourselves,
        attempt.settings.reply_style,
        root=progress.root,
        waits=attempt.waits,
    )
    if closing is None:
        return Done(outcome=ending.outcome, answer=answer)
    if closing.problem is not None:
        logger.info("what the agent says of its state is not taken: %s", closing.problem)
    return Done(
        outcome=ending.outcome,
        answer=answer,
        exchange=closing.exchange(attempt.request, is_cut=ending.is_cut),
        asked=None if ending.is_cut else closing.confirmation(attempt.request),
        files=() if ending.is_cut else tuple(map(_offered, progress.draft.files[:FILES_MOST])),
    )


def _offered(file: FileOffered) -> tuple[str, str | None]:
    """Return path and caption as far as they are kept: no text that no database takes, no book."""
    return clean(file.path[:LONGEST_PATH]), file.caption and clean(file.caption[:LONGEST_CAPTION])
