"""Whom TLS trusts: the system's store, and the operator's CA file beside it."""

import ssl
from functools import cache
from pathlib import Path


@cache  # reading the system's store takes tens of milliseconds, and a run must not pay for it
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Make the TLS context for connections to agents, once for each CA file.

    Raises:
        OSError: the CA file cannot be read, or (`ssl.SSLError`) holds no certificates.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
