"""What a picture, a sound or a film is like, found out outside the service's process (ADR 0009)."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Final

import trio
from attrs import field, frozen

from lambda_matrix.workspace.media_facts import MAX_TOLD, MediaFacts, from_bytes
from lambda_matrix.workspace.offered import OfferedFile

_logger = logging.getLogger(__name__)

_PATIENCE: Final = 20.0
"""Seconds for one file, on the wall; the process has fewer of the processor."""
_MOST_SAID: Final = 65_536
"""Bytes of a traceback, at most, of which the last line is logged."""
_UNKNOWN = MediaFacts()


class _FailedError(Exception):
    """The process found nothing out; the message says why, for the journal."""


@frozen
class Imaging:
    """Looks into files, one at a time: a picture may take half of the service's memory.

    Made once for the whole service.
    """

    _turns: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(1), eq=False)
    _module: str = "lambda_matrix.workspace.imaging_process"

    @property
    def waiting(self) -> int:
        """How many files wait for their turn."""
        return self._turns.statistics().tasks_waiting

    async def describe(self, file: OfferedFile) -> MediaFacts:
        """Return what is known of an open file. Never raises: what fails is logged, and not known.

        A document is not looked into.
        """
        if file.media.kind == "document":
            return _UNKNOWN
        try:
            async with self._turns:
                with trio.fail_after(_PATIENCE):
                    return from_bytes(await self._told(file))
        except (OSError, ValueError, trio.TooSlowError, _FailedError) as error:
            reason = str(error) or "it took too long"
            # Names of files are content: the log has none.
            _logger.warning("a file (%s) cannot be described: %s", file.media.mime_type, reason)
        return _UNKNOWN

    async def _told(self, file: OfferedFile) -> bytes:
        """Return what the process wrote; it is gone when this returns or is cancelled."""
        process = await trio.lowlevel.open_process(
            [sys.executable, "-P", "-s", "-X", "utf8", "-m", self._module, file.media.kind],
            stdin=file.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
        try:
            told = await _read(process.stdout, MAX_TOLD)
            said = await _read(process.stderr, _MOST_SAID)
            status = await process.wait()
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
                for stream in filter(None, (process.stdout, process.stderr)):
                    await stream.aclose()
        if status:
            raise _FailedError(_last_line(said) or f"exit status {status}")
        return told


def _environment() -> dict[str, str]:
    """Return what the process may know: where this one finds its modules, and no secret.

    In a PEX, which runs its Python isolated, `sys.path` is the only sure word on that.
    """
    return {"PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path)), "LANG": "C.UTF-8"}


async def _read(stream: trio.abc.ReceiveStream | None, most: int) -> bytes:
    """Return all that comes.

    Raises:
        _FailedError: it is more than `most` bytes.
    """
    told = bytearray()
    while stream is not None and (chunk := await stream.receive_some()):
        told += chunk
        if len(told) > most:
            raise _FailedError("it said too much")
    return bytes(told)


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
