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
from lambda_matrix.conversation.texts_en.wording import counted, numbered

_MEANINGS = {
    SettingKey.LANGUAGE: "the language in which I speak to you",
    SettingKey.STREAMING: "answers grow while they are being written",
    SettingKey.STYLE: "answers with formatting, or as plain text",
    SettingKey.TOOLS: "a line shows which tool is at work",
    SettingKey.THREADS: "threads of this chat share its memory, or each has its own",
}


def setting_texts(quote: Quote) -> SettingTexts:
    """Return the sentences, with the commands as `quote` has them."""
    new = quote(CommandName.NEW)
    return SettingTexts(
        agents=_agents,
        agent_selected=lambda name, here: (
            f"Your new chats will be with {literal(name)}. "
            + (
                f"{new} opens one."
                if here in {None, name}
                else f"This chat stays with {literal(here)}; {new} opens a new one."
            )
        ),
        no_such_agent=lambda word, nearest: (
            f"There is no agent {as_code(word)} for you. "
            + (f"Did you mean {as_code(nearest)}? " if nearest else "")
            + f"{quote(CommandName.AGENT)} lists those that there are."
        ),
        dashboard=lambda board: _dashboard(board, quote),
        all=lambda facts: (
            f"{_settings(facts)}\n\nTo change one, send {quote(CommandName.SET, 'language ru')}, "
            "for example."
        ),
        changed=_changed,
    )


def _agents(lines: Sequence[AgentLine]) -> str:
    if not lines:
        return "There is no agent that you may use. Please ask whoever runs this bot."
    shown = [_agent(line) for line in lines]
    if len(shown) == 1:
        return f"There is only one agent: {shown[0]}."
    return (
        f"Agents for your new chats:\n{numbered(shown)}\n\n"
        "Send a number to choose one, or just carry on."
    )


def _agent(line: AgentLine) -> str:
    marks = [
        *(["selected"] if line.is_selected else []),
        *(["answers in this chat"] if line.is_here else []),
    ]
    told = f" – {', '.join(marks)}" if marks else ""
    return f"{literal(line.name)} ({as_code(line.id)}){told}"


def _dashboard(board: Dashboard, quote: Quote) -> str:
    space = "not made yet" if board.space is None else str(board.space)
    lines = [
        f"- You: {literal(board.person)}",
        f"- Your Space: {space}",
        f"- Agent of new chats: {literal(board.agent)} (change: {quote(CommandName.AGENT)})",
        *([] if board.chat is None else [f"- This chat: {_chat(board.chat)}"]),
        f"- Lambda for Matrix, version {literal(board.version)}",
    ]
    about = "\n".join(lines)
    return f"{about}\n\n{_settings(board.settings)}\n\nTo change one: {quote(CommandName.SET)}"


def _chat(chat: ChatFacts) -> str:
    parts = [
        f"with {literal(chat.agent)}",
        f"context {chat.platform_chat_id}",
        counted(chat.messages, "message"),
        *(["archived"] if chat.is_archived else []),
        *(["its agent is gone"] if chat.is_stale else []),
    ]
    return ", ".join(parts)


def _settings(facts: SettingFacts) -> str:
    lines = []
    for key, change in as_they_stand(facts.settings, facts.language, facts.threads).items():
        _, value = described(change, Language.EN)
        others = ", ".join(as_code(word) for word in allowed_words(key, Language.EN))
        name = as_code(key_word(key, Language.EN))
        lines.append(f"- {name}: **{value}** ({others}) – {_MEANINGS[key]}")
    return "Settings:\n" + "\n".join(lines)


def _changed(change: SettingChange) -> str:
    key, value = described(change, Language.EN)
    return f"Done: {as_code(key)} is now {as_code(value)}."
