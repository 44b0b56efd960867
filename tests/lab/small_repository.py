"""The content repository of the small homeserver: files in memory, behind a token."""

from __future__ import annotations

from itertools import count

from attrs import define, field, frozen

from tests.lab.small_http import Asked, Reply, reply

_UPLOAD = "/_matrix/media/v3/upload"
_MEDIA = "/_matrix/client/v1/media"


@frozen
class File:
    """What somebody uploaded."""

    content: bytes
    content_type: str


@define(eq=False)
class SmallRepository:
    """Set `upload_limit` low to have files refused; take from `files` what has been deleted."""

    upload_limit: int = 50 * 2**20
    files: dict[str, File] = field(factory=dict)
    _number: count[int] = field(factory=lambda: count(1))

    def add(self, content: bytes, content_type: str = "application/octet-stream") -> str:
        """A person uploads a file; returns its address."""
        mxc = f"mxc://example.org/file{next(self._number)}"
        self.files[mxc] = File(content, content_type)
        return mxc

    def answer(self, asked: Asked, token: str) -> Reply | None:
        """Answer what concerns files; None for what does not."""
        what = f"{asked.method} {asked.path}"
        if not what.startswith((f"POST {_UPLOAD}", f"GET {_MEDIA}")):
            return None
        if asked.headers.get("authorization") != f"Bearer {token}":
            return reply({"errcode": "M_MISSING_TOKEN", "error": "no token"}, 401)
        if what == f"POST {_UPLOAD}":
            return self._take(asked)
        if what == f"GET {_MEDIA}/config":
            return reply({"m.upload.size": self.upload_limit})
        file = self.files.get(f"mxc://{asked.path.removeprefix(f'{_MEDIA}/download/')}")
        if file is None:
            return reply({"errcode": "M_NOT_FOUND", "error": "no such file"}, 404)
        return Reply(file.content, 200, file.content_type, {"Content-Disposition": "attachment"})

    def _take(self, asked: Asked) -> Reply:
        if len(asked.body) > self.upload_limit:
            return reply({"errcode": "M_TOO_LARGE", "error": "too large"}, 413)
        return reply({"content_uri": self.add(asked.body, asked.headers["content-type"])})
