"""What stands under an answer, or in its place."""

from collections.abc import Sequence
from typing import assert_never

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.catalogue.answers import AnswerTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal

_WHY = {
    RunFailure.UNREACHABLE: "Сейчас агент недоступен.",
    RunFailure.HANDSHAKE_REFUSED: "Агент сейчас не принимает вопросов.",
    RunFailure.UNAUTHORIZED: (
        "Агент меня не впускает. Сообщите, пожалуйста, тому, кто отвечает за этого бота."
    ),
    RunFailure.INPUT_REFUSED: "Агент не смог разобрать вопрос.",
    RunFailure.TRUNCATED: "Связь с агентом прервалась до ответа.",
    RunFailure.IDLE_TIMEOUT: "Агент замолчал, и ждать дальше нет смысла.",
    RunFailure.RUN_TIMEOUT: "Агент работал дольше, чем положено, и пришлось его остановить.",
    RunFailure.BAD_FRAME: "Агент ответил так, что я его не понимаю.",
    RunFailure.FRAME_TOO_LARGE: "Агент прислал за один раз больше, чем я могу принять.",
    RunFailure.RUN_ERROR: "У агента произошла ошибка.",
    RunFailure.NOT_ALLOWED: "Агент этого чата вам недоступен.",
    RunFailure.NO_AGENT: "Агента этого чата больше нет.",
    RunFailure.GAVE_UP: "Получить ответ не удалось: каждый раз что-то мешало.",
}


def answer_texts(quote: Quote) -> AnswerTexts:
    """Return the sentences, with the commands as `quote` has them."""
    retry = quote(CommandName.RETRY)
    return AnswerTexts(
        tool_line=lambda tool: f"_Работает {literal(tool)} …_",
        stopped_line=f"_Остановлено. {retry} — спросить ещё раз._",
        broken_off_line=f"_Здесь ответ оборвался. {retry} — спросить ещё раз._",
        cut_line="_Ответ слишком длинный, чтобы показать его целиком; конец опущен._",
        stopped=f"Остановлено до того, как появился ответ. {retry} — спросить ещё раз.",
        empty="Агенту нечего на это сказать. Попробуйте спросить иначе.",
        failure=lambda failure: f"{why(failure)} {_what_next(failure, quote)}",
        cancelled=f"Агент завершил работу, не ответив. {retry} — спросить ещё раз.",
        interrupt=_interrupt,
        file_not_sent=lambda path: (
            f"_Агент подготовил файл {as_code(path)}. Отправлять файлы я пока не умею._"
        ),
    )


def why(failure: RunFailure) -> str:
    """Return what went wrong, without what to do now."""
    return _WHY[failure]


def _what_next(failure: RunFailure, quote: Quote) -> str:
    retry, new = quote(CommandName.RETRY), quote(CommandName.NEW)
    match failure:
        case RunFailure.UNREACHABLE | RunFailure.HANDSHAKE_REFUSED:
            return f"Подождите, пожалуйста, несколько минут; {retry} задаст вопрос ещё раз."
        case RunFailure.UNAUTHORIZED:
            return f"Когда всё наладится, {retry} задаст вопрос ещё раз."
        case RunFailure.INPUT_REFUSED:
            return "Попробуйте, пожалуйста, сказать иначе."
        case RunFailure.RUN_TIMEOUT | RunFailure.FRAME_TOO_LARGE:
            return f"{retry} задаст вопрос ещё раз; по частям может получиться лучше."
        case RunFailure.NOT_ALLOWED | RunFailure.NO_AGENT:
            return f"{new} откроет чат с другим."
        case (
            RunFailure.TRUNCATED
            | RunFailure.IDLE_TIMEOUT
            | RunFailure.BAD_FRAME
            | RunFailure.RUN_ERROR
            | RunFailure.GAVE_UP
        ):
            return f"{retry} задаст вопрос ещё раз."
        case _:
            assert_never(failure)


def _interrupt(messages: Sequence[str]) -> str:
    asked = "".join(f"\n- {literal(message)}" for message in messages)
    return (
        "Чтобы продолжить, агенту нужно ваше согласие. Дать его здесь пока нельзя, поэтому ничего "
        f"не сделано.{asked}"
    )
