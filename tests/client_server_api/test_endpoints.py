from __future__ import annotations

import pytest

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.endpoints import Endpoint
from lambda_matrix.ids import EventId, RoomId, TransactionId, UserId

ROOM = RoomId("!a/b?c#d:e%f+g h")
QUOTED = "%21a%2Fb%3Fc%23d%3Ae%25f%2Bg%20h"
V3 = "/_matrix/client/v3"


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        (
            endpoints.send(ROOM, "m.x/y", TransactionId("t/1")),
            f"/rooms/{QUOTED}/send/m.x%2Fy/t%2F1",
        ),
        (endpoints.state(ROOM, "m.x", ""), f"/rooms/{QUOTED}/state/m.x/"),
        (endpoints.state(ROOM, "m.x", "!k/"), f"/rooms/{QUOTED}/state/m.x/%21k%2F"),
        (
            endpoints.redact(ROOM, EventId("$a/b"), TransactionId("t")),
            f"/rooms/{QUOTED}/redact/%24a%2Fb/t",
        ),
        (endpoints.join(ROOM), f"/join/{QUOTED}"),
        (endpoints.read_receipt(ROOM, EventId("$e+")), f"/rooms/{QUOTED}/receipt/m.read/%24e%2B"),
        (endpoints.typing(ROOM, UserId("@u:h")), f"/rooms/{QUOTED}/typing/%40u%3Ah"),
        (
            endpoints.room_account_data(UserId("@u:h"), ROOM, "k"),
            f"/user/%40u%3Ah/rooms/{QUOTED}/account_data/k",
        ),
    ],
)
def test_every_segment_is_quoted(endpoint: Endpoint, path: str) -> None:
    assert endpoint.path == V3 + path


def test_only_what_names_its_target_is_repeatable() -> None:
    assert endpoints.send(ROOM, "m.x", TransactionId("t")).is_repeatable
    assert endpoints.SYNC.is_repeatable
    assert not endpoints.CREATE_ROOM.is_repeatable


def test_login_never_sees_the_token() -> None:
    assert not endpoints.LOGIN.authenticated
    assert endpoints.WHOAMI.authenticated
