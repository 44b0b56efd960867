"""Tells the service manager how the program is (sd_notify(3)), without libsystemd.

A unit of `Type=notify` names a datagram socket in `NOTIFY_SOCKET`; each message is one datagram of
`KEY=value` lines. Without the variable nobody listens, and `notify()` does nothing.
"""

import os
import socket
import time
from collections.abc import Mapping

READY = "READY=1"
RELOADING = "RELOADING=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"

_SEND_TIMEOUT = 1.0
"""Seconds. The manager's socket practically never fills; a program must not hang if it does."""


def status(text: str) -> str:
    """Return the `STATUS=` line for one line of text, as `systemctl status` shows it."""
    return "STATUS=" + " ".join(text.split())


def monotonic_now() -> str:
    """Return the line that goes with `RELOADING`: when the reload began, on the machine's clock."""
    return f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def extend_timeout(seconds: float) -> str:
    """Return the line that asks for so many seconds from now on, to start or to stop."""
    return f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}"


def watchdog_period(environ: Mapping[str, str] = os.environ) -> float | None:
    """Return the seconds within which the manager wants to hear `WATCHDOG` again.

    None: it does not want to, or not from this process (sd_watchdog_enabled(3)).
    """
    period, of = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if of not in {"", str(os.getpid())} or not (period.isascii() and period.isdecimal()):
        return None
    return int(period) / 1_000_000 or None


def notify(*lines: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send the lines to the service manager in one datagram.

    Never raises and blocks for at most a second: being unheard is no reason to stop working.

    Args:
        *lines: what to say: `READY`, `status("...")`, ...
        environ: where `NOTIFY_SOCKET` is looked up; `@name` is a socket of the abstract namespace.

    Returns:
        Whether the datagram was handed over.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(_SEND_TIMEOUT)
        try:
            channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
    return True
