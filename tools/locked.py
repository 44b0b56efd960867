"""What uv.lock allows into the PEX: which wheels, with which hashes, and who needs whom."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from attrs import frozen


@frozen
class Locked:
    """The lock: the hash of each file by its name, the files and needs of each distribution."""

    hashes: dict[str, str]
    needs: dict[str, tuple[str, ...]]

    def needed_by(self, name: str) -> set[str]:
        """All that a distribution needs, directly or not, itself among them."""
        found: set[str] = set()
        looking = [name]
        while looking:
            each = looking.pop()
            if each not in found:
                found.add(each)
                looking += self.needs[each]
        return found


def read_lock(file: Path) -> Locked:
    """Read uv.lock."""
    hashes: dict[str, str] = {}
    needs: dict[str, tuple[str, ...]] = {}
    for package in tomllib.loads(file.read_text(encoding="utf-8"))["package"]:
        needs[package["name"]] = tuple(each["name"] for each in package.get("dependencies", ()))
        files: list[dict[str, Any]] = [*package.get("wheels", ())]
        files += [package["sdist"]] if "sdist" in package else []
        for each in files:
            hashes[each["url"].rsplit("/", 1)[1]] = each["hash"].removeprefix("sha256:")
    return Locked(hashes, needs)


def read_pex_lock(file: Path) -> dict[str, str]:
    """The hash of each file that pex's own lock names."""
    locked = json.loads(file.read_text(encoding="utf-8"))
    return {
        artifact["url"].rsplit("/", 1)[1]: artifact["hash"]
        for resolve in locked["locked_resolves"]
        for requirement in resolve["locked_requirements"]
        for artifact in requirement["artifacts"]
    }
