"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_FILE = Path("/etc/lambda-matrix/config.toml")


def examples(*lines: str) -> str:
    """Return the end of a command's help: lines as they are typed."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    show_default=True,
    help="The TOML file with the settings.",
)
