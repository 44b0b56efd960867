"""What the operator asks beside a service at work disturbs nobody."""

from __future__ import annotations

import io
import tempfile

from lambda_matrix.config import load_settings
from lambda_matrix.doctor.command import _examine_all
from lambda_matrix.doctor.findings import Failed
from lambda_matrix.upkeep.login import _log_in
from lambda_matrix.upkeep.terminal import Terminal
from tests.lab.chatting import Chatting


async def test_doctor_and_login_beside_a_service_at_work(chatting: Chatting) -> None:
    place = chatting.stack.settings
    config = place.directory / "config.toml"
    _, examined = await _examine_all(config, {})
    findings = [finding for each in examined for finding in each.findings]
    assert [each for each in findings if isinstance(each, Failed)] == []
    told = [each.what for each in findings]
    bot = place.bot.user_id
    assert f"the session in session.json is good: {bot}, device LAMBDA_MATRIX" in told
    assert f"a service is at work on {place.directory}/state" in told
    assert any(each.startswith("agent main: would take a run, in ") for each in told)

    settings, out = load_settings(config, {}, secrets=False), io.StringIO()
    with tempfile.TemporaryFile("w+") as pipe:
        pipe.write(f"{place.bot.password}\n")
        pipe.seek(0)
        terminal = Terminal(out, io.StringIO(), pipe)
        await _log_in(settings, terminal, file=config, name="password", is_piped=True)
    assert f"The password of {bot} is good." in out.getvalue()
    assert load_settings(config, {}).homeserver.password is not None

    assert (await chatting.ask("!status")).text
