"""What there is to say: the form that each language fills (`texts_en`, `texts_ru`).

A language is one `Texts`, and all its fields are required, so that a missing translation is an
error of the type checker's. Sentences are Markdown. Whatever comes from outside (a name, a word
that somebody typed) is passed as it is and made harmless there (`markdown.literal`, `as_code`).
"""

from collections.abc import Callable, Sequence

from attrs import frozen

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.markdown import literal


@frozen
class Link:
    """A place that one can click on."""

    name: str
    url: str

    def __str__(self) -> str:
        """Return the link in Markdown."""
        return f"[{literal(self.name)}]({self.url})"


@frozen
class Way:
    """Where a person's chats are: the Space, and a chat to begin with."""

    space: Link
    chat: Link


@frozen
class ChatLine:
    """One chat in the list of them. `waiting` counts the questions behind the running one."""

    link: Link
    is_busy: bool
    waiting: int = 0


@frozen
class StatusFacts:
    """What `!status` tells.

    `failure` says why the agent could not be reached, None if it could. `waiting` counts this
    person's questions in line, `running` those at work. `sync_age` is how many seconds ago the
    homeserver last answered; None if it has not yet.
    """

    agent: str
    failure: RunFailure | None
    running: int
    waiting: int
    version: str
    sync_age: float | None


@frozen(kw_only=True)
class Texts:
    """The sentences of one language. Counts are whole numbers, times are seconds."""

    language: Language

    # -- rooms --
    space_name: str
    space_topic: str
    chat_name: Callable[[int], str]
    """The name of the user's n-th chat, from 1."""
    chat_topic: str

    # -- onboarding --
    greeting_lobby: Callable[[Way], str]
    """Said in the direct chat when everything has been made."""
    greeting_again: Callable[[Way], str]
    """Said to somebody who has a Space already, and wherever the way to it is asked for."""
    greeting_chat: str
    """Said in a new chat."""
    onboarding: str
    """The rooms are being made."""
    onboarding_delayed: Callable[[float], str]
    """The homeserver lets no more rooms be made just now; it goes on in so many seconds."""
    onboarding_failed: str
    invite_denied: str
    """To somebody who may not use the service."""
    unregistered_room: str
    encrypted_room: Callable[[Link | None], str]
    """The room is encrypted and cannot be read; the link, if there is one, is where to talk."""

    # -- commands --
    help_intro: str
    help_outro: str
    help_help: str
    help_new: str
    help_chats: str
    help_stop: str
    help_status: str
    argument_name: str
    """What stands for a name in `!new [name]`."""
    argument_all: str
    """The word of `!stop all`."""
    new_chat: Callable[[Link], str]
    new_chat_delayed: Callable[[float], str]
    new_chat_failed: str
    chats: Callable[[Sequence[ChatLine]], str]
    stopped: str
    stopped_all: Callable[[int], str]
    """So many requests were stopped or taken off the line."""
    nothing_to_stop: str
    status: Callable[[StatusFacts], str]
    unknown_command: Callable[[str, str | None], str]
    """The command that was typed, and the nearest that there is; both with their prefix."""
    bad_argument: Callable[[str], str]
    """How the command is used, e.g. `!stop [all]`."""
    please_repeat: str
    """A command whose effect was lost with the database."""

    # -- questions and answers --
    queued: Callable[[int], str]
    """So many questions go before this one."""
    queue_full: Callable[[int], str]
    """So many are waiting and no more are taken."""
    tool_line: Callable[[str], str]
    """One line under the growing answer: this tool is being used."""
    stopped_line: str
    """One line under what was there of an answer when it was stopped."""
    broken_off_line: str
    """One line under what was there of an answer when the agent failed."""
    cut_line: str
    """One line under as much of an answer as can be shown, if it was far too long."""
    stopped_answer: str
    """The whole answer, if it was stopped before it had any text."""
    empty_answer: str
    failure: Callable[[RunFailure], str]
    """The whole answer, if the run failed before it had any text."""
    cancelled: str
    """The whole answer, if the agent ended the run on purpose without any text."""
    interrupt: Callable[[Sequence[str]], str]
    """The agent asks for these to be confirmed, which cannot be done yet."""
    file_not_sent: Callable[[str], str]
    """The agent offers this file, which cannot be passed on yet."""
    unsupported_message: str
    """Something other than text."""
    gap: str
    """Some messages could not be read."""
    undeliverable: str
    """In place of a message that the homeserver refuses for good."""
