"""The agents in force: a registry that a reload replaces, while rooms are being served.

Whoever asks gets the registry as it is now. A run that is on keeps the entry that it began with;
that its person may no longer use the agent is for the surface to act upon.
"""

from attrs import define, frozen

from lambda_matrix.agent.registry import AgentEntry, Registry
from lambda_matrix.ids import AgentId


@frozen
class RosterChange:
    """What a reload changed, by the agents' ids: for the journal."""

    added: tuple[AgentId, ...] = ()
    removed: tuple[AgentId, ...] = ()
    changed: tuple[AgentId, ...] = ()
    default: AgentId | None = None
    """The new default; None if it is the old one."""

    def __bool__(self) -> bool:
        return self != RosterChange()


@define
class Agents:
    """Holds the registry, and answers for it as `Registry` does."""

    registry: Registry

    def replace(self, registry: Registry) -> RosterChange:
        """Put another registry in force; return what is different in it."""
        old, self.registry = self.registry, registry
        before, after = old.agents, registry.agents
        return RosterChange(
            added=tuple(agent for agent in after if agent not in before),
            removed=tuple(agent for agent in before if agent not in after),
            changed=tuple(a for a in after if a in before and after[a] != before[a]),
            default=registry.default if registry.default != old.default else None,
        )

    @property
    def default(self) -> AgentId:
        """The agent of new chats, for those who may use it."""
        return self.registry.default

    def get(self, agent: AgentId) -> AgentEntry | None:
        """Find an agent; None if it is (no longer) registered."""
        return self.registry.get(agent)

    def choose(self, user: str) -> AgentId:
        """Return the agent of a user's new chats: the default, else the first that is theirs."""
        return self.registry.choose(user)

    def may_use(self, agent: AgentId, user: str) -> bool:
        """Tell whether `user` may use `agent`; nobody may use one that is not registered."""
        return self.registry.may_use(agent, user)

    def agents_for(self, user: str) -> tuple[AgentEntry, ...]:
        """Give the agents that `user` may use, the default first, then as the file has them."""
        return self.registry.agents_for(user)
