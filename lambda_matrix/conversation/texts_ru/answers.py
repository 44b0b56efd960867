"""What stands under an answer, or in its place."""

from typing import assert_never

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.agent_faults import AgentFault
from lambda_matrix.conversation.catalogue.answers import AnswerTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import literal
from lambda_matrix.conversation.texts_ru.wording import FILES, counted

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
_FAULTS = {
    AgentFault.MODEL_UNREACHABLE: "Модель агента сейчас недоступна.",
    AgentFault.MODEL_TIMEOUT: "Модель агента думала слишком долго.",
    AgentFault.MODEL_KEY_REFUSED: (
        "Модель не впускает агента. Сообщите, пожалуйста, тому, кто отвечает за этого бота."
    ),
    AgentFault.MODEL_NOT_FOUND: (
        "Модель агента не найдена. Сообщите, пожалуйста, тому, кто отвечает за этого бота."
    ),
    AgentFault.MODEL_BUSY: "Модель агента перегружена. Подождите, пожалуйста, минуту.",
    AgentFault.MODEL_QUOTA: (
        "Средства на модель агента кончились. Сообщите, пожалуйста, тому, кто отвечает за "
        "этого бота."
    ),
    AgentFault.CONTEXT_TOO_LONG: "Разговор стал слишком длинным для модели агента.",
    AgentFault.CONTENT_FILTERED: "На такое модели агента отвечать нельзя.",
    AgentFault.MODEL_REFUSED: "Модель агента не приняла вопрос.",
    AgentFault.MODEL_BROKEN: "У модели агента произошла ошибка.",
    AgentFault.ANSWER_CUT: "Модель агента умолкла посреди ответа.",
    AgentFault.MODEL_GARBLED: "Модель агента ответила так, что ничего не понять.",
    AgentFault.MODEL_SILENT: "Модель агента ничего не ответила.",
    AgentFault.TOOL_CALLS_ENDLESS: "Агент брался за один инструмент за другим и не мог закончить.",
    AgentFault.INTERRUPT_EXPIRED: "Слишком поздно: агент уже не ждёт вашего ответа.",
    AgentFault.UNKNOWN_INTERRUPT: "Агент уже не помнит, о чём спрашивал вас.",
    AgentFault.STORAGE: "Агент не смог прочитать или записать свои файлы.",
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
        agent_fault=lambda fault: f"{_FAULTS[fault]} {_after(fault, quote)}",
        only_files=lambda count: "Вот файл." if count == 1 else f"Вот {counted(count, FILES)}.",
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


def _after(fault: AgentFault, quote: Quote) -> str:
    """Return what to do now."""
    retry, new = quote(CommandName.RETRY), quote(CommandName.NEW)
    match fault:
        case AgentFault.CONTEXT_TOO_LONG:
            return f"{quote(CommandName.CLEAR)} начнёт здесь заново, {new} откроет новый чат."
        case AgentFault.CONTENT_FILTERED | AgentFault.MODEL_REFUSED | AgentFault.MODEL_SILENT:
            return "Попробуйте, пожалуйста, сказать иначе."
        case AgentFault.INTERRUPT_EXPIRED | AgentFault.UNKNOWN_INTERRUPT:
            return "Ничего не сделано; задайте, пожалуйста, вопрос ещё раз."
        case AgentFault.TOOL_CALLS_ENDLESS | AgentFault.MODEL_TIMEOUT:
            return f"{retry} задаст вопрос ещё раз; по частям может получиться лучше."
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
            return f"{retry} задаст вопрос ещё раз."
        case _:
            assert_never(fault)
