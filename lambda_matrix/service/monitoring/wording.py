"""Times and counts as an operator reads them; in English, as all that operators are told."""

from __future__ import annotations

import time

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_MEBIBYTE = 2**20


def duration(seconds: float) -> str:
    """Return a time span in its two largest units."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def clock(moment: float) -> str:
    """Return a moment (Unix time) in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def since(moment: float, now: float) -> str:
    """Return a moment in UTC, and how long ago that is."""
    return f"{clock(moment)} ({duration(max(now - moment, 0.0))} ago)"


def size(octets: int) -> str:
    """Return a size in memory."""
    return f"{octets / _MEBIBYTE:.1f} MiB"
