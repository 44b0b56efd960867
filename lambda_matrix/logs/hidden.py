"""The secrets that no record may show."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define

from lambda_matrix.secret import Secret

MIN_HIDDEN = 4
"""A shorter secret is not hidden: blotting out every "a" would hide the log and show the secret."""


@define
class Hidden:
    """Texts that are replaced wherever they stand; some are learned after the start."""

    _texts: tuple[str, ...] = ()

    def add(self, secrets: Iterable[Secret]) -> None:
        """Replace these from now on too."""
        new = {text for secret in secrets if len(text := secret.reveal()) >= MIN_HIDDEN}
        # The longest first: a secret may be part of another.
        self._texts = tuple(sorted({*self._texts, *new}, key=len, reverse=True))

    def without(self, text: str) -> str:
        """Return the text with `***` for each secret."""
        for secret in self._texts:
            text = text.replace(secret, "***")
        return text
