"""What is said of questions on their way."""

from lambda_matrix.conversation.catalogue.questions import QuestionTexts, UnsupportedKind
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.texts_en.wording import counted, span

_UNSUPPORTED = {
    UnsupportedKind.STICKER: "A sticker! I can only read words and files, so please write to me.",
    UnsupportedKind.LOCATION: (
        "I cannot read locations. Please write to me where it is, in words or coordinates."
    ),
    UnsupportedKind.POLL: "I cannot take part in polls. Please ask me in words.",
    UnsupportedKind.OTHER: "I can only read words and files. Please write it to me.",
}


def question_texts(quote: Quote) -> QuestionTexts:
    """Return the sentences, with the commands as `quote` has them."""
    stop, retry = quote(CommandName.STOP), quote(CommandName.RETRY)
    return QuestionTexts(
        queued=lambda ahead: (
            f"Noted. {counted(ahead, 'question')} will be answered before this one."
        ),
        queue_full=lambda waiting: (
            f"The line is full here ({counted(waiting, 'question')}), so I have not taken this "
            f"one. Please ask again when I have caught up, or send {stop}."
        ),
        too_fast=lambda wait: (
            "That was a lot at once, so I have not taken this question. Please ask it again in "
            f"{span(wait)}."
        ),
        too_many_runs=lambda running: (
            f"Noted. I am answering {counted(running, 'question')} of yours at the moment; this "
            "one is next when I am through with one."
        ),
        busy=(
            "Noted. Many people are asking at the moment; this one is next as soon as there is "
            "room."
        ),
        stopped="Stopped.",
        stopped_all=lambda count: f"Stopped: {counted(count, 'question')}.",
        nothing_to_stop="There is nothing to stop: I am not answering anything here.",
        nothing_to_retry="There is no question of yours here that I could ask again.",
        retry_running=(
            f"Your last question is still being answered. {stop} stops it, {retry} asks it again "
            "then."
        ),
        unsupported=_UNSUPPORTED.__getitem__,
    )
