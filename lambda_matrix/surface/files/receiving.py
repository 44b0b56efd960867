"""People's files on their way into workspaces: one lane per room, which fetches and deletes.

Killed at any moment, the file is still "wanted" and fetched again: what was received half is
cleared away at the next start. Only between the moment that a file becomes visible and the
transaction that notes it can a kill leave a copy that nobody knows of; it goes along once all the
same. A file that is taken off while it comes in is deleted as soon as it is there.
"""

import logging
from functools import partial
from typing import assert_never

from attrs import define, field

from lambda_matrix import logs
from lambda_matrix.client_server_api import errors
from lambda_matrix.client_server_api.errors import MatrixError, SessionDead, decide_retry
from lambda_matrix.conversation.catalogue.files import StagedLine
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RoomId
from lambda_matrix.store.files import attachments, staging
from lambda_matrix.store.records import Draft, FetchedFile, StagedFile
from lambda_matrix.store.recovery import STAGED
from lambda_matrix.surface.files.transfers import (
    Faults,
    NotTransferredError,
    SizeLimits,
    transferred,
)
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.writing.wording import file_reply
from lambda_matrix.workspace.errors import (
    Fault,
    FileRefused,
    FileTooLarge,
    WorkspaceError,
)
from lambda_matrix.workspace.folder import ChatFolder
from lambda_matrix.workspace.incoming import Received

logger = logging.getLogger(__name__)


@define
class Receiving:
    """Fetches what is wanted, and deletes what was taken off. `runs` wait for files."""

    _means: Means
    _workspaces: Workspaces
    _limits: SizeLimits
    _runs: Lanes[RoomId]
    lanes: Lanes[RoomId] = field(init=False)
    _rooms: set[RoomId] = field(factory=set)
    _faults: Faults = field(factory=Faults)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("receiving files", self.serve, self.after_fault)

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        self._rooms.update(await self._means.store.transact(attachments.rooms_with_files))
        self.lanes.wake(await self._means.store.transact(attachments.rooms_to_serve))

    def note(self, room_id: RoomId) -> None:
        """A file was sent there, and is about to be wanted."""
        self._rooms.add(room_id)

    def begin(self, room_id: RoomId) -> None:
        """A file that was sent there is wanted."""
        self.note(room_id)
        self.lanes.wake([room_id])

    def look_again(self, room_id: RoomId) -> None:
        """Something was asked or taken back there: it may concern files."""
        if room_id in self._rooms:
            self.lanes.wake([room_id])

    async def serve(self, room_id: RoomId) -> None:
        """Do what is to be done about the room's files.

        Raises:
            MatrixError: the session is over.
        """
        while file := await self._means.store.transact(attachments.next_to_do, room_id):
            with logs.about(event=file.event_id, user=file.sender):
                if file.state == "removed":
                    await self._delete(file)
                else:
                    await self._take_in(file)
                    self._means.outbox.wake([room_id])
            self._runs.wake([room_id])

    async def after_fault(self, room_id: RoomId) -> None:
        """Count a fault against the room's next file; one that fails again and again is let go."""
        file = await self._means.store.transact(attachments.next_to_do, room_id)
        if file is None or not self._faults.one_too_many(file.event_id):
            return
        logger.error("gave up on the file of event %s: see the faults before", file.event_id)
        await self._means.store.transact(attachments.deleted, file.event_id)
        texts = await self._means.languages.of(file.sender)
        say = partial(self._refusal, file, texts, texts.files.not_fetched(file.name))
        await self._means.store.transact(staging.refuse, file, say, self._means.ourselves)
        self._means.outbox.wake([room_id])
        self._runs.wake([room_id])

    async def _take_in(self, file: StagedFile) -> None:
        """Fetch the file, or say why it cannot be had."""
        texts = await self._means.languages.of(file.sender)
        try:
            await self._fetch(file, texts)
            self._means.metrics.file_passed_on(to_agent=True, worked=True)
        except NotTransferredError as error:
            self._means.metrics.file_passed_on(to_agent=True, worked=False)
            logger.info("a file is not taken: %s", error)
            say = partial(self._refusal, file, texts, error.sentence)
            await self._means.store.transact(staging.refuse, file, say, self._means.ourselves)

    async def _fetch(self, file: StagedFile, texts: Texts) -> None:
        """Fetch the file, whole, and note it.

        Raises:
            NotTransferredError: it cannot be had, and no waiting will change that.
        """
        workspace = self._workspaces.of(file.agent)
        if workspace is None:
            raise NotTransferredError(
                texts.files.no_workspace(agent_name(self._means, file)),
                f"agent {file.agent} takes no files",
            )
        folder = workspace.chat(file.platform_chat_id)
        try:
            received = await self._receive(file, folder, await self._limit(file), texts)
        except WorkspaceError as error:
            raise NotTransferredError(_broken(error.fault, file.name, texts), str(error)) from error
        at = FetchedFile(
            path=received.path,
            name=received.name,
            kind=received.media.kind,
            mime_type=received.media.mime_type,
            size=received.size,
        )
        if not await self._means.store.transact(
            staging.fetched, file, at, partial(self._got, file, texts), self._means.ourselves
        ):
            await _remove(folder, at.path)

    async def _receive(
        self, file: StagedFile, folder: ChatFolder, limit: int, texts: Texts
    ) -> Received:
        async def attempt() -> Received:
            claimed = file.mime_type or ""
            async with folder.receive(file.name, claimed, limit) as incoming:
                await self._means.client.media.download(file.url, incoming, max_bytes=limit)
                found = incoming.media.mime_type
                if not self._means.policy.takes_type(found):
                    refusal = texts.files.type_refused(file.name, found)
                    raise NotTransferredError(
                        refusal, f"{found} is not taken ([limits] file_types)"
                    )
                return await incoming.publish()

        try:
            return await transferred(attempt)
        except (FileTooLarge, errors.FileTooLarge) as error:
            raise NotTransferredError(
                texts.files.too_large(file.name, limit), str(error)
            ) from error
        except MatrixError as error:
            if isinstance(decide_retry(error), SessionDead):
                raise
            raise NotTransferredError(texts.files.not_fetched(file.name), str(error)) from error

    async def _limit(self, file: StagedFile) -> int:
        try:
            await self._limits.homeserver()
        except MatrixError as error:
            if isinstance(decide_retry(error), SessionDead):
                raise
            logger.debug("the homeserver's limit of files is not known: %s", error)
        return self._limits.incoming(file.agent)

    async def _delete(self, file: StagedFile) -> None:
        """Delete the file; what is not there, or not a file any more, is gone already."""
        workspace = self._workspaces.of(file.agent)
        if workspace is not None and file.path is not None:
            await _remove(workspace.chat(file.platform_chat_id), file.path)
        await self._means.store.transact(attachments.deleted, file.event_id)

    def _got(self, file: StagedFile, texts: Texts, waiting: tuple[StagedFile, ...]) -> Draft:
        newest = next(each for each in waiting if each.event_id == file.event_id)
        text = texts.files.staged(staged_line(newest), len(waiting))
        return file_reply(file, text, self._means.ourselves, cause=STAGED)

    def _refusal(
        self,
        file: StagedFile,
        texts: Texts,
        sentence: str,
        asked_in_vain: bool,  # noqa: FBT001 - the store calls it back with this alone
    ) -> Draft:
        if asked_in_vain:
            sentence = f"{sentence} {texts.files.caption_only(file.name)}"
        return file_reply(file, sentence, self._means.ourselves)


def _broken(fault: Fault, name: str, texts: Texts) -> str:
    match fault:
        case Fault.FULL:
            return texts.files.disk_full(name)
        case Fault.MISSING | Fault.FORBIDDEN | Fault.BROKEN:
            return texts.files.folder_broken(name)
        case _:
            assert_never(fault)


async def _remove(folder: ChatFolder, path: str) -> None:
    try:
        await folder.remove(path)
    except (FileRefused, WorkspaceError) as error:
        logger.warning("a file that was taken off is not deleted: %s", error)


def staged_line(file: StagedFile) -> StagedLine:
    """Return a file as it is listed; one that still comes in as its sender describes it."""
    return StagedLine(file.name, file.size or 0, file.mime_type or "?")


def agent_name(means: Means, file: StagedFile) -> str:
    """Return what the agent of the file's chat is called."""
    entry = means.agents.get(file.agent)
    return file.agent if entry is None else entry.name
