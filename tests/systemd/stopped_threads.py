"""stopped_threads.py PID: stops each thread of a process but its first, until the process ends.

So a call that the kernel never returns from looks to the program, as from a network file system
whose server is gone. The process lives, and so does its first thread (ptrace(2), PTRACE_SEIZE).
Says how many there are once they are stopped. To be run as root beside the process.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import time
from pathlib import Path

SEIZE, INTERRUPT = 0x4206, 0x4207
ALL_KINDS = 0x40000000  # __WALL: threads are waited for, too
DETACH = 17
FUTEX = {"x86_64": "202", "aarch64": "98"}[platform.machine()]
"""A thread that waits in this system call does not hold the interpreter's lock."""
LOOK_AGAIN = 0.001

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request: int, thread: int) -> None:
    """Do it; raises OSError."""
    if _libc.ptrace(request, thread, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def others(pid: int) -> list[int]:
    """The threads of the process but its first."""
    threads = (int(path.name) for path in Path(f"/proc/{pid}/task").iterdir())
    return [each for each in threads if each != pid]


def waits(pid: int, thread: int) -> bool:
    """Whether a thread waits for something that another thread will give."""
    return Path(f"/proc/{pid}/task/{thread}/syscall").read_text().startswith(f"{FUTEX} ")


def stopped(pid: int, thread: int) -> bool:
    """Stop a thread where it waits; False if it does not, or has ended, and then it goes on."""
    try:
        if not waits(pid, thread):
            return False
        ptrace(SEIZE, thread)
        ptrace(INTERRUPT, thread)
        os.waitpid(thread, ALL_KINDS)
        if waits(pid, thread):
            return True
        ptrace(DETACH, thread)
    except (FileNotFoundError, ProcessLookupError, ChildProcessError):
        pass  # Trio's threads end when there was nothing to do for a while
    return False


def main() -> None:
    pid = int(sys.argv[1])
    held: set[int] = set()
    while not held or set(others(pid)) - held:
        held |= {each for each in others(pid) if each not in held and stopped(pid, each)}
        time.sleep(LOOK_AGAIN)  # noqa: TID251 - no room is served here
    sys.stdout.write(f"{len(held)}\n")
    sys.stdout.flush()
    for thread in held:
        os.waitpid(thread, ALL_KINDS)


if __name__ == "__main__":
    main()
