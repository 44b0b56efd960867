"""The fixtures that every folder of tests shares: a real homeserver, and people on it."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.logs import TEXTS
from tests.lab.chatting import Chatting, Stack, open_chatting, open_stack
from tests.lab.effort import load_profile
from tests.lab.homeserver_process import ROOT, homeserver_process
from tests.lab.lacking import lacking
from tests.lab.product import PRODUCT

load_profile()

LOGGERS = (None, "lambda_matrix", TEXTS, "httpx", "httpcore", "trio-websocket")
"""Those whose levels the program sets; None is the root."""


def pytest_report_header() -> str:
    return f"the program: {' '.join(PRODUCT)}"


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Give pytest its handlers back, and each logger its level: a command may have set them."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(scope="session")
def synapse_python() -> Path:
    """The interpreter of Synapse's own environment; without one the test is skipped."""
    named = os.environ.get("SYNAPSE_PYTHON")
    python = Path(named) if named else ROOT / ".venv-synapse/bin/python"
    if not python.exists():
        lacking(f"no Synapse at {python} (make .venv-synapse/.stamp)")
    return python


@pytest.fixture(scope="session")
def synapse(synapse_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """One Synapse for the whole session, without rate limits: every test makes its own users."""
    with homeserver_process(synapse_python, tmp_path_factory.mktemp("synapse")) as homeserver:
        yield homeserver


@pytest.fixture
async def stack(synapse: Homeserver, tmp_path: Path) -> AsyncIterator[Stack]:
    """Bot, proxy, agent; the service is set up, and started by `stack.service.start()`."""
    async with open_stack(synapse, tmp_path) as opened:
        yield opened


@pytest.fixture
async def chatting(stack: Stack) -> AsyncIterator[Chatting]:
    """A person in the first chat of a running service."""
    await stack.service.start()
    async with open_chatting(stack) as opened:
        yield opened
