"""What is tested: this code, or the file that operators install, if `SCENARIOS_PEX` names it.

Where tests start the service, its agent or a command, they start this.
"""

from __future__ import annotations

import os
from pathlib import Path

from lambda_matrix.demo.own_programs import PRODUCT as THIS_CODE

_pex = os.environ.get("SCENARIOS_PEX")
PRODUCT = (str(Path(_pex).resolve(strict=True)),) if _pex else THIS_CODE
"""The first words of its command line."""
