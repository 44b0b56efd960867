"""What is installed, and where: absolute paths as the installed machine knows them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from attrs import frozen

LIBRARY: Final = PurePosixPath("/usr/lib/lambda-matrix")
_UNITS: Final = PurePosixPath("/usr/lib/systemd/system")
OPERATORS_UNITS: Final = PurePosixPath("/etc/systemd/system")
_SHARE: Final = PurePosixPath("/usr/share")
CONFIGURATION: Final = PurePosixPath("/etc/lambda-matrix")

PEX: Final = LIBRARY / "lambda-matrix.pex"
PREVIOUS_PEX: Final = LIBRARY / "lambda-matrix.pex.previous"
"""The version before; `lambda-matrix.pex.previous install` goes back to it."""
COMMAND: Final = PurePosixPath("/usr/bin/lambda-matrix")
MANIFEST: Final = LIBRARY / "installed"
"""A line for each path that is the installation's; configuration is the operator's."""

VENV: Final = LIBRARY / "venv"
"""A link to the unpacked program that is in force, for units that do not unpack it themselves."""
VENVS: Final = LIBRARY / "venvs"

PROGRAM: Final = (PEX, PREVIOUS_PEX, VENV, VENVS, MANIFEST)

SYSUSERS: Final = PurePosixPath("/usr/lib/sysusers.d/lambda-matrix.conf")
TMPFILES: Final = PurePosixPath("/usr/lib/tmpfiles.d/lambda-matrix.conf")
FOLDERS: Final = (
    _UNITS / "lambda-matrix.service.d",
    _UNITS / "lambda-agent.service.d",
    _SHARE / "lambda-matrix",
    _SHARE / "fish/vendor_completions.d",
    _SHARE / "fish",
    _SHARE / "zsh/vendor-completions",
    _SHARE / "zsh",
    _SHARE / "bash-completion/completions",
    _SHARE / "bash-completion",
    _SHARE / "man/man1",
    LIBRARY,
)
"""Folders that an installation may have had to make; they go when nothing is in them any more."""

SERVICE: Final = "lambda-matrix.service"
AGENT: Final = "lambda-agent.service"
STACK: Final = "lambda-matrix-stack.target"

GROUP: Final = "lambda-agents"
WORKSPACES: Final = PurePosixPath("/agents")
_NAMES: Final = ("lambda-matrix", "lambda-agent")
CACHES: Final = tuple(
    PurePosixPath(folder, name)
    for name in _NAMES
    for folder in ("/var/cache", "/var/cache/private")
)
"""What the service and the bundled agent have unpacked of the program (the first of each two is a
link into the second, under DynamicUser=)."""
DATA: Final = tuple(
    PurePosixPath(path)
    for name in _NAMES
    for path in (
        f"/var/lib/{name}",
        f"/var/lib/private/{name}",
        f"/etc/systemd/system/{name}.service.d",  # `systemctl edit`
    )
)
"""What the service and the bundled agent leave behind, and what was changed of their units."""


@frozen
class Piece:
    """A file that travels in the program, and where it goes."""

    source: str
    target: PurePosixPath


PIECES: Final = (
    *(Piece(name, _UNITS / name) for name in (SERVICE, AGENT, "lambda-agent-token.service", STACK)),
    Piece("sysusers.d/lambda-matrix.conf", SYSUSERS),
    Piece("tmpfiles.d/lambda-matrix.conf", TMPFILES),
    *(
        Piece(f"{name}.example.toml", _SHARE / "lambda-matrix" / f"{name}.example.toml")
        for name in ("config", "agents", "model")
    ),
    Piece("man/lambda-matrix.1", _SHARE / "man/man1/lambda-matrix.1"),
    Piece("completions/lambda-matrix.bash", _SHARE / "bash-completion/completions/lambda-matrix"),
    Piece("completions/_lambda-matrix", _SHARE / "zsh/vendor-completions/_lambda-matrix"),
    Piece(
        "completions/lambda-matrix.fish", _SHARE / "fish/vendor_completions.d/lambda-matrix.fish"
    ),
)
"""What every installation has."""

DROP_INS: Final = tuple(
    Piece(f"{unit}.d/pre-expanded.conf", _UNITS / f"{unit}.d" / "pre-expanded.conf")
    for unit in (SERVICE, AGENT)
)
"""What makes the units run the program that was unpacked by the installation."""

SETTINGS: Final = tuple(
    Piece(f"{name}.example.toml", CONFIGURATION / f"{name}.toml")
    for name in ("config", "agents", "model")
)
"""What is put there once, and is the operator's from then on."""
