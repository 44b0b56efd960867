"""What a record is about: fields that hold for everything said within a block, in any module.

A block's fields go along into the tasks and threads that are started within it (Trio gives each a
copy of its starter's context). A task that outlives its starter, such as a room's lane that was
woken from another room, begins with `only_about`, or it would carry the starter's fields on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import fields, frozen


@frozen(kw_only=True)
class Fields:
    """Whom and what a record is about, as far as it is known; each is an id, as strangers chose it.

    `request` is one question with all its attempts (`RequestId`), `run` one of those (`RunId`);
    `event` is the message that began it; `user` is whose message it was.
    """

    room: str | None = None
    event: str | None = None
    request: str | None = None
    run: str | None = None
    agent: str | None = None
    user: str | None = None

    def known(self) -> tuple[tuple[str, str], ...]:
        """Return those that are known, by name."""
        return tuple((name, value) for name in _NAMES if (value := getattr(self, name)) is not None)


_NAMES = tuple(each.name for each in fields(Fields))
NOTHING = Fields()
_now: ContextVar[Fields] = ContextVar("fields of log records", default=NOTHING)


def current() -> Fields:
    """Return what is being talked about at this moment, in this task."""
    return _now.get()


@contextmanager
def about(
    *,
    room: str | None = None,
    event: str | None = None,
    request: str | None = None,
    run: str | None = None,
    agent: str | None = None,
    user: str | None = None,
) -> Iterator[None]:
    """Within this block records have these fields too; None leaves a field as it is."""
    around = _now.get()
    within = Fields(
        room=around.room if room is None else room,
        event=around.event if event is None else event,
        request=around.request if request is None else request,
        run=around.run if run is None else run,
        agent=around.agent if agent is None else agent,
        user=around.user if user is None else user,
    )
    before = _now.set(within)
    try:
        yield
    finally:
        _now.reset(before)


@contextmanager
def only_about(fields: Fields = NOTHING) -> Iterator[None]:
    """Within this block records have these fields and none from around it."""
    before = _now.set(fields)
    try:
        yield
    finally:
        _now.reset(before)
