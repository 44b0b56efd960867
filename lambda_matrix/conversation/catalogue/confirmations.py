"""What is said where something waits for a yes or a no."""

from collections.abc import Callable, Sequence

from attrs import frozen


@frozen(kw_only=True)
class ConfirmationTexts:
    """How consent is asked for, and what became of it."""

    prompt: Callable[[Sequence[str], float | None], str]
    """The agent asks for these to be confirmed; it expires in so many seconds (None: never)."""
    reminder: Callable[[Sequence[str]], str]
    """These still wait, so the text that came instead goes nowhere."""
    nothing_pending: str
    consented: Callable[[int, int], str]
    """So many of so many were consented to."""
    refused: str
    expired: str
    out_of_range: Callable[[int], str]
    """A number that a prompt of so many things does not have."""
    waits_for_another: str
    """A question waits until somebody else has given their word on something else."""
    not_yours: str
    """What waits here waits for somebody else."""
    lost: str
    """What was asked was lost with the database."""
