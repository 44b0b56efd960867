"""What the service must know of Markdown: how to quote in it, and what a line leaves open."""

import re

from attrs import frozen

_MARKUP = re.compile(r"([\\`*_~\[\]<>&$|#])")
_BLANKS = re.compile(r"\s+")
_MARKER = r"(?P<indent>\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)?)"
_CODE = re.compile(_MARKER + r"(?P<opening>(?P<run>`{3,})[^`]*|(?P<run2>~{3,}).*)")
_FORMULA = re.compile(_MARKER + r"(?P<opening>\$\$|\\\[)(?P<rest>.*)")
_FORMULA_ENDS = {"$$": "$$", r"\[": r"\]"}


@frozen
class Fence:
    """A block of code or a formula that is open: the lines that open and close it.

    `indent` is how far the opening stood from the margin (in a list, say); `opening` is without.
    """

    opening: str
    closing: str
    indent: int

    @property
    def is_code(self) -> bool:
        """Whether it is code; a formula, unlike code, ends at a blank line."""
        return self.closing not in _FORMULA_ENDS.values()

    def is_closed_by(self, line: str) -> bool:
        """Return whether `line`, of this block, is its last."""
        bare = line.strip()
        if not self.is_code:
            return not bare or bare.endswith(self.closing)
        return bare.startswith(self.closing) and not bare.strip(self.closing[0])


def fence_after(line: str, fence: Fence | None) -> Fence | None:
    """Return the block that is open after `line`, given the one that is open before it."""
    if fence is not None:
        return None if fence.is_closed_by(line) else fence
    if found := _CODE.fullmatch(line):
        run = found["run"] or found["run2"]
        return Fence(found["opening"].rstrip(), run, len(found["indent"]))
    if found := _FORMULA.fullmatch(line):
        closing = _FORMULA_ENDS[found["opening"]]
        if closing not in found["rest"]:
            return Fence(found["opening"], closing, len(found["indent"]))
    return None


def with_line(markdown: str, line: str) -> str:
    """Return `markdown` and, as a paragraph under it, `line`; code left open is closed before."""
    fence: Fence | None = None
    if "```" in markdown or "~~~" in markdown:
        for each in markdown.split("\n"):
            fence = fence_after(each, fence)
    closed = markdown
    if fence is not None and fence.is_code:
        closed = f"{markdown}\n{' ' * fence.indent}{fence.closing}"
    return f"{closed}\n\n{line}" if closed else line


def literal(text: str) -> str:
    """Return Markdown that shows `text` as it is, in one line."""
    # Not by a backslash: `\[x\]` is a formula.
    return _MARKUP.sub(r"\\\1", _BLANKS.sub(" ", text).strip()).replace(r"\[", "&#91;")


def as_code(text: str) -> str:
    """Return Markdown that shows `text` as code, in one line (a backtick becomes one like it)."""
    inner = _BLANKS.sub(" ", text).strip().replace("`", "ˋ")
    return f"`{inner}`" if inner else ""
