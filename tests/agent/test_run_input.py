import json

from ag_ui.core import RunAgentInput
from attrs import evolve
from hypothesis import given, strategies as st

from lambda_matrix.agent.run_input import InputMessage, RunInput, encode_run_input
from lambda_matrix.ids import PlatformChatId, RequestId, RunId

messages = st.builds(
    InputMessage,
    id=st.text(),
    role=st.sampled_from(["user", "assistant"]),
    content=st.text(st.characters()),
)
runs = st.builds(
    RunInput,
    thread_id=st.integers(0, 2**63).map(PlatformChatId),
    run_id=st.text().map(RunId),
    request_id=st.text().map(RequestId),
    messages=st.lists(messages).map(tuple),
    user=st.text(),
    room=st.text(),
    locale=st.sampled_from(["ru", "en"]),
)


def test_the_input_says_what_the_wire_asks_for(run_input: RunInput) -> None:
    assert json.loads(encode_run_input(run_input)) == {
        "threadId": "1000",
        "runId": "q1.1",
        "protocolVersion": "1.0",
        "messages": [{"id": "$question", "role": "user", "content": "Как дела?"}],
        "state": {},
        "tools": [],
        "context": [],
        "forwardedProps": {
            "user": "@alice:example.org",
            "room": "!room",
            "locale": "ru",
            "requestId": "q1",
        },
    }


@given(runs)
def test_every_input_is_one_that_the_official_model_takes(run: RunInput) -> None:
    official = RunAgentInput.model_validate_json(encode_run_input(run))
    assert official.thread_id == str(run.thread_id)
    assert official.run_id == run.run_id
    assert [message.id for message in official.messages] == [message.id for message in run.messages]
    assert not official.model_extra


def test_a_lone_surrogate_does_not_stop_the_question(run_input: RunInput) -> None:
    torn = evolve(run_input, messages=(InputMessage("$e", "user", "torn \ud83d"),))
    official = RunAgentInput.model_validate_json(encode_run_input(torn))
    assert official.messages[0].content == "torn ?"
