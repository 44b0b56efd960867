"""The table of commands: what each is called, what it takes, and where it works."""

from enum import Enum

from attrs import frozen

from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.nearest import folded
from lambda_matrix.conversation.setting_table import Words


class Place(Enum):
    """The kinds of places in which a person may speak to us."""

    CHAT = "chat"
    LOBBY = "lobby"
    STRANGE = "strange"


class CommandName(Enum):
    """The commands that there are, by their English names."""

    NEW = "new"
    CHATS = "chats"
    RENAME = "rename"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    DELETE = "delete"
    BIND = "bind"
    STOP = "stop"
    RETRY = "retry"
    CLEAR = "clear"
    CONTEXT = "context"
    SAVE = "save"
    LOAD = "load"
    FORGET = "forget"
    FILES = "files"
    REMOVE = "remove"
    YES = "yes"
    NO = "no"
    AGENT = "agent"
    SETTINGS = "settings"
    SET = "set"
    STATUS = "status"
    HELP = "help"


class Group(Enum):
    """What commands are about: they are listed together."""

    CONVERSATION = "conversation"
    CHATS = "chats"
    CONTEXTS = "contexts"
    FILES = "files"
    CONFIRMATIONS = "confirmations"
    SERVICE = "service"


@frozen
class Argument:
    """What a command takes, as it is named in `!new [name]`."""

    words: Words
    is_required: bool = False

    def written(self, language: Language) -> str:
        """Return it as it stands behind the command: `[x]`, or `<x>` if it must be there."""
        word = self.words.of(language)[0]
        return f"<{word}>" if self.is_required else f"[{word}]"


@frozen
class Entry:
    """A row of the table. Where it would only say that it is of no use, it is not `offered`."""

    group: Group
    names: Words
    argument: Argument | None = None
    places: frozenset[Place] = frozenset({Place.CHAT})
    unlisted: frozenset[Place] = frozenset()

    @property
    def offered(self) -> frozenset[Place]:
        """The places where the help lists it."""
        return self.places - self.unlisted


_OURS = frozenset({Place.CHAT, Place.LOBBY})
_ANYWHERE = frozenset(Place)

ALL = Words(("all", "everything"), ("все", "всё"))
_NAME = Words(("name",), ("название",))

TABLE = {
    CommandName.STOP: Entry(
        Group.CONVERSATION,
        Words(("stop", "cancel"), ("стоп", "остановить", "хватит", "отмена")),
        Argument(ALL),
        _OURS,
    ),
    CommandName.RETRY: Entry(
        Group.CONVERSATION,
        Words(("retry", "again"), ("повторить", "повтор", "повтори", "снова")),
    ),
    CommandName.CLEAR: Entry(
        Group.CONVERSATION,
        Words(("clear", "reset"), ("очистить", "сброс", "сбросить", "заново")),
    ),
    CommandName.NEW: Entry(
        Group.CHATS,
        Words(("new",), ("новый", "новая", "новое")),
        Argument(_NAME),
        _OURS,
    ),
    CommandName.CHATS: Entry(
        Group.CHATS, Words(("chats", "rooms"), ("чаты", "комнаты")), None, _OURS
    ),
    CommandName.RENAME: Entry(
        Group.CHATS,
        Words(("rename", "name"), ("переименовать", "назвать", "название")),
        Argument(_NAME, is_required=True),
    ),
    CommandName.ARCHIVE: Entry(Group.CHATS, Words(("archive",), ("архив", "архивировать"))),
    CommandName.UNARCHIVE: Entry(
        Group.CHATS, Words(("unarchive", "restore"), ("вернуть", "разархивировать"))
    ),
    CommandName.DELETE: Entry(Group.CHATS, Words(("delete",), ("удалить",))),
    CommandName.BIND: Entry(
        Group.CHATS,
        Words(("bind",), ("привязать", "подключить")),
        None,
        _ANYWHERE,
        unlisted=frozenset({Place.CHAT}),
    ),
    CommandName.CONTEXT: Entry(Group.CONTEXTS, Words(("context",), ("контекст", "память"))),
    CommandName.SAVE: Entry(
        Group.CONTEXTS, Words(("save",), ("сохранить", "запомнить")), Argument(_NAME)
    ),
    CommandName.LOAD: Entry(
        Group.CONTEXTS,
        Words(("load",), ("загрузить", "продолжить")),
        Argument(Words(("name or number",), ("название или номер",))),
    ),
    CommandName.FORGET: Entry(
        Group.CONTEXTS, Words(("forget",), ("забыть",)), Argument(_NAME, is_required=True)
    ),
    CommandName.FILES: Entry(Group.FILES, Words(("files",), ("файлы",))),
    CommandName.REMOVE: Entry(
        Group.FILES,
        Words(("remove",), ("убрать",)),
        Argument(Words(("number or all",), ("номер или все",)), is_required=True),
    ),
    CommandName.YES: Entry(
        Group.CONFIRMATIONS,
        Words(("yes", "y", "confirm"), ("да", "подтвердить")),
        Argument(Words(("numbers",), ("номера",))),
    ),
    CommandName.NO: Entry(
        Group.CONFIRMATIONS,
        Words(("no", "n", "refuse"), ("нет", "отказать")),
        Argument(Words(("reason",), ("причина",))),
    ),
    CommandName.AGENT: Entry(
        Group.SERVICE,
        Words(("agent", "agents"), ("агент", "агенты")),
        Argument(Words(("id or number",), ("id или номер",))),
        _OURS,
    ),
    CommandName.SETTINGS: Entry(Group.SERVICE, Words(("settings",), ("настройки",)), None, _OURS),
    CommandName.SET: Entry(
        Group.SERVICE,
        Words(("set",), ("настроить", "задать", "установить")),
        Argument(Words(("key value",), ("настройка значение",))),
        _OURS,
    ),
    CommandName.STATUS: Entry(
        Group.SERVICE, Words(("status",), ("статус", "состояние")), None, _OURS
    ),
    CommandName.HELP: Entry(
        Group.SERVICE,
        Words(("help", "commands", "start"), ("помощь", "справка", "команды", "хелп")),
        None,
        _ANYWHERE,
    ),
}
BY_NAME = {
    folded(name): (command, language)
    for command, entry in TABLE.items()
    for language in Language
    for name in entry.names.of(language)
}


def usage(command: CommandName, language: Language, prefix: str) -> str:
    """Return how `command` is written in `language`, e.g. `!stop [all]`."""
    entry = TABLE[command]
    name = prefix + entry.names.of(language)[0]
    return name if entry.argument is None else f"{name} {entry.argument.written(language)}"


def spoken_name(command: CommandName, language: Language, prefix: str) -> str:
    """Return the command's name alone, as it is told in `language`: `!stop`."""
    return prefix + TABLE[command].names.of(language)[0]
