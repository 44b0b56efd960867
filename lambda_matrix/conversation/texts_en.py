"""The service's sentences in English."""

from collections.abc import Sequence
from typing import assert_never

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.catalogue import (
    ChatLine,
    StatusFacts,
    Texts,
)
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.markdown import as_code, literal

_MINUTE = 60
_HOUR = 3600


def english(prefix: str) -> Texts:
    """Return the catalogue for a service whose commands begin with `prefix`."""
    new, stop, command_list = (as_code(prefix + name) for name in ("new", "stop", "help"))
    return Texts(
        language=Language.EN,
        space_name="Lambda",
        space_topic="Your chats with Lambda",
        chat_name=lambda number: "First chat" if number == 1 else f"Chat {number}",
        chat_topic="A conversation with Lambda",
        greeting_lobby=lambda way: (
            f"Hello! I am Lambda. I have made a Space for you: {way.space}. Each room in it is a "
            f"conversation of its own, with its own memory.\n\n"
            f"Accept the two invitations and write to me in {way.chat}. "
            f"You can send commands here as well: {command_list} lists them."
        ),
        greeting_again=lambda way: (
            f"Your chats are in your Space, {way.space}. Write to me in {way.chat}, or send {new} "
            "for a new chat."
        ),
        greeting_chat=(
            "Hello! Ask me anything, I will answer right here. I remember what is said in this "
            f"chat and know nothing of the others.\n\n{new} opens another chat, {stop} stops an "
            f"answer, {command_list} shows everything that I understand."
        ),
        onboarding="Hello! I am setting up your Space, this takes a moment.",
        onboarding_delayed=lambda wait: (
            "The homeserver lets me create only so many rooms at a time. I will go on in "
            f"{_duration(wait)} and write to you then; there is nothing for you to do."
        ),
        onboarding_failed=(
            "I could not set up your Space: the homeserver would not let me. Please tell its "
            "administrator, or invite me again later."
        ),
        invite_denied=(
            "I am sorry, I have not been allowed to talk to you. Please ask whoever runs this bot."
        ),
        unregistered_room=(
            "This room is not one of my chats, so I do not answer questions in it. To begin, "
            "invite me to a direct chat: I will make you a Space with chats of your own."
        ),
        encrypted_room=lambda link: (
            "This room is encrypted, and I cannot read encrypted messages yet. "
            + (
                "Please invite me to a direct chat without encryption."
                if link is None
                else f"We can talk here: {link}."
            )
        ),
        help_intro="This is what I understand:",
        help_outro="Anything else that you write in a chat is a question to Lambda.",
        help_help="show this list",
        help_new="open a new chat",
        help_chats="list your chats, with links",
        help_stop="stop the answer in progress; with “all”, also drop the questions in line",
        help_status="see whether the agent is there and what it is doing",
        argument_name="name",
        argument_all="all",
        new_chat=lambda link: f"Your new chat: {link}. The invitation is on its way.",
        new_chat_delayed=lambda wait: (
            "The homeserver lets me create only so many rooms at a time. The chat will be there "
            f"in {_duration(wait)}."
        ),
        new_chat_failed=(
            f"I could not create the chat: the homeserver would not let me. Please try {new} again "
            "later."
        ),
        chats=lambda lines: _chats(lines, new),
        stopped="Stopped.",
        stopped_all=lambda count: f"Stopped: {_count(count, 'question')}.",
        nothing_to_stop="There is nothing to stop: I am not answering anything here.",
        status=_status,
        unknown_command=lambda word, nearest: (
            f"I do not know {as_code(word)}. "
            + (f"Did you mean {as_code(nearest)}? " if nearest else "")
            + f"{command_list} lists what I understand."
        ),
        bad_argument=lambda usage: f"This is how it goes: {as_code(usage)}",
        please_repeat="I may have lost this command on the way. Please send it again.",
        queued=lambda ahead: (
            f"Noted. {_count(ahead, 'question')} will be answered before this one."
        ),
        queue_full=lambda waiting: (
            f"The line is full here ({_count(waiting, 'question')}), so I have not taken this "
            f"one. Please ask again when I have caught up, or send {stop}."
        ),
        tool_line=lambda tool: f"_Using {literal(tool)} …_",
        stopped_line="_Stopped._",
        broken_off_line="_The answer broke off here. Please ask again if you need the rest._",
        cut_line="_The answer is too long to be shown whole; the rest was left out._",
        stopped_answer="Stopped before there was an answer.",
        empty_answer="The agent had nothing to say to that. Please try to put it differently.",
        failure=_failure,
        cancelled="The agent ended this without an answer. Please ask again.",
        interrupt=_interrupt,
        file_not_sent=lambda path: (
            f"_The agent made a file, {as_code(path)}. I cannot send files yet._"
        ),
        unsupported_message=(
            "I can only read text so far: no files, pictures, voice messages or stickers. Please "
            "write it to me."
        ),
        gap=(
            "There were too many messages here while I was away, and I could not read them all. "
            "If I have left a question unanswered, please ask it again."
        ),
        undeliverable=(
            "The homeserver refused my answer, so I cannot show it to you. Please ask again, "
            "perhaps for a shorter one."
        ),
    )


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return f"about {_count(round(seconds / _MINUTE), 'minute')}"
    return f"about {_count(round(seconds / _HOUR), 'hour')}"


def _chats(lines: Sequence[ChatLine], new: str) -> str:
    if not lines:
        return f"You have no chats yet. {new} opens one."
    return "Your chats:\n" + "\n".join(f"- {line.link} – {_activity(line)}" for line in lines)


def _activity(line: ChatLine) -> str:
    if not line.is_busy:
        return "idle"
    return f"answering, {line.waiting} waiting" if line.waiting else "answering"


def _status(facts: StatusFacts) -> str:
    agent = "reachable" if facts.failure is None else _failure(facts.failure)
    if facts.sync_age is None:
        homeserver = "not connected yet"
    elif facts.sync_age < _MINUTE:
        homeserver = "connected"
    else:
        homeserver = f"silent for {_duration(facts.sync_age)}"
    return (
        f"- Agent {literal(facts.agent)}: {agent}\n"
        f"- Homeserver: {homeserver}\n"
        f"- Your questions: {facts.running} being answered, {facts.waiting} waiting\n"
        f"- Lambda for Matrix, version {literal(facts.version)}"
    )


def _interrupt(messages: Sequence[str]) -> str:
    asked = "".join(f"\n- {literal(message)}" for message in messages)
    return (
        "The agent wants your consent before it goes on. It cannot be given here yet, so nothing "
        f"has been done.{asked}"
    )


def _failure(failure: RunFailure) -> str:  # noqa: C901, PLR0911, PLR0912 - one case each
    match failure:
        case RunFailure.UNREACHABLE:
            return "I cannot reach the agent just now. Please ask again in a few minutes."
        case RunFailure.HANDSHAKE_REFUSED:
            return "The agent does not take questions at the moment. Please ask again later."
        case RunFailure.UNAUTHORIZED:
            return (
                "The agent does not let me in. Please tell whoever runs this bot; asking again "
                "will not help before that."
            )
        case RunFailure.INPUT_REFUSED:
            return "The agent could not make sense of the question. Please put it differently."
        case RunFailure.TRUNCATED:
            return "The connection to the agent broke before it had answered. Please ask again."
        case RunFailure.IDLE_TIMEOUT:
            return "The agent fell silent, so I stopped waiting. Please ask again."
        case RunFailure.RUN_TIMEOUT:
            return (
                "The agent took longer than it may, so I stopped it. Please ask again, perhaps in "
                "smaller steps."
            )
        case RunFailure.BAD_FRAME:
            return "The agent gave an answer that I do not understand. Please ask again."
        case RunFailure.FRAME_TOO_LARGE:
            return "The agent sent more at once than I can take. Please ask for something smaller."
        case RunFailure.RUN_ERROR:
            return "The agent ran into an error. Please ask again."
        case RunFailure.NOT_ALLOWED:
            return "The agent of this chat is not open to you. Please ask whoever runs this bot."
        case RunFailure.NO_AGENT:
            return (
                "The agent of this chat is no longer there. A new chat will get another one: "
                "please open one and ask there."
            )
        case RunFailure.GAVE_UP:
            return (
                "I tried to get an answer several times and was interrupted each time. Please ask "
                "again."
            )
        case _:
            assert_never(failure)
