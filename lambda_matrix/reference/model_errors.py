"""What can go wrong with a model's endpoint, told apart by what it answered. No I/O.

Endpoints agree on statuses more than on bodies, and on bodies more than on words. So the status
decides, unless the body's `code` or `type` is one of those that OpenAI documents, or its message
speaks of the context's length, for which there is no status.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Final

_LONGEST_DETAIL: Final = 300
_TOO_LONG: Final = re.compile(
    r"context[ _](length|window|size)|maximum context|prompt is too long|too many (input )?tokens",
    re.IGNORECASE,
)


class ModelFault(Enum):
    """Each has its own code in RUN_ERROR, and a sentence of its own."""

    UNREACHABLE = "model_unreachable"
    TIMEOUT = "model_timeout"
    KEY_REFUSED = "model_key_refused"
    NOT_FOUND = "model_not_found"
    BUSY = "model_busy"
    QUOTA = "model_quota"
    CONTEXT_TOO_LONG = "context_too_long"
    FILTERED = "content_filtered"
    REFUSED = "model_refused"
    BROKEN = "model_broken"
    CUT = "answer_cut"
    GARBLED = "model_garbled"
    SILENT = "model_silent"
    ENDLESS = "tool_calls_endless"


class ModelError(Exception):
    """The endpoint gave no answer that could be used.

    `str()` is for the journal: it quotes the endpoint, and never holds the key. `retry_after` is
    in seconds, if the endpoint said when to come back.
    """

    def __init__(self, fault: ModelFault, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail[:_LONGEST_DETAIL])
        self.fault = fault
        self.retry_after = retry_after


_BY_CODE: Final = {
    "context_length_exceeded": ModelFault.CONTEXT_TOO_LONG,
    "exceed_context_size_error": ModelFault.CONTEXT_TOO_LONG,
    "content_filter": ModelFault.FILTERED,
    "content_policy_violation": ModelFault.FILTERED,
    "insufficient_quota": ModelFault.QUOTA,
    "invalid_api_key": ModelFault.KEY_REFUSED,
    "model_not_found": ModelFault.NOT_FOUND,
    "rate_limit_exceeded": ModelFault.BUSY,
}
_BY_STATUS: Final = {
    401: ModelFault.KEY_REFUSED,
    402: ModelFault.QUOTA,
    403: ModelFault.KEY_REFUSED,
    404: ModelFault.NOT_FOUND,
    408: ModelFault.TIMEOUT,
    429: ModelFault.BUSY,
    504: ModelFault.TIMEOUT,
}
_SERVER_ERRORS: Final = 500


def of_status(status: int, body: str, retry_after: str | None = None) -> ModelError:
    """Make the error of an answer whose status is not 200, from its body and `Retry-After`."""
    try:
        said = json.loads(body)
    except ValueError:
        said = body
    fault, words = _judge(said, _of_status(status))
    return ModelError(fault, f"HTTP status {status}: {words}", _seconds(retry_after))


def of_body(error: object) -> ModelError:
    """Make the error of an `error` that came inside the stream."""
    fault, words = _judge({"error": error}, ModelFault.BROKEN)
    return ModelError(fault, f"an error in the stream: {words}")


def _of_status(status: int) -> ModelFault:
    usual = ModelFault.BROKEN if status >= _SERVER_ERRORS else ModelFault.REFUSED
    return _BY_STATUS.get(status, usual)


def _judge(said: object, usual: ModelFault) -> tuple[ModelFault, str]:
    """Return what an error's body speaks of, and its words on one line."""
    error = said.get("error", said) if isinstance(said, dict) else said
    names: list[object] = []
    if isinstance(error, dict):
        names = [error.get("code"), error.get("type")]
        message = error.get("message")
        error = message if isinstance(message, str) else json.dumps(error)
    words = " ".join((error if isinstance(error, str) else json.dumps(error)).split())
    for name in names:
        if isinstance(name, str) and name in _BY_CODE:
            return _BY_CODE[name], words
        if isinstance(name, int) and name in _BY_STATUS:
            usual = _BY_STATUS[name]
    if _TOO_LONG.search(words):
        return ModelFault.CONTEXT_TOO_LONG, words
    return usual, words


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None  # a date, which some other clock has written
    return float(retry_after)
