"""What is said of contexts, and of those that were saved."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.contexts import (
    ContextFacts,
    ContextTexts,
    LoadedFacts,
    SavedLine,
)
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal
from lambda_matrix.conversation.settings import Threads
from lambda_matrix.conversation.texts_ru.wording import (
    MESSAGES,
    ago,
    counted,
    number,
    numbered,
    plural,
    sized,
)

_TALKS = ("разговор", "разговора", "разговоров")


def context_texts(quote: Quote) -> ContextTexts:
    """Return the sentences, with the commands as `quote` has them."""
    load, save = quote(CommandName.LOAD), quote(CommandName.SAVE)
    forget = quote.usage(CommandName.FORGET)
    return ContextTexts(
        context=lambda facts: _context(facts, save, load),
        cleared=(
            "Готово, начинаем заново: ничего из сказанного здесь раньше агент больше не получит. "
            "Прочитать это выше по-прежнему можно."
        ),
        saved=lambda name, messages: (
            f"Сохранено как «{literal(name)}»: {counted(messages, MESSAGES)}. {load} продолжит "
            "этот разговор в любом из ваших чатов."
        ),
        saved_again=lambda name, messages: (
            f"«{literal(name)}» теперь включает разговор до этого места: "
            f"{counted(messages, MESSAGES)}."
        ),
        name_taken=lambda name: (
            f"Под названием «{literal(name)}» у вас уже сохранён другой разговор. Выберите, "
            "пожалуйста, другое название или сначала удалите тот: "
            f"{quote(CommandName.FORGET, name)}."
        ),
        default_name=lambda chat, place: chat if place == 1 else f"{chat} ({place})",
        nothing_to_save="Сохранять пока нечего: разговор только начинается.",
        too_many_saved=lambda limit: (
            f"У вас уже {plural(limit, 'сохранён', 'сохранено', 'сохранено')} "
            f"{counted(limit, _TALKS)}, больше не поместится. {forget} удалит лишний."
        ),
        forgotten=lambda name: (
            f"«{literal(name)}» больше не хранится. Сами сообщения остались в том чате, откуда они."
        ),
        no_such_saved=lambda word, nearest: (
            f"Под названием {as_code(word)} ничего не сохранено. "
            + (f"Возможно, вы имели в виду {as_code(nearest)}? " if nearest else "")
            + f"{load} покажет, что есть."
        ),
        saved_list=lambda lines: _saved_list(lines, save),
        loaded=_loaded,
        source_gone=lambda name: (
            f"Чат, из которого сохранён разговор «{literal(name)}», мне больше не прочитать, "
            "поэтому продолжить его не получится. Здесь ничего не изменилось."
        ),
    )


def _context(facts: ContextFacts, save: str, load: str) -> str:
    lines = [
        f"Агент: {literal(facts.agent)}" + (" (его больше нет)" if facts.is_stale else ""),
        f"Номер контекста: {facts.platform_chat_id}",
        f"Начат: {ago(facts.age)}, пока {counted(facts.messages, MESSAGES)}",
        *_tokens(facts),
        *([] if facts.loaded is None else [f"Продолжает разговор «{literal(facts.loaded)}»"]),
        *_sent(facts.sent_limit),
        _threads(facts.threads),
    ]
    shown = "\n".join(f"- {line}" for line in lines)
    saved = f"Пока ничего не сохранено; {save} сохранит этот разговор."
    if facts.saved:
        listed = "\n".join(f"- {_saved(line)}" for line in facts.saved)
        saved = f"Сохранённые разговоры ({load}):\n{listed}"
    return f"Что я помню в этом чате:\n{shown}\n\n{saved}"


def _tokens(facts: ContextFacts) -> list[str]:
    if facts.input_tokens is None and facts.output_tokens is None:
        return []
    read, written = number(facts.input_tokens or 0), number(facts.output_tokens or 0)
    return [f"Токены: прочитано {read}, написано {written}"]


def _sent(limit: int | None) -> list[str]:
    if limit is None:
        return []
    return [f"С вопросом уходят последние сообщения, не больше {number(limit)}"]


def _threads(threads: Threads) -> str:
    if threads is Threads.OWN:
        return "У каждой ветки своя память"
    return "Память у веток общая с чатом"


def _saved(line: SavedLine) -> str:
    messages = counted(line.messages, MESSAGES)
    return (
        f"«{literal(line.name)}», из чата {literal(line.chat)}: {messages}, "
        f"{sized(line.size)}, сохранён {ago(line.age)}"
    )


def _saved_list(lines: Sequence[SavedLine], save: str) -> str:
    if not lines:
        return f"Вы пока не сохраняли разговоров. {save} сохранит этот."
    return (
        f"Сохранённые разговоры:\n{numbered(_saved(line) for line in lines)}\n\n"
        "Отправьте номер, чтобы продолжить один из них здесь, в новом контексте, или просто пишите "
        "дальше."
    )


def _loaded(facts: LoadedFacts) -> str:
    said = (
        f"Продолжаем «{literal(facts.name)}» в новом контексте: "
        f"{counted(facts.messages, MESSAGES)}."
    )
    if facts.is_cut:
        said += " Всё не поместилось, поэтому взяты самые новые."
    if facts.left_out:
        said += (
            f" Не {plural(facts.left_out, 'вошло', 'вошли', 'вошло')} "
            f"{counted(facts.left_out, MESSAGES)}: "
            f"{'удалено или не читается' if facts.left_out == 1 else 'удалены или не читаются'}."
        )
    return said
