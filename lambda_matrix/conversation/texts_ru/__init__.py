"""The service's sentences in Russian."""

from lambda_matrix.conversation.catalogue import Texts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.texts_ru.answers import answer_texts
from lambda_matrix.conversation.texts_ru.commands import command_texts
from lambda_matrix.conversation.texts_ru.confirmations import confirmation_texts
from lambda_matrix.conversation.texts_ru.contexts import context_texts
from lambda_matrix.conversation.texts_ru.files import file_texts
from lambda_matrix.conversation.texts_ru.onboarding import onboarding_texts
from lambda_matrix.conversation.texts_ru.questions import question_texts
from lambda_matrix.conversation.texts_ru.rooms import room_texts
from lambda_matrix.conversation.texts_ru.service import service_texts
from lambda_matrix.conversation.texts_ru.settings import setting_texts


def russian(prefix: str) -> Texts:
    """Return the catalogue for a service whose commands begin with `prefix`."""
    quote = Quote(Language.RU, prefix)
    return Texts(
        language=Language.RU,
        onboarding=onboarding_texts(quote),
        rooms=room_texts(quote),
        commands=command_texts(quote),
        settings=setting_texts(quote),
        contexts=context_texts(quote),
        files=file_texts(quote),
        confirmations=confirmation_texts(quote),
        questions=question_texts(quote),
        answers=answer_texts(quote),
        service=service_texts(quote),
    )
