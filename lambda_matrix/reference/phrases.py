"""What the bundled agent itself says to a person, in the languages of the service. No I/O.

The agent is a program of its own and shares no catalogue with the service; these are its own few
sentences. What a model is told stands in `prompts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from lambda_matrix.reference.model_errors import ModelFault


@frozen
class Phrases:
    """One language's sentences; `{}` stands for a file's name."""

    overwrite: str
    delete: str
    faults: Mapping[ModelFault, str]


_ENGLISH: Final = Phrases(
    overwrite="May I overwrite the file {}?",
    delete="May I delete the file {}?",
    faults={
        ModelFault.UNREACHABLE: "The language model cannot be reached.",
        ModelFault.TIMEOUT: "The language model did not answer in time.",
        ModelFault.KEY_REFUSED: "The language model refuses the agent's key.",
        ModelFault.NOT_FOUND: "There is no language model of the configured name.",
        ModelFault.BUSY: "The language model has too many requests right now.",
        ModelFault.QUOTA: "The account with the language model's provider is used up.",
        ModelFault.CONTEXT_TOO_LONG: "This is too long for the language model.",
        ModelFault.FILTERED: "The language model's provider has blocked this by its content rules.",
        ModelFault.REFUSED: "The language model refuses the request.",
        ModelFault.BROKEN: "The language model reports a fault of its own.",
        ModelFault.CUT: "The connection to the language model broke off.",
        ModelFault.GARBLED: "The language model's answer cannot be read.",
        ModelFault.SILENT: "The language model gave an empty answer.",
        ModelFault.ENDLESS: "The language model called tools without coming to an answer.",
    },
)
_RUSSIAN: Final = Phrases(
    overwrite="Перезаписать файл {}?",
    delete="Удалить файл {}?",
    faults={
        ModelFault.UNREACHABLE: "До языковой модели нет связи.",
        ModelFault.TIMEOUT: "Языковая модель не ответила вовремя.",
        ModelFault.KEY_REFUSED: "Языковая модель не принимает ключ агента.",
        ModelFault.NOT_FOUND: "Языковой модели с заданным именем нет.",
        ModelFault.BUSY: "У языковой модели сейчас слишком много запросов.",
        ModelFault.QUOTA: "Счёт у поставщика языковой модели исчерпан.",
        ModelFault.CONTEXT_TOO_LONG: "Для языковой модели это слишком длинно.",
        ModelFault.FILTERED: "Поставщик языковой модели не пропустил это по своим правилам.",
        ModelFault.REFUSED: "Языковая модель отклонила запрос.",
        ModelFault.BROKEN: "Языковая модель сообщает о сбое у себя.",
        ModelFault.CUT: "Связь с языковой моделью оборвалась.",
        ModelFault.GARBLED: "Ответ языковой модели не читается.",
        ModelFault.SILENT: "Языковая модель дала пустой ответ.",
        ModelFault.ENDLESS: "Языковая модель вызывала инструменты и не пришла к ответу.",
    },
)


def phrases_in(locale: str) -> Phrases:
    """Return the sentences of a language, English for those that are not known."""
    return _RUSSIAN if locale.partition("-")[0] == "ru" else _ENGLISH
