"""What is said of commands as such."""

from typing import assert_never

from lambda_matrix.conversation.catalogue.commands import CommandTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName, Group, Place
from lambda_matrix.conversation.commands import (
    ArgumentProblem,
    NeedsArgument,
    NumberAsName,
    TakesNothing,
    TakesNumbers,
    TakesOnly,
)
from lambda_matrix.conversation.markdown import as_code
from lambda_matrix.conversation.setting_table import BadValue, SettingProblem, UnknownSetting
from lambda_matrix.conversation.texts_ru.wording import listed

_HEADINGS = {
    Group.CONVERSATION: "Разговор",
    Group.CHATS: "Ваши чаты",
    Group.CONTEXTS: "Память",
    Group.FILES: "Файлы к следующему сообщению",
    Group.CONFIRMATIONS: "Когда нужно ваше согласие",
    Group.SERVICE: "Настройки и справка",
}
_LINES = {
    CommandName.STOP: "остановить ответ; со словом «все» — ещё и убрать вопросы из очереди",
    CommandName.RETRY: "задать ваш последний вопрос ещё раз",
    CommandName.CLEAR: "начать в этом чате заново; сказанное раньше больше не учитывается",
    CommandName.NEW: "открыть новый чат",
    CommandName.CHATS: "показать ваши чаты со ссылками",
    CommandName.RENAME: "дать этому чату другое название",
    CommandName.ARCHIVE: "убрать этот чат в архив; отвечать в нём я перестану",
    CommandName.UNARCHIVE: "вернуть этот чат из архива",
    CommandName.DELETE: "закончить этот чат насовсем; сначала я переспрошу",
    CommandName.BIND: "сделать эту комнату одним из ваших чатов",
    CommandName.CONTEXT: "узнать, что я помню в этом чате и что у вас сохранено",
    CommandName.SAVE: "сохранить этот разговор, чтобы продолжить его в другой раз",
    CommandName.LOAD: "продолжить сохранённый разговор",
    CommandName.FORGET: "удалить сохранённый разговор",
    CommandName.FILES: "показать файлы, которые уйдут со следующим сообщением",
    CommandName.REMOVE: "убрать файлы из этого списка",
    CommandName.YES: "согласиться; с номерами — только на это",
    CommandName.NO: "отказаться",
    CommandName.AGENT: "выбрать агента для новых чатов",
    CommandName.SETTINGS: "увидеть всё сразу",
    CommandName.SET: "сменить язык и то, как выглядят ответы",
    CommandName.STATUS: "узнать, на связи ли агент и чем он занят",
    CommandName.HELP: "показать этот список",
}


def command_texts(quote: Quote) -> CommandTexts:
    """Return the sentences, with the commands as `quote` has them."""
    command_list = quote(CommandName.HELP)
    return CommandTexts(
        help_intro="Вот что я понимаю:",
        help_outro_shared=(
            "Нас здесь больше двух: чтобы спросить, упомяните меня или ответьте на моё сообщение."
        ),
        help_outro=_outro,
        heading=_HEADINGS.__getitem__,
        line=_LINES.__getitem__,
        unknown=lambda word, nearest: (
            f"Я не знаю команды {as_code(word)}. "
            + (f"Возможно, вы имели в виду {as_code(nearest)}? " if nearest else "")
            + f"{command_list} покажет, что я понимаю."
        ),
        bad_argument=lambda usage, problem: (
            f"Эта команда пишется так: {as_code(usage)}. {_problem(problem)}"
        ),
        not_here=lambda usage, place: (
            f"{as_code(usage)} "
            + (
                f"работает в ваших чатах, а не здесь. {command_list} покажет, что работает здесь."
                if place is Place.LOBBY
                else f"здесь не работает. {command_list} покажет, что работает."
            )
        ),
        please_repeat="Эта команда могла потеряться по дороге. Отправьте её, пожалуйста, ещё раз.",
        pick_out_of_range=lambda count: (
            "В списке только одна строка: отправьте 1 или просто пишите дальше."
            if count == 1
            else f"В списке номера от 1 до {count}: отправьте один из них или просто пишите дальше."
        ),
    )


def _outro(place: Place) -> str:
    match place:
        case Place.CHAT:
            return "Всё остальное, что вы здесь напишете, — вопрос к Lambda."
        case Place.LOBBY:
            return "На вопросы я отвечаю в ваших чатах."
        case Place.STRANGE:
            return "Всё остальное работает в ваших чатах."
        case _:
            assert_never(place)


def _problem(problem: ArgumentProblem) -> str:
    match problem:
        case NeedsArgument():
            return "После команды чего-то не хватает."
        case TakesNothing():
            return "После команды ничего не нужно."
        case TakesOnly(word):
            return f"После команды может стоять только {as_code(word)} или ничего."
        case TakesNumbers():
            return "Нужны номера, как в списке."
        case NumberAsName():
            return "Одного числа для названия мало: число выбирает строку списка."
        case UnknownSetting() | BadValue():
            return _setting_problem(problem)
        case _:
            assert_never(problem)


def _setting_problem(problem: SettingProblem) -> str:
    match problem:
        case UnknownSetting(key, nearest, keys):
            meant = f" Возможно, {as_code(nearest)}?" if nearest else ""
            return f"Настройки {as_code(key)} нет.{meant} Есть {listed(map(as_code, keys))}."
        case BadValue(key, value, allowed):
            refused = "" if value is None else f"не бывает значения {as_code(value)}, "
            return f"У настройки {as_code(key)} {refused}бывает {_either(allowed)}."
        case _:
            assert_never(problem)


def _either(words: tuple[str, ...]) -> str:
    return " или ".join(map(as_code, words))
