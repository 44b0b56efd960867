"""What is wrong with the settings, in one sentence."""


class ConfigError(Exception):
    """The settings cannot be used.

    `str()` is one sentence for the operator that names the file (or the environment variable) and
    the setting as `[section] key`. It never holds a secret's text.
    """


class SecretMissingError(ConfigError):
    """Neither a password nor an access token of the bot is there."""
