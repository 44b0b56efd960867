"""Commands that a client has spelled out, as they would have been typed (MSC4391)."""

from lambda_matrix.matrix_events import InvokedCommand


def typed(command: InvokedCommand, prefix: str) -> str:
    """Return the command as a person types it, e.g. `!stop all`.

    The body of its message is for clients that do not know of such things, and may say anything.
    """
    name = command.name.removeprefix(prefix)
    return " ".join([f"{prefix}{name}", *(value for _, value in command.arguments)])
