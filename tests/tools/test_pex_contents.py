from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.carried import wheel, write_pex
from tools.pex_contents import Wheel, read_pex


def test_a_pex_is_read_wheel_by_wheel(tmp_path: Path) -> None:
    carried = wheel("some_thing"), wheel("other")
    read = read_pex(write_pex(tmp_path / "a.pex", *carried))
    assert read.wheels == tuple(sorted(carried, key=lambda each: each.file))
    assert read.pex_version == "2.105.2"
    assert [(each.name, each.version) for each in read.wheels] == [
        ("other", "1.0"),
        ("some-thing", "1.0"),
    ]


def test_every_file_belongs_to_a_wheel(tmp_path: Path) -> None:
    file = write_pex(tmp_path / "a.pex", wheel(), more={".deps/stray/stray.py": b""})
    with pytest.raises(ValueError, match="belongs to no wheel"):
        read_pex(file)


def test_a_wheel_as_it_was_built_has_no_faults() -> None:
    assert wheel().faults() == []


def test_a_file_that_is_not_the_wheels_is_told() -> None:
    built = wheel()
    assert Wheel(built.file, {**built.files, "whatever.py": b"evil\n"}).faults() == [
        "whatever-1.0-py3-none-any.whl: whatever.py is another one"
    ]
    assert Wheel(built.file, {**built.files, "more.py": b""}).faults() == [
        "whatever-1.0-py3-none-any.whl: more.py is nobody's"
    ]
    less = {path: content for path, content in built.files.items() if path != "whatever.py"}
    assert Wheel(built.file, less).faults() == [
        "whatever-1.0-py3-none-any.whl: whatever.py is not there"
    ]
