"""The official Matrix client-server OpenAPI, held against what the client really sends.

The validator and the specification lie beside the repository (`../shared/lab/spec`) where the
project is developed. Elsewhere nothing is checked; where `CI=true` their absence is an error.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

from attrs import frozen

SPEC = Path(__file__).parents[2].parent / "shared" / "lab" / "spec"


class Validator(Protocol):
    """What `matrix_openapi.MatrixOpenAPI` offers: each call returns findings, one a line."""

    def check_request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> list[str]: ...

    def check_response(
        self, method: str, url: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]: ...


@cache
def load_validator() -> Validator | None:
    """The validator, or None where the specification is not at hand.

    Raises:
      FileNotFoundError: it is not at hand although CI requires it.
    """
    module_file, spec_file = SPEC / "matrix_openapi.py", SPEC / "client-server-openapi.json"
    if not (module_file.exists() and spec_file.exists()):
        if in_ci():
            raise FileNotFoundError(f"CI=true needs the OpenAPI validator in {SPEC}")
        return None
    found = importlib.util.spec_from_file_location("matrix_openapi", module_file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file to be closed
        validator: Validator = module.MatrixOpenAPI(spec_file)
    return _BothInvites(validator)


@frozen
class _BothInvites:
    """The specification has two operations at one path, told apart by their bodies.

    OpenAPI cannot say so: it lists the invite of a user under a path with a space at its end.
    """

    validator: Validator

    def check_request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        if url.endswith("/invite") and b'"user_id"' in body:
            url += " "
        return self.validator.check_request(method, url, headers, body)

    def check_response(
        self, method: str, url: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        return self.validator.check_response(method, url, status, headers, body)


def in_ci() -> bool:
    """Whether what is missing must fail instead of being skipped."""
    return os.environ.get("CI", "").lower() == "true"
