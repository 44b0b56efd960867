"""The languages that the service speaks."""

import re
from enum import Enum


class Language(Enum):
    """A language, by its ISO 639-1 code."""

    RU = "ru"
    EN = "en"


def parse_language(code: str) -> Language:
    """Return the language that `code` names: `ru`, `EN`, `ru_RU.UTF-8` ...

    Raises:
        ValueError: the service does not speak it.
    """
    return Language(re.split(r"[-_.]", code.strip().lower(), maxsplit=1)[0])
