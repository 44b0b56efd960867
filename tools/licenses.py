"""Under which licences the wheels in the PEX stand, and whether any of them would bind the product.

A wheel says it in one of three ways, the first being the newest: an SPDX expression, a free text, a
classifier. A text or classifier that is not known here is a fault until somebody has looked at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attrs import frozen
from license_expression import (  # type: ignore[import-untyped]  # it has no types
    ExpressionError,
    LicenseSymbol,
    get_spdx_licensing,
)

from tools.pex_contents import Wheel

_SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: Public Domain": "LicenseRef-Public-Domain",
}
"""What else than SPDX the wheels say; each was looked up in the licence file beside it."""

_PERMISSIVE = frozenset(
    {
        *("0BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-CMU", "X11", "Zlib"),
        *("Apache-2.0", "FTL", "IJG", "PSF-2.0", "Unicode-3.0", "libtiff"),
        *("LicenseRef-Public-Domain", "MPL-2.0"),
    }
)
"""What binds nobody but to name it. (MPL-2.0 binds changes of its own files: none are changed.)"""

_NOT_BUILT_IN = {
    "FriBiDi": b"fribidi_remove_bidi_marks",  # LGPL; the system's is loaded where there is one
    "libimagequant": b"liq_attr_create",  # GPL
}
"""What Pillow's bill names as possible and the wheels leave out; and what would betray it."""

_TITLE = "The licences of what lambda-matrix.pex carries, and of what is compiled into it."
_RULE = "=" * 80
_LINES = "\n".join
_LICENSING = get_spdx_licensing()


class LicenseError(Exception):
    """A licence is unknown, or would bind the product; the text says whose and what to do."""


@frozen
class Part:
    """A library inside a wheel, as the wheel's own bill of materials has it."""

    name: str
    version: str | None
    license: str | None
    purl: str | None


def license_of(wheel: Wheel) -> str:
    """The SPDX expression of a wheel's licence.

    Raises:
      LicenseError: it says nothing that is known here.
    """
    told = wheel.metadata
    classifiers = [
        each for each in told.get_all("Classifier", []) if each.startswith("License :: ")
    ]
    for said in (told["License-Expression"], told["License"], *classifiers):
        if said and (found := _expression(said.strip())):
            return found
    raise LicenseError(
        f"{wheel.file}: nothing known about its licence ({told['License']!r}, {classifiers}); "
        f"look at {wheel.license_files} and name it in tools/licenses.py"
    )


def parts(wheel: Wheel) -> Iterator[Part]:
    """Yield the libraries that a wheel brings compiled, from its own bills of materials (PEP 770).

    Raises:
      LicenseError: one is there that its bill calls optional, and that would bind.
    """
    found: dict[tuple[str, str | None], Part] = {}
    for bill in wheel.bills():
        for told in json.loads(bill)["components"]:
            name = told["name"]
            if told.get("scope") == "excluded" or name.lower() == wheel.name:
                continue
            if name in _NOT_BUILT_IN:
                _require_absent(wheel, name, _NOT_BUILT_IN[name])
                continue
            part = Part(name, told.get("version"), _told_license(told), told.get("purl"))
            found[part.name, part.version] = part
    yield from (found[key] for key in sorted(found, key=str))


def require_permissive(whose: str, expression: str) -> None:
    """Refuse what is neither permissive nor has a permissive alternative.

    Raises:
      LicenseError: it would bind, or nobody has looked at it.
    """
    if not _is_permissive(_LICENSING.parse(expression)):
        raise LicenseError(
            f"{whose} is under {expression}: leave it out, or say in tools/licenses.py why it "
            "binds nobody"
        )


def _is_permissive(term: Any) -> bool:
    match term:
        case LicenseSymbol():
            return term.key in _PERMISSIVE
        case _LICENSING.OR():
            return any(map(_is_permissive, term.args))
        case _LICENSING.AND():
            return all(map(_is_permissive, term.args))
        case _:  # an exception (WITH) that nobody has looked at
            return False


def _expression(said: str) -> str | None:
    said = _SPDX.get(said, said)
    if said.startswith("LicenseRef-"):
        return said
    try:
        return str(_LICENSING.parse(said, validate=True))
    except ExpressionError:
        return None


def _told_license(told: dict[str, Any]) -> str | None:
    licenses = told.get("licenses", ())
    names = [each.get("expression") or each["license"].get("id") for each in licenses]
    return str(_LICENSING.parse(" AND ".join(f"({each})" for each in names))) if names else None


def _require_absent(wheel: Wheel, name: str, trace: bytes) -> None:
    there = [
        path
        for path, content in wheel.files.items()
        if path.endswith(".so") or ".so." in path
        if trace in content or name.lower() in path.lower()
    ]
    if there:
        raise LicenseError(f"{wheel.file} has {name} in it after all: {there}")


def listing(wheels: tuple[Wheel, ...]) -> str:
    """All licences for people to read: who stands under which, then each text once.

    Raises:
      LicenseError: one is unknown, or would bind.
    """
    heads = dict.fromkeys(head for wheel in wheels for head in _heads(wheel))
    owners: dict[str, dict[str, None]] = {}
    for wheel in wheels:
        if not wheel.license_files:
            raise LicenseError(f"{wheel.file} has no licence file; look for its text")
        for path in wheel.license_files:
            text = wheel.files[path].decode("utf-8", errors="replace").strip()
            owner = f"{wheel.name} {wheel.version}, {path.rsplit('/', 1)[1]}"
            owners.setdefault(text, {})[owner] = None
    texts = [f"{_RULE}\n{_LINES(each)}\n{_RULE}\n\n{text}\n" for text, each in owners.items()]
    return "\n".join([_TITLE, "", *heads, "", *texts])


def _heads(wheel: Wheel) -> Iterator[str]:
    expression = license_of(wheel)
    require_permissive(wheel.file, expression)
    yield f"{wheel.name} {wheel.version}: {expression}"
    for part in parts(wheel):
        named = f"    {part.name} {part.version or ''}".rstrip()
        if part.license is None:
            yield f"{named}: in the licence file of {wheel.name}"
        else:
            require_permissive(f"{part.name} in {wheel.file}", part.license)
            yield f"{named}: {part.license}"
