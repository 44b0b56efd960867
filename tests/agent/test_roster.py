from types import MappingProxyType

from attrs import evolve

from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.agent.roster import Agents, RosterChange
from lambda_matrix.ids import AgentId
from lambda_matrix.secret import Secret

ALICE = "@alice:example.org"
EVE = "@eve:evil.org"


def entry(name: str, *users: str) -> AgentEntry:
    return AgentEntry(
        AgentId(name), name.title(), f"ws://{name}", token=Secret(name), users=users or None
    )


def registry(default: str, *entries: AgentEntry) -> Registry:
    return Registry(AgentId(default), MappingProxyType({each.id: each for each in entries}))


def test_agents_are_those_in_force() -> None:
    agents = Agents(registry("b", entry("a"), entry("b"), entry("c", "@*:example.org")))
    assert agents.default == "b"
    assert [each.id for each in agents.agents_for(ALICE)] == ["b", "a", "c"]
    assert [each.id for each in agents.agents_for(EVE)] == ["b", "a"]
    agents.replace(registry("c", entry("c", "@*:example.org"), entry("d")))
    assert agents.default == "c"
    assert agents.get(AgentId("a")) is None
    assert agents.get(AgentId("d")) == entry("d")
    assert not agents.may_use(AgentId("c"), EVE)
    assert agents.choose(EVE) == "d"
    assert agents.choose(ALICE) == "c"


def test_a_reload_says_what_it_changed() -> None:
    agents = Agents(registry("a", entry("a"), entry("b"), entry("c")))
    moved = evolve(entry("b"), base_url="ws://elsewhere")
    assert agents.replace(registry("d", entry("d"), entry("a"), moved)) == RosterChange(
        added=(AgentId("d"),),
        removed=(AgentId("c"),),
        changed=(AgentId("b"),),
        default=AgentId("d"),
    )
    same = agents.replace(registry("d", entry("d"), entry("a"), moved))
    assert not same
    assert agents.replace(
        registry("d", entry("d"), evolve(entry("a"), token=Secret("new")), moved)
    ) == RosterChange(changed=(AgentId("a"),))
