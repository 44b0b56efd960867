"""Account data in an answer of /sync → what the bot keeps there.

Only the bot itself writes account data. What cannot be read was not written by this program, or
not by this version of it: it is logged and means nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from lambda_matrix.account_data import Binding, KeptOfPerson, Unbound
from lambda_matrix.client_server_api.account_data import (
    BINDING_KEY,
    INSTANCE_KEY,
    PERSON_PREFIX,
    SAVED_PREFIX,
    read_binding,
    read_instance,
    read_person,
    read_saved,
)
from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    list_at,
    object_at,
)
from lambda_matrix.ids import InstanceId, RoomId, UserId

log = logging.getLogger(__name__)


def parse_binding(room_id: RoomId, section: JsonObject) -> Binding | Unbound | None:
    """Return what a section of `rooms.join` newly says of the room's binding; None: nothing."""
    contents = [content for kind, content in _entries(section) if kind == BINDING_KEY]
    if not contents:
        return None
    binding = read_binding(contents[-1])
    if binding is None:
        log.warning("the binding of %s is none of ours, and means nothing", room_id)
    return binding


def parse_kept(answer: JsonObject) -> tuple[KeptOfPerson, ...]:
    """Return what an answer newly says of what people chose and saved."""
    found = (_of_person(kind, content) for kind, content in _entries(answer))
    return tuple(kept for kept in found if kept is not None)


def parse_instance(answer: JsonObject) -> InstanceId | None:
    """Return which start of the service an answer newly says to be the one that answers."""
    contents = [content for kind, content in _entries(answer) if kind == INSTANCE_KEY]
    return read_instance(contents[-1]) if contents else None


def _of_person(kind: str, content: JsonObject) -> KeptOfPerson | None:
    if kind.startswith(SAVED_PREFIX):
        return read_saved(UserId(kind.removeprefix(SAVED_PREFIX)), content)
    if not kind.startswith(PERSON_PREFIX):
        return None
    user_id = UserId(kind.removeprefix(PERSON_PREFIX))
    kept = read_person(user_id, content)
    if kept is None:
        log.warning("the settings of %s are none of ours, and mean nothing", user_id)
    return kept


def _entries(container: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for event in list_at(object_at(container, "account_data"), "events"):
        if isinstance(event, dict) and (kind := id_at(event, "type")) is not None:
            yield kind, object_at(event, "content")
