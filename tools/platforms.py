"""platforms.py FOLDER: the machines that the PEX is built for, one JSON file each, for pex.

An abbreviated platform of pex knows one manylinux version alone; wheels are built for several, and
Pillow's for none older than glibc 2.28 (Debian 10, RHEL 8). So each is spelt out.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

_PYTHONS = ((3, 11, 2), (3, 12, 0), (3, 13, 5), (3, 14, 0))
_MACHINES = ("x86_64", "aarch64")
_NEWEST_GLIBC, _OLDEST_GLIBC = 28, 17  # 2.17 is manylinux2014, the oldest that both machines have


def _tags(minor: int, machine: str) -> Iterator[str]:
    """Yield the tags of wheels that this Python takes, the best first (PEP 425, PEP 600)."""
    versions = range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)
    places = [f"manylinux_2_{each}_{machine}" for each in versions]
    places += [f"manylinux2014_{machine}", f"linux_{machine}"]
    mine = f"cp3{minor}"
    yield from (f"{mine}-{abi}-{place}" for abi in (mine, "abi3", "none") for place in places)
    older = range(minor - 1, 1, -1)
    yield from (f"cp3{each}-abi3-{place}" for each in older for place in places)
    pure = [f"py3{minor}", "py3", *(f"py3{each}" for each in range(minor - 1, -1, -1))]
    yield from (f"{each}-none-{place}" for each in pure for place in places)
    yield from (f"{each}-none-any" for each in (mine, *pure))


def main() -> None:
    """Write the files and print their paths."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for major, minor, patch in _PYTHONS:
        for machine in _MACHINES:
            markers = {
                "implementation_name": "cpython",
                "implementation_version": f"{major}.{minor}.{patch}",
                "os_name": "posix",
                "platform_machine": machine,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": "Linux",
                "platform_version": "",
                "python_full_version": f"{major}.{minor}.{patch}",
                "python_version": f"{major}.{minor}",
                "sys_platform": "linux",
            }
            told = {"compatible_tags": [*_tags(minor, machine)], "marker_environment": markers}
            file = folder / f"{major}.{minor}-{machine}.json"
            file.write_text(json.dumps(told, indent=1), encoding="utf-8")
            print(file)


if __name__ == "__main__":
    main()
