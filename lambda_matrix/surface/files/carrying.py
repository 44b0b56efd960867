"""The files that go along with a question, as its agent gets them."""

import logging
from collections.abc import Mapping

from attrs import frozen

from lambda_matrix.agent_events import Attachment
from lambda_matrix.store.records import FetchedFile, Request
from lambda_matrix.surface.files.workspaces import INLINE_BYTES, Workspaces
from lambda_matrix.surface.means import Means
from lambda_matrix.workspace.errors import FileRefused, Refusal, WorkspaceError
from lambda_matrix.workspace.folder import ChatFolder

logger = logging.getLogger(__name__)


@frozen
class Carried:
    """The files of a question. `inlined`: see `RunInput`."""

    attachments: tuple[Attachment, ...] = ()
    inlined: Mapping[str, bytes] | None = None


@frozen
class Carrying:
    """Gives each agent the files in the form that it takes."""

    _means: Means
    _workspaces: Workspaces

    async def along(self, request: Request, files: tuple[FetchedFile, ...]) -> Carried:
        """Return what goes along with the request: these files."""
        attached = tuple(map(_attachment, files))
        workspace = self._workspaces.of(request.agent)
        if workspace is None or not self._workspaces.is_inline(request.agent):
            return Carried(attached)
        folder = workspace.chat(request.platform_chat_id)
        return Carried(attached, await self._inlined(request, folder, files))

    async def _inlined(
        self, request: Request, folder: ChatFolder, files: tuple[FetchedFile, ...]
    ) -> Mapping[str, bytes]:
        """Return as many of the files as fit, by path; say which do not."""
        inlined: dict[str, bytes] = {}
        left_out: list[str] = []
        room = INLINE_BYTES
        for file in files:
            try:
                body = await folder.read_whole(file.path, room)
            except (FileRefused, WorkspaceError) as error:
                is_large = isinstance(error, FileRefused) and error.reason is Refusal.TOO_LARGE
                if is_large:
                    left_out.append(file.name)
                level = logging.DEBUG if is_large else logging.WARNING  # who sent it is told
                logger.log(level, "a file goes along by name alone: %s", error)
            else:
                inlined[file.path] = body
                room -= len(body)
        if left_out:
            texts = await self._means.languages.of(request.asker)
            await self._means.say_new(
                request.room_id,
                texts.files.not_all_inline(left_out, INLINE_BYTES),
                f"inline:{request.request_id}",
            )
        return inlined


def _attachment(file: FetchedFile) -> Attachment:
    return Attachment(kind=file.kind, path=file.path, mime_type=file.mime_type, name=file.name)
