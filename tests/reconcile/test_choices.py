"""What is planned for what people chose and saved."""

from __future__ import annotations

from attrs import evolve

from lambda_matrix.account_data import KeptSaved, KeptSettings
from lambda_matrix.reconcile.plan import plan
from lambda_matrix.reconcile.repairs import RestoreSaved, RestoreSettings
from tests.client_server_api.test_account_data import SAVED
from tests.reconcile.topologies import ANNA, NOTHING, RECORDED, TREE

CHOSEN = KeptSettings(
    user_id=ANNA,
    language="ru",
    streaming=True,
    reply_style="plain",
    tool_lines=True,
    agent=None,
)
KEPT = KeptSaved(ANNA, (SAVED, evolve(SAVED, name="A")))


def test_what_people_chose_and_saved_comes_back_first() -> None:
    seen = evolve(TREE, settings=(CHOSEN,), saved=(KEPT,))
    repairs = plan(seen, NOTHING)
    assert repairs[:2] == (RestoreSettings(kept=CHOSEN), RestoreSaved(kept=KEPT))
    recorded = evolve(RECORDED, settings={ANNA: CHOSEN}, saved={ANNA: KEPT.saved[::-1]})
    assert plan(seen, recorded) == ()
    rounded = tuple(evolve(each, saved_at=each.saved_at + 0.0001) for each in KEPT.saved)
    assert plan(seen, evolve(recorded, saved={ANNA: rounded})) == ()


def test_what_they_chose_since_is_followed() -> None:
    seen = evolve(TREE, settings=(CHOSEN,), saved=(KEPT,))
    older = evolve(CHOSEN, language="en")
    recorded = evolve(RECORDED, settings={ANNA: older}, saved={ANNA: (SAVED,)})
    assert plan(seen, recorded) == (RestoreSettings(kept=CHOSEN), RestoreSaved(kept=KEPT))


def test_what_the_homeserver_does_not_know_stays() -> None:
    recorded = evolve(RECORDED, settings={ANNA: CHOSEN}, saved={ANNA: (SAVED,)})
    assert plan(TREE, recorded) == ()
