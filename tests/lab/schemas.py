"""Values of the official Matrix schemas, for tests that look at what a homeserver may really send.

Only as much of JSON Schema as those schemas use: types, enumerations, properties, items, `allOf`,
`anyOf` and `oneOf`, references within the document, and patterns that fix how a string begins.
None of them refers to itself. The values are drawn by a `random.Random` rather than by strategies,
which take fifty times as long for answers of this size and then mostly draw small ones.
(hypothesis-jsonschema knows more of JSON Schema, and is not kept any more.)
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from attrs import define, field

from tests.lab.lacking import lacking
from tests.lab.openapi import SPEC

Json = dict[str, Any]

STRINGS = (
    *("", "a", "b", "join", "m.text", "m.replace", "m.thread", "$0", "!help", "Hello?", "2"),
    *("ж", "👩\u200d👧", "\u202e", "e\u0301", "\x00", "\U0010ffff", "> <@a:h> b\n\nc", "x" * 300),
)
"""Strings that mean something somewhere, and some that look odd."""
INTEGERS = (0, 1, 2, 3, 1000, -1, 2**31, 2**53 - 1, 1 - 2**53)
_OPTIONAL = 0.4
"""How often a property is there that need not be."""
_PREFIX = re.compile(r"\^([\\/:!@$#a-z]*)(\$?)")


def any_value(chance: random.Random, depth: int = 2) -> Any:
    """Draw a value of which the schema says nothing."""
    match chance.randrange(8 if depth else 5):
        case 0:
            return None
        case 1:
            return chance.random() < 0.5
        case 2:
            return chance.choice(INTEGERS)
        case 3 | 4:
            return chance.choice(STRINGS)
        case 5:
            return [any_value(chance, depth - 1) for _ in range(chance.randrange(3))]
        case _:
            keys = chance.sample(STRINGS, chance.randrange(3))
            return {key: any_value(chance, depth - 1) for key in keys}


@define(eq=False)
class Schemas:
    """The schemas of one document."""

    document: Json
    _merged: dict[int, tuple[Json, Json]] = field(factory=dict)

    def at(self, *path: str) -> Json:
        """Return what stands at this place of the document."""
        found: Json = self.document
        for key in path:
            found = found[key]
        return found

    def draw(self, schema: Json, chance: random.Random) -> Any:
        """Draw a value that `schema` allows."""
        whole = self.merged(schema)
        for alternatives in ("oneOf", "anyOf"):
            if alternatives in whole:
                return self.draw(chance.choice(whole[alternatives]), chance)
        if "enum" in whole:
            return chance.choice(whole["enum"])
        kinds = whole.get("type") or ("object" if "properties" in whole else "anything")
        kind = kinds if isinstance(kinds, str) else chance.choice(kinds)
        if kind == "object":
            return self._object(whole, chance)
        if kind == "array":
            items = whole.get("items", {})
            return [self.draw(items, chance) for _ in range(chance.randrange(3))]
        return _simple(kind, whole, chance)

    def merged(self, schema: Json) -> Json:
        """Return `schema` with what it refers to and all of its `allOf` as one schema."""
        known = self._merged.get(id(schema))
        if known is None:
            whole: Json = {}
            for part in self._parts(schema):
                _merge(whole, part)
            # With the schema, so that its id stays its own.
            known = self._merged[id(schema)] = schema, whole
        return known[1]

    def _parts(self, schema: Json) -> Iterator[Json]:
        if "$ref" in schema:
            path = schema["$ref"].removeprefix("#/").split("/")
            yield from self._parts(self.at(*(key.replace("~1", "/") for key in path)))
        for part in schema.get("allOf", ()):
            yield from self._parts(part)
        yield {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}

    def _object(self, schema: Json, chance: random.Random) -> Json:
        listed = schema.get("properties", {})
        required = schema.get("required", ())
        found = {
            key: self.draw(value, chance)
            for key, value in listed.items()
            if key in required or chance.random() < _OPTIONAL
        }
        found |= {key: any_value(chance) for key in required if key not in listed}
        for pattern, value in schema.get("patternProperties", {}).items():
            for _ in range(chance.randrange(3)):
                found[_string(pattern, chance)] = self.draw(value, chance)
        others = schema.get("additionalProperties", True)
        if not listed and others and chance.random() < _OPTIONAL:
            value = self.draw(others, chance) if isinstance(others, dict) else any_value(chance)
            found[chance.choice(STRINGS)] = value
        return found


def _merge(whole: Json, part: Json) -> None:
    """Add `part` to `whole`, as `allOf` means it."""
    for key, value in part.items():
        if key in {"properties", "patternProperties"}:
            for name, schema in value.items():
                known = whole.setdefault(key, {}).get(name)
                whole[key][name] = schema if known is None else {"allOf": [known, schema]}
        elif key == "required":
            whole[key] = sorted({*whole.get(key, ()), *value})
        else:
            whole[key] = value


def _simple(kind: str, schema: Json, chance: random.Random) -> Any:
    match kind:
        case "string":
            return _string(schema.get("pattern", ""), chance)
        case "integer" | "number":
            return chance.choice(INTEGERS)
        case "boolean":
            return chance.random() < 0.5
        case "null":
            return None
        case _:
            return any_value(chance)


def _string(pattern: str, chance: random.Random) -> str:
    if not pattern:
        return chance.choice(STRINGS)
    found = _PREFIX.match(pattern)
    assert found is not None, f"a pattern of another kind: {pattern}"
    prefix, end = found[1].replace("\\", ""), found[2]
    return prefix if end else f"{prefix}{chance.choice('abc')}:example.org"


@cache
def client_server() -> Schemas:
    """The client-server API; the test is skipped where the specification is not at hand."""
    return Schemas(_document("client-server-openapi.json"))


@cache
def events() -> Schemas:
    """The events of the specification; the test is skipped where they are not at hand."""
    return Schemas(_document("event-schemas.json"))


def _document(name: str) -> Json:
    file = SPEC / name
    if not file.exists():
        lacking(f"no Matrix specification at {file}")
    document: Json = json.loads(file.read_text(encoding="utf-8"))
    return document
