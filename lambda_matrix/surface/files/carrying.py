"""The files that go along with a question, as its agent gets them."""

import logging
from collections.abc import Mapping

from attrs import frozen

from lambda_matrix.agent_events import Attachment
from lambda_matrix.store import attachments
from lambda_matrix.store.records import Request, StagedFile
from lambda_matrix.surface.files.workspaces import INLINE_BYTES, Workspaces
from lambda_matrix.surface.means import Means
from lambda_matrix.workspace.errors import FileRefused, Refusal, WorkspaceError

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

    async def along(self, request: Request) -> Carried:
        """Return what goes along with the request."""
        files = await self._means.store.transact(attachments.of_request, request.request_id)
        attached = tuple(each for each in map(_attachment, files) if each is not None)
        if not self._workspaces.is_inline(request.agent):
            return Carried(attached)
        return Carried(attached, await self._inlined(request, files))

    async def _inlined(
        self, request: Request, files: tuple[StagedFile, ...]
    ) -> Mapping[str, bytes]:
        """Return as many of the files as fit, by path; say which do not."""
        inlined: dict[str, bytes] = {}
        left_out: list[str] = []
        room = INLINE_BYTES
        workspace = self._workspaces.of(request.agent)
        for file in files:
            if workspace is None or file.path is None:
                continue
            try:
                body = await workspace.chat(file.platform_chat_id).read_whole(file.path, room)
            except FileRefused as error:
                logger.warning("a file goes along by name alone: %s", error)
                if error.reason is Refusal.TOO_LARGE:
                    left_out.append(file.name)
            except WorkspaceError as error:
                logger.warning("a file goes along by name alone: %s", error)
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


def _attachment(file: StagedFile) -> Attachment | None:
    if file.path is None or file.kind is None:
        return None
    mime_type = file.mime_type or "application/octet-stream"
    return Attachment(kind=file.kind, path=file.path, mime_type=mime_type, name=file.name)
