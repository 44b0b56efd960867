"""How hard the property tests try: the same small effort for every commit, or as much as one likes.

`EFFORT=50` has each of them look at fifty times as many examples, drawn anew each time. Without it
the examples are the same at each run, so that what is green stays green until the code changes.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EFFORT = max(1, int(os.environ.get("EFFORT", "1")))


def examples(number: int) -> int:
    """How many examples a test looks at that has `number` of them in `make test`."""
    return number * EFFORT


def load_profile() -> None:
    """Have every property test begin from here; whatever it sets by itself goes before."""
    settings.register_profile(
        "lambda-matrix",
        max_examples=examples(100),
        derandomize=EFFORT == 1,
        database=None,
        deadline=None,  # a machine at work on other things is no fault
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("lambda-matrix")
