"""A program that serves on a port of its own choice, which is the first line that it prints."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(*command: str | Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run the program while the context lasts; gives host and port."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    ) as process:
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port, f"{command} did not start"
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
