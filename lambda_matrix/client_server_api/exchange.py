"""What goes over the wire, as those see it who look at it from outside the transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class Exchange:
    """One request and its answer as they were on the wire, for whoever observes the transport.

    `kind` is its endpoint's name; it took so many `seconds`, with its body and its answer's.
    `status` is None where no answer came; then the answer's headers and body are empty.
    """

    kind: str
    seconds: float
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int | None = None
    response_headers: Mapping[str, str] = field(factory=dict)
    response_body: bytes = b""


Query = Mapping[str, str | tuple[str, ...]]
"""A tuple is a parameter that comes several times."""
Observer = Callable[[Exchange], None]
