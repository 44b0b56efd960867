"""The journal of a host: what was written from a moment on, with its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import trio
from attrs import frozen

from tests.systemd.machine import Machine, NotInTimeError


@frozen
class Entry:
    """One entry; `fields` are all that systemd.journal-fields(7) and the service gave it."""

    fields: Mapping[str, str]

    @property
    def message(self) -> str:
        """What `journalctl` shows of it."""
        return self.fields.get("MESSAGE", "")


@frozen
class Journal:
    """The journal from the moment on that `cursor` names; made by `journal_from_now`."""

    machine: Machine
    cursor: str

    async def entries(self, *matches: str) -> list[Entry]:
        """What has been written since, as `journalctl` matches it (`_PID=1`, `-u name`)."""
        command = ("journalctl", "--output=json", f"--after-cursor={self.cursor}", *matches)
        return [_entry(line) for line in (await self.machine.run(*command)).splitlines()]

    async def text(self, *matches: str) -> str:
        """The messages since, one after the other."""
        return "\n".join(entry.message for entry in await self.entries(*matches))

    async def wait(self, pattern: str, *matches: str, within: float = 30) -> Entry:
        """Wait for the first message since that the regular expression is found in.

        Raises:
          NotInTimeError: there was none.
        """
        command = ("journalctl", "--follow", "--no-tail", "--output=json")
        after = f"--after-cursor={self.cursor}"
        with trio.move_on_after(within):
            async with self.machine.reading(*command, after, *matches) as lines:
                async for line in lines:
                    entry = _entry(line)
                    if re.search(pattern, entry.message):
                        return entry
        said = await self.text(*matches)
        raise NotInTimeError(f"nothing in the journal matched {pattern!r}; it has:\n{said}")


async def journal_from_now(machine: Machine) -> Journal:
    """The journal of a machine, beginning now."""
    shown = await machine.run("journalctl", "--lines=1", "--quiet", "--show-cursor")
    return Journal(machine, shown.rpartition("-- cursor: ")[2].strip())


def _entry(line: str) -> Entry:
    fields = {key: _text(value) for key, value in json.loads(line).items()}
    return Entry(fields)


def _text(value: object) -> str:
    """A field's text: one that is not all printable comes as a list of its bytes."""
    if isinstance(value, list) and all(isinstance(byte, int) for byte in value):
        return bytes(value).decode(errors="replace")
    return str(value)
