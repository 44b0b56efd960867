"""A secret that cannot be printed by accident: not in a log, a traceback or its holder's repr."""

import hmac
from typing import Never, final


@final
class Secret:
    """A password or a token. `reveal()` is the one way to its text, and easy to search for."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: for the request that sends it, and for nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> Never:
        raise TypeError("a secret is not to be pickled or copied")
