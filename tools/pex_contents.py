"""What lies in a PEX: its wheels, whose files must be those that the wheel's RECORD names."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from attrs import field, frozen

_BY_PEX = ".layout.json"
"""The one file that pex adds to each wheel."""


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@frozen
class Wheel:
    """A wheel in the PEX: its file name, and its files by their path in it."""

    file: str
    files: dict[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """The distribution's name, as indexes compare it."""
        return normal(self.file.split("-", 1)[0])

    @property
    def version(self) -> str:
        """The distribution's version."""
        return self.file.split("-")[1]

    @property
    def metadata(self) -> Message:
        """What the distribution says of itself (core metadata specifications)."""
        return message_from_bytes(self.files[self._about("METADATA")])

    @property
    def license_files(self) -> list[str]:
        """The paths of its licences and notices, wherever the builder of the wheel put them."""
        telling = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
        about = self._about("")
        return sorted(
            each for each in self.files if each.startswith(about) and telling.match(Path(each).name)
        )

    def bills(self) -> Iterator[bytes]:
        """Yield the bills of materials that the wheel brings along (PEP 770), as JSON."""
        for path in sorted(self.files):
            if path.startswith(self._about("sboms/")) and path.endswith(".json"):
                yield self.files[path]

    def faults(self) -> list[str]:
        """Say where the files differ from the wheel's RECORD."""
        told = io.StringIO(self.files[self._about("RECORD")].decode())
        record = {path: digest for path, digest, _ in csv.reader(told)}
        there = self.files.keys() - {_BY_PEX}
        faults = [f"{self.file}: {each} is not there" for each in sorted(record.keys() - there)]
        faults += [f"{self.file}: {each} is nobody's" for each in sorted(there - record.keys())]
        for path in sorted(there & record.keys()):
            if record[path] and not _is(self.files[path], record[path]):
                faults.append(f"{self.file}: {path} is another one")
        return faults

    def _about(self, path: str) -> str:
        return f"{'-'.join(self.file.split('-')[:2])}.dist-info/{path}"


def _is(content: bytes, digest: str) -> bool:
    algorithm, _, told = digest.partition("=")
    return hashlib.new(algorithm, content).digest() == urlsafe_b64decode(told + "==")


@frozen
class Pex:
    """The wheels of a PEX, by file name; and the version of pex, which travels in it."""

    wheels: tuple[Wheel, ...]
    pex_version: str


def read_pex(file: Path) -> Pex:
    """Read all of it.

    Raises:
      ValueError: there are files in it that belong to none of its wheels.
    """
    with zipfile.ZipFile(file) as opened:
        about = json.loads(opened.read("PEX-INFO"))
        files: dict[str, dict[str, bytes]] = {each: {} for each in sorted(about["distributions"])}
        for path in opened.namelist():
            top, _, rest = path.partition("/")
            if top != ".deps" or path.endswith("/"):
                continue
            wheel, _, inner = rest.partition("/")
            if wheel not in files:
                raise ValueError(f"{file}: {path} belongs to no wheel that PEX-INFO names")
            files[wheel][inner] = opened.read(path)
    wheels = tuple(Wheel(name, content) for name, content in files.items())
    return Pex(wheels, about["build_properties"]["pex_version"])
