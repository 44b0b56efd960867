"""What is said of agents and settings."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.catalogue.settings import (
    AgentLine,
    ChatFacts,
    Dashboard,
    SettingFacts,
    SettingTexts,
)
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.markdown import as_code, literal
from lambda_matrix.conversation.setting_table import (
    SettingKey,
    allowed_words,
    as_they_stand,
    described,
    key_word,
)
from lambda_matrix.conversation.settings import SettingChange
from lambda_matrix.conversation.texts_ru.wording import MESSAGES, counted, numbered

_MEANINGS = {
    SettingKey.LANGUAGE: "язык, на котором я с вами говорю",
    SettingKey.STREAMING: "ответ растёт на глазах, пока пишется",
    SettingKey.STYLE: "ответы с оформлением или простым текстом",
    SettingKey.TOOLS: "строка о том, какой инструмент сейчас работает",
    SettingKey.THREADS: "у веток этого чата общая память или у каждой своя",
}


def setting_texts(quote: Quote) -> SettingTexts:
    """Return the sentences, with the commands as `quote` has them."""
    new = quote(CommandName.NEW)
    return SettingTexts(
        agents=_agents,
        agent_selected=lambda name, here: (
            f"В новых чатах вам будет отвечать {literal(name)}. "
            + (
                f"Новый чат откроет {new}."
                if here in {None, name}
                else f"В этом чате остаётся {literal(here)}; новый чат откроет {new}."
            )
        ),
        no_such_agent=lambda word, nearest: (
            f"Агента {as_code(word)} для вас нет. "
            + (f"Возможно, вы имели в виду {as_code(nearest)}? " if nearest else "")
            + f"{quote(CommandName.AGENT)} покажет, какие есть."
        ),
        dashboard=lambda board: _dashboard(board, quote),
        all=lambda facts: (
            f"{_settings(facts)}\n\nЧтобы что-то сменить, отправьте, например, "
            f"{quote(CommandName.SET, 'язык en')}."
        ),
        changed=_changed,
    )


def _agents(lines: Sequence[AgentLine]) -> str:
    if not lines:
        return (
            "Для вас нет ни одного агента. Обратитесь, пожалуйста, к тому, кто отвечает за этого "
            "бота."
        )
    shown = [_agent(line) for line in lines]
    if len(shown) == 1:
        return f"Агент только один: {shown[0]}."
    return (
        f"Агенты для новых чатов:\n{numbered(shown)}\n\n"
        "Отправьте номер, чтобы выбрать, или просто пишите дальше."
    )


def _agent(line: AgentLine) -> str:
    marks = [
        *(["выбран"] if line.is_selected else []),
        *(["отвечает в этом чате"] if line.is_here else []),
    ]
    told = f" — {', '.join(marks)}" if marks else ""
    return f"{literal(line.name)} ({as_code(line.id)}){told}"


def _dashboard(board: Dashboard, quote: Quote) -> str:
    space = "ещё не создано" if board.space is None else str(board.space)
    lines = [
        f"- Вы: {literal(board.person)}",
        f"- Ваше пространство: {space}",
        f"- Агент новых чатов: {literal(board.agent)} (сменить: {quote(CommandName.AGENT)})",
        *([] if board.chat is None else [f"- Этот чат: {_chat(board.chat)}"]),
        f"- Lambda для Matrix, версия {literal(board.version)}",
    ]
    about = "\n".join(lines)
    return f"{about}\n\n{_settings(board.settings)}\n\nСменить: {quote(CommandName.SET)}"


def _chat(chat: ChatFacts) -> str:
    parts = [
        f"агент {literal(chat.agent)}",
        f"контекст {chat.platform_chat_id}",
        counted(chat.messages, MESSAGES),
        *(["в архиве"] if chat.is_archived else []),
        *(["агента больше нет"] if chat.is_stale else []),
    ]
    return ", ".join(parts)


def _settings(facts: SettingFacts) -> str:
    lines = []
    for key, change in as_they_stand(facts.settings, facts.language, facts.threads).items():
        _, value = described(change, Language.RU)
        others = ", ".join(as_code(word) for word in allowed_words(key, Language.RU))
        name = as_code(key_word(key, Language.RU))
        lines.append(f"- {name}: **{value}** ({others}) — {_MEANINGS[key]}")
    return "Настройки:\n" + "\n".join(lines)


def _changed(change: SettingChange) -> str:
    key, value = described(change, Language.RU)
    return f"Готово: {as_code(key)} теперь {as_code(value)}."
