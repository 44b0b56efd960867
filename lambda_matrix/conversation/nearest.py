"""What was most likely meant by a word that is none of the known ones."""

import difflib
import unicodedata
from collections.abc import Collection

LONGEST_WORD = 100
"""Characters of a word that are compared; nothing that has a name here is longer."""
_OTHER_LAYOUT = str.maketrans(
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.йцукенгшщзхъфывапролджэячсмитьбю",
    "йцукенгшщзхъфывапролджэячсмитьбюqwertyuiop[]asdfghjkl;'zxcvbnm,.",
)
"""What would have been typed on the other keyboard: `!ыещз` is `!stop`."""


def folded(word: str) -> str:
    """Return `word` as words are compared: in lower case, composed, and ё as е."""
    return unicodedata.normalize("NFC", word).casefold().replace("ё", "е")


def nearest(word: str, names: Collection[str]) -> str | None:
    """Return the one of `names` that `word` is most like; None if it is like none of them."""
    by_folded = {folded(name): name for name in names}
    typed = folded(word)
    retyped = typed.translate(_OTHER_LAYOUT)
    if retyped in by_folded:
        return by_folded[retyped]
    like = difflib.get_close_matches(typed[:LONGEST_WORD], by_folded, n=1)
    return by_folded[like[0]] if like else None
