"""Numbers, times, sizes and lists, as Russian says them."""

from collections.abc import Iterable

MINUTE = 60
HOUR = 3600
DAY = 86400
_KILOBYTE = 1000
_MEGABYTE = 1_000_000
_GIGABYTE = 1_000_000_000

MESSAGES = ("сообщение", "сообщения", "сообщений")
QUESTIONS = ("вопрос", "вопроса", "вопросов")
FILES = ("файл", "файла", "файлов")


def plural(count: int, one: str, few: str, many: str) -> str:
    """Return the form that follows `count`: 1 вопрос, 2 вопроса, 5 вопросов, 21 вопрос."""
    tens, ones = divmod(count % 100, 10)
    if tens == 1 or ones == 0 or ones > 4:  # noqa: PLR2004 - the grammar's own numbers
        return many
    return one if ones == 1 else few


def number(count: int) -> str:
    """Return a whole number, its thousands apart: 12 345."""
    return f"{count:,}".replace(",", "\u00a0")


def counted(count: int, forms: tuple[str, str, str]) -> str:
    """Return the number with its noun: "2 вопроса"."""
    return f"{number(count)} {plural(count, *forms)}"


def span(seconds: float) -> str:
    """Return how long it is, in the accusative, to the second if it is short: "8 секунд", "час"."""
    if round(seconds) < MINUTE:
        return _timed(max(1, round(seconds)), ("секунду", "секунды", "секунд"))
    if round(seconds / MINUTE) < MINUTE:
        return _timed(round(seconds / MINUTE), ("минуту", "минуты", "минут"))
    if round(seconds / HOUR) < DAY / HOUR:
        return _timed(round(seconds / HOUR), ("час", "часа", "часов"))
    return _timed(round(seconds / DAY), ("день", "дня", "дней"))


def _timed(count: int, forms: tuple[str, str, str]) -> str:
    return forms[0] if count == 1 else counted(count, forms)


def in_time(seconds: float) -> str:
    """Return when it will be: "примерно через 5 минут"."""
    return "меньше чем через минуту" if seconds < MINUTE else f"примерно через {span(seconds)}"


def ago(seconds: float) -> str:
    """Return how long ago it was: "только что", "3 часа назад"."""
    return "только что" if seconds < MINUTE else f"{span(seconds)} назад"


def sized(size: int) -> str:
    """Return a size: "512 байт", "340 кБ", "1,2 МБ"."""
    if size < _KILOBYTE:
        return counted(size, ("байт", "байта", "байт"))
    if round(size / _KILOBYTE) < _KILOBYTE:
        return f"{round(size / _KILOBYTE)} кБ"
    is_huge = round(size / _MEGABYTE) >= _KILOBYTE
    scaled = f"{size / (_GIGABYTE if is_huge else _MEGABYTE):.1f}".removesuffix(".0").replace(
        ".", ","
    )
    return f"{scaled} {'ГБ' if is_huge else 'МБ'}"


def listed(items: Iterable[str]) -> str:
    """Return "а, б и в"."""
    *others, last = items
    return f"{', '.join(others)} и {last}" if others else last


def numbered(lines: Iterable[str]) -> str:
    """Return the lines as a numbered list."""
    return "\n".join(f"{place}. {line}" for place, line in enumerate(lines, 1))
