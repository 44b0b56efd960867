"""Files that only their owner reads."""

from pathlib import Path


def write_secret(path: Path, secret: str) -> Path:
    """Write a secret into a file that only its owner reads; returns the path."""
    write_private(path, secret + "\n")
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads (0600)."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
