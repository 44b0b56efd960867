"""The service's sentences in English."""

from lambda_matrix.conversation.catalogue import Texts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.texts_en.answers import answer_texts
from lambda_matrix.conversation.texts_en.commands import command_texts
from lambda_matrix.conversation.texts_en.confirmations import confirmation_texts
from lambda_matrix.conversation.texts_en.contexts import context_texts
from lambda_matrix.conversation.texts_en.files import file_texts
from lambda_matrix.conversation.texts_en.onboarding import onboarding_texts
from lambda_matrix.conversation.texts_en.questions import question_texts
from lambda_matrix.conversation.texts_en.rooms import room_texts
from lambda_matrix.conversation.texts_en.service import service_texts
from lambda_matrix.conversation.texts_en.settings import setting_texts


def english(prefix: str) -> Texts:
    """Return the catalogue for a service whose commands begin with `prefix`."""
    quote = Quote(Language.EN, prefix)
    return Texts(
        language=Language.EN,
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
