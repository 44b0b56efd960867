"""What an agent says of its own failure, as far as a person can be told more than that it failed.

Agents put a code of their own into `RUN_ERROR`. Those of the bundled agent, which has a model
behind it, have a sentence each; any other code says nothing to a person.
"""

from enum import Enum


class AgentFault(Enum):
    """A failure that has a sentence, by its code in `RUN_ERROR`."""

    MODEL_UNREACHABLE = "model_unreachable"  # no connection to the model's endpoint
    MODEL_TIMEOUT = "model_timeout"
    MODEL_KEY_REFUSED = "model_key_refused"
    MODEL_NOT_FOUND = "model_not_found"
    MODEL_BUSY = "model_busy"  # its rate limit
    MODEL_QUOTA = "model_quota"  # its credit is used up
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_FILTERED = "content_filtered"
    MODEL_REFUSED = "model_refused"  # the request as such
    MODEL_BROKEN = "model_broken"  # an error within the model's endpoint
    ANSWER_CUT = "answer_cut"  # the stream ended before its end
    MODEL_GARBLED = "model_garbled"  # an answer that is none
    MODEL_SILENT = "model_silent"  # an answer without words
    TOOL_CALLS_ENDLESS = "tool_calls_endless"
    INTERRUPT_EXPIRED = "interrupt_expired"  # the word on what it had asked came too late for it
    UNKNOWN_INTERRUPT = "unknown_interrupt"  # it has forgotten what it had asked
    STORAGE = "storage"  # a file of the agent's could not be read or written


def fault_of(code: str | None) -> AgentFault | None:
    """Return the fault that `code` names; None if it says nothing to a person."""
    return next((fault for fault in AgentFault if fault.value == code), None)
