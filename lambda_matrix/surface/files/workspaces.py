"""Where the files of each agent's chats lie."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import trio
from attrs import define, field

from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.agent.roster import Agents
from lambda_matrix.ids import AgentId, PlatformChatId
from lambda_matrix.workspace.errors import WorkspaceError
from lambda_matrix.workspace.folder import Workspace

logger = logging.getLogger(__name__)

INLINE_BYTES: Final = 12_000_000
"""Of all files within one message: its frame has a third more, stands in memory, and is to be no
larger than the 16 MiB that servers take by default."""


@define
class Workspaces:
    """The folders shared with agents, and one of our own for those that get files in messages."""

    _agents: Agents
    _own: Path
    _open: Callable[[Path], Workspace] = Workspace
    _workspaces: dict[Path, Workspace] = field(factory=dict)
    _prepared: set[Path] = field(factory=set)

    def of(self, agent: AgentId) -> Workspace | None:
        """Return where the files of the agent's chats are; None if it takes none."""
        root = self._root(self._agents.get(agent))
        return None if root is None else self._at(root)

    def shared(self, agent: AgentId) -> Workspace | None:
        """Return the folder in which the agent itself can put files; None if there is none."""
        entry = self._agents.get(agent)
        return None if entry is None or entry.workspace is None else self._at(entry.workspace)

    def is_inline(self, agent: AgentId) -> bool:
        """Return whether the agent gets files within its messages."""
        entry = self._agents.get(agent)
        return entry is not None and entry.inline_files

    async def clear(self, agent: AgentId, platform_chat_id: PlatformChatId) -> None:
        """Remove the folder of a chat that is over, with all that is in it."""
        workspace = self.of(agent)
        if workspace is None:
            return
        try:
            await workspace.chat(platform_chat_id).remove_all()
        except WorkspaceError as error:
            logger.warning("files of chat %d are left over: %s", platform_chat_id, error)

    async def prepare(self, registry: Registry) -> None:
        """Make the folders of the agents ready; tell the journal which cannot be used.

        Each folder once, and before its agent is in force: what an earlier process left there half
        received is removed.
        """
        for root in _unique(map(self._root, registry.agents.values())):
            if root not in self._prepared:
                self._prepared.add(root)
                await self._prepare(root)

    async def _prepare(self, root: Path) -> None:
        try:
            if root == self._own:
                await trio.Path(root).mkdir(mode=0o700, exist_ok=True)
            leftovers = await self._at(root).prepare()
        except (WorkspaceError, OSError) as error:
            logger.error(  # noqa: TRY400 - one sentence for the operator says it all
                "no files can be passed to or from agents there: %s", error
            )
            return
        if leftovers:
            logger.info("%d files in %s, not received to the end, removed", leftovers, root)

    def _root(self, entry: AgentEntry | None) -> Path | None:
        if entry is None:
            return None
        return entry.workspace or (self._own if entry.inline_files else None)

    def _at(self, root: Path) -> Workspace:
        if root not in self._workspaces:
            self._workspaces[root] = self._open(root)
        return self._workspaces[root]


def _unique(roots: Iterable[Path | None]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(root for root in roots if root is not None))
