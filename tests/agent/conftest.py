"""An agent's entry and a run, as the service would make them."""

import pytest

from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.ids import PlatformChatId, RequestId, RunId


@pytest.fixture
def run_input() -> RunInput:
    return RunInput(
        thread_id=PlatformChatId(1000),
        run_id=RunId("q1.1"),
        request_id=RequestId("q1"),
        messages=(ThreadMessage(id="$question", role="user", content="Как дела?"),),
        user="@alice:example.org",
        room="!room",
        locale="ru",
    )
