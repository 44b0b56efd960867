"""`systemctl reload`: what changed is in force when it returns; what is wrong changes nothing."""

from __future__ import annotations

from tests.lab.chatting import Talk
from tests.systemd.installed import AGENTS, CONFIG
from tests.systemd.site import Site


async def test_a_good_one_is_in_force(talk: Talk, site: Site) -> None:
    before = await site.unit.state()
    site.installed.edit({"name": '"Mu, who was renamed"'}, AGENTS)
    reloaded = await site.unit.reload()
    assert reloaded.status == 0
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
    await journal.wait("language", f"--unit={site.unit.name}")
    assert (await talk.ask("Am I still welcome?")).text.startswith("You said: Am I still welcome?")
    after = await site.unit.state()
    assert (after.active, after.main_pid) == ("active", before.main_pid)
    site.machine.write(CONFIG, good)
    assert (await site.unit.reload()).status == 0
