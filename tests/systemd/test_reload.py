"""`systemctl reload`: what changed is in force when it returns; what is wrong changes nothing."""

from __future__ import annotations

from tests.lab.chatting import Talk
from tests.systemd.installed import AGENTS, CONFIG
from tests.systemd.site import Site


async def test_a_good_one_is_in_force(talk: Talk, site: Site) -> None:
    before = await site.unit.state()
    journal = await site.installed.journal()
    site.installed.edit({"name": '"Mu, who was renamed"'}, AGENTS)
    reloaded = await site.unit.reload()
    assert reloaded.status == 0
    assert await journal.entries(f"--unit={site.unit.name}", "--priority=warning") == []
    await talk.say("!agent")
    await talk.heard("Mu, who was renamed")
    after = await site.unit.state()
    assert (after.active, after.main_pid) == ("active", before.main_pid)


async def test_a_bad_one_leaves_the_old_one_in_force(talk: Talk, site: Site) -> None:
    before = await site.unit.state()
    journal = await site.installed.journal()
    good = site.machine.path(CONFIG).read_text(encoding="utf-8")
    site.installed.edit({"users": '["@nobody:elsewhere.test"]', "language": '"fr"'})
    assert (await site.unit.reload()).status != 0
    await journal.wait("not reloaded, .*language", f"--unit={site.unit.name}")
    assert (await talk.ask("Am I still welcome?")).text.startswith("You said: Am I still welcome?")
    after = await site.unit.state()
    assert (after.active, after.main_pid) == ("active", before.main_pid)
    site.machine.write(CONFIG, good)
    assert (await site.unit.reload()).status == 0


async def test_one_that_cannot_even_be_read_is_said(talk: Talk, site: Site) -> None:
    journal = await site.installed.journal()
    good = site.machine.path(CONFIG).read_text(encoding="utf-8")
    site.machine.write(CONFIG, "no = TOML =\n")
    assert (await site.unit.reload()).status != 0
    await journal.wait("not reloaded, .*TOML", f"--unit={site.unit.name}")
    state = await site.unit.until(lambda state: "not reloaded" in state.status_text, "word of it")
    assert (state.active, state.restarts) == ("active", 0)
    assert (await talk.ask("Are you well?")).is_final
    site.machine.write(CONFIG, good)
    assert (await site.unit.reload()).status == 0
