from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from lambda_matrix.logs import TEXTS

NAMES = (None, "lambda_matrix", TEXTS, "httpx", "httpcore", "trio-websocket")


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Give pytest its handlers back, and each logger its level."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in NAMES}
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
