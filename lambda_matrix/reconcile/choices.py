"""What people chose and saved is as their account data says: a pure part of the plan."""

from collections.abc import Iterator

from attrs import evolve

from lambda_matrix.account_data import SavedContext
from lambda_matrix.reconcile.repairs import RestoreSaved, RestoreSettings
from lambda_matrix.reconcile.topology import Observed, Recorded

_MILLI = 1000


def plan_choices(
    observed: Observed, recorded: Recorded
) -> Iterator[RestoreSettings | RestoreSaved]:
    """Give what is to be restored: what everybody chose, then what they saved."""
    for settings in sorted(observed.settings, key=lambda each: each.user_id):
        if recorded.settings.get(settings.user_id) != settings:
            yield RestoreSettings(kept=settings)
    for kept in sorted(observed.saved, key=lambda each: each.user_id):
        if _in_order(kept.saved) != _in_order(recorded.saved.get(kept.user_id, ())):
            yield RestoreSaved(kept=kept)


def _in_order(saved: tuple[SavedContext, ...]) -> list[SavedContext]:
    """Return them as they are compared: times as they are kept on the homeserver."""
    rounded = (evolve(each, saved_at=round(each.saved_at * _MILLI) / _MILLI) for each in saved)
    return sorted(rounded, key=lambda each: each.name)
