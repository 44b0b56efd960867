from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory that the configuration names."""
    (tmp_path / "config.toml").write_text('[state]\ndirectory = "state"\n')
    (tmp_path / "state").mkdir()
    return tmp_path / "state"
