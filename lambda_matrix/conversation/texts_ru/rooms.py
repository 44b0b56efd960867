"""What is said of chats as places."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.catalogue.rooms import ChatLine, RoomTexts
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal
from lambda_matrix.conversation.texts_ru.wording import in_time, span


def room_texts(quote: Quote) -> RoomTexts:
    """Return the sentences, with the commands as `quote` has them."""
    new, unarchive = quote(CommandName.NEW), quote(CommandName.UNARCHIVE)
    yes, no = quote(CommandName.YES), quote(CommandName.NO)
    return RoomTexts(
        space_name="Чаты с Lambda",
        space_topic="Каждая комната — отдельный разговор со своей памятью",
        chat_name=lambda number: "Первый чат" if number == 1 else f"Чат {number}",
        chat_topic="Разговор с Lambda",
        new_chat=lambda link: f"Ваш новый чат: {link}. Приглашение уже отправлено.",
        new_chat_delayed=lambda wait: (
            f"Сервер не даёт создавать много комнат подряд. Чат появится {in_time(wait)}."
        ),
        new_chat_failed=(
            "Не получилось создать чат: сервер не разрешил. Попробуйте, пожалуйста, "
            f"{new} ещё раз позже."
        ),
        chats=lambda lines: _chats(lines, new),
        renamed=lambda name: f"Теперь этот чат называется «{literal(name)}».",
        rename_refused=(
            "Мне нельзя менять название этой комнаты. Его можно сменить в её настройках, если у "
            "вас есть такое право."
        ),
        archived=(
            "Чат в архиве: из вашего пространства он убран, и на вопросы здесь я больше не "
            f"отвечаю. Ничего не пропало; чтобы вернуть чат, отправьте {unarchive}."
        ),
        already_archived=f"Этот чат уже в архиве. Чтобы вернуть его, отправьте {unarchive}.",
        archived_question=(
            "Этот чат в архиве, поэтому вопрос никуда не ушёл. "
            f"Чтобы вернуть чат, отправьте {unarchive}; {new} откроет новый."
        ),
        unarchived="С возвращением! Чат снова в вашем пространстве, и я отвечаю здесь.",
        not_archived="Этот чат не в архиве.",
        delete_prompt=lambda wait: (
            "Удалить этот чат? Я забуду его и выйду из комнаты, вернуть его будет нельзя. "
            f"{yes} удалит, {no} оставит. Жду ответа {span(wait)}."
        ),
        deleted=("Этот чат закончен и забыт, из комнаты можно выйти. Спасибо за разговор!"),
        kept="Хорошо, чат остаётся.",
        refused="Сервер не разрешил мне это сделать. Попробуйте, пожалуйста, ещё раз позже.",
        owner_only="Это может сделать только владелец чата.",
        bound=(
            "Теперь эта комната — чат. Спрашивайте о чём угодно; если нас здесь больше двух, "
            "упомяните меня или ответьте на моё сообщение, чтобы мне было понятно, что вы "
            "обращаетесь ко мне."
        ),
        already_bound="Эта комната уже чат. Просто спрашивайте.",
        bind_needs_power=(
            "Чтобы сделать эту комнату чатом, нужно право менять её название. Попросите, "
            "пожалуйста, того, у кого оно есть."
        ),
        moved_here="Я здесь, вместе с вами: чат продолжается с того же места.",
        moved_to=lambda link: f"Этот чат продолжается в {link}, здесь я больше не отвечаю.",
        not_invited=(
            "У этой комнаты появилась замена, но меня туда не пускают. Пригласите меня, "
            "пожалуйста, в новую комнату, и чат продолжится в ней."
        ),
        space_not_moved=(
            "У вашего пространства появилась замена, но мне не удалось убедиться, что это его "
            "продолжение. Чаты остались в прежнем."
        ),
        not_moved=(
            "У этой комнаты появилась замена, но мне не удалось убедиться, что это тот же чат, "
            f"поэтому туда я не перехожу. {new} откроет новый чат."
        ),
        stale=lambda agent: (
            f"Агента этого чата, {as_code(agent)}, больше нет, и отвечать здесь некому. "
            f"{new} откроет чат с другим агентом."
        ),
    )


def _chats(lines: Sequence[ChatLine], new: str) -> str:
    if not lines:
        return f"У вас пока нет чатов. {new} откроет первый."
    return "Ваши чаты:\n" + "\n".join(f"- {_chat(line)}" for line in lines)


def _chat(line: ChatLine) -> str:
    agent = "" if line.agent is None else f", агент {literal(line.agent)}"
    return f"{line.link}{agent} — {_state(line)}"


def _state(line: ChatLine) -> str:
    if line.is_archived:
        return "в архиве"
    if line.is_stale:
        return "агента больше нет"
    if not line.is_busy:
        return "свободен"
    return f"отвечаю, в очереди {line.waiting}" if line.waiting else "отвечаю"
