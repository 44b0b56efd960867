"""Who may open a run: decided from the handshake alone, without I/O.

A browser names the page's origin in every WebSocket handshake and programs do not, so a request
with an `Origin` comes from somebody's web page and is refused. A page that reaches a loopback
address by a name of its own (DNS rebinding) shows that name in `Host`. The token is wanted always:
other users of the machine reach the loopback too.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from attrs import frozen

from lambda_matrix.reference.run_input import is_thread_id

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PATH = "/agent_ws/"


@frozen
class Refused:
    """The handshake is answered with this HTTP status and one line of text."""

    status: int
    sentence: str


@frozen
class Admitted:
    """The run may be opened, in this thread."""

    thread_id: str


@frozen
class Admission:
    """What a handshake is held against; `hosts` are lower-case names without port."""

    token: bytes
    hosts: frozenset[str] = LOOPBACK_HOSTS

    def judge(
        self, target: str, host: str, headers: Iterable[tuple[bytes, bytes]]
    ) -> Admitted | Refused:
        """Decide on a handshake by its request target, its `Host`, and its other headers."""
        headers = list(headers)
        if any(name == b"origin" for name, _ in headers):
            return Refused(403, "requests of web pages are refused (Origin)")
        if _host_name(host) not in self.hosts:
            return Refused(421, "this host name is not served here (Host)")
        if not self._holds_token(value for name, value in headers if name == b"authorization"):
            return Refused(401, "a bearer token is wanted (Authorization)")
        return _thread_of(target)

    def _holds_token(self, values: Iterable[bytes]) -> bool:
        credentials = [value.partition(b" ") for value in values]
        if len(credentials) != 1:
            return False
        scheme, _, token = credentials[0]
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self.token)


def _host_name(host: str) -> str:
    name, bracket, _ = host.partition("]")
    return (name + bracket if bracket else host.partition(":")[0]).lower()


def _thread_of(target: str) -> Admitted | Refused:
    if not target.startswith(f"{_PATH}?"):
        return Refused(404, f"a run is opened at {_PATH}?thread_id=N")
    thread_ids = parse_qs(urlsplit(target).query).get("thread_id", [])
    if len(thread_ids) != 1 or not is_thread_id(thread_ids[0]):
        return Refused(400, "thread_id must be one decimal number")
    return Admitted(thread_ids[0])
