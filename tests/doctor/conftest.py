"""A configuration that can be used, of a homeserver that nobody is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_matrix.config.settings import Settings
from lambda_matrix.doctor.patient import read_patient
from tests.upkeep.commands import write_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_settings(tmp_path, "http://127.0.0.1:9")


@pytest.fixture
def settings(config: Path) -> Settings:
    found = read_patient(config, {}).settings
    assert found is not None
    return found
