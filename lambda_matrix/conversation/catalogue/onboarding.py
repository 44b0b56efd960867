"""What is said to those who come."""

from collections.abc import Callable

from attrs import frozen

from lambda_matrix.conversation.catalogue.places import Link, Way


@frozen(kw_only=True)
class OnboardingTexts:
    """How somebody gets their chats, and what is said to those who do not."""

    started: str
    """The rooms are being made."""
    delayed: Callable[[float], str]
    """The homeserver lets no more rooms be made just now; it goes on in so many seconds."""
    failed: str
    """The homeserver will not have the rooms made."""
    greeting_lobby: Callable[[Way], str]
    """Said in the direct chat when everything has been made."""
    greeting_again: Callable[[Way], str]
    """Said to somebody who has a Space already, and wherever the way to it is asked for."""
    greeting_room: Callable[[Way], str]
    """Likewise, in a room that is not meant as a direct chat with us."""
    invited_again: Callable[[Way], str]
    """Said to somebody who had left their Space and has now been invited to it once more."""
    greeting_chat: str
    """Said in a new chat."""
    denied: str
    """To somebody who may not use the service."""
    strange_room: str
    """In a room that is none of ours: how to begin."""
    encrypted_room: Callable[[Link | None], str]
    """The room is encrypted and cannot be read; the link, if there is one, is where to talk."""
