"""What an operator sees of the running service: the status line, and the journal by its fields."""

from __future__ import annotations

from tests.lab.chatting import Talk
from tests.systemd.site import Site

FIELDS = (
    "LAMBDA_ROOM",
    "LAMBDA_EVENT",
    "LAMBDA_REQUEST",
    "LAMBDA_RUN",
    "LAMBDA_AGENT",
    "LAMBDA_USER",
    "_SYSTEMD_UNIT",
)
WORDS = "heliotrope and vermilion"


async def test_the_status_line_tells_how_it_is(talk: Talk, site: Site) -> None:
    shown = await site.machine.run("systemctl", "status", site.unit.name)
    status = next(line for line in shown.splitlines() if line.strip().startswith("Status:"))
    assert "ready" in status


async def test_one_match_tells_one_requests_story(talk: Talk, site: Site) -> None:
    journal = await site.installed.journal()
    other = await talk.say("Something else?")
    await talk.answer(other)
    question = await talk.say(f"What are {WORDS}?")
    await talk.answer(question)
    ended = await journal.wait("^run ended", f"LAMBDA_EVENT={question}")
    request = ended.fields["LAMBDA_REQUEST"]
    await journal.wait("^sent as", f"LAMBDA_REQUEST={request}")
    story = await journal.entries(f"LAMBDA_REQUEST={request}")
    assert len(story) > 2
    told = {
        field: {entry.fields[field] for entry in story if field in entry.fields} for field in FIELDS
    }
    assert told == {
        "LAMBDA_ROOM": {talk.chat},
        "LAMBDA_EVENT": {question},
        "LAMBDA_REQUEST": {request},
        "LAMBDA_RUN": {f"{request}.1"},
        "LAMBDA_AGENT": {"main"},
        "LAMBDA_USER": {talk.person.user_id},
        "_SYSTEMD_UNIT": {site.unit.name},
    }


async def test_a_healthy_day_is_quiet_and_has_nobodys_words(talk: Talk, site: Site) -> None:
    journal = await site.installed.journal()
    await talk.ask(f"What are {WORDS}?")
    ours = f"--unit={site.unit.name}"
    assert await journal.entries(ours, "--priority=warning") == []
    assert await journal.entries(ours, "--priority=info") == []
    everything = await journal.entries(ours)
    assert everything != []
    assert not any(WORDS in text for entry in everything for text in entry.fields.values())
