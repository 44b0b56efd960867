"""`lambda-matrix completion`: what a shell loads so that it completes our commands and options.

The scripts are click's. They ask the program itself, each time that somebody presses the key, by an
environment variable of this name; so what they complete is never out of date.
"""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from lambda_matrix.options import examples

PROGRAM = "lambda-matrix"
VARIABLE = "_LAMBDA_MATRIX_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="Print what a shell needs to complete commands.",
    epilog=examples(
        "source <(lambda-matrix completion bash)",
        "lambda-matrix completion zsh > ~/.zfunc/_lambda-matrix",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what a shell needs to complete commands and options: bash, zsh or fish.

    lambda-matrix install puts it where each shell finds it; this is for everything else.
    """
    click.echo(script(shell), nl=False)


def script(shell: str) -> str:
    """Return the script for one of `SHELLS`, to be sourced or autoloaded."""
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(f"no completion for {shell}")
    # Not bash's own `source`, which starts a bash to ask for its version.
    return ShellComplete.source(kind(click.Command(PROGRAM), {}, PROGRAM, VARIABLE))
