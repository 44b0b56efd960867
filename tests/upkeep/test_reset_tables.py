"""What a reset tells of each kind of thing."""

from __future__ import annotations

from lambda_matrix.client_server_api.survey import Standing, Survey, SurveyedRoom
from lambda_matrix.config.settings import HomeserverSection
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.reconcile.reset import EmptyAccountData, ForgetRoom, LeaveRoom, Unbind
from lambda_matrix.upkeep import reset_tables

HOMESERVER = HomeserverSection(url="http://hs", user_id=UserId("@bot:x"))
ROOM = SurveyedRoom(room_id=RoomId("!a:x"), standing=Standing.JOINED, name="Trip")


def told(*rooms: SurveyedRoom) -> list[str]:
    text = reset_tables.server(HOMESERVER, Survey(rooms, ()), all_rows=True)
    return [" ".join(line.split()) for line in text.splitlines()]


def test_each_kind_of_room() -> None:
    rooms = {
        "chat": SurveyedRoom(room_id=RoomId("!1:x"), standing=Standing.JOINED, bound=("kind",)),
        "Space": SurveyedRoom(room_id=RoomId("!2:x"), standing=Standing.JOINED, is_space=True),
        "other room": SurveyedRoom(room_id=RoomId("!3:x"), standing=Standing.JOINED),
        "invite": SurveyedRoom(room_id=RoomId("!4:x"), standing=Standing.INVITED),
        "left": SurveyedRoom(room_id=RoomId("!5:x"), standing=Standing.LEFT),
    }
    lines = told(*rooms.values())
    for kind, room in rooms.items():
        assert f"{kind} {room.room_id}" in lines
    for summary in (
        "chats 1 unbound, left and forgotten",
        "direct chats and other rooms 1 left and forgotten",
        "invites 1 declined and forgotten",
        "rooms left earlier 1 forgotten",
        "Spaces 1 left and forgotten, after all others",
    ):
        assert summary in lines


def test_an_account_with_nothing() -> None:
    assert told() == ["At the homeserver http://hs, as @bot:x:", "", "nothing"]
    assert "nothing to do" in reset_tables.done((), (), all_rows=False)


def test_what_is_being_done() -> None:
    steps = (Unbind(ROOM, "kind"), EmptyAccountData("kind"), LeaveRoom(ROOM), ForgetRoom(ROOM))
    assert [reset_tables.doing(step) for step in steps] == [
        "unbinding !a:x (Trip)",
        "emptying settings and saved conversations",
        "leaving !a:x (Trip)",
        "forgetting !a:x (Trip)",
    ]
