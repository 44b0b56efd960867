"""Another version of the program, without a build: the PEX with another number in it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import warnings
import zipfile
from pathlib import Path

_SCRIPT = 4096
"""Bytes at the beginning of a PEX in which its shell script looks for what it has unpacked."""
_STARTS = ("__main__.py", "__pex__/__init__.py")
"""What is told in writing which folder is its own."""


def newer_version(pex: Path, made: Path, version: str) -> Path:
    """Write `pex` to `made` with another version; returns `made`.

    As another build would be, it is another file with other hashes, so that it unpacks itself
    into a folder of its own. Only the number is new in it.
    """
    shutil.copy(pex, made)
    with zipfile.ZipFile(pex) as archive:
        about = json.loads(archive.read("PEX-INFO"))
        wheel = next(name for name in about["distributions"] if name.startswith("lambda_matrix-"))
        module = f".deps/{wheel}/lambda_matrix/__init__.py"
        source = archive.read(module).decode()
        starts = {name: archive.read(name) for name in _STARTS}
    old = about["pex_hash"].encode()
    new = hashlib.sha1(version.encode()).hexdigest().encode()  # noqa: S324 - a name, no secret
    with made.open("r+b") as file:
        script = file.read(_SCRIPT)
        file.seek(0)
        file.write(_replaced(script, old, new))
    about["pex_hash"] = new.decode()
    about["distributions"][wheel] = hashlib.sha256(version.encode()).hexdigest()
    source, count = re.subn(r'__version__ = ".*"', f'__version__ = "{version}"', source)
    assert count == 1
    with warnings.catch_warnings(), zipfile.ZipFile(made, "a") as archive:
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice: the last wins
        archive.writestr("PEX-INFO", json.dumps(about))
        archive.writestr(module, source)
        for name, text in starts.items():
            archive.writestr(name, _replaced(text, old, new))
    return made


def _replaced(text: bytes, old: bytes, new: bytes) -> bytes:
    assert old in text
    return text.replace(old, new)
