"""How much one person may ask at once, so that nobody slows another down. No clock inside.

Each person has a bucket of tokens: it holds `burst`, a question takes one, and one comes back every
`interval` seconds. The bucket is its own small fact, to be kept wherever the surface likes; None is
a full one, so that whoever has been silent for a while needs no row.
"""

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """The operator's limits. `interval` is in seconds, `waiting` and `runs` count questions.

    `waiting`: in one chat's line, behind the one at work. `runs`: of one person, at work at once.
    """

    burst: int = 10
    interval: float = 6.0
    waiting: int = 20
    runs: int = 3


@frozen
class Bucket:
    """What a person may still ask: so many `tokens` at the time `at` (seconds, of any clock)."""

    tokens: float
    at: float


@frozen
class Take:
    """The question is taken; `bucket` is what is left."""

    bucket: Bucket


@frozen
class TooFast:
    """It is not: the next one is in `wait` seconds, at the least."""

    wait: float


@frozen
class QueueFull:
    """It is not: so many wait in this chat already."""

    waiting: int


Verdict = Take | TooFast | QueueFull


def admit(bucket: Bucket | None, waiting: int, now: float, limits: Limits) -> Verdict:
    """Decide about a question that comes at `now`, where `waiting` others wait in its chat.

    A clock that went back takes nothing away. What is not taken costs no token.
    """
    if waiting >= limits.waiting:
        return QueueFull(waiting)
    tokens = _refilled(bucket, now, limits)
    if tokens < 1:
        return TooFast((1 - tokens) * limits.interval)
    return Take(Bucket(tokens - 1, now))


def is_full(bucket: Bucket, now: float, limits: Limits) -> bool:
    """Return whether the bucket need not be kept any longer."""
    return _refilled(bucket, now, limits) >= limits.burst


def may_begin(running: int, limits: Limits) -> bool:
    """Return whether a person of whose questions `running` are at work may have one more begun."""
    return running < limits.runs


def _refilled(bucket: Bucket | None, now: float, limits: Limits) -> float:
    if bucket is None:
        return limits.burst
    passed = max(0.0, now - bucket.at)
    return min(limits.burst, bucket.tokens + passed / limits.interval)
