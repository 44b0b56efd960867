from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import RoomId, UserId
from tests.client_server_api.conftest import ME
from tests.client_server_api.fake_homeserver import Answer, FakeHomeserver, refusal

ROOM = RoomId("!r:example.org")


async def test_our_name(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("PUT .*displayname", {})

    await client.account.set_display_name("Lambda")

    assert homeserver.asked[0].json == {"displayname": "Lambda"}


async def test_account_data(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("PUT .*account_data", {})
    homeserver.on("GET .*/rooms/.*account_data", {"agent": "main"})
    homeserver.on(
        "GET .*account_data",
        {"next": 5},
        refusal(404, "M_NOT_FOUND"),
        refusal(403, "M_FORBIDDEN"),
    )

    await client.account.put_data("ru.x", {"next": 5})
    await client.account.put_room_data(ROOM, "ru.x", {"agent": "main"})
    assert await client.account.get_room_data(ROOM, "ru.x") == {"agent": "main"}
    assert await client.account.get_data("ru.x") == {"next": 5}
    assert await client.account.get_data("ru.x") is None
    with pytest.raises(MatrixError):
        await client.account.get_data("ru.x")

    assert [one.json for one in homeserver.asked[:2]] == [{"next": 5}, {"agent": "main"}]


@pytest.mark.parametrize(
    ("answer", "mxc"),
    [
        ({"avatar_url": "mxc://h/x"}, "mxc://h/x"),
        ({}, None),
        ({"avatar_url": ""}, None),
        ({"avatar_url": "mxc://h"}, None),
        (refusal(404, "M_NOT_FOUND"), None),
        (refusal(403, "M_FORBIDDEN"), None),
        (refusal(401, "M_MISSING_TOKEN"), None),
    ],
)
async def test_somebodys_picture(
    homeserver: FakeHomeserver,
    client: Client,
    answer: Answer | dict[str, object],
    mxc: str | None,
) -> None:
    homeserver.on("GET .*/profile/%40anna%3Ah/avatar_url$", answer)
    assert await client.account.avatar_url(UserId("@anna:h")) == mxc


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"displayname": "Anna"}, "Anna"),
        ({}, None),
        ({"displayname": ""}, None),
        (refusal(404, "M_NOT_FOUND"), None),
    ],
)
async def test_somebodys_name(
    homeserver: FakeHomeserver,
    client: Client,
    answer: Answer | dict[str, object],
    name: str | None,
) -> None:
    homeserver.on("GET .*/profile/%40anna%3Ah/displayname$", answer)
    assert await client.account.display_name(UserId("@anna:h")) == name


async def test_our_picture(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on("PUT .*/avatar_url$", {})
    homeserver.on("GET .*/avatar_url$", refusal(429, "M_LIMIT_EXCEEDED"))

    await client.account.set_avatar_url("mxc://h/x")
    with pytest.raises(MatrixError):
        await client.account.avatar_url(ME)

    assert homeserver.asked[0].json == {"avatar_url": "mxc://h/x"}
