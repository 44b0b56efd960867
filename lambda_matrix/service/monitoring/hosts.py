"""Which Host a request may name: against pages that a browser takes for one of its own.

A page of a stranger's can have its own name point at 127.0.0.1 (DNS rebinding), and then read what
is answered there, since to the browser it is the same origin. It cannot choose the Host header,
which is that name. So names are answered only if they are this machine's; addresses always, since
no address can be rebound.
"""

from __future__ import annotations

import ipaddress
import socket

from attrs import frozen

_LOOPBACK = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})


@frozen
class Hosts:
    """The names that are answered, in small letters, besides all addresses."""

    names: frozenset[str]

    def allow(self, host: str | None) -> bool:
        """Return whether a request that names this host (without a port) is answered."""
        if host is None:
            return False
        if host in self.names:
            return True
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True


def hosts_of(listening_on: str) -> Hosts:
    """Return the names of loopback, of this machine, and the one that is listened on."""
    named = {listening_on, socket.gethostname()}
    return Hosts(_LOOPBACK | {name.lower() for name in named})
