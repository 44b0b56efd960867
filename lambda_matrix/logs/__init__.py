"""What the service tells its operator, in which no secret is ever seen.

Every module logs with the standard library, and says with `about` what its records are about.
"""

from lambda_matrix.logs.fields import Fields, about, only_about
from lambda_matrix.logs.recent import Recent, remember
from lambda_matrix.logs.starting import (
    LONGEST_TEXT,
    TEXTS,
    Format,
    Level,
    Log,
    Wanted,
    adopt,
    hide,
    start_logging,
)

__all__ = [
    "LONGEST_TEXT",
    "TEXTS",
    "Fields",
    "Format",
    "Level",
    "Log",
    "Recent",
    "Wanted",
    "about",
    "adopt",
    "hide",
    "only_about",
    "remember",
    "start_logging",
]
