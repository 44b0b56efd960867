"""State events that a room has from its birth."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen
class InitialState:
    """A state event to be: in `createRoom`'s body, or sent by `Client.put_state`."""

    type: str
    content: Mapping[str, object]
    state_key: str = ""
