"""A secret that does not end up in a log by accident."""

from attrs import field, frozen


@frozen
class Secret:
    """Holds a token. `str` and `repr` do not give it away: `reveal` alone does."""

    _value: str = field(alias="value", repr=lambda _: "...")

    def reveal(self) -> str:
        """Give the secret itself, at the one place that sends it."""
        return self._value
