"""Numbers, times, sizes and lists, as English says them."""

from collections.abc import Iterable

MINUTE = 60
HOUR = 3600
DAY = 86400
_KILOBYTE = 1000
_MEGABYTE = 1_000_000
_GIGABYTE = 1_000_000_000


def counted(count: int, noun: str) -> str:
    """Return "1 question", "2 questions"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def span(seconds: float) -> str:
    """Return how long it is, to the second if it is short: "8 seconds", "an hour", "2 days"."""
    if round(seconds) < MINUTE:
        return _timed(max(1, round(seconds)), "a second")
    if round(seconds / MINUTE) < MINUTE:
        return _timed(round(seconds / MINUTE), "a minute")
    if round(seconds / HOUR) < DAY / HOUR:
        return _timed(round(seconds / HOUR), "an hour")
    return _timed(round(seconds / DAY), "a day")


def _timed(count: int, one: str) -> str:
    return one if count == 1 else counted(count, one.split(" ")[1])


def duration(seconds: float) -> str:
    """Return about how long it is: "about 5 minutes"."""
    return "less than a minute" if seconds < MINUTE else f"about {span(seconds)}"


def ago(seconds: float) -> str:
    """Return how long ago it was: "just now", "3 hours ago"."""
    return "just now" if seconds < MINUTE else f"{span(seconds)} ago"


def sized(size: int) -> str:
    """Return a size: "512 bytes", "340 kB", "1.2 MB"."""
    if size < _KILOBYTE:
        return counted(size, "byte")
    if round(size / _KILOBYTE) < _KILOBYTE:
        return f"{round(size / _KILOBYTE)} kB"
    is_huge = round(size / _MEGABYTE) >= _KILOBYTE
    scaled = f"{size / (_GIGABYTE if is_huge else _MEGABYTE):.1f}".removesuffix(".0")
    return f"{scaled} {'GB' if is_huge else 'MB'}"


def listed(items: Iterable[str]) -> str:
    """Return "a, b and c"."""
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last


def numbered(lines: Iterable[str]) -> str:
    """Return the lines as a numbered list."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
