"""JSON as it comes from outside, read without trust (MSC2801: any field may be anything).

Each reader here gives a value of the wanted type or None (or an empty value), and never raises.
The one exception is `read_object`, for bytes that are no JSON object at all.
"""

from __future__ import annotations

import json
from typing import TypeGuard

from lambda_matrix.client_server_api.errors import UnreadableAnswer

JsonObject = dict[str, object]

_LONGEST_ID = 255
"""Bytes: the limit of user, room and event ids, event types and state keys (Appendices, 4.)."""
_LARGEST_INTEGER = 2**53 - 1
"""Canonical JSON's (Appendices, 3.1)."""
_EMPTY: JsonObject = {}


def read_object(body: bytes, asked: str) -> JsonObject:
    """Parse the JSON object of a successful answer.

    What the specification forbids but Python's parser chokes on only in passing (bytes that are
    no UTF-8, integers of thousands of digits) is replaced, so that one bad event among thousands
    does not make all of them unreadable.

    Raises:
        UnreadableAnswer: It is no JSON object; `asked` says for which request.
    """
    try:
        value = _parsed(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(f"{asked}: the answer is not JSON: {error}", status=200) from error
    if not isinstance(value, dict):
        raise UnreadableAnswer(f"{asked}: the answer is not a JSON object", status=200)
    return value


def _parsed(body: bytes) -> object:
    value: object
    try:
        value = json.loads(body)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # float() takes any number of digits; an infinite timestamp is then simply no timestamp.
        value = json.loads(body.decode("utf-8", "replace"), parse_int=_integer_or_float)
    return value


def _integer_or_float(digits: str) -> int | float:
    return int(digits) if len(digits) <= len(str(_LARGEST_INTEGER)) + 1 else float(digits)


def object_at(container: JsonObject, key: str) -> JsonObject:
    """Give the object under `key`; an empty one where there is none. Never changed by callers."""
    value = container.get(key)
    return value if isinstance(value, dict) else _EMPTY


def list_at(container: JsonObject, key: str) -> list[object]:
    """Give the list under `key`, or an empty one."""
    value = container.get(key)
    return value if isinstance(value, list) else []


def id_at(container: JsonObject, key: str) -> str | None:
    """Give the id under `key`: a string that may be stored, compared and put in a URL."""
    value = container.get(key)
    return value if is_id(value) else None


def is_id(value: object) -> TypeGuard[str]:
    """Whether `value` is a non-empty string within the length limit and of whole characters."""
    if not isinstance(value, str) or not value:
        return False
    if value.isascii():
        return len(value) <= _LONGEST_ID
    try:
        return len(value.encode()) <= _LONGEST_ID
    except UnicodeEncodeError:
        return False


def text_at(container: JsonObject, key: str) -> str | None:
    """Give the string under `key`, lone surrogates (which no file takes) replaced."""
    value = container.get(key)
    return whole(value) if isinstance(value, str) else None


def whole(text: str) -> str:
    """Replace lone surrogates, which JSON can write and UTF-8 cannot, by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def integer_at(container: JsonObject, key: str) -> int | None:
    """Give the integer under `key` if canonical JSON allows it; `true` is no integer."""
    value = container.get(key)
    if type(value) is int and -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
        return value
    return None


def raw_text(value: object) -> str:
    """Give the ASCII JSON text of what came, to be stored beside the reason why it was skipped."""
    try:
        return json.dumps(value)
    except RecursionError:
        return "(nested too deeply)"
