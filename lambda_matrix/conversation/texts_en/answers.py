"""What stands under an answer, or in its place."""

from typing import assert_never

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.agent_faults import AgentFault
from lambda_matrix.conversation.catalogue.answers import AnswerTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import literal

_WHY = {
    RunFailure.UNREACHABLE: "I cannot reach the agent just now.",
    RunFailure.HANDSHAKE_REFUSED: "The agent does not take questions at the moment.",
    RunFailure.UNAUTHORIZED: "The agent does not let me in. Please tell whoever runs this bot.",
    RunFailure.INPUT_REFUSED: "The agent could not make sense of the question.",
    RunFailure.TRUNCATED: "The connection to the agent broke before it had answered.",
    RunFailure.IDLE_TIMEOUT: "The agent fell silent, so I stopped waiting.",
    RunFailure.RUN_TIMEOUT: "The agent took longer than it may, so I stopped it.",
    RunFailure.BAD_FRAME: "The agent gave an answer that I do not understand.",
    RunFailure.FRAME_TOO_LARGE: "The agent sent more at once than I can take.",
    RunFailure.RUN_ERROR: "The agent ran into an error.",
    RunFailure.NOT_ALLOWED: "The agent of this chat is not open to you.",
    RunFailure.NO_AGENT: "The agent of this chat is no longer there.",
    RunFailure.GAVE_UP: "I tried to get an answer several times and was interrupted each time.",
}
_FAULTS = {
    AgentFault.MODEL_UNREACHABLE: "The agent cannot reach its model just now.",
    AgentFault.MODEL_TIMEOUT: "The agent's model took too long.",
    AgentFault.MODEL_KEY_REFUSED: (
        "The agent's model does not let it in. Please tell whoever runs this bot."
    ),
    AgentFault.MODEL_NOT_FOUND: (
        "The agent's model is not to be found. Please tell whoever runs this bot."
    ),
    AgentFault.MODEL_BUSY: "The agent's model has too much to do. Please give it a minute.",
    AgentFault.MODEL_QUOTA: (
        "The credit for the agent's model is used up. Please tell whoever runs this bot."
    ),
    AgentFault.CONTEXT_TOO_LONG: "This conversation has grown too long for the agent's model.",
    AgentFault.CONTENT_FILTERED: "The agent's model may not answer that.",
    AgentFault.MODEL_REFUSED: "The agent's model did not take the question.",
    AgentFault.MODEL_BROKEN: "The agent's model ran into an error.",
    AgentFault.ANSWER_CUT: "The agent's model broke off in the middle of its answer.",
    AgentFault.MODEL_GARBLED: "The agent's model gave an answer that makes no sense.",
    AgentFault.MODEL_SILENT: "The agent's model had nothing to say.",
    AgentFault.TOOL_CALLS_ENDLESS: (
        "The agent went from one tool to the next without coming to an end."
    ),
    AgentFault.INTERRUPT_EXPIRED: "That came too late: the agent waits for your word no longer.",
    AgentFault.UNKNOWN_INTERRUPT: "The agent does not know any more what it had asked you.",
    AgentFault.STORAGE: "The agent could not read or write its files.",
}


def answer_texts(quote: Quote) -> AnswerTexts:
    """Return the sentences, with the commands as `quote` has them."""
    retry = quote(CommandName.RETRY)
    return AnswerTexts(
        tool_line=lambda tool: f"_Using {literal(tool)} …_",
        stopped_line=f"_Stopped. {retry} asks again._",
        broken_off_line=f"_The answer broke off here. {retry} asks again._",
        cut_line="_The answer is too long to be shown whole; the rest was left out._",
        stopped=f"Stopped before there was an answer. {retry} asks again.",
        empty="The agent had nothing to say to that. Please try to put it differently.",
        failure=lambda failure: f"{why(failure)} {_what_next(failure, quote)}",
        cancelled=f"The agent ended this without an answer. {retry} asks again.",
        agent_fault=lambda fault: f"{_FAULTS[fault]} {_after(fault, quote)}",
        only_files=lambda count: (
            "Here is the file." if count == 1 else f"Here are the {count} files."
        ),
    )


def why(failure: RunFailure) -> str:
    """Return what went wrong, without what to do now."""
    return _WHY[failure]


def _what_next(failure: RunFailure, quote: Quote) -> str:
    retry, new = quote(CommandName.RETRY), quote(CommandName.NEW)
    match failure:
        case RunFailure.UNREACHABLE | RunFailure.HANDSHAKE_REFUSED:
            return f"{retry} asks again; please give it a few minutes."
        case RunFailure.UNAUTHORIZED:
            return f"When that is settled, {retry} asks again."
        case RunFailure.INPUT_REFUSED:
            return "Please put it differently."
        case RunFailure.RUN_TIMEOUT | RunFailure.FRAME_TOO_LARGE:
            return f"{retry} asks again; smaller steps may do better."
        case RunFailure.NOT_ALLOWED | RunFailure.NO_AGENT:
            return f"{new} opens a chat with another one."
        case (
            RunFailure.TRUNCATED
            | RunFailure.IDLE_TIMEOUT
            | RunFailure.BAD_FRAME
            | RunFailure.RUN_ERROR
            | RunFailure.GAVE_UP
        ):
            return f"{retry} asks again."
        case _:
            assert_never(failure)


def _after(fault: AgentFault, quote: Quote) -> str:
    """Return what to do now."""
    retry, new = quote(CommandName.RETRY), quote(CommandName.NEW)
    match fault:
        case AgentFault.CONTEXT_TOO_LONG:
            return f"{quote(CommandName.CLEAR)} starts afresh here, {new} opens a new chat."
        case AgentFault.CONTENT_FILTERED | AgentFault.MODEL_REFUSED | AgentFault.MODEL_SILENT:
            return "Please put it differently."
        case AgentFault.INTERRUPT_EXPIRED | AgentFault.UNKNOWN_INTERRUPT:
            return "Nothing was done; please ask your question again."
        case AgentFault.TOOL_CALLS_ENDLESS | AgentFault.MODEL_TIMEOUT:
            return f"{retry} asks again; smaller steps may do better."
        case (
            AgentFault.MODEL_UNREACHABLE
            | AgentFault.MODEL_KEY_REFUSED
            | AgentFault.MODEL_NOT_FOUND
            | AgentFault.MODEL_BUSY
            | AgentFault.MODEL_QUOTA
            | AgentFault.MODEL_BROKEN
            | AgentFault.ANSWER_CUT
            | AgentFault.MODEL_GARBLED
            | AgentFault.STORAGE
        ):
            return f"{retry} asks again."
        case _:
            assert_never(fault)
