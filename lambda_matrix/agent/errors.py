"""Why a run brought no answer: one type for each way, all under `AgentError`.

An agent that says itself that it failed (`RUN_ERROR`) is not among them: that is an event,
`agent_events.RunFailed`.
"""
# ruff: noqa: N818 - the reader sees what happened, and "AgentError" says that these are errors

from typing import ClassVar

from lambda_matrix.agent_events import RunFailure

_DETAIL_LIMIT = 300  # characters: a line of the journal, whatever the agent wrote


class AgentError(Exception):
    """A run that ended without its terminal event.

    `failure` says which sentence the person gets. `detail` is for the journal: it never holds
    the token, but may hold words of the agent, clipped and with control characters escaped.
    """

    failure: ClassVar[RunFailure]
    close_code: ClassVar[int] = 1000
    """With what code our side closes the WebSocket then (RFC 6455, 7.4.1)."""

    def __init__(self, detail: str) -> None:
        printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in detail)
        self.detail = printable[:_DETAIL_LIMIT]
        super().__init__(self.detail)


class Unreachable(AgentError):
    """No connection: refused, no route, an unknown name, a TLS handshake that failed."""

    failure = RunFailure.UNREACHABLE


class HandshakeRefused(AgentError):
    """Something answered there, but did not open a run: an HTTP error, or no such protocol."""

    failure = RunFailure.HANDSHAKE_REFUSED


class Unauthorized(AgentError):
    """HTTP status 401 or 403: the token is missing, wrong, or not good for this."""

    failure = RunFailure.UNAUTHORIZED


class InputRefused(AgentError):
    """The agent could not read our RunAgentInput, or it is too large for it.

    Close code 1007 or 1009 before any event; HTTP status 400, 413 or 422.
    """

    failure = RunFailure.INPUT_REFUSED


class Truncated(AgentError):
    """The connection ended before a terminal event: the text so far is not an answer."""

    failure = RunFailure.TRUNCATED


class IdleTimeout(AgentError):
    """No event for longer than `idle_timeout`. WebSocket pings are no events."""

    failure = RunFailure.IDLE_TIMEOUT


class RunTimeout(AgentError):
    """The run took longer than `run_timeout` in all."""

    failure = RunFailure.RUN_TIMEOUT


class BadFrame(AgentError):
    """Not JSON, not an AG-UI event, an event out of order, or one of another run."""

    failure = RunFailure.BAD_FRAME
    close_code = 1007


class FrameTooLarge(AgentError):
    """One frame, or the whole run, is over the size that the service is willing to hold."""

    failure = RunFailure.FRAME_TOO_LARGE
    close_code = 1009
