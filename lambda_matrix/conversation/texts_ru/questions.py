"""What is said of questions on their way."""

from lambda_matrix.conversation.catalogue.questions import QuestionTexts, UnsupportedKind
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.texts_ru.wording import QUESTIONS, counted, span

_UNSUPPORTED = {
    UnsupportedKind.STICKER: "Стикер! Я читаю только слова и файлы, так что напишите мне.",
    UnsupportedKind.LOCATION: (
        "Отметки на карте я не читаю. Напишите, пожалуйста, где это: словами или координатами."
    ),
    UnsupportedKind.POLL: "В опросах я участвовать не могу. Спросите меня, пожалуйста, словами.",
    UnsupportedKind.OTHER: "Я читаю только слова и файлы. Напишите мне, пожалуйста, словами.",
}


def question_texts(quote: Quote) -> QuestionTexts:
    """Return the sentences, with the commands as `quote` has them."""
    stop, retry = quote(CommandName.STOP), quote(CommandName.RETRY)
    return QuestionTexts(
        queued=lambda ahead: f"Принято. Впереди в очереди {counted(ahead, QUESTIONS)}.",
        queue_full=lambda waiting: (
            f"Очередь здесь заполнена ({counted(waiting, QUESTIONS)}), поэтому этот вопрос в неё "
            f"не попал. Спросите ещё раз, когда я отвечу на остальные, или отправьте {stop}."
        ),
        too_fast=lambda wait: (
            "Слишком много вопросов сразу, и этот не принят. Задайте его, пожалуйста, ещё раз "
            f"через {span(wait)}."
        ),
        too_many_runs=lambda running: (
            f"Принято. Я уже отвечаю на {counted(running, QUESTIONS)} от вас; возьмусь за этот, "
            "как только закончу какой-нибудь из них."
        ),
        busy=(
            "Принято. Сейчас спрашивают многие; возьмусь за этот вопрос, как только освободится "
            "место."
        ),
        stopped="Остановлено.",
        stopped_all=lambda count: f"Остановлено: {counted(count, QUESTIONS)}.",
        nothing_to_stop="Останавливать нечего: я сейчас ни на что здесь не отвечаю.",
        nothing_to_retry="Здесь нет вашего вопроса, который можно задать ещё раз.",
        retry_running=(
            f"Я ещё отвечаю на ваш последний вопрос. {stop} остановит ответ, а потом {retry} "
            "задаст вопрос ещё раз."
        ),
        unsupported=_UNSUPPORTED.__getitem__,
    )
