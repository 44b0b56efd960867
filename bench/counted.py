"""Runs lambda-matrix and counts its Trio tasks: `counted.py FILE run --config ...`.

At each SIGUSR1 the names of all tasks go into FILE, as JSON: how many there are of each.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import trio

from lambda_matrix.cli import main


def tasks_under(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from tasks_under(child)


def count_into(file: Path) -> None:
    root = trio.lowlevel.current_root_task()
    names = Counter(task.name.split(" ")[0] for task in tasks_under(root)) if root else Counter()
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(names))
    draft.replace(file)


def main_counted() -> None:
    file = Path(sys.argv.pop(1))
    signal.signal(signal.SIGUSR1, lambda *_: count_into(file))
    main()


main_counted()
