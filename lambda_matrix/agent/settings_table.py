"""A table of a TOML file, taken apart key by key, strictly: what nobody asked for is an error."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import NoReturn, TypeVar

_T = TypeVar("_T")
_L = TypeVar("_L", bound=str)


class RegistryError(Exception):
    """The registry of agents cannot be used; the text is one sentence for the operator."""


class Table:
    """One table. `where` begins each error; `shown` gives keys that the operator knows otherwise.

    Each method raises `RegistryError` when the key's value is of the wrong kind.
    """

    def __init__(
        self, values: Mapping[str, object], where: str, shown: Mapping[str, str] | None = None
    ) -> None:
        self._values = dict(values)
        self._where = where
        self._shown = shown or {}
        self._asked: list[str] = []

    def fail(self, key: str | None, problem: str) -> NoReturn:
        """Raise the error of `key` (None: of the whole table)."""
        place = self._where if key is None else f"{self._where}: {self._shown.get(key, key)}"
        raise RegistryError(f"{place}: {problem}.")

    def _take(self, key: str, kind: type[_T], article: str) -> _T | None:
        self._asked.append(key)
        value = self._values.pop(key, None)
        if value is None or type(value) is kind:  # isinstance would take true for a number
            return value
        return self.fail(key, f"must be {article}")

    def text(self, key: str, default: str | None = None) -> str:
        """Take a string; without a default it must be there, and not be empty."""
        value = self._take(key, str, "a string")
        if value is None:
            value = default
        if value is None:
            self.fail(key, f"is missing{self._misspelt(key)}")
        if not value and default != "":
            self.fail(key, "is empty")
        return value

    def _misspelt(self, key: str) -> str:
        """Return the hint that one of the other keys looks as if it were `key`."""
        near = get_close_matches(key, self._values, 1)
        return f"; perhaps it is misspelt as {near[0]}" if near else ""

    def path(self, key: str) -> Path | None:
        """Take the absolute path of a file or folder."""
        value = self._take(key, str, "a string, an absolute path")
        if value is None:
            return None
        if not value.startswith("/") or "\0" in value:
            self.fail(key, "must be an absolute path")
        return Path(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Take true or false."""
        value = self._take(key, bool, "true or false")
        return default if value is None else value

    def choice(self, key: str, default: _L, *others: _L) -> _L:
        """Take one of a few words."""
        value = self._take(key, str, "a string")
        for word in (default, *others):
            if value is None or value == word:
                return word
        return self.fail(key, f"must be one of {', '.join((default, *others))}")

    def seconds(self, key: str, default: float) -> float:
        """Take a time, in seconds, more than none."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            self._values[key] = float(value)
        seconds = self._take(key, float, "a number of seconds")
        if seconds is not None and not (isfinite(seconds) and seconds > 0):
            self.fail(key, "must be a number of seconds above 0")
        return default if seconds is None else seconds

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Take an array of strings."""
        values = self._take(key, list, "an array of strings")
        if values is None:
            return None
        if not all(isinstance(value, str) and value for value in values):
            self.fail(key, "must be an array of strings, none of them empty")
        return tuple(values)

    def tables(self, key: str) -> Iterator[tuple[str, "Table"]]:
        """Take the tables `[key.<name>]`, at least one."""
        tables = self._take(key, dict, "a table of tables")
        if not tables:
            self.fail(key, f"there is no [{key}.<id>] in it")
        for name, values in tables.items():
            if not isinstance(values, dict):
                self.fail(f"{key}.{name}", "must be a table")
            yield name, Table(values, f"{self._where}: {key}.{name}")

    def finish(self) -> None:
        """Refuse what is left: a key that nobody asked for is most likely a misspelt one."""
        for key in self._values:
            near = get_close_matches(key, self._asked, 1)
            self.fail(key, f"is no known key{f'; perhaps {near[0]} was meant' if near else ''}")
