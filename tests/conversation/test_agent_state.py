import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.conversation.agent_state import (
    MAX_DEPTH,
    MAX_STATE,
    AgentState,
    json_text,
)


def patched(state: AgentState, *operations: dict[str, Any]) -> object:
    state.patch(json.dumps(operations))
    text = state.text()
    return None if text is None else json.loads(text)


def add(path: str, value: object) -> dict[str, object]:
    return {"op": "add", "path": path, "value": value}


def test_what_was_left_goes_on_as_it_was() -> None:
    assert AgentState('{"a":  1}').text() == '{"a":  1}'
    assert AgentState(None).text() is None


def test_a_snapshot_replaces_and_a_delta_changes() -> None:
    state = AgentState('{"a": 1}')
    assert patched(state, add("/b", "ы")) == {"a": 1, "b": "ы"}
    state.replace("[1]")
    assert state.text() == "[1]"
    assert patched(state, add("/-", 2), {"op": "remove", "path": "/0"}) == [2]
    assert patched(state, add("/-", 3)) == [2, 3]
    assert patched(state, {"op": "replace", "path": "", "value": None}) is None
    assert state.text() == "null"
    assert state.problem is None


def test_a_delta_on_nothing_is_one_on_an_empty_object() -> None:
    assert patched(AgentState(None), add("/a", 1)) == {"a": 1}


@pytest.mark.parametrize(
    "patch",
    [
        [add("/b", 1), {"op": "remove", "path": "/nowhere"}],
        [add("/b", 1), {"op": "test", "path": "/a", "value": 2}],
        [add("/b", 1), {"op": "of tomorrow", "path": "/a"}],
        [add("/b", 1), {"op": "add", "path": "a", "value": 2}],
        [add("/b", 1), {"op": "add", "path": "/a/c", "value": 2}],
        [{"op": "copy", "from": "/a", "path": f"/{n}"} for n in range(5)],
        [{}],
        [1],
        1,
    ],
)
def test_a_delta_that_does_not_fit_is_none_and_nor_are_those_after_it(patch: object) -> None:
    state = AgentState('{"a": 1}')
    state.patch(json.dumps(patch))
    assert patched(state, add("/c", 1)) == {"a": 1}
    assert state.problem is not None
    state.replace("{}")
    assert patched(state, add("/c", 1)) == {"c": 1}
    assert state.problem is not None


def test_a_delta_is_applied_whole_or_not_at_all() -> None:
    state = AgentState(None)
    state.patch(json.dumps([add("/a", 1)]))
    assert patched(state, add("/b", 1), {"op": "remove", "path": "/nowhere"}) == {"a": 1}


def test_a_state_that_is_too_much_is_not_kept() -> None:
    large = json.dumps("x" * MAX_STATE)
    state = AgentState(None)
    state.replace(large)
    assert state.text() is None
    assert state.problem == f"the state has over {MAX_STATE} characters"
    state.replace(f'{{"a": {large[:-500]}"}}')
    assert state.text() is not None
    copy = {"op": "copy", "from": "/a", "path": "/b"}
    assert patched(state, copy) is None
    assert patched(state, copy) is None


def test_a_state_without_bottom_is_not_kept() -> None:
    state = AgentState("[]")
    for depth in range(1, MAX_DEPTH + 1):
        state.patch(json.dumps([add("/0" * depth, [])]))
    assert state.text() is None
    assert state.problem == "the state has over 100 arrays and objects within one another"
    with pytest.raises(ValueError, match="within one another"):
        json_text(nested(MAX_DEPTH + 1))
    assert json_text(nested(MAX_DEPTH)) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


keys = st.sampled_from(["a", "b", "0", "-", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | keys,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)
pointers = st.lists(keys, max_size=3).map(lambda parts: "".join(f"/{part}" for part in parts))
operations = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "append"])
        | values,
        "path": pointers | values,
        "from": pointers | values,
        "value": values,
    },
)


@given(values, st.lists(st.lists(operations | values, max_size=3) | values, max_size=4))
def test_no_delta_breaks_the_state(first: object, patches: list[object]) -> None:
    state = AgentState(json.dumps(first))
    for patch in patches:
        before = json.loads(state.text() or "")
        problem = state.problem
        state.patch(json.dumps(patch))
        after = json.loads(state.text() or "")
        assert state.problem == problem or after == before
