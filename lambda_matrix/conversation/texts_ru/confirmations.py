"""What is said where something waits for a yes or a no."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.confirmations import ConfirmationTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import literal
from lambda_matrix.conversation.texts_ru.wording import numbered, span


def confirmation_texts(quote: Quote) -> ConfirmationTexts:
    """Return the sentences, with the commands as `quote` has them."""
    return ConfirmationTexts(
        prompt=lambda asked, wait: (
            f"Прежде чем продолжить, нужно ваше согласие:\n\n{_asked(asked)}\n\n"
            f"{_how(len(asked), quote)}" + ("" if wait is None else f" Жду ответа {span(wait)}.")
        ),
        reminder=lambda asked: (
            "Это сообщение никуда не ушло: сначала нужен ваш ответ вот о чём:\n\n"
            f"{_asked(asked)}\n\n{_how(len(asked), quote)}"
        ),
        nothing_pending="Здесь ничего не ждёт вашего согласия.",
        consented=lambda consented, of: (
            "Есть согласие."
            if consented == of
            else f"Есть согласие на {consented} из {of}; на остальное — отказ."
        ),
        refused="Отказ принят. Ничего из этого сделано не будет.",
        expired=(
            "Ответа не было слишком долго, теперь это считается отказом. "
            f"{quote(CommandName.RETRY)} задаст ваш вопрос ещё раз."
        ),
        out_of_range=lambda count: (
            "Согласие нужно только на одно."
            if count == 1
            else f"То, на что нужно согласие, пронумеровано от 1 до {count}."
        ),
        waits_for_another=(
            "Вопрос принят. Сначала кто-то другой должен здесь дать согласие или отказаться; после "
            "этого отвечу вам."
        ),
        not_yours="То, что здесь ждёт ответа, ждёт его не от вас.",
        lost=(
            "То, на что вы сейчас отвечаете, у меня потерялось. Если ваше слово успело дойти "
            "раньше, это могло быть сделано: посмотрите, и если нет, спросите ещё раз."
        ),
    )


def _asked(asked: Sequence[str]) -> str:
    if len(asked) == 1:
        return literal(asked[0])
    return numbered(literal(each) for each in asked)


def _how(count: int, quote: Quote) -> str:
    yes, no = quote(CommandName.YES), quote(CommandName.NO)
    if count == 1:
        why = quote(CommandName.NO, "слишком рискованно")
        return f"{yes} — согласиться, {no} — отказаться; можно с причиной: {why}."
    if count == 2:  # noqa: PLR2004 - "the first" and "the other" need no list
        first = quote(CommandName.YES, "1")
        return f"{yes} — согласиться на то и другое, {first} — только на первое, {no} — отказаться."
    some = quote(CommandName.YES, "1 3")
    return (
        f"{yes} — согласиться на всё, {some} — только на это и отказаться от остального, "
        f"{no} — отказаться от всего."
    )
