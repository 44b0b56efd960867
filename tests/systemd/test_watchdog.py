"""What systemd does to a service that hangs, and does not to one whose homeserver is away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from lambda_matrix.demo.person import open_person
from lambda_matrix.pulse import LONGEST_STORING
from tests.lab.chatting import Talk, fresh_account, meet
from tests.systemd import stopped_threads
from tests.systemd.installed import download
from tests.systemd.site import Site

WATCHDOG = 3.0
"""Seconds that tests give it instead of the unit's (WatchdogSec=)."""


@asynccontextmanager
async def talking(site: Site, watchdog: float) -> AsyncIterator[Talk]:
    """A person in the first chat of the service, which systemd gives so many seconds of silence."""
    await site.installed.drop_in("watchdog", f"WatchdogSec={watchdog:g}s")
    await site.unit.start()
    account = await fresh_account(site.homeserver, "anna")
    async with open_person(site.homeserver.url, account) as person:
        yield await meet(person, site.bot.user_id)


async def test_one_that_hangs_is_killed_with_a_traceback_and_loses_nothing(site: Site) -> None:
    journal = await site.installed.journal()
    async with talking(site, WATCHDOG) as talk:
        hanging = await site.unit.state()
        await site.unit.signal("STOP")
        question = await talk.say("Asked while it hangs")
        answer = await talk.answer(question, within=60)
        assert answer.doubled == ()
        back = await site.unit.until_active()
        assert back.restarts == 1
        assert back.main_pid != hanging.main_pid
        dump = await journal.text(f"_PID={hanging.main_pid}")
        assert "Fatal Python error: Aborted" in dump
        assert re.search(r'File ".*/trio/_core/', dump)
        await journal.wait("[Ww]atchdog timeout", "_PID=1", within=5)


async def test_one_that_lives_while_its_database_hangs_is_started_anew_and_loses_nothing(
    site: Site,
) -> None:
    journal = await site.installed.journal()
    # It is to be fed for two minutes before it is not, also on a busy machine.
    async with talking(site, 5 * WATCHDOG) as talk:
        hanging = await site.unit.state()
        script = download(site.machine, Path(stopped_threads.__file__))
        async with site.machine.reading("python3", script, str(hanging.main_pid)) as lines:
            assert int(await anext(lines)) > 0
            question = await talk.say("Asked while the database hangs")
            answer = await talk.answer(question, within=LONGEST_STORING + 90)
        assert answer.doubled == ()
        back = await site.unit.until_active()
        assert back.restarts == 1
        said = await journal.text(f"_PID={hanging.main_pid}")
        assert re.search(r"^stuck: .*; the service manager is not told", said, re.MULTILINE)
        assert "Fatal Python error: Aborted" in said


async def test_a_homeserver_that_is_away_for_long_is_no_reason_to_restart(site: Site) -> None:
    async with talking(site, WATCHDOG) as talk:
        before = await site.unit.state()
        site.shut()
        away_since = trio.current_time()
        await site.unit.until(lambda state: "homeserver" in state.status_text, "word of it")
        question = await talk.say("Asked while the homeserver is away from the service")
        # So long that a service whose life hung on the homeserver would have been killed.
        await trio.sleep_until(away_since + 2 * WATCHDOG)
        await site.open()
        answer = await talk.answer(question, within=60)
        assert answer.doubled == ()
        after = await site.unit.state()
        assert (after.main_pid, after.restarts) == (before.main_pid, 0)
        assert "homeserver" not in after.status_text
