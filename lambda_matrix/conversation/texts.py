"""Every sentence of the service, in each language that it speaks."""

from functools import cache
from typing import assert_never

from lambda_matrix.conversation.catalogue import (
    ChatLine,
    Link,
    StatusFacts,
    Texts,
    Way,
)
from lambda_matrix.conversation.language import Language, parse_language
from lambda_matrix.conversation.texts_en import english
from lambda_matrix.conversation.texts_ru import russian

__all__ = [
    "ChatLine",
    "Language",
    "Link",
    "StatusFacts",
    "Texts",
    "Way",
    "parse_language",
    "texts",
]


@cache
def texts(language: Language, prefix: str = "!") -> Texts:
    """Return the sentences in `language`, for commands that begin with `prefix`."""
    match language:
        case Language.EN:
            return english(prefix)
        case Language.RU:
            return russian(prefix)
        case _:
            assert_never(language)
