"""Whether one more question of a person is taken now: the limits of `conversation.limits`, at work.

What each person has asked lately is kept in memory alone: a restart forgives. It goes by when the
questions were sent, so what somebody asked over hours while the service was away is not held
against them when it all comes in at once.
"""

import time

from attrs import define, field

from lambda_matrix.conversation.limits import Bucket, Take, Verdict, admit, is_full
from lambda_matrix.ids import UserId
from lambda_matrix.matrix_events import TimelineFact
from lambda_matrix.surface.policy import Policy

KEPT_MOST = 10_000
"""Persons of whom it is remembered how much they asked; the others have asked nothing lately."""


@define
class Admission:
    """Counts the questions of each person."""

    _policy: Policy
    _buckets: dict[UserId, Bucket] = field(factory=dict)

    def admit(self, message: TimelineFact, waiting: int) -> Verdict:
        """Decide about a question, where `waiting` others are in line in its room."""
        sent_at = min(message.origin_server_ts / 1000, time.time())
        limits = self._policy.limits
        verdict = admit(self._buckets.get(message.sender), waiting, sent_at, limits)
        if isinstance(verdict, Take):
            self._buckets[message.sender] = verdict.bucket
            if len(self._buckets) > KEPT_MOST:
                self._buckets = {
                    user_id: bucket
                    for user_id, bucket in self._buckets.items()
                    if not is_full(bucket, sent_at, limits)
                }
        return verdict
