"""`lambda-matrix status`: how the running service is, asked on its own socket."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from lambda_matrix.options import config_option, examples
from lambda_matrix.service.monitoring.asking import Said
from lambda_matrix.upkeep.running_service import ask_service, status_socket, with_service
from lambda_matrix.upkeep.tables import printable


@click.command(
    short_help="Show how the running service is.",
    epilog=examples("lambda-matrix status", "lambda-matrix status --json | jq .readiness"),
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON, for programs.")
def status(file: Path, *, as_json: bool) -> None:
    """Show how the running service is: what it waits for, what is at work, its last faults.

    Give it as root, or as the user that the service runs as. Exit status 3: the service does not
    run. 4: it runs, as far as can be seen, and does not tell. 78: the configuration cannot be read.
    """
    said = with_service(partial(_ask, file, "/status.json" if as_json else "/status"), file)
    for line in said.text.splitlines():
        click.echo(printable(line))


async def _ask(file: Path, target: str) -> Said:
    return await ask_service(status_socket(file), target)
