from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.lab.homeserver_process import ROOT
from tests.tools.carried import wheel
from tools.check_pex import PexError, check_contents, check_lock, check_shipped, files_to_ship
from tools.locked import Locked, read_lock, read_pex_lock
from tools.pex_contents import Pex
from tools.sbom import bill_of_materials

OWN = wheel("lambda_matrix")
NEEDED = wheel("whatever")
LOCKED = Locked(
    {NEEDED.file: "aa" * 32}, {"lambda-matrix": ("whatever",), "whatever": (), "tool": ()}
)
WHOLE = Pex((OWN, NEEDED), "2.105.2")


def test_what_the_lock_names_may_be_carried() -> None:
    check_contents(WHOLE, LOCKED, OWN.file)


@pytest.mark.parametrize(
    ("carried", "fault"),
    [
        ((OWN,), "whatever: missing"),
        (
            (OWN, NEEDED, wheel("tool")),
            "tool-1.0-py3-none-any.whl: not in uv.lock\ntool: not needed",
        ),
        ((OWN, wheel("whatever", more={"new.py": b""})), ""),
    ],
)
def test_what_the_lock_does_not_allow_is_told(carried: tuple[object, ...], fault: str) -> None:
    pex = Pex(carried, "2.105.2")  # type: ignore[arg-type]  # parametrize knows no better
    if not fault:
        check_contents(pex, LOCKED, OWN.file)
        return
    with pytest.raises(PexError, match=re.escape(fault)):
        check_contents(pex, LOCKED, OWN.file)


def test_the_units_travel_with_the_program() -> None:
    tree = files_to_ship(ROOT)
    assert "lambda_matrix/installation/files/lambda-matrix.service" in tree
    assert "lambda_matrix/cli.py" in tree
    check_shipped(wheel("lambda_matrix", more=tree), tree)
    with pytest.raises(PexError, match="cli"):
        check_shipped(wheel("lambda_matrix", more={**tree, "lambda_matrix/cli.py": b"old"}), tree)
    with pytest.raises(PexError, match="not in lambda_matrix"):
        check_shipped(OWN, {})


def test_the_lock_of_the_product_names_all_that_it_needs_with_hashes() -> None:
    locked = read_lock(ROOT / "uv.lock")
    needed = locked.needed_by("lambda-matrix")
    assert {"trio", "idna", "pillow"} < needed
    assert not {"pytest", "pex"} & needed
    assert all(len(digest) == 64 for digest in locked.hashes.values())


def test_the_lock_of_pex_must_say_what_uv_lock_says(tmp_path: Path) -> None:
    artifact = {"url": f"https://example.org/a/{NEEDED.file}", "hash": "aa" * 32}
    told = {"locked_resolves": [{"locked_requirements": [{"artifacts": [artifact]}]}]}
    file = tmp_path / "lock.json"
    file.write_text(json.dumps(told))
    check_lock(read_pex_lock(file), LOCKED)
    artifact["hash"] = "bb" * 32
    file.write_text(json.dumps(told))
    with pytest.raises(PexError, match=re.escape(NEEDED.file)):
        check_lock(read_pex_lock(file), LOCKED)
    with pytest.raises(PexError):
        check_lock({}, LOCKED)


def test_the_bill_of_materials_names_every_wheel_and_what_is_in_it() -> None:
    inner = wheel("whatever", bill=[{"name": "zlib", "version": "1.3"}])
    pex = Pex((OWN, inner), "2.105.2")
    bill = bill_of_materials(pex, b"the file", LOCKED, "cc" * 32)
    assert bill == bill_of_materials(pex, b"the file", LOCKED, "cc" * 32)
    told = json.loads(bill)
    assert "timestamp" not in told["metadata"]
    components = {each["bom-ref"]: each for each in told["components"]}
    assert components.keys() == {OWN.file, inner.file, "pex-2.105.2"}
    assert components[inner.file]["hashes"] == [{"alg": "SHA-256", "content": "aa" * 32}]
    assert components[OWN.file]["hashes"] == [{"alg": "SHA-256", "content": "cc" * 32}]
    assert components[inner.file]["licenses"] == [{"license": {"id": "MIT"}}]
    assert [each["name"] for each in components[inner.file]["components"]] == ["zlib"]
    needs = {each["ref"]: each.get("dependsOn") for each in told["dependencies"]}
    assert needs[OWN.file] == [inner.file]
