from __future__ import annotations

import json

import cattrs
import pytest
from hypothesis import given, settings, strategies as st

from lambda_matrix.matrix_events import (
    AnswerMark,
    AnswerState,
    EncryptedMessage,
    InvokedCommand,
    MediaMessage,
    OtherMessage,
    TextMessage,
)
from lambda_matrix.store.facts import Incoming, dump_fact, load_fact
from tests.lab.effort import examples
from tests.store.telling import said

ids = st.text(min_size=1, max_size=8)
common = {
    "room_id": ids,
    "event_id": ids,
    "sender": ids,
    "origin_server_ts": st.integers(),
    "transaction_id": st.none() | ids,
}
marks = st.builds(
    AnswerMark,
    question=st.none() | ids,
    request=ids,
    part=st.integers(0),
    state=st.sampled_from(AnswerState),
    instance=ids,
    parts=st.integers(1),
)
commands = st.builds(
    InvokedCommand,
    name=ids,
    arguments=st.lists(st.tuples(ids, st.text()), max_size=2).map(tuple),
)
facts = (
    st.builds(
        TextMessage,
        **common,
        msgtype=st.sampled_from(["m.text", "m.notice", "m.emote"]),
        body=st.text(),
        replaces=st.none() | ids,
        in_reply_to=st.none() | ids,
        thread_root=st.none() | ids,
        mentions=st.frozensets(ids, max_size=3),
        answer=st.none() | marks,
        newest_body=st.none() | st.text(),
        newest_answer=st.none() | marks,
        command=st.none() | commands,
    )
    | st.builds(
        MediaMessage,
        **common,
        msgtype=st.sampled_from(["m.image", "m.audio", "m.video", "m.file"]),
        filename=st.text(),
        url=st.none() | st.text(),
        caption=st.none() | st.text(),
        mimetype=st.none() | st.text(),
        size=st.none() | st.integers(0),
        is_voice=st.booleans(),
        in_reply_to=st.none() | ids,
        thread_root=st.none() | ids,
        mentions=st.frozensets(ids, max_size=3),
    )
    | st.builds(OtherMessage, **common, kind=st.text(), body=st.text())
    | st.builds(EncryptedMessage, **common)
)


@settings(max_examples=examples(200))
@given(facts)
def test_what_comes_out_is_what_went_in(fact: Incoming) -> None:
    assert load_fact(dump_fact(fact)) == fact


def test_a_fact_says_what_it_is() -> None:
    assert json.loads(dump_fact(said("$q1")))["fact"] == "TextMessage"


@pytest.mark.parametrize("text", ["{}", '{"fact": "Redaction"}', '{"fact": "TextMessage"}'])
def test_what_was_not_written_here_is_not_read(text: str) -> None:
    with pytest.raises((KeyError, cattrs.BaseValidationError)):
        load_fact(text)
