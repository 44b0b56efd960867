"""Every sentence of the service, in each language that it speaks."""

from functools import cache
from typing import assert_never

from lambda_matrix.conversation.catalogue import Texts
from lambda_matrix.conversation.catalogue.contexts import ContextFacts, LoadedFacts, SavedLine
from lambda_matrix.conversation.catalogue.files import StagedLine
from lambda_matrix.conversation.catalogue.places import Link, Way
from lambda_matrix.conversation.catalogue.questions import UnsupportedKind
from lambda_matrix.conversation.catalogue.rooms import ChatLine
from lambda_matrix.conversation.catalogue.service import StatusFacts
from lambda_matrix.conversation.catalogue.settings import (
    AgentLine,
    ChatFacts,
    Dashboard,
    SettingFacts,
)
from lambda_matrix.conversation.language import Language, parse_language
from lambda_matrix.conversation.texts_en import english
from lambda_matrix.conversation.texts_ru import russian

__all__ = [
    "AgentLine",
    "ChatFacts",
    "ChatLine",
    "ContextFacts",
    "Dashboard",
    "Language",
    "Link",
    "LoadedFacts",
    "SavedLine",
    "SettingFacts",
    "StagedLine",
    "StatusFacts",
    "Texts",
    "UnsupportedKind",
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
