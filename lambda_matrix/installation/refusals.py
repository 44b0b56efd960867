"""Why an installation does not go on, in one sentence."""

from __future__ import annotations

import click

from lambda_matrix.exits import Exit


class InstallationError(click.ClickException):
    """It cannot go on; the message is one sentence. What is done so far stays done."""

    exit_code = int(Exit.DISK_REFUSES)


class NotLikeThisError(InstallationError):
    """The command was given in a way, or by somebody, that cannot be served. Nothing was done."""

    exit_code = 2


class NotAgreedError(InstallationError):
    """The operator did not agree. Nothing was done."""

    exit_code = int(Exit.INTERRUPTED)
