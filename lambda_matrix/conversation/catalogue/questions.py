"""What is said of questions on their way."""

from collections.abc import Callable
from enum import Enum

from attrs import frozen


class UnsupportedKind(Enum):
    """What people can send that is no question."""

    STICKER = "sticker"
    LOCATION = "location"
    POLL = "poll"
    OTHER = "other"


@frozen(kw_only=True)
class QuestionTexts:
    """The line of questions, its limits, stopping and asking again."""

    queued: Callable[[int], str]
    """So many questions go before this one."""
    queue_full: Callable[[int], str]
    """So many are waiting and no more are taken."""
    too_fast: Callable[[float], str]
    """This person asked too much at once; the next question is taken in so many seconds."""
    too_many_runs: Callable[[int], str]
    """So many questions of this person are being answered; this one begins when one is done."""
    busy: str
    """As many questions of all people are being answered as may be; this one waits."""
    stopped: str
    stopped_all: Callable[[int], str]
    """So many requests were stopped or taken off the line."""
    nothing_to_stop: str
    nothing_to_retry: str
    retry_running: str
    """The last question is being answered, or waits: it need not be asked again."""
    unsupported: Callable[[UnsupportedKind], str]
    """Something other than text and files."""
