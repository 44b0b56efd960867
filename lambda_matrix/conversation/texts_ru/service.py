"""What is said of the service itself."""

from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.catalogue.service import ServiceTexts, StatusFacts
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import literal
from lambda_matrix.conversation.texts_ru.answers import why
from lambda_matrix.conversation.texts_ru.wording import MINUTE, span


def service_texts(quote: Quote) -> ServiceTexts:
    """Return the sentences, with the commands as `quote` has them."""
    retry = quote(CommandName.RETRY)
    return ServiceTexts(
        status=_status,
        gap=(
            "Пока меня не было, здесь накопилось слишком много сообщений, и прочитать удалось не "
            "все. Если какой-то вопрос остался без ответа, задайте его ещё раз."
        ),
        undeliverable=(
            f"Сервер не принял мой ответ, поэтому показать его не получится. {retry} задаст "
            "вопрос ещё раз; ответ покороче может и пройти."
        ),
        memory_lost=(
            "Часть моей памяти потерялась: файлов, ждавших вашего следующего сообщения, и того, "
            "что ждало вашего согласия, больше нет. Отправьте или спросите, пожалуйста, ещё раз."
        ),
    )


def _status(facts: StatusFacts) -> str:
    agent = "на связи"
    if facts.failure is not None:
        sentence = why(facts.failure)
        agent = sentence[0].lower() + sentence[1:]  # behind a colon, where English may have its "I"
    if facts.sync_age is None:
        homeserver = "связи ещё нет"
    elif facts.sync_age < MINUTE:
        homeserver = "на связи"
    else:
        homeserver = f"молчит уже {span(facts.sync_age)}"
    return (
        f"- Агент {literal(facts.agent)}: {agent}\n"
        f"- Сервер: {homeserver}\n"
        f"- Ваши вопросы: отвечаю на {facts.running}, в очереди {facts.waiting}\n"
        f"- Lambda для Matrix, версия {literal(facts.version)}"
    )
