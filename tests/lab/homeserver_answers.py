"""What a homeserver may answer, by the official schemas, and what may become of it on the way.

The schemas say what an event of each type is; what the specification adds in words (relations,
mentions, bundled edits) and what the service itself writes into events is added here.
"""

from __future__ import annotations

import json
import random
from copy import deepcopy
from functools import cache
from typing import Any

from attrs import frozen
from hypothesis import strategies as st

from lambda_matrix.matrix_events import ANSWER_KEY, MARKER_KEY
from tests.lab.schemas import INTEGERS, STRINGS, Json, any_value, client_server, events

ME = "@bot:example.org"
PEOPLE = ("@anna:example.org", "@boris:example.org")
ROOMS = ("!one:example.org", "!two:example.org", "!three")
CHANCES = st.randoms(use_true_random=True)
"""What draws answers: seeds, the same ones at each run unless the effort is greater."""

_MESSAGES = 0.6
"""How many of a timeline's events are messages."""
_SYNC = ("paths", "/_matrix/client/v3/sync", "get", "responses", "200", "content")
_SECTIONS = ("application/json", "schema", "properties", "rooms", "properties")


@frozen
class Drawing:
    """Draws events and answers; each event of one drawing has an id of its own: $0, $1, …"""

    chance: random.Random
    told: list[str]
    """The ids so far."""

    def maybe(self, likelihood: float = 0.3) -> bool:
        return self.chance.random() < likelihood

    def event(self) -> Json:
        """Draw an event of a room, its room id left out as in /sync."""
        kinds = _kinds()
        of_messages = self.maybe(_MESSAGES)
        kind = self.chance.choice([each for each in kinds if ("message" in each) == of_messages])
        event: Json = events().draw(kinds[kind], self.chance)
        event.pop("room_id", None)
        event["event_id"] = f"${len(self.told)}"
        event["sender"] = self.chance.choice([*PEOPLE, *PEOPLE, ME])
        event["unsigned"] = self._unsigned()
        if kind == "m.room.member":
            event["state_key"] = self.chance.choice(PEOPLE)  # ourselves: `test_intake`
        elif kind == "m.room.create" and self.maybe():
            event["content"][MARKER_KEY] = self._room_marker()
        elif of_messages and self.maybe():
            event["content"] |= self._more_of_a_message()
        self.told.append(event["event_id"])
        return event

    def timeline(self) -> list[Json]:
        """Draw events of a room, oldest first."""
        return [self.event() for _ in range(self.chance.randrange(7))]

    def sync(self) -> Json:
        """Draw an answer of /sync, valid by the schema. Each of `ROOMS` is in it once at most."""
        schema = client_server().at(*_SYNC, "application/json", "schema")
        answer: Json = client_server().draw(schema, self.chance)
        answer["next_batch"] = f"s{len(self.told)}-{self.chance.random()}"
        rooms: Json = answer.setdefault("rooms", {})
        rooms["join"] = {}
        rooms["leave"] = {}
        for room_id in ROOMS:
            place = self.chance.choice(["join", "join", "join", "leave", "nowhere"])
            if place != "nowhere":
                rooms[place][room_id] = self._section(place)
        return answer

    def _section(self, place: str) -> Json:
        pattern = client_server().at(*_SYNC, *_SECTIONS, place, "patternProperties", "^!")
        section: Json = client_server().draw(pattern, self.chance)
        section.setdefault("timeline", {})["events"] = self.timeline()
        for state in {"state", "state_after"} & set(section):
            section[state]["events"] = self.timeline()
        return section

    def _id(self) -> str:
        """Draw the id of an event that was told, will be, or never."""
        return f"${self.chance.randrange(len(self.told) + 3)}"

    def _mark(self) -> Json:
        parts = self.chance.randrange(1, 3)
        mark: Json = {
            "question": None if self.maybe(0.1) else self._id(),
            "request": self.chance.choice(["r1", "r2"]),
            "part": self.chance.randrange(parts),
            "parts": parts,
            "state": self.chance.choice(["open", "final"]),
            "instance": self.chance.choice(["1000-a", "9000-z"]),
        }
        return mark | {
            key: self.chance.choice(INTEGERS) for key in ("context", "own") if self.maybe()
        }

    def _room_marker(self) -> Json:
        return {
            "intent": self.chance.choice(["intent", *STRINGS]),
            "kind": self.chance.choice(["space", "chat"]),
            "owner": self.chance.choice(PEOPLE),
        }

    def _more_of_a_message(self) -> Json:
        more: Json = {}
        if self.maybe(0.6):
            more["m.relates_to"] = self._relation()
        if self.maybe(0.6):
            more["m.new_content"] = self._new_content()
        if self.maybe():
            more["m.mentions"] = {"user_ids": [self.chance.choice([ME, *PEOPLE])]}
        if self.maybe(0.5):
            more[ANSWER_KEY] = self._mark()
        if self.maybe():
            more["org.matrix.msc4391.command"] = {
                "command": self.chance.choice(STRINGS),
                "arguments": any_value(self.chance),
            }
        return more

    def _relation(self) -> Json:
        relation: Json = {"event_id": self._id()}
        if self.maybe(0.8):
            kinds = ["m.replace", "m.replace", "m.thread", "m.reference", "m.annotation"]
            relation["rel_type"] = self.chance.choice(kinds)
        if self.maybe():
            relation["m.in_reply_to"] = {"event_id": self._id()}
            relation["is_falling_back"] = self.maybe(0.5)
        return relation

    def _new_content(self) -> Json:
        content: Json = {
            "msgtype": self.chance.choice(["m.text", "m.notice", "m.image"]),
            "body": self.chance.choice(STRINGS),
        }
        return content | ({ANSWER_KEY: self._mark()} if self.maybe() else {})

    def _unsigned(self) -> Json:
        unsigned: Json = {}
        if self.maybe():
            unsigned["transaction_id"] = self.chance.choice(["t1", "t2"])
        if self.maybe():
            membership = self.chance.choice(["invite", "join", "leave"])
            unsigned["prev_content"] = {"membership": membership}
        if self.maybe():
            edit = {
                "type": "m.room.message",
                "event_id": self._id(),
                "sender": self.chance.choice([ME, *PEOPLE]),
                "content": self._more_of_a_message(),
            }
            unsigned["m.relations"] = {"m.replace": edit}
        return unsigned


@cache
def _kinds() -> dict[str, Json]:
    """The schemas of those events that rooms hold."""
    return {
        kind: schema
        for kind, schema in events().at("events").items()
        if "event_id" in events().merged(schema).get("required", ())
    }


def drawing(chance: random.Random) -> Drawing:
    """Begin to draw."""
    return Drawing(chance, [])


_HUGE = "an integer of thousands of digits"
_BAD_NUMBERS: tuple[object, ...] = (-1, 2**53, 2**63, -(2**70), _HUGE, 0.5, 1e300, float("nan"))
_BAD_STRINGS: tuple[object, ...] = ("", "\ud800", "x\udfff", "\x00", "x" * 256, "ж" * 200, "$0", ME)
_BAD: tuple[object, ...] = (
    *(None, True, False, 0, float("inf"), "m.room.message", "m.replace", "join", [], [[]], {}),
    *({"": ""}, {"events": [5]}, {"rel_type": "m.replace"}, {"\ud800": {"\ud800": "\ud800"}}),
)
"""What no homeserver should say, and one may say."""
_MOST_JUNK = 40


def encoded(value: object) -> bytes:
    """Give `value` as it is on the wire."""
    return json.dumps(value).replace(json.dumps(_HUGE), "9" * 5000).encode()


def spoilt(value: Json, chance: random.Random) -> Json:
    """Return a copy of `value` that holds junk in up to `_MOST_JUNK` places."""
    copy: Json = deepcopy(value)
    for _ in range(chance.randrange(1, _MOST_JUNK)):
        _spoil(copy, chance)
    return copy


def _spoil(container: Any, chance: random.Random) -> None:
    """Put junk somewhere into an object or a list, or take something away."""
    keys: list[Any] = list(container if isinstance(container, dict) else range(len(container)))
    if not keys:
        return
    key = chance.choice(keys)
    if isinstance(container[key], dict | list) and container[key] and chance.random() < 0.95:
        _spoil(container[key], chance)
    elif isinstance(container, dict) and chance.random() < 0.2:
        del container[key]
    else:
        container[key] = deepcopy(chance.choice(_junk_for(container[key], chance)))


def _junk_for(good: object, chance: random.Random) -> tuple[object, ...]:
    """Give what may stand in the place of `good`: as often as not of its own type."""
    if isinstance(good, str) and chance.random() < 0.5:
        return _BAD_STRINGS
    if isinstance(good, int) and chance.random() < 0.5:
        return _BAD_NUMBERS
    return (*_BAD, *_BAD_STRINGS, *_BAD_NUMBERS)
