"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_FILE = Path("/etc/lambda-matrix/config.toml")

config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    show_default=True,
    help="The TOML file with the settings (docs/configuration.md).",
)
