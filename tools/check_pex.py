"""check_pex.py FILE.pex REQUIREMENTS: what the PEX carries is what uv.lock names, and nothing else.

REQUIREMENTS is `uv export`'s. pip is left out on purpose, and so is what another system needs.
"""

import json
import re
import sys
import zipfile
from pathlib import Path

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Exit with a sentence if the two differ."""
    pex, requirements = sys.argv[1:]
    pinned = _PINNED.findall(Path(requirements).read_text(encoding="utf-8"))
    locked = {(_normal(name), version) for name, version in pinned}
    with zipfile.ZipFile(pex) as opened:
        wheels = json.loads(opened.read("PEX-INFO"))["distributions"]
    carried = {(_normal(name), version) for name, version in (w.split("-")[:2] for w in wheels)}
    carried = {each for each in carried if each[0] != "lambda-matrix"}
    if not carried or carried - locked:
        sys.exit(f"The PEX carries what uv.lock does not name: {sorted(carried - locked)}")
    missing = {name for name, _ in locked - carried} - {"pip"}
    print(f"{len(carried)} locked distributions; for other systems or unused: {sorted(missing)}")


if __name__ == "__main__":
    main()
