"""Agents' files on their way into rooms: one lane per room, after the answers that they came with.

A file is uploaded, and then its event and the word that it is done are one transaction. Cut off
before that it is uploaded once more, which nobody sees; it is never sent twice.
"""

import logging
from typing import Final, assert_never

from attrs import define, field

from lambda_matrix.client_server_api.errors import (
    FileTooLarge,
    MatrixError,
    SessionDead,
    decide_retry,
)
from lambda_matrix.client_server_api.media import ByteSource, FileChanged
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RoomId
from lambda_matrix.store.files import offered
from lambda_matrix.store.records import Draft, OfferedFile as Offer, Request
from lambda_matrix.surface.files.transfers import (
    Faults,
    NotTransferredError,
    SizeLimits,
    transferred,
)
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.stories import about_request
from lambda_matrix.surface.writing.content import ShownFile
from lambda_matrix.surface.writing.offered import not_offered_draft, offered_draft
from lambda_matrix.workspace.errors import FileRefused, Refusal, WorkspaceError
from lambda_matrix.workspace.imaging import Imaging
from lambda_matrix.workspace.media_facts import Thumbnail
from lambda_matrix.workspace.naming import safe_name
from lambda_matrix.workspace.offered import OfferedFile

logger = logging.getLogger(__name__)

_ANY_SIZE: Final = 2**62


@define
class Offering:
    """Sends what agents have offered."""

    _means: Means
    _workspaces: Workspaces
    _limits: SizeLimits
    _imaging: Imaging = field(factory=Imaging)
    lanes: Lanes[RoomId] = field(init=False)
    _faults: Faults = field(factory=Faults)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("sending files", self.serve, self.after_fault)

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        self.lanes.wake(await self._means.store.transact(offered.rooms_with_files))

    async def serve(self, room_id: RoomId) -> None:
        """Send the room's files, in the order in which they were offered.

        Raises:
            MatrixError: the session is over.
        """
        while found := await self._means.store.transact(offered.next_file, room_id):
            offer, request = found
            with about_request(request):
                said = await self._said(offer, request)
            await self._means.store.transact(offered.settle, offer, said, self._means.ourselves)
            self._means.outbox.wake([room_id])

    async def after_fault(self, room_id: RoomId) -> None:
        """Count a fault against the room's next file; one that fails again and again is let go."""
        found = await self._means.store.transact(offered.next_file, room_id)
        if found is None:
            return
        offer, request = found
        if not self._faults.one_too_many(offer.position):
            return
        with about_request(request):
            logger.error("gave up on a file of request %s: see the faults before", offer.request)
        texts = await self._means.languages.of(request.asker)
        sentence = texts.files.offered_unreadable(shown_name(offer.path))
        said = not_offered_draft(offer, request, sentence, self._means.ourselves)
        await self._means.store.transact(offered.settle, offer, said, self._means.ourselves)
        self._means.outbox.wake([room_id])

    async def _said(self, offer: Offer, request: Request) -> Draft:
        """Return the file's event, or the sentence in its place."""
        texts = await self._means.languages.of(request.asker)
        try:
            shown = await self._upload(offer, texts)
        except NotTransferredError as error:
            # Without its name, which is content.
            logger.warning("a file of request %s is not sent: %s", offer.request, error)
            self._means.metrics.file_passed_on(to_agent=False, worked=False)
            return not_offered_draft(offer, request, error.sentence, self._means.ourselves)
        self._means.metrics.file_passed_on(to_agent=False, worked=True)
        return offered_draft(offer, request, shown, self._means.ourselves)

    async def _upload(self, offer: Offer, texts: Texts) -> ShownFile:
        """Open the file and upload it.

        Raises:
            NotTransferredError: it is not to be had, or the homeserver does not take it.
        """
        workspace = self._workspaces.shared(offer.agent)
        name = shown_name(offer.path)
        if workspace is None:
            raise NotTransferredError(
                texts.files.offered_missing(name), f"agent {offer.agent} has no workspace"
            )
        folder = workspace.chat(offer.platform_chat_id)
        try:
            async with folder.open_offered(offer.path, _ANY_SIZE) as file:
                return await self._upload_opened(file, texts)
        except FileRefused as error:
            raise NotTransferredError(_refused(error.reason, name, texts), str(error)) from error
        except (WorkspaceError, FileChanged) as error:
            raise NotTransferredError(texts.files.offered_unreadable(name), str(error)) from error
        except MatrixError as error:
            if isinstance(decide_retry(error), SessionDead):
                raise
            raise NotTransferredError(texts.files.offered_not_sent(name), str(error)) from error

    async def _upload_opened(self, file: OfferedFile, texts: Texts) -> ShownFile:
        limit = await transferred(self._limits.homeserver)
        if limit is not None and file.size > limit:
            raise _too_large(file, limit, texts)
        facts = await self._imaging.describe(file)
        thumbnail = await self._thumbnail(facts.thumbnail)
        mime_type = file.media.mime_type
        try:
            url = await transferred(
                lambda: self._put(file.reader(), file.size, mime_type, file.name)
            )
        except FileTooLarge as error:
            raise _too_large(file, limit or file.size, texts) from error
        return ShownFile(
            name=file.name,
            url=url,
            mime_type=mime_type,
            kind=file.media.kind,
            size=file.size,
            width=facts.width,
            height=facts.height,
            duration_ms=facts.duration_ms,
            thumbnail=thumbnail,
        )

    async def _thumbnail(self, small: Thumbnail | None) -> ShownFile | None:
        """Upload the thumbnail; a file is sent without one rather than not at all."""
        if small is None:
            return None
        name = "thumbnail"
        try:
            url = await transferred(
                lambda: self._put(_Bytes(small.data), len(small.data), small.mime_type, name)
            )
        except MatrixError as error:
            if isinstance(decide_retry(error), SessionDead):
                raise
            logger.warning("a thumbnail is left out: %s", error)
            return None
        return ShownFile(
            name=name,
            url=url,
            mime_type=small.mime_type,
            kind="image",
            size=len(small.data),
            width=small.width,
            height=small.height,
        )

    async def _put(self, source: ByteSource, size: int, mime_type: str, name: str) -> str:
        return await self._means.client.media.upload(
            source, size=size, content_type=mime_type, filename=name
        )


def shown_name(path: str) -> str:
    """Return what a path that an agent has said is called before people."""
    return safe_name(path[-1000:], "?")


def _too_large(file: OfferedFile, limit: int, texts: Texts) -> NotTransferredError:
    sentence = texts.files.offered_too_large(file.name, file.size, limit)
    return NotTransferredError(sentence, f"{file.size} bytes are over the limit of {limit}")


def _refused(reason: Refusal, name: str, texts: Texts) -> str:
    match reason:
        case Refusal.MISSING | Refusal.MALFORMED:
            return texts.files.offered_missing(name)
        case Refusal.OUTSIDE | Refusal.SHARED:
            return texts.files.offered_outside(name)
        case Refusal.NOT_A_FILE | Refusal.FORBIDDEN | Refusal.CHANGED | Refusal.TOO_LARGE:
            return texts.files.offered_unreadable(name)
        case _:
            assert_never(reason)


@define
class _Bytes:
    """A few bytes as an upload reads them."""

    _data: bytes

    async def read(self, most: int, /) -> bytes:
        """Give up to `most` of what is left."""
        piece, self._data = self._data[:most], self._data[most:]
        return piece
