"""The paths of the client-server API that the service uses, each segment quoted.

Ids hold `!`, `:`, `#`, `/`, `+`: every one is quoted with nothing left as safe, or a room id could
turn into a path of its own.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from attrs import frozen

from lambda_matrix.client_server_api.content_address import ContentAddress
from lambda_matrix.ids import EventId, RoomId, TransactionId, UserId

_CLIENT = "/_matrix/client"
_V3 = f"{_CLIENT}/v3"
_V1_MEDIA = f"{_CLIENT}/v1/media"
_V3_MEDIA = "/_matrix/media/v3"
"""Where files were until v1.11, and still are uploaded to."""

Method = Literal["GET", "POST", "PUT"]


@frozen
class Endpoint:
    """One operation: its method and its path as it stands on the wire, without a query.

    `kind` is its path's name without ids, for metrics. An endpoint that is not `authenticated`
    never gets the access token.
    """

    method: Method
    path: str
    kind: str
    authenticated: bool = True

    @property
    def is_repeatable(self) -> bool:
        """True where doing it twice is doing it once: reads, and PUTs, which all name their target.

        A PUT of an event names its transaction id, so the homeserver knows it again.
        """
        return self.method != "POST"


VERSIONS = Endpoint("GET", f"{_CLIENT}/versions", "versions", authenticated=False)
WELL_KNOWN = Endpoint("GET", "/.well-known/matrix/client", "well_known", authenticated=False)
LOGIN_FLOWS = Endpoint("GET", f"{_V3}/login", "login", authenticated=False)
LOGIN = Endpoint("POST", f"{_V3}/login", "login", authenticated=False)
LOGOUT = Endpoint("POST", f"{_V3}/logout", "logout")
WHOAMI = Endpoint("GET", f"{_V3}/account/whoami", "whoami")
CAPABILITIES = Endpoint("GET", f"{_V3}/capabilities", "capabilities")
SYNC = Endpoint("GET", f"{_V3}/sync", "sync")
CREATE_ROOM = Endpoint("POST", f"{_V3}/createRoom", "create_room")
JOINED_ROOMS = Endpoint("GET", f"{_V3}/joined_rooms", "joined_rooms")
MEDIA_CONFIG = Endpoint("GET", f"{_V1_MEDIA}/config", "media_config")
MEDIA_CONFIG_V3 = Endpoint("GET", f"{_V3_MEDIA}/config", "media_config")
UPLOAD = Endpoint("POST", f"{_V3_MEDIA}/upload", "upload")


def _quoted(segment: str) -> str:
    return quote(segment, safe="")


def _room(room_id: RoomId, rest: str) -> str:
    return f"{_V3}/rooms/{_quoted(room_id)}/{rest}"


def send(room_id: RoomId, event_type: str, transaction_id: TransactionId) -> Endpoint:
    """Send an event (10.5.3)."""
    return Endpoint(
        "PUT", _room(room_id, f"send/{_quoted(event_type)}/{_quoted(transaction_id)}"), "send"
    )


def state(room_id: RoomId, event_type: str, state_key: str) -> Endpoint:
    """Set a state event; an empty `state_key` leaves an empty last segment (10.5.2)."""
    return Endpoint(
        "PUT", _room(room_id, f"state/{_quoted(event_type)}/{_quoted(state_key)}"), "state"
    )


def get_state(room_id: RoomId, event_type: str, state_key: str = "") -> Endpoint:
    """Get a state event (Getting events for a room)."""
    return Endpoint(
        "GET", _room(room_id, f"state/{_quoted(event_type)}/{_quoted(state_key)}"), "state"
    )


def redact(room_id: RoomId, event_id: EventId, transaction_id: TransactionId) -> Endpoint:
    """Take an event back (10.5.4)."""
    return Endpoint(
        "PUT", _room(room_id, f"redact/{_quoted(event_id)}/{_quoted(transaction_id)}"), "redact"
    )


def typing(room_id: RoomId, user_id: UserId) -> Endpoint:
    """Say whether we type (11.4.2)."""
    return Endpoint("PUT", _room(room_id, f"typing/{_quoted(user_id)}"), "typing")


def read_receipt(room_id: RoomId, event_id: EventId) -> Endpoint:
    """Say how far we have read (11.5.2)."""
    return Endpoint("POST", _room(room_id, f"receipt/m.read/{_quoted(event_id)}"), "receipt")


def messages(room_id: RoomId) -> Endpoint:
    """Page through a room's events (10.4.5)."""
    return Endpoint("GET", _room(room_id, "messages"), "messages")


def event(room_id: RoomId, event_id: EventId) -> Endpoint:
    """Get one event (Getting events for a room)."""
    return Endpoint("GET", _room(room_id, f"event/{_quoted(event_id)}"), "event")


def context(room_id: RoomId, event_id: EventId) -> Endpoint:
    """Get one event and where it lies (Event context)."""
    return Endpoint("GET", _room(room_id, f"context/{_quoted(event_id)}"), "context")


def joined_members(room_id: RoomId) -> Endpoint:
    """Who is in a room (10.4.4)."""
    return Endpoint("GET", _room(room_id, "joined_members"), "joined_members")


def join(room_id: RoomId) -> Endpoint:
    """Join a room by id (11.3.1.2)."""
    return Endpoint("POST", f"{_V3}/join/{_quoted(room_id)}", "join")


def leave(room_id: RoomId) -> Endpoint:
    """Leave a room, or reject its invite (11.3.2.1)."""
    return Endpoint("POST", _room(room_id, "leave"), "leave")


def forget(room_id: RoomId) -> Endpoint:
    """Forget a room that was left (11.3.2.2)."""
    return Endpoint("POST", _room(room_id, "forget"), "forget")


def invite(room_id: RoomId) -> Endpoint:
    """Invite a user to a room (11.3.1.1)."""
    return Endpoint("POST", _room(room_id, "invite"), "invite")


def account_data(user_id: UserId, kind: str) -> Endpoint:
    """Our global account data of one type; the method is GET (11.12.2)."""
    return Endpoint(
        "GET", f"{_V3}/user/{_quoted(user_id)}/account_data/{_quoted(kind)}", "account_data"
    )


def put_account_data(user_id: UserId, kind: str) -> Endpoint:
    """Replace our global account data of one type (11.12.2)."""
    return Endpoint("PUT", account_data(user_id, kind).path, "account_data")


def room_account_data(user_id: UserId, room_id: RoomId, kind: str) -> Endpoint:
    """Our account data of one room and type; the method is GET (11.12.2)."""
    room = f"{_V3}/user/{_quoted(user_id)}/rooms/{_quoted(room_id)}"
    return Endpoint("GET", f"{room}/account_data/{_quoted(kind)}", "account_data")


def put_room_account_data(user_id: UserId, room_id: RoomId, kind: str) -> Endpoint:
    """Replace our account data of one room and type (11.12.2)."""
    return Endpoint("PUT", room_account_data(user_id, room_id, kind).path, "account_data")


def display_name(user_id: UserId) -> Endpoint:
    """Get somebody's display name (Profiles)."""
    path = f"{_V3}/profile/{_quoted(user_id)}/displayname"
    return Endpoint("GET", path, "profile", authenticated=False)


def put_display_name(user_id: UserId) -> Endpoint:
    """Set our display name (11.2.2)."""
    return Endpoint("PUT", display_name(user_id).path, "profile")


def avatar(user_id: UserId) -> Endpoint:
    """Get the address of somebody's picture (Profiles)."""
    path = f"{_V3}/profile/{_quoted(user_id)}/avatar_url"
    return Endpoint("GET", path, "profile", authenticated=False)


def put_avatar(user_id: UserId) -> Endpoint:
    """Set the address of our picture (Profiles)."""
    return Endpoint("PUT", avatar(user_id).path, "profile")


def create_filter(user_id: UserId) -> Endpoint:
    """Upload a filter for /sync (8.2.1)."""
    return Endpoint("POST", f"{_V3}/user/{_quoted(user_id)}/filter", "filter")


def rate_limit_override(user_id: UserId) -> Endpoint:
    """Ask what Synapse's admin has settled for our rate limits; admins alone are told."""
    path = f"/_synapse/admin/v1/users/{_quoted(user_id)}/override_ratelimit"
    return Endpoint("GET", path, "rate_limit_override")


def download(address: ContentAddress) -> Endpoint:
    """Get a file (Content repository)."""
    return Endpoint("GET", f"{_V1_MEDIA}/download/{_content(address)}", "download")


def download_v3(address: ContentAddress) -> Endpoint:
    """Get a file from a homeserver of before v1.11, openly."""
    return Endpoint(
        "GET", f"{_V3_MEDIA}/download/{_content(address)}", "download", authenticated=False
    )


def _content(address: ContentAddress) -> str:
    return f"{_quoted(address.server)}/{_quoted(address.media_id)}"
