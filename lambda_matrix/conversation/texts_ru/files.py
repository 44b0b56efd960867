"""What is said of files, either way."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.files import FileTexts, StagedLine
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal
from lambda_matrix.conversation.texts_ru.wording import counted, listed, numbered, sized

_OF_FILES = ("файла", "файлов", "файлов")  # in the genitive


def file_texts(quote: Quote) -> FileTexts:
    """Return the sentences, with the commands as `quote` has them."""
    files, remove = quote(CommandName.FILES), quote.usage(CommandName.REMOVE)
    return FileTexts(
        staged=lambda line, waiting: (
            f"Файл {as_code(line.name)} ({sized(line.size)}) получен. "
            + (
                "Он уйдёт с вашим следующим сообщением. "
                if waiting == 1
                else f"Файлов, которые уйдут с вашим следующим сообщением: {waiting}. "
            )
            + f"{files} покажет, что ждёт отправки, {remove} уберёт лишнее."
        ),
        staged_list=lambda lines: _staged_list(lines, remove),
        removed=lambda names: (
            f"Больше не {'ждёт' if len(names) == 1 else 'ждут'} отправки: "
            f"{listed(as_code(name) for name in names)}."
        ),
        no_such_number=lambda count: (
            "Файлов, которые ждут отправки, нет."
            if count == 0
            else "Отправки ждёт только один файл."
            if count == 1
            else f"У файлов номера от 1 до {count}; {files} покажет список."
        ),
        too_many=lambda limit: (
            f"С одним сообщением можно отправить не больше {counted(limit, _OF_FILES)}, поэтому "
            f"этот не принят. Отправьте, пожалуйста, сообщение или уберите что-нибудь: {remove}."
        ),
        too_large=lambda name, limit: (
            f"Файл {as_code(name)} слишком большой: я беру файлы до {sized(limit)}."
        ),
        type_refused=lambda name, mime_type: (
            f"Такие файлы мне брать нельзя: {as_code(name)} — это {as_code(mime_type)}."
        ),
        not_fetched=lambda name: (
            f"Сервер не отдал мне файл {as_code(name)}. Отправьте его, пожалуйста, ещё раз."
        ),
        encrypted=lambda name: (
            f"Файл {as_code(name)} зашифрован, а читать зашифрованные файлы я пока не умею. "
            "Отправьте его, пожалуйста, без шифрования."
        ),
        no_workspace=lambda agent: (
            f"Агент {literal(agent)} не принимает файлов, поэтому передать ваш не получилось. "
            "Расскажите, пожалуйста, главное словами."
        ),
        disk_full=lambda name: (
            f"Для файла {as_code(name)} не осталось места. Сообщите, пожалуйста, тому, кто "
            "отвечает за этого бота, и отправьте файл ещё раз позже."
        ),
        folder_broken=lambda name: (
            f"Положить файл {as_code(name)} туда, где его найдёт агент, не получилось. Сообщите, "
            "пожалуйста, тому, кто отвечает за этого бота, и отправьте файл ещё раз позже."
        ),
        not_all_inline=lambda names, limit: (
            f"В одном сообщении может быть файлов не больше чем на {sized(limit)}, поэтому агент "
            f"не получил: {listed(as_code(name) for name in names)}."
        ),
        voice_not_heard=(
            "Слушать голосовые сообщения в этом чате я не могу: его агент не принимает файлов. "
            "Напишите мне, пожалуйста."
        ),
        caption_only=lambda name: (
            f"Раз файл {as_code(name)} до меня не дошёл, вопрос под ним тоже никуда не ушёл."
        ),
        offered_missing=lambda path: (
            f"_Агент хотел отправить вам {as_code(path)}, но такого файла нет._"
        ),
        offered_outside=lambda path: (
            f"_Агент хотел отправить вам {as_code(path)}, но этот файл не из этого чата, поэтому "
            "остался у агента._"
        ),
        offered_too_large=lambda path, size, limit: (
            f"_Агент хотел отправить вам {as_code(path)} ({sized(size)}), но сервер принимает "
            f"файлы только до {sized(limit)}._"
        ),
        offered_unreadable=lambda path: (
            f"_Агент хотел отправить вам {as_code(path)}, но прочитать это не получилось._"
        ),
        offered_not_sent=lambda path: (
            f"_Агент хотел отправить вам {as_code(path)}, но сервер не принял этот файл._"
        ),
    )


def _staged_list(lines: Sequence[StagedLine], remove: str) -> str:
    if not lines:
        return (
            "Файлов, которые ждут отправки, нет. Пришлите файл, и он уйдёт с вашим следующим "
            "сообщением."
        )
    shown = numbered(
        f"{as_code(line.name)} — {sized(line.size)}, {as_code(line.mime_type)}" for line in lines
    )
    return f"С вашим следующим сообщением уйдут:\n{shown}\n\n{remove} уберёт лишнее."
