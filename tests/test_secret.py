from __future__ import annotations

import copy
import pickle

import pytest

from lambda_matrix.secret import Secret


def test_nothing_but_reveal_gives_it_away() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    for shown in (str(secret), repr(secret), f"{secret}", repr([secret]), f"{secret!s:>10}"):
        assert "hunter2" not in shown
        assert "***" in shown


def test_it_is_neither_pickled_nor_copied() -> None:
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not to be pickled"):
            take(Secret("hunter2"))


def test_equal_by_its_text() -> None:
    assert Secret("пароль") == Secret("пароль")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
