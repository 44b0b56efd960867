"""The parts that the settings ask for: the agents, and the bridge that works with them."""

import os

from lambda_matrix import logs
from lambda_matrix.agent.registry import Registry, load_registry, registry_from_environment
from lambda_matrix.agent.roster import Agents
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.config import ConfigError
from lambda_matrix.config.settings import DeniedInvites, Settings
from lambda_matrix.conversation.access import Access
from lambda_matrix.conversation.limits import Limits
from lambda_matrix.metrics import Metrics
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface.bridge import Bridge
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.policy import Policy
from lambda_matrix.surface.wiring import build_bridge


def load_agents(settings: Settings) -> Registry:
    """Return the agents that the settings name; their tokens are kept out of the journal.

    Raises:
        ConfigError: they name none.
        RegistryError: the registry is wrong.
    """
    file = settings.agents.registry
    registry = registry_from_environment(os.environ) if file is None else load_registry(file)
    if registry is None:
        raise ConfigError(
            "No agent is set: name the registry file in [agents] registry, "
            "or a single agent in the environment variable AGENT_BASE_URL."
        )
    logs.hide(*(entry.token for entry in registry.agents.values() if entry.token is not None))
    return registry


def policy_of(settings: Settings) -> Policy:
    """Return what the surface is to know of the settings."""
    access, service, limits = settings.access, settings.service, settings.limits
    return Policy(
        access=Access(access.users, access.deny),
        reject_denied_invites=access.denied_invites is DeniedInvites.REJECT,
        command_prefix=service.command_prefix,
        name=service.display_name,
        language=service.language,
        limits=Limits(
            burst=limits.questions_per_minute,
            interval=60 / limits.questions_per_minute,
            waiting=limits.questions_in_line,
            runs=limits.runs_per_person,
        ),
        runs=limits.runs,
        file_bytes=limits.file_megabytes * 1_000_000,
        files_in_line=limits.files_in_line,
        file_types=limits.file_types,
        admins=Access(access.admins, access.deny),
    )


def assemble(
    settings: Settings,
    registry: Registry,
    store: Store,
    client: Client,
    ourselves: Ourselves,
    metrics: Metrics,
) -> Bridge:
    """Return the bridge that works by the settings, with these agents. Nothing is at work yet."""
    agents = Agents(registry)
    return build_bridge(
        store=store,
        client=client,
        ourselves=ourselves,
        agents=agents,
        policy=policy_of(settings),
        workspaces=Workspaces(agents, settings.state.directory / "files"),
        metrics=metrics,
    )
