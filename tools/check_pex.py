"""python -m tools.check_pex MADE.pex FILE.pex OWN.whl PEX_LOCK: only what may be in it is in it.

If so, it becomes FILE.pex, and beside it stands what somebody who trusts nobody wants to see:
FILE.pex.sha256, FILE.cdx.json (the bill of materials) and FILE.licenses.txt.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.licenses import LicenseError, listing
from tools.locked import Locked, read_lock, read_pex_lock
from tools.pex_contents import Pex, Wheel, read_pex
from tools.sbom import OWN, bill_of_materials

_LEFT_OUT = {"pip"}
"""sqlite-utils asks for it, for a command that is not used."""
_UNIX_ONLY_ELSEWHERE = {"cffi", "pycparser"}
"""Trio wants them on Windows."""


class PexError(Exception):
    """The PEX carries something else than the lock allows; the text says what."""


def check_contents(pex: Pex, locked: Locked, own_wheel: str) -> None:
    """Hold every wheel against the lock, and every file against its wheel.

    Raises:
      PexError: they differ.
    """
    faults = [fault for wheel in pex.wheels for fault in wheel.faults()]
    names = {each.name for each in pex.wheels}
    files = {each.file for each in pex.wheels}
    allowed = locked.needed_by(OWN)
    faults += [
        f"{each}: not in uv.lock" for each in sorted(files - locked.hashes.keys() - {own_wheel})
    ]
    faults += [f"{each}: not needed" for each in sorted(names - allowed)]
    absent = allowed - names - _LEFT_OUT - _UNIX_ONLY_ELSEWHERE
    faults += [f"{each}: missing" for each in sorted(absent)]
    if faults:
        raise PexError("\n".join(faults))


def check_shipped(own: Wheel, tree: Mapping[str, bytes]) -> None:
    """Hold the product's own wheel against the files of this tree that it must carry, by path.

    Raises:
      PexError: one is missing, or another one.
    """
    other = [path for path, content in tree.items() if own.files.get(path) != content]
    if other or not tree:
        raise PexError(f"not in {own.file} as it is here: {sorted(other)}")


def files_to_ship(root: Path) -> dict[str, bytes]:
    """The program, and what it installs, by the path that each has in the wheel."""
    places = {"lambda_matrix": "lambda_matrix", "systemd": "lambda_matrix/installation/files"}
    return {
        f"{place}/{file.relative_to(root / folder)}": file.read_bytes()
        for folder, place in places.items()
        for file in (root / folder).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


def check_lock(pex_lock: dict[str, str], locked: Locked) -> None:
    """Hold pex's lock, which was made of uv.lock, against it.

    Raises:
      PexError: they differ.
    """
    other = [each for each, digest in pex_lock.items() if locked.hashes.get(each) != digest]
    if other or not pex_lock:
        raise PexError(f"pex's lock is not uv.lock's: {sorted(other)}")


def main() -> None:
    """Check the file, and put it and what tells of it in its place; or exit with what is wrong."""
    made, file, own_wheel, pex_lock = map(Path, sys.argv[1:])
    locked = read_lock(Path("uv.lock"))
    content = made.read_bytes()
    own = hashlib.sha256(own_wheel.read_bytes()).hexdigest()
    try:
        pex = read_pex(made)
        check_lock(read_pex_lock(pex_lock), locked)
        check_contents(pex, locked, own_wheel.name)
        check_shipped(next(each for each in pex.wheels if each.name == OWN), files_to_ship(Path()))
        licenses = listing(pex.wheels)
        bill = bill_of_materials(pex, content, locked, own)
    except (PexError, LicenseError, ValueError) as fault:
        sys.exit(f"{made} is not fit to be shipped:\n{fault}")
    digest = hashlib.sha256(content).hexdigest()
    file.with_suffix(".cdx.json").write_text(bill, encoding="utf-8")
    file.with_suffix(".licenses.txt").write_text(licenses, encoding="utf-8")
    file.with_suffix(".pex.sha256").write_text(f"{digest}  {file.name}\n", encoding="utf-8")
    shutil.move(made, file)
    print(f"{file}: {len(content)} bytes, {len(pex.wheels)} wheels, sha256 {digest}")


if __name__ == "__main__":
    main()
