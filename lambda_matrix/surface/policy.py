"""What the operator decides about people and words."""

from __future__ import annotations

from fnmatch import fnmatchcase

from attrs import define

from lambda_matrix.conversation.access import Access
from lambda_matrix.conversation.limits import Limits
from lambda_matrix.conversation.texts import Language

NOBODY = Access(())


@define(kw_only=True)
class Policy:
    """The operator's decisions that are in force.

    A reload changes what may change (`take_over`) in place, so whoever needs one of them asks for
    it each time. `name` is what the bot is called. `runs` are made at a time in all; a file has at
    most `file_bytes` and is of one of `file_types`; `files_in_line` of one person may wait in one
    room. `admins` run the service.
    """

    access: Access
    reject_denied_invites: bool
    command_prefix: str
    name: str
    language: Language
    limits: Limits
    runs: int
    file_bytes: int
    files_in_line: int
    file_types: tuple[str, ...] = ("*/*",)
    admins: Access = NOBODY

    def takes_type(self, mime_type: str) -> bool:
        """Return whether files of this media type are taken."""
        return any(fnmatchcase(mime_type, glob) for glob in self.file_types)

    def take_over(self, newer: Policy) -> None:
        """Decide as `newer` does, in what may change while rooms are being served."""
        self.access = newer.access
        self.admins = newer.admins
        self.reject_denied_invites = newer.reject_denied_invites
        self.language = newer.language
        self.limits = newer.limits
        self.runs = newer.runs
        self.file_bytes = newer.file_bytes
        self.files_in_line = newer.files_in_line
        self.file_types = newer.file_types
