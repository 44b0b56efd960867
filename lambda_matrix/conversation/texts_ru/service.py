"""What is said of the service itself."""

from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.catalogue.service import ServiceFigures, ServiceTexts, StatusFacts
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import literal
from lambda_matrix.conversation.texts_ru.answers import why
from lambda_matrix.conversation.texts_ru.wording import MINUTE, listed, number, span

_AGENT = {True: "на связи", False: "не отвечал", None: "ещё не спрашивали"}


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
        f"{'' if facts.service is None else _figures(facts.service)}"
    )


def _figures(seen: ServiceFigures) -> str:
    """Return what is for admins: more lines of the list."""
    agents = listed(f"{literal(agent.name)} ({_AGENT[agent.is_up]})" for agent in seen.agents)
    return (
        f"\n- Служба работает уже {span(seen.up_for)}\n"
        f"- Комнат: {number(seen.rooms)}, людей: {number(seen.people)}\n"
        f"- Всего отвечаю на {seen.running}, "
        f"в очереди {seen.waiting}{_since(seen.oldest, 'первый')}\n"
        f"- Неотправленных сообщений: {seen.unsent}{_since(seen.oldest_unsent, 'первое')}\n"
        f"- Агенты при последнем обращении: {agents}"
    )


def _since(seconds: float | None, first: str) -> str:
    return "" if seconds is None else f" ({first} ждёт уже {span(seconds)})"
