"""Links to rooms."""

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.surface.links import room_link, server_name


def test_a_room_of_version_12_has_no_server_of_its_own() -> None:
    link = room_link(RoomId("!AbC-_0"), "Garden", "example.org")
    assert link.url == "https://matrix.to/#/!AbC-_0?via=example.org"


def test_what_is_not_of_a_link_is_quoted() -> None:
    link = room_link(RoomId("!a/b?c#d:example.org"), "Garden", "example.org:8448")
    assert link.url == "https://matrix.to/#/!a%2Fb%3Fc%23d:example.org?via=example.org:8448"


def test_the_server_of_a_user_may_have_a_port() -> None:
    assert server_name(UserId("@bot:example.org:8448")) == "example.org:8448"
