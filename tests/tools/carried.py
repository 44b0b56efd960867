"""Wheels and PEX files as small as they can be."""

from __future__ import annotations

import hashlib
import json
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

from tools.pex_contents import Wheel

MIT = "Permission is hereby granted, free of charge"


def wheel(
    name: str = "whatever", *said: str, bill: object = None, more: dict[str, bytes] | None = None
) -> Wheel:
    """A wheel of this name whose metadata has these lines."""
    about = f"{name}-1.0.dist-info"
    metadata = "\n".join([f"Name: {name}", "Version: 1.0", *(said or ("License: MIT",)), "", ""])
    files = {
        f"{name}.py": b"pass\n",
        f"{about}/METADATA": metadata.encode(),
        f"{about}/licenses/LICENSE": MIT.encode(),
        **(more or {}),
    }
    if bill is not None:
        files[f"{about}/sboms/bill.cdx.json"] = json.dumps({"components": bill}).encode()
    record = "".join(f"{path},sha256={_digest(files[path])},\n" for path in files)
    files[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n".encode()
    return Wheel(f"{name}-1.0-py3-none-any.whl", {**files, ".layout.json": b"{}"})


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def write_pex(file: Path, *wheels: Wheel, more: dict[str, bytes] | None = None) -> Path:
    """Write a PEX that carries these wheels."""
    about = {
        "distributions": {each.file: "a hash of pex's own" for each in wheels},
        "build_properties": {"pex_version": "2.105.2"},
    }
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("PEX-INFO", json.dumps(about))
        for each in wheels:
            opened.mkdir(f".deps/{each.file}")
            for path, content in each.files.items():
                opened.writestr(f".deps/{each.file}/{path}", content)
        for path, content in (more or {}).items():
            opened.writestr(path, content)
    return file
