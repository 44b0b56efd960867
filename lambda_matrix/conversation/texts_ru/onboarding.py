"""What is said to those who come."""

from lambda_matrix.conversation.catalogue.onboarding import OnboardingTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.texts_ru.wording import in_time


def onboarding_texts(quote: Quote) -> OnboardingTexts:
    """Return the sentences, with the commands as `quote` has them."""
    new, stop = quote(CommandName.NEW), quote(CommandName.STOP)
    command_list, bind = quote(CommandName.HELP), quote(CommandName.BIND)
    return OnboardingTexts(
        started="Здравствуйте! Готовлю ваше пространство, это займёт немного времени.",
        delayed=lambda wait: (
            "Сервер не даёт создавать много комнат подряд. Я продолжу "
            f"{in_time(wait)} и напишу вам; от вас ничего не требуется."
        ),
        failed=(
            "Не получилось создать ваше пространство: сервер не разрешил. Сообщите, пожалуйста, "
            "его администратору или пригласите меня ещё раз позже."
        ),
        greeting_lobby=lambda way: (
            f"Здравствуйте! Меня зовут Lambda. Ваше пространство готово: {way.space}. Каждая "
            "комната в нём — отдельный разговор со своей памятью.\n\n"
            f"Примите оба приглашения и пишите мне в комнату {way.chat}. "
            f"Команды можно отправлять и сюда: {command_list} покажет их список."
        ),
        greeting_again=lambda way: (
            f"Ваши чаты — в пространстве {way.space}. Пишите мне в комнату {way.chat} или "
            f"отправьте {new}, чтобы открыть новый чат."
        ),
        greeting_room=lambda way: (
            f"Здравствуйте! Ваши чаты — в пространстве {way.space}. Я могу отвечать и в этой "
            f"комнате: {bind} сделает её чатом, если вам можно менять её название."
        ),
        invited_again=lambda way: (
            f"С возвращением! Вот снова приглашение в ваше пространство: {way.space}. Чаты "
            f"остались такими, какими были; продолжить можно в комнате {way.chat}."
        ),
        greeting_chat=(
            "Здравствуйте! Спрашивайте о чём угодно, я отвечу прямо здесь. Я помню всё, что "
            "сказано в этом чате, и ничего не знаю о других.\n\n"
            f"{new} откроет ещё один чат, {stop} остановит ответ, {command_list} покажет всё, "
            "что я понимаю."
        ),
        denied=(
            "Извините, мне не разрешено с вами разговаривать. Обратитесь, пожалуйста, к тому, кто "
            "отвечает за этого бота."
        ),
        strange_room=(
            "Эта комната — не мой чат, поэтому на вопросы здесь я не отвечаю. "
            f"{bind} сделает её чатом, если вам можно менять её название. А за своими чатами "
            "пригласите меня в личный чат: там я создам для вас пространство."
        ),
        encrypted_room=lambda link: (
            "Эта комната зашифрована, а читать зашифрованные сообщения я пока не умею. "
            + (
                "Поговорить можно в вашем собственном пространстве: я создаю его каждому, кто "
                "приглашает меня в личный чат."
                if link is None
                else f"Поговорить можно здесь: {link}."
            )
        ),
    )
