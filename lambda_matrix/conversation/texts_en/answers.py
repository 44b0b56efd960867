"""What stands under an answer, or in its place."""

from collections.abc import Sequence
from typing import assert_never

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.catalogue.answers import AnswerTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal

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
        interrupt=_interrupt,
        file_not_sent=lambda path: (
            f"_The agent made a file, {as_code(path)}. I cannot send files yet._"
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


def _interrupt(messages: Sequence[str]) -> str:
    asked = "".join(f"\n- {literal(message)}" for message in messages)
    return (
        "The agent wants your consent before it goes on. It cannot be given here yet, so nothing "
        f"has been done.{asked}"
    )
