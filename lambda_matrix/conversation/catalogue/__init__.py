"""What there is to say: the form that each language fills (`texts_en`, `texts_ru`).

A language is one `Texts`, and all its fields are required, so that a missing translation is an
error of the type checker's. Sentences are Markdown. Whatever comes from outside (a name, a word
that somebody typed) is passed as it is and made harmless there (`markdown.literal`, `as_code`).
Counts are whole numbers, times and ages are seconds, sizes are bytes.
"""

from attrs import frozen

from lambda_matrix.conversation.catalogue.answers import AnswerTexts
from lambda_matrix.conversation.catalogue.commands import CommandTexts
from lambda_matrix.conversation.catalogue.confirmations import ConfirmationTexts
from lambda_matrix.conversation.catalogue.contexts import ContextTexts
from lambda_matrix.conversation.catalogue.files import FileTexts
from lambda_matrix.conversation.catalogue.onboarding import OnboardingTexts
from lambda_matrix.conversation.catalogue.questions import QuestionTexts
from lambda_matrix.conversation.catalogue.rooms import RoomTexts
from lambda_matrix.conversation.catalogue.service import ServiceTexts
from lambda_matrix.conversation.catalogue.settings import SettingTexts
from lambda_matrix.conversation.language import Language


@frozen(kw_only=True)
class Texts:
    """The sentences of one language, by what they are about."""

    language: Language
    onboarding: OnboardingTexts
    rooms: RoomTexts
    commands: CommandTexts
    settings: SettingTexts
    contexts: ContextTexts
    files: FileTexts
    confirmations: ConfirmationTexts
    questions: QuestionTexts
    answers: AnswerTexts
    service: ServiceTexts
