"""Taking our answers back, when their questions were."""

import logging
import secrets

from attrs import define, field

from lambda_matrix.client_server_api.errors import MatrixError, SessionDead, decide_retry
from lambda_matrix.ids import EventId, RoomId, TransactionId
from lambda_matrix.store.questions import withdrawals
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist

logger = logging.getLogger(__name__)


@define
class Withdrawals:
    """Redacts what is noted as withdrawn, one lane per room."""

    _means: Means
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("withdrawal", self.serve)

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        self.lanes.wake(await self._means.store.transact(withdrawals.rooms_with_withdrawals))

    async def serve(self, room_id: RoomId) -> None:
        """Redact what is to be redacted in the room.

        Raises:
            MatrixError: the session is over.
        """
        for event_id in await self._means.store.transact(withdrawals.to_redact, room_id):
            await self._redact(room_id, event_id)
            await self._means.store.transact(withdrawals.redacted, event_id)

    async def _redact(self, room_id: RoomId, event_id: EventId) -> None:
        # Redacting twice changes nothing, so the id need not outlive the try.
        transaction_id = TransactionId(secrets.token_urlsafe(16))
        client = self._means.client
        try:
            await persist(
                lambda: self._means.outbox.in_turn(
                    lambda: client.redact(room_id, event_id, transaction_id)
                )
            )
        except MatrixError as error:
            if isinstance(decide_retry(error), SessionDead):
                raise
            logger.warning("event %s of room %s not redacted: %s", event_id, room_id, error)
