"""Is an agent there? A question for `!status`: no run is begun for it."""

import trio

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.ids import PlatformChatId

PROBE_TIMEOUT = 3.0
"""Seconds that a person waits for the answer to `!status`."""
_PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}


async def probe(entry: AgentEntry) -> RunFailure | None:
    """Return why no connection to the agent's host can be made; None if one can."""
    url = entry.run_url(PlatformChatId(0))
    port = url.port or _PORTS[url.scheme]
    try:
        with trio.fail_after(PROBE_TIMEOUT):
            stream = await trio.open_tcp_stream(url.hostname or "", port)
            await stream.aclose()
    except (OSError, trio.TooSlowError):
        return RunFailure.UNREACHABLE
    return None
