"""The service's sentences in Russian."""

from collections.abc import Sequence
from typing import assert_never

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.catalogue import (
    ChatLine,
    StatusFacts,
    Texts,
)
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.markdown import as_code, literal

_MINUTE = 60
_HOUR = 3600


def russian(prefix: str) -> Texts:
    """Return the catalogue for a service whose commands begin with `prefix`."""
    new, stop, command_list = (as_code(prefix + name) for name in ("новый", "стоп", "помощь"))
    return Texts(
        language=Language.RU,
        space_name="Lambda",
        space_topic="Ваши чаты с Lambda",
        chat_name=lambda number: "Первый чат" if number == 1 else f"Чат {number}",
        chat_topic="Разговор с Lambda",
        greeting_lobby=lambda way: (
            f"Здравствуйте! Я Lambda. Я создала для вас пространство: {way.space}. Каждая комната "
            f"в нём — отдельный разговор со своей памятью.\n\n"
            f"Примите оба приглашения и пишите мне в комнату {way.chat}. "
            f"Команды можно отправлять и сюда: {command_list} покажет их список."
        ),
        greeting_again=lambda way: (
            f"Ваши чаты — в пространстве {way.space}. Пишите мне в комнату {way.chat} или "
            f"отправьте {new}, чтобы открыть новый чат."
        ),
        greeting_chat=(
            "Здравствуйте! Спрашивайте о чём угодно, я отвечу прямо здесь. Я помню всё, что "
            "сказано в этом чате, и ничего не знаю о других.\n\n"
            f"{new} откроет ещё один чат, {stop} остановит ответ, {command_list} покажет всё, "
            "что я понимаю."
        ),
        onboarding="Здравствуйте! Готовлю ваше пространство, это займёт немного времени.",
        onboarding_delayed=lambda wait: (
            "Сервер не даёт создавать много комнат подряд. Я продолжу "
            f"{_in_time(wait)} и напишу вам; от вас ничего не требуется."
        ),
        onboarding_failed=(
            "Не получилось создать ваше пространство: сервер не разрешил. Сообщите, пожалуйста, "
            "его администратору или пригласите меня ещё раз позже."
        ),
        invite_denied=(
            "Извините, мне не разрешено с вами разговаривать. Обратитесь, пожалуйста, к тому, кто "
            "отвечает за этого бота."
        ),
        unregistered_room=(
            "Эта комната — не мой чат, поэтому на вопросы здесь я не отвечаю. Чтобы начать, "
            "пригласите меня в личный чат: я создам для вас пространство с вашими чатами."
        ),
        encrypted_room=lambda link: (
            "Эта комната зашифрована, а читать зашифрованные сообщения я пока не умею. "
            + (
                "Пригласите меня, пожалуйста, в личный чат без шифрования."
                if link is None
                else f"Поговорить можно здесь: {link}."
            )
        ),
        help_intro="Вот что я понимаю:",
        help_outro="Всё остальное, что вы напишете в чате, — вопрос к Lambda.",
        help_help="показать этот список",
        help_new="открыть новый чат",
        help_chats="показать ваши чаты со ссылками",
        help_stop="остановить ответ; со словом «все» — ещё и убрать вопросы из очереди",
        help_status="узнать, на связи ли агент и чем он занят",
        argument_name="название",
        argument_all="все",
        new_chat=lambda link: f"Ваш новый чат: {link}. Приглашение уже отправлено.",
        new_chat_delayed=lambda wait: (
            "Сервер не даёт создавать много комнат подряд. Чат появится " + _in_time(wait) + "."
        ),
        new_chat_failed=(
            "Не получилось создать чат: сервер не разрешил. Попробуйте, пожалуйста, "
            f"{new} ещё раз позже."
        ),
        chats=lambda lines: _chats(lines, new),
        stopped="Остановлено.",
        stopped_all=lambda count: f"Остановлено: {_count(count, 'вопрос', 'вопроса', 'вопросов')}.",
        nothing_to_stop="Останавливать нечего: я сейчас ни на что здесь не отвечаю.",
        status=_status,
        unknown_command=lambda word, nearest: (
            f"Я не знаю команды {as_code(word)}. "
            + (f"Возможно, вы имели в виду {as_code(nearest)}? " if nearest else "")
            + f"{command_list} покажет, что я понимаю."
        ),
        bad_argument=lambda usage: f"Эта команда пишется так: {as_code(usage)}",
        please_repeat="Эта команда могла потеряться по дороге. Отправьте её, пожалуйста, ещё раз.",
        queued=lambda ahead: (
            f"Принято. Впереди в очереди {_count(ahead, 'вопрос', 'вопроса', 'вопросов')}."
        ),
        queue_full=lambda waiting: (
            f"Очередь здесь заполнена ({_count(waiting, 'вопрос', 'вопроса', 'вопросов')}), "
            "поэтому этот вопрос я не взяла. Спросите ещё раз, когда я отвечу на остальные, "
            f"или отправьте {stop}."
        ),
        tool_line=lambda tool: f"_Работает {literal(tool)} …_",
        stopped_line="_Остановлено._",
        broken_off_line="_Здесь ответ оборвался. Если нужно продолжение, спросите ещё раз._",
        cut_line="_Ответ слишком длинный, чтобы показать его целиком; конец опущен._",
        stopped_answer="Остановлено до того, как появился ответ.",
        empty_answer="Агенту нечего на это сказать. Попробуйте спросить иначе.",
        failure=_failure,
        cancelled="Агент завершил работу, не ответив. Спросите, пожалуйста, ещё раз.",
        interrupt=_interrupt,
        file_not_sent=lambda path: (
            f"_Агент подготовил файл {as_code(path)}. Отправлять файлы я пока не умею._"
        ),
        unsupported_message=(
            "Пока я читаю только текст: ни файлов, ни картинок, ни голосовых сообщений, ни "
            "стикеров. Напишите мне, пожалуйста, словами."
        ),
        gap=(
            "Пока меня не было, здесь накопилось слишком много сообщений, и прочитать удалось не "
            "все. Если какой-то вопрос остался без ответа, задайте его ещё раз."
        ),
        undeliverable=(
            "Сервер не принял мой ответ, поэтому показать его не получится. Спросите, "
            "пожалуйста, ещё раз, может быть, покороче."
        ),
    )


def plural(count: int, one: str, few: str, many: str) -> str:
    """Return the form that follows `count`: 1 вопрос, 2 вопроса, 5 вопросов, 21 вопрос."""
    tens, ones = divmod(count % 100, 10)
    if tens == 1 or ones == 0 or ones > 4:  # noqa: PLR2004 - the grammar's own numbers
        return many
    return one if ones == 1 else few


def _count(count: int, one: str, few: str, many: str) -> str:
    return f"{count} {plural(count, one, few, many)}"


def _duration(seconds: float) -> str:
    """Return a time of a minute or more, in the accusative: "через ...", "молчит уже ..."."""
    if seconds < _HOUR:
        return _count(round(seconds / _MINUTE), "минуту", "минуты", "минут")
    return _count(round(seconds / _HOUR), "час", "часа", "часов")


def _in_time(seconds: float) -> str:
    return (
        "меньше чем через минуту" if seconds < _MINUTE else f"примерно через {_duration(seconds)}"
    )


def _chats(lines: Sequence[ChatLine], new: str) -> str:
    if not lines:
        return f"У вас пока нет чатов. {new} откроет первый."
    return "Ваши чаты:\n" + "\n".join(f"- {line.link} — {_activity(line)}" for line in lines)


def _activity(line: ChatLine) -> str:
    if not line.is_busy:
        return "свободен"
    return f"отвечаю, в очереди {line.waiting}" if line.waiting else "отвечаю"


def _status(facts: StatusFacts) -> str:
    agent = "на связи" if facts.failure is None else _failure(facts.failure)
    if facts.sync_age is None:
        homeserver = "связи ещё нет"
    elif facts.sync_age < _MINUTE:
        homeserver = "на связи"
    else:
        homeserver = f"молчит уже {_duration(facts.sync_age)}"
    return (
        f"- Агент {literal(facts.agent)}: {agent}\n"
        f"- Сервер: {homeserver}\n"
        f"- Ваши вопросы: отвечаю на {facts.running}, в очереди {facts.waiting}\n"
        f"- Lambda для Matrix, версия {literal(facts.version)}"
    )


def _interrupt(messages: Sequence[str]) -> str:
    asked = "".join(f"\n- {literal(message)}" for message in messages)
    return (
        "Чтобы продолжить, агенту нужно ваше согласие. Дать его здесь пока нельзя, поэтому ничего "
        f"не сделано.{asked}"
    )


def _failure(failure: RunFailure) -> str:  # noqa: C901, PLR0911, PLR0912 - one case each
    match failure:
        case RunFailure.UNREACHABLE:
            return "Сейчас агент недоступен. Спросите, пожалуйста, ещё раз через несколько минут."
        case RunFailure.HANDSHAKE_REFUSED:
            return "Агент сейчас не принимает вопросов. Спросите, пожалуйста, позже."
        case RunFailure.UNAUTHORIZED:
            return (
                "Агент меня не впускает. Сообщите, пожалуйста, тому, кто отвечает за этого бота: "
                "до этого спрашивать снова бесполезно."
            )
        case RunFailure.INPUT_REFUSED:
            return "Агент не смог разобрать вопрос. Попробуйте, пожалуйста, сказать иначе."
        case RunFailure.TRUNCATED:
            return "Связь с агентом прервалась до ответа. Спросите, пожалуйста, ещё раз."
        case RunFailure.IDLE_TIMEOUT:
            return "Агент замолчал, и я не стала ждать дальше. Спросите, пожалуйста, ещё раз."
        case RunFailure.RUN_TIMEOUT:
            return (
                "Агент работал дольше, чем положено, и пришлось его остановить. Спросите, "
                "пожалуйста, ещё раз, может быть, по частям."
            )
        case RunFailure.BAD_FRAME:
            return "Агент ответил так, что я его не понимаю. Спросите, пожалуйста, ещё раз."
        case RunFailure.FRAME_TOO_LARGE:
            return (
                "Агент прислал за один раз больше, чем я могу принять. Попросите, пожалуйста, о "
                "чём-нибудь поменьше."
            )
        case RunFailure.RUN_ERROR:
            return "У агента произошла ошибка. Спросите, пожалуйста, ещё раз."
        case RunFailure.NOT_ALLOWED:
            return "Агент этого чата вам недоступен. Обратитесь, пожалуйста, к владельцу бота."
        case RunFailure.NO_AGENT:
            return (
                "Агента этого чата больше нет. В новом чате будет другой: откройте новый чат и "
                "спросите, пожалуйста, там."
            )
        case RunFailure.GAVE_UP:
            return (
                "Я несколько раз пыталась получить ответ, и каждый раз что-то мешало. Спросите, "
                "пожалуйста, ещё раз."
            )
        case _:
            assert_never(failure)
