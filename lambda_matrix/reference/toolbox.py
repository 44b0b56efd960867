"""What the tools do: files of one conversation's folder. Blocking; no Trio.

A call either has a result at once or needs the person's word first. It is judged before it is
asked about, so that nobody is asked for what cannot be done; and carried out afterwards against
what is there then.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar, assert_never

from attrs import frozen

from lambda_matrix.reference.enclosures import as_text
from lambda_matrix.reference.run_input import Call
from lambda_matrix.reference.safe_files import (
    UnsafePathError,
    check_ours,
    exists,
    list_files,
    put_file,
    remove_file,
    size_of,
)
from lambda_matrix.reference.tools import (
    BadCallError,
    DeleteFile,
    ListFiles,
    ReadFile,
    Request,
    SendFile,
    WriteFile,
    read_call,
)
from lambda_matrix.reference.workspace import folder_of, parts_of, read_place

_LARGEST_TEXT: Final = 4 * 1024 * 1024
"""Bytes of a text that is read."""
_LARGEST_WRITING: Final = 512 * 1024
"""Bytes of a text that is written."""
_LONGEST_READING: Final = 16_000
"""Characters of a text that a model is given at once."""
_MOST_FILES: Final = 200


@frozen
class Result:
    """What a call gave, as the model is told it; `file` goes to the person, if there is one."""

    text: str
    file: dict[str, str] | None = None


class Deed(Enum):
    """What is not done without the person's word."""

    OVERWRITE = "overwrite"
    DELETE = "delete"


@frozen
class Consent:
    """A call that needs the person's word; `name` is the file's, as it is shown."""

    deed: Deed
    name: str


_Given = TypeVar("_Given", Result, Result | Consent)


@frozen
class Toolbox:
    """The tools of one conversation; of other folders only what is `lent` is read."""

    workspace: Path | None
    thread_id: str
    lent: frozenset[str] = frozenset()

    def judge(self, call: Call) -> Result | Consent:
        """Do what a call asks for, unless it needs the person's word."""
        return self._guarded(call, self._judge)

    def carry_out(self, call: Call) -> Result:
        """Do what a call asks for; the person has consented."""
        return self._guarded(call, self._carry_out)

    def _guarded(self, call: Call, act: Callable[[Path, Request], _Given]) -> _Given | Result:
        if self.workspace is None:
            return Result("This agent has no workspace, so there are no files.")
        try:
            return act(self.workspace, read_call(call))
        except BadCallError as error:
            return Result(str(error))
        except UnsafePathError as error:
            return Result(f"Not possible: {error}.")
        except OSError as error:
            return Result(f"Not possible: {(error.strerror or 'the file cannot be used').lower()}.")

    def _judge(self, workspace: Path, request: Request) -> Result | Consent:
        match request:
            case ListFiles():
                return self._list(workspace)
            case ReadFile():
                return self._read(workspace, request)
            case SendFile():
                return self._send(workspace, request)
            case WriteFile():
                return self._judge_writing(workspace, request)
            case DeleteFile(path=path):
                parts = self._own(path)
                check_ours(workspace, parts)
                return Consent(Deed.DELETE, self._shown(parts))
            case _ as never:
                assert_never(never)

    def _judge_writing(self, workspace: Path, request: WriteFile) -> Result | Consent:
        parts = self._own(request.path)
        if not exists(workspace, parts):
            return self._carry_out(workspace, request)
        check_ours(workspace, parts)
        if _is_already(workspace, parts, request.content):
            return Result("The file says exactly this already.")
        return Consent(Deed.OVERWRITE, self._shown(parts))

    def _carry_out(self, workspace: Path, request: Request) -> Result:
        match request:
            case WriteFile(path=path, content=content):
                parts = self._own(path)
                data = content.encode("utf-8", errors="replace")
                if len(data) > _LARGEST_WRITING:
                    return Result(f"Not possible: a file has at most {_LARGEST_WRITING} bytes.")
                put_file(workspace, parts, data, replace=exists(workspace, parts))
                return Result(f"Written: {self._shown(parts)}, {len(data)} bytes.")
            case DeleteFile(path=path):
                parts = self._own(path)
                remove_file(workspace, parts)
                return Result(f"Deleted: {self._shown(parts)}.")
            case _:
                raise BadCallError("This tool needs nobody's word.")

    def _list(self, workspace: Path) -> Result:
        entries = list_files(workspace, parts_of(folder_of(self.thread_id)), _MOST_FILES)
        files = [{"path": entry.path, "size": entry.size} for entry in entries]
        files += [{"path": place} for place in sorted(self.lent)]
        return Result(json.dumps({"files": files}, ensure_ascii=False))

    def _read(self, workspace: Path, request: ReadFile) -> Result:
        place = "/".join(self._readable(request.path))
        text = as_text(read_place(workspace, place, _LARGEST_TEXT))
        if text is None:
            return Result("This file is not text, and cannot be read with this tool.")
        end = request.offset + _LONGEST_READING
        more = f"\n[{len(text) - end} characters more; offset {end}]" if end < len(text) else ""
        return Result(text[request.offset : end] + more)

    def _send(self, workspace: Path, request: SendFile) -> Result:
        parts = self._own(request.path)
        size = size_of(workspace, parts)
        file = {"path": "/".join(parts)}
        if request.caption:
            file["caption"] = request.caption
        return Result(f"Sent to the person: {self._shown(parts)}, {size} bytes.", file)

    def _own(self, path: str) -> tuple[str, ...]:
        """Return the way to a file of the conversation's own folder, however it is named."""
        folder = parts_of(folder_of(self.thread_id))
        parts = parts_of(path)
        return parts if parts[: len(folder)] == folder else (*folder, *parts)

    def _readable(self, path: str) -> tuple[str, ...]:
        parts = parts_of(path)
        return parts if "/".join(parts) in self.lent else self._own(path)

    def _shown(self, parts: tuple[str, ...]) -> str:
        return "/".join(parts[len(parts_of(folder_of(self.thread_id))) :])


def _is_already(workspace: Path, parts: tuple[str, ...], content: str) -> bool:
    try:
        return read_place(workspace, "/".join(parts), _LARGEST_TEXT) == content.encode()
    except (OSError, UnicodeEncodeError):
        return False
