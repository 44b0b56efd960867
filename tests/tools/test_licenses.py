from __future__ import annotations

import pytest

from tests.tools.carried import MIT, wheel
from tools.licenses import LicenseError, license_of, listing, parts, require_permissive
from tools.pex_contents import Wheel


@pytest.mark.parametrize(
    ("said", "expression"),
    [
        ("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("License: BSD-3-Clause", "BSD-3-Clause"),
        ("License: Apache License, Version 2.0", "Apache-2.0"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: License :: Public Domain", "LicenseRef-Public-Domain"),
    ],
)
def test_a_licence_is_known_however_it_is_said(said: str, expression: str) -> None:
    assert license_of(wheel("whatever", said)) == expression


@pytest.mark.parametrize(
    "said", ["License: see the file", "Classifier: License :: OSI Approved :: BSD License", "A: b"]
)
def test_what_nobody_has_looked_at_is_a_fault(said: str) -> None:
    with pytest.raises(LicenseError, match="nothing known about its licence"):
        license_of(wheel("whatever", said))


@pytest.mark.parametrize(
    "expression", ["MIT", "GPL-2.0-only OR MIT", "(GPL-3.0-only OR MIT) AND Unicode-3.0"]
)
def test_what_leaves_a_free_choice_binds_nobody(expression: str) -> None:
    require_permissive("whatever", expression)


@pytest.mark.parametrize(
    "expression",
    [
        "GPL-3.0-or-later",
        "AGPL-3.0-only",
        "LGPL-2.1-only OR GPL-2.0-only",
        "MIT AND GPL-2.0-only",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ],
)
def test_what_binds_is_refused(expression: str) -> None:
    with pytest.raises(LicenseError, match="leave it out"):
        require_permissive("whatever", expression)
    with pytest.raises(LicenseError, match="leave it out"):
        listing((wheel("whatever", f"License-Expression: {expression}"),))


def test_what_is_compiled_in_counts_too() -> None:
    mine = [
        {"name": "whatever", "version": "1.0"},
        {"name": "a build tool", "scope": "excluded", "licenses": [{"license": {"id": "GPL-3.0"}}]},
        {"name": "libjpeg", "licenses": [{"license": {"id": "IJG"}}, {"license": {"id": "MIT"}}]},
        {"name": "libXau", "version": "1.0.9"},
        {"name": "html5ever", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
    ]
    carried = wheel(bill=mine)
    assert [(part.name, part.license) for part in parts(carried)] == [
        ("html5ever", "MIT OR Apache-2.0"),
        ("libXau", None),
        ("libjpeg", "IJG AND MIT"),
    ]
    assert "    libXau 1.0.9: in the licence file of whatever" in listing((carried,))
    bound = wheel(bill=[{"name": "readline", "licenses": [{"license": {"id": "GPL-3.0-only"}}]}])
    with pytest.raises(LicenseError, match="readline in whatever"):
        listing((bound,))


def test_what_a_bill_calls_possible_must_not_be_there() -> None:
    possible = [{"name": "libimagequant", "scope": "optional"}]
    assert list(parts(wheel(bill=possible, more={"it.so": b"nothing of the kind"}))) == []
    for more in ({"it.so": b".. liq_attr_create .."}, {"libs/libimagequant.so.0": b""}):
        with pytest.raises(LicenseError, match="libimagequant in it after all"):
            list(parts(wheel(bill=possible, more=more)))


def test_each_text_is_listed_once_with_all_whom_it_is_for() -> None:
    told = listing((wheel("one"), wheel("two")))
    assert "one 1.0: MIT\ntwo 1.0: MIT\n" in told
    assert told.count(MIT) == 1
    assert "one 1.0, LICENSE\ntwo 1.0, LICENSE\n===" in told


def test_a_wheel_without_its_licences_text_is_a_fault() -> None:
    carried = wheel()
    files = {path: each for path, each in carried.files.items() if "LICENSE" not in path}
    with pytest.raises(LicenseError, match="no licence file"):
        listing((Wheel(carried.file, files),))
