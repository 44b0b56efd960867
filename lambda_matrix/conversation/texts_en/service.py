"""What is said of the service itself."""

from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.catalogue.service import ServiceFigures, ServiceTexts, StatusFacts
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import literal
from lambda_matrix.conversation.texts_en.answers import why
from lambda_matrix.conversation.texts_en.wording import MINUTE, counted, duration, listed, span

_AGENT = {True: "reached", False: "not reached", None: "not asked yet"}


def service_texts(quote: Quote) -> ServiceTexts:
    """Return the sentences, with the commands as `quote` has them."""
    retry = quote(CommandName.RETRY)
    return ServiceTexts(
        status=_status,
        gap=(
            "There were too many messages here while I was away, and I could not read them all. "
            "If I have left a question unanswered, please ask it again."
        ),
        undeliverable=(
            f"The homeserver refused my answer, so I cannot show it to you. {retry} asks again; "
            "a shorter answer may get through."
        ),
        memory_lost=(
            "I have lost part of my memory: files that waited here for your next message, and what "
            "waited for your consent, are gone. Please send or ask it again."
        ),
    )


def _status(facts: StatusFacts) -> str:
    agent = "reachable" if facts.failure is None else why(facts.failure)
    if facts.sync_age is None:
        homeserver = "not connected yet"
    elif facts.sync_age < MINUTE:
        homeserver = "connected"
    else:
        homeserver = f"silent for {duration(facts.sync_age)}"
    return (
        f"- Agent {literal(facts.agent)}: {agent}\n"
        f"- Homeserver: {homeserver}\n"
        f"- Your questions: {facts.running} being answered, {facts.waiting} waiting\n"
        f"- Lambda for Matrix, version {literal(facts.version)}"
        f"{'' if facts.service is None else _figures(facts.service)}"
    )


def _figures(seen: ServiceFigures) -> str:
    """Return what is for admins: more lines of the list."""
    agents = listed(f"{literal(agent.name)} ({_AGENT[agent.is_up]})" for agent in seen.agents)
    return (
        f"\n- The service has run for {span(seen.up_for)}\n"
        f"- {counted(seen.rooms, 'room')}, people: {seen.people}\n"
        f"- In all: {seen.running} being answered, {seen.waiting} waiting{_since(seen.oldest)}\n"
        f"- Messages to send: {seen.unsent}{_since(seen.oldest_unsent)}\n"
        f"- Agents, when last asked: {agents}"
    )


def _since(seconds: float | None) -> str:
    return "" if seconds is None else f" (the first for {span(seconds)})"
