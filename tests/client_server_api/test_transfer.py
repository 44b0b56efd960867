from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.errors import HomeserverUnreachable
from lambda_matrix.client_server_api.transfer import Transfer


@pytest.fixture
def transfer() -> Transfer:
    return Transfer(
        asked="GET /x",
        kind="x",
        method="GET",
        url="http://h/x",
        headers={},
        timeout=1,
        patience=1,
        is_repeatable=True,
    )


async def test_what_was_given_up_has_no_answer(transfer: Transfer) -> None:
    transfer.give_up()
    transfer.end(None)

    with pytest.raises(HomeserverUnreachable, match="GET /x: given up"):
        await transfer.answer()


async def test_giving_up_what_has_ended_changes_nothing(transfer: Transfer) -> None:
    transfer.end(({}, b"yes"))
    transfer.give_up()

    assert await transfer.answer() == ({}, b"yes")
