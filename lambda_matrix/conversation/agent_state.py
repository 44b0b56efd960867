"""The state that an agent shares with a thread (AG-UI `STATE_SNAPSHOT`, `STATE_DELTA`).

It goes along with the thread's next run as it is; nobody here looks into it. What cannot be applied
or is too much costs the state, never the run.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from attrs import define
from jsonpatch import JsonPatchException, apply_patch
from jsonpointer import JsonPointerException

from lambda_matrix.agent_events import JsonText

MAX_STATE: Final = 1 << 20
"""Characters of JSON. A bigger state is not kept: it would be sent with each question."""
MAX_DEPTH: Final = 100
"""Arrays and objects within one another, in what is kept: Python's own limit is near enough."""
MAX_COPIES: Final = 4
"""`copy` operations of one patch. Each may double the state, so that twenty make an end of us."""

_NOT_APPLICABLE: Final = (
    JsonPatchException,
    JsonPointerException,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the library raises for a patch that is none, or not one of this state."""


def json_text(value: object) -> JsonText:
    """Give a JSON value as the text under which it is kept and passed on, ASCII alone.

    Raises:
        ValueError: it is nested deeper than anything that means something.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    if level:
        raise ValueError(f"over {MAX_DEPTH} arrays and objects within one another")
    return json.dumps(value)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


@define
class AgentState:
    """The state during one run, beginning with what the thread's last run left (None: nothing).

    `problem` says what was wrong with it first, for the journal.
    """

    _text: JsonText | None  # None: not written out since the last patch, or nothing at all
    problem: str | None = None
    _value: Any = None
    _is_read: bool = False  # does `_value` hold it
    _is_lost: bool = False  # a patch is missing, and later ones build on it

    def replace(self, state: JsonText) -> None:
        """Take a snapshot."""
        self._text = state
        self._value, self._is_read, self._is_lost = None, False, False

    def patch(self, patch: JsonText) -> None:
        """Apply a delta; one that does not fit leaves the state until the next snapshot."""
        if self._is_lost:
            return
        try:
            operations = json.loads(patch)
            copies = sum(1 for operation in operations if operation["op"] == "copy")
            if copies > MAX_COPIES:
                raise ValueError(f"over {MAX_COPIES} copies in one patch")
            # In place, and all of it or nothing: a large state is not copied for each delta.
            self._value = apply_patch(self._read(), operations, in_place=True, atomic=True)
        except _NOT_APPLICABLE as error:
            self._lose(f"a patch of the state does not fit: {error}")
            return
        self._text = None
        if copies:
            self.text()  # it may have grown by more than was sent

    def text(self) -> JsonText | None:
        """Give the state as it is now; None if there is none, or it is too much to be kept."""
        if self._text is None and self._is_read:
            try:
                self._text = json_text(self._value)
            except ValueError as error:
                self._drop(f"the state has {error}")
        if self._text is not None and len(self._text) > MAX_STATE:
            self._drop(f"the state has over {MAX_STATE} characters")
        return self._text

    def _read(self) -> Any:
        if not self._is_read:
            self._value = {} if self._text is None else json.loads(self._text)
            self._is_read = True
        return self._value

    def _lose(self, problem: str) -> None:
        self.problem = self.problem or problem
        self._is_lost = True

    def _drop(self, problem: str) -> None:
        self._lose(problem)
        self._text, self._value, self._is_read = None, None, False
