"""Figures of a store, for tests that show them."""

from __future__ import annotations

from lambda_matrix.store.figures import Figures

NOTHING = Figures(
    rooms=0,
    people=0,
    chats=0,
    waiting=0,
    longest_wait=None,
    held=0,
    unread=0,
    owed=0,
    oldest_owed=None,
    parked=0,
    refused=0,
    gaps=0,
    rooms_to_make=0,
    files=0,
)
"""Those of a store in which nothing is yet."""
