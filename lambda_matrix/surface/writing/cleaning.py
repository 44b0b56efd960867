"""What Matrix refuses is taken out of a text before it becomes part of an event.

A lone surrogate (an agent's broken JSON, half an emoji at the end of a chunk) makes Synapse answer
500 to every try, for ever; a NUL is accepted and then breaks databases and clients elsewhere; the
other C0 controls say nothing in a message and are refused by XML-speaking bridges.
"""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SUSPECT = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")


def clean(text: str) -> str:
    r"""Return `text` as a homeserver takes it.

    Line ends become `\n`, C0 controls other than tab and newline vanish, two surrogates that make
    a character become it, and one alone becomes U+FFFD. A clean text is returned as it is.
    """
    if _SUSPECT.search(text) is None:
        return text
    if _SURROGATE.search(text) is not None:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
