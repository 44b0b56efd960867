from __future__ import annotations

import unicodedata
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st

from lambda_matrix.workspace.naming import MAX_NAME, free_names, safe_name

HOSTILE = st.text(
    alphabet=st.sampled_from("a.-/\\ \0\n\u202e\u200f\ufeff\ud800é\u0301日.") | st.characters()
)


def is_safe(name: str) -> bool:
    """Say in other words than the code what a safe name is."""
    return (
        0 < len(name.encode()) <= MAX_NAME
        and name == unicodedata.normalize("NFC", name)
        and not any(each in "/\\" or not each.isprintable() for each in name)
        and not name.startswith((".", "-", " "))
        and not name.endswith((".", " "))
    )


@given(HOSTILE)
@example("x" * 300 + ".pdf")
@example("é" * 300)
@example("a" * 254 + "é.txt")
@example("../../etc/passwd")
@example("a\u200d\u0301")
@example("a" * 250 + " .jpg")
def test_any_claimed_name_becomes_a_safe_one_and_stays_it(claimed: str) -> None:
    name = safe_name(claimed, "document")
    assert is_safe(name)
    assert safe_name(name, "document") == name


@given(HOSTILE)
@example("x" * 255)
@example("日" * 80 + ".pdf")
def test_so_do_the_names_beside_it(claimed: str) -> None:
    names = list(islice(free_names(safe_name(claimed, "document")), 12))
    assert all(map(is_safe, names))
    assert len(set(names)) == 12


@pytest.mark.parametrize(
    ("claimed", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("Отчёт за март.pdf", "Отчёт за март.pdf"),
        (r"C:\fakepath\photo.jpg", "photo.jpg"),
        ("../../../etc/passwd", "passwd"),
        ("folder/", "folder"),
        ("..", "document"),
        ("", "document"),
        (" \t\n", "document"),
        ("///", "document"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("innocent\u202egnp.exe", "innocentgnp.exe"),
        ("two\nlines\tand  spaces.txt", "two lines and spaces.txt"),
        ("e\u0301.txt", "é.txt"),
        ("nul\0byte.txt", "nulbyte.txt"),
        ("trailing. . .", "trailing"),
        ("half a \ud83d pair.txt", "half a pair.txt"),
        ("a" * 300 + ".tar.gz", "a" * 252 + ".gz"),
        ("a" * 250 + ".this is no extension", "a" * 250 + ".this"),
    ],
)
def test_names(claimed: str, name: str) -> None:
    assert safe_name(claimed, "document") == name


def test_numbers_stand_before_the_extension() -> None:
    assert list(islice(free_names("a.tar.gz"), 3)) == ["a.tar.gz", "a.tar (2).gz", "a.tar (3).gz"]
    assert list(islice(free_names("README"), 2)) == ["README", "README (2)"]
    assert list(islice(free_names("x" * 251 + ".pdf"), 2))[1] == "x" * 247 + " (2).pdf"


def test_the_disk_takes_the_longest(tmp_path: Path) -> None:
    (tmp_path / safe_name("ё" * 400 + ".png", "image.png")).touch()
