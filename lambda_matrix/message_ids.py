"""The records that operators watch for, each with an id that stays while its words may change.

systemd.journal-fields(7), MESSAGE_ID=: 128 random bits, made once (`systemd-id128 new`), never
changed, never given to a record that means something else. docs/logging.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class MessageId(Enum):
    """What has happened; `logger.error(..., extra=MessageId.FAULT.extra)` says so."""

    READY = "d7e14599d19a437c9d7cebd7ebbf5af8"
    """The service is caught up and answers."""
    ENDED = "8b2c5f8fcb9040d3a7ef2bc3223f8a04"
    """The service ended by itself: a setting, a session, a second instance, a damaged database."""
    FAULT = "e521bfb8ed4743a7baaa6c97ace39322"
    """A fault of the program: in one room, whose lane goes on, or the end of the process."""
    STUCK = "ca04fc942f1143a5a230415d579ed513"
    """The watchdog is fed no more: a part that must never stand still does."""
    HOMESERVER_AWAY = "29d7987469a948acb05a4bc56aa55965"
    HOMESERVER_BACK = "7019262694c843b0a4dbc1889f543a5d"
    DISK_REFUSES = "642839810108480bbe5e6301121add4a"
    DISK_OBEYS = "dee5a0c6d3df4a5baaf1803573920cfa"
    AGENT_FAILS = "2da855bc5bd94c64a775fe370f9f1701"
    """An agent failed; once, until it has answered again."""
    AGENT_ANSWERS = "3f81d9a9d0fc4ab0a4684445e0968154"
    UNDELIVERABLE = "85b295fd973f42d5af169b362ecc7ffc"
    """The homeserver refused for good what was to be said; the row is given up."""
    DATABASE_SET_ASIDE = "2bd8109fd3554a0c81a652f2d43faa62"
    NOT_RELOADED = "5320141120424f6d80fd661d9767ddf0"
    """New settings were refused; the old ones stay in force."""
    DENIED = "65ca3bf8a16249e098bbdedfacaf0581"
    """Somebody who may not use the service has invited the bot."""

    @property
    def extra(self) -> Mapping[str, str]:
        """What a log call takes as its `extra`."""
        return {"message_id": self.value}
