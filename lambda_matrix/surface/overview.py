"""One picture of what is at work, for all who show it: the pages, `status`, metrics, STATUS=."""

from attrs import frozen

from lambda_matrix.store.figures import Figures, figures
from lambda_matrix.store.store import Store
from lambda_matrix.surface.runs.running import RunAtWork, Running


@frozen
class Overview:
    """What the database holds, and the runs at work, the longest first."""

    figures: Figures
    runs: tuple[RunAtWork, ...]


async def overview(store: Store, running: Running) -> Overview:
    """Look once: one transaction that writes nothing.

    Waits, as every transaction does, while the disk refuses; whoever must not wait sets a deadline.
    """
    runs = running.all_at_work()
    at_work = frozenset(run.request_id for run in runs)
    return Overview(await store.transact(figures, at_work), runs)
