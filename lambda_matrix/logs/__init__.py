"""What the service tells its operator, in which no secret is ever seen.

Every module logs with the standard library, and says with `about` what its records are about.
"""

from lambda_matrix.logs.fields import Fields, about, only_about
from lambda_matrix.logs.lines import Lines, hide, start_logging

__all__ = ["Fields", "Lines", "about", "hide", "only_about", "start_logging"]
