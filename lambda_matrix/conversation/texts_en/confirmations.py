"""What is said where something waits for a yes or a no."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.confirmations import ConfirmationTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import literal
from lambda_matrix.conversation.texts_en.wording import numbered, span


def confirmation_texts(quote: Quote) -> ConfirmationTexts:
    """Return the sentences, with the commands as `quote` has them."""
    return ConfirmationTexts(
        prompt=lambda asked, wait: (
            f"Before I go on, I need your consent:\n\n{_asked(asked)}\n\n{_how(len(asked), quote)}"
            + ("" if wait is None else f" I will wait for {span(wait)}.")
        ),
        reminder=lambda asked: (
            "I have not passed that on, because something still waits for your word:\n\n"
            f"{_asked(asked)}\n\n{_how(len(asked), quote)}"
        ),
        nothing_pending="Nothing waits for your consent here.",
        consented=lambda consented, of: (
            "Agreed." if consented == of else f"Agreed to {consented} of {of}; the rest is refused."
        ),
        refused="Refused. Nothing of it will be done.",
        expired=(
            "This has waited for your word too long and counts as refused now. "
            f"{quote(CommandName.RETRY)} asks your question again."
        ),
        out_of_range=lambda count: (
            "There is only one thing to agree to."
            if count == 1
            else f"The things to agree to are numbered from 1 to {count}."
        ),
        waits_for_another=(
            "Noted. I have asked somebody else here for their word, and will answer you when they "
            "have given it."
        ),
        not_yours="What waits here waits for somebody else's word.",
        lost=(
            "I have lost what this was your word on. If it had reached me before, it may have been "
            "done; please look, and ask again if it was not."
        ),
    )


def _asked(asked: Sequence[str]) -> str:
    if len(asked) == 1:
        return literal(asked[0])
    return numbered(literal(each) for each in asked)


def _how(count: int, quote: Quote) -> str:
    yes, no = quote(CommandName.YES), quote(CommandName.NO)
    if count == 1:
        return f"{yes} agrees, {no} refuses; you can say why: {quote(CommandName.NO, 'too risky')}."
    if count == 2:  # noqa: PLR2004 - "the first" and "the other" need no list
        first = quote(CommandName.YES, "1")
        return f"{yes} agrees to both, {first} to the first alone, {no} refuses both."
    some = quote(CommandName.YES, "1 3")
    return f"{yes} agrees to all, {some} to these alone and refuses the rest, {no} refuses all."
