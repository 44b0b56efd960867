"""What a chat is called that nobody has named: the beginning of its first question."""

import re

LONGEST_TITLE = 50
"""Characters, with the sign that something was left out."""
_SHORTEST_CUT = 20
"""A cut at a word that leaves less is made within the word."""
_LEFT_OUT = "…"
_LOOKED_AT = 2000
"""Characters of a question that are looked at: enough for a title, and soon done."""
_CODE_BLOCK = re.compile(
    r"(?:^|\n)[ \t]*(`{3,}|~{3,})[^\n]*\n(?:.*?\n[ \t]*\1[`~]*[ \t]*(?=\n|$)|.*)", re.DOTALL
)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")
_BLOCK = re.compile(r"^[ \t]*(?:>+|#{1,6}(?=\s)|[-*+](?=\s)|\d{1,9}[.)](?=\s))[ \t]*", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*{1,3}|~~|`+|(?<!\w)_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL)
_UNSEEN = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SENTENCE = re.compile(r"(?<=[.!?…])\s")


def title_of(question: str) -> str | None:
    """Return a title of one line for `question`, Markdown taken off; None if nothing is left.

    What does not fit is cut at the end of a sentence or between words.
    """
    text = _CODE_BLOCK.sub("\n", question[:_LOOKED_AT])
    text = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", _BLOCK.sub("", text)))
    visible = _CONTROL.sub(" ", _UNSEEN.sub("", text))
    line = " ".join(visible.split()).strip(" .,;:")
    if not any(letter.isalnum() for letter in line):
        return None
    return line if len(line) <= LONGEST_TITLE else _cut(line)


def _cut(line: str) -> str:
    first, *_ = _SENTENCE.split(line, maxsplit=1)
    if _SHORTEST_CUT <= len(first) <= LONGEST_TITLE:
        return first.rstrip(" .,;:")
    room = LONGEST_TITLE - len(_LEFT_OUT)
    head = line[: room + 1]
    at_word = head.rpartition(" ")[0]
    kept = at_word if len(at_word) >= _SHORTEST_CUT else line[:room]
    return kept.rstrip(" .,;:–—-") + _LEFT_OUT
