"""Runs lambda-matrix under cProfile: `profiled.py FILE run --config ...` fills FILE.

Every thread is profiled, as the database has one of its own. Up to Python 3.11 each thread has its
own profiler; from 3.12 on there is one for the interpreter, and the main thread alone is seen.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
from collections.abc import Callable

from lambda_matrix.cli import main

_PER_THREAD = sys.version_info < (3, 12)


def run_profiled(target: Callable[[], None], profiles: list[cProfile.Profile]) -> None:
    profile = cProfile.Profile()
    profiles.append(profile)
    profile.runcall(target)


def main_profiled() -> None:
    into = sys.argv.pop(1)
    profiles: list[cProfile.Profile] = []
    bare_run = threading.Thread.run

    def run(thread: threading.Thread) -> None:
        run_profiled(lambda: bare_run(thread), profiles)

    if _PER_THREAD:
        threading.Thread.run = run
    try:
        run_profiled(main, profiles)
    finally:
        stats = pstats.Stats(profiles[0])
        for profile in profiles[1:]:
            profile.create_stats()
            if profile.stats:
                stats.add(profile)
        stats.dump_stats(into)


main_profiled()
