"""Files on their way, from people and from agents."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId, UserId


@frozen(kw_only=True)
class StagedFile:
    """A file that somebody sent. `path` and `kind` are known once it is "ready".

    Until then `name`, `mime_type` and `size` (bytes) are what its sender claims. A "removed" one is
    to be deleted.
    """

    event_id: EventId
    room_id: RoomId
    sender: UserId
    thread_root: EventId | None
    name: str
    url: str
    agent: AgentId
    platform_chat_id: PlatformChatId
    state: Literal["wanted", "ready", "refused", "removed"]
    path: str | None
    kind: Literal["image", "audio", "video", "document"] | None
    mime_type: str | None
    size: int | None
    request: RequestId | None


@frozen(kw_only=True)
class FetchedFile:
    """What somebody's file is, now that it lies in a workspace: `path` is relative to that."""

    path: str
    name: str
    kind: Literal["image", "audio", "video", "document"]
    mime_type: str
    size: int


@frozen(kw_only=True)
class OfferedFile:
    """A file of an agent's for the room; `path` as the agent said it, believed by nobody."""

    position: int
    room_id: RoomId
    request: RequestId
    agent: AgentId
    platform_chat_id: PlatformChatId
    path: str
    caption: str | None
