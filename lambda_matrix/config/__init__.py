"""The operator's settings: a TOML file, the environment, and secrets from where secrets belong.

docs/configuration.md names every key; a test holds it against `settings`.
"""

from lambda_matrix.config.errors import ConfigError, SecretMissingError
from lambda_matrix.config.loading import load_settings, load_state_directory
from lambda_matrix.config.settings import (
    AccessSection,
    AgentsSection,
    DeniedInvites,
    HomeserverSection,
    ServiceSection,
    Settings,
    StateSection,
)
from lambda_matrix.config.values import ListenAddress, ListenPath

__all__ = [
    "AccessSection",
    "AgentsSection",
    "ConfigError",
    "DeniedInvites",
    "HomeserverSection",
    "ListenAddress",
    "ListenPath",
    "SecretMissingError",
    "ServiceSection",
    "Settings",
    "StateSection",
    "load_settings",
    "load_state_directory",
]
