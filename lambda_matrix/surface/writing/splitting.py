"""A long answer → parts that each fit into one event, cut where a reader would cut it.

The theory. The text is read once, line by line; each line knows what is open before it (a block of
code, a formula, a table) and how good a cut before it would be. A part takes as many lines as fit,
then gives back those after its best cut. What is cut open is closed, and opened again in the next
part: a fence with its info string, a table with its header. Whether a part fits is decided by
`fits`, which renders it and is dear; so the longest part is searched for by bytes, in few steps.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from enum import IntEnum
from itertools import accumulate, takewhile

from attrs import frozen

from lambda_matrix.conversation.markdown import Fence, fence_after
from lambda_matrix.surface.writing.content import EVENT_LIMIT

Fits = Callable[[str], bool]

HOPELESS = EVENT_LIMIT // 2
"""Bytes of text that no event holds (it has the text twice at least), so that none is tried."""
LIKELY = 14_000
"""Bytes of text that an event mostly holds: where the search for the first part begins."""
LONGEST_CHARACTER = 64
"""Code points that are looked back upon for the beginning of what is read as one character."""
STEP = 1.1
"""How much more is tried when all that was tried did fit."""
SLACK = 0.15
"""The search ends when what might still be won is no more than this share of the part."""


class _Cut(IntEnum):
    """How good a cut before a line is; the lowest is the best."""

    PARAGRAPH = 0
    ITEM = 1
    LINE = 2
    INSIDE = 3  # of code, a formula, a table
    NEVER = 4


@frozen
class _Table:
    """The header of the table that is open, with its row of dashes."""

    header: str
    dashes: str


@frozen
class _Line:
    text: str
    inside: Fence | _Table | None
    cut: _Cut

    @property
    def is_blank(self) -> bool:
        return not self.text or self.text.isspace()

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip())


_OUTSIDE = (_Cut.PARAGRAPH, _Cut.ITEM, _Cut.LINE)
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])\s")
_HEADING = re.compile(r"#{1,6}\s")
_DASHES = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_STOPS = re.compile(r"[.!?…]+[\"»”)]*\s|\s")


def split(markdown: str, fits: Fits) -> tuple[str, ...]:
    """Return `markdown` in parts, in order, none of them lost, each of which `fits`.

    There is at least one. A part that does not fit even so holds a single character.
    """
    return tuple(parts(markdown, fits))


def parts(markdown: str, fits: Fits) -> Iterator[str]:
    """Yield the parts of `split()` one by one: the first costs nothing of the others."""
    if not markdown or markdown.isspace():
        yield ""
        return
    if len(markdown) <= HOPELESS and fits(markdown):
        yield markdown
        return
    lines = _read(markdown)
    likely = LIKELY
    start = 0
    while (start := _skip_blank(lines, start)) < len(lines) - 1:
        end, likely = _reach(lines, start, likely, fits)
        if end == start:
            _break_line(lines, start, fits)
            end = start + 1
        elif end < len(lines) - 1:
            end = _best_cut(lines, start, end, fits)
        part = _compose(lines, start, end)
        is_opening = end == start + 1 and lines[start].inside is None is not lines[end].inside
        if part and not is_opening:  # an opening alone is nothing: the next part has it again
            yield part
        start = end


def _read(markdown: str) -> list[_Line]:
    """Return the lines and, as the last, an empty one that knows what is open at the end."""
    lines: list[_Line] = []
    inside: Fence | _Table | None = None
    before = ""
    for text in markdown.split("\n"):
        if isinstance(inside, _Table) and (not text.strip() or fence_after(text, None)):
            inside = None
        follows = bool(lines) and not lines[-1].is_blank
        header = _header(before, text) if inside is None and follows else None
        cut = _Cut.NEVER if header else _cut_before(text, inside, before, lines)
        lines.append(_Line(text, inside, cut))
        if not isinstance(inside, _Table):
            inside = header or fence_after(text, inside)
        before = before if lines[-1].is_blank else text
    lines.append(_Line("", inside, _Cut.PARAGRAPH))
    return lines


def _header(before: str, text: str) -> _Table | None:
    """Return the table that `text` begins, if it is the row of dashes under a header."""
    is_table = "|" in before and "|" in text and _DASHES.fullmatch(text)
    return _Table(before, text) if is_table else None


def _cut_before(text: str, inside: Fence | _Table | None, before: str, lines: list[_Line]) -> _Cut:
    """Rate a cut between `lines` and `text`; `before` is the last of them that is not blank."""
    if not text or text.isspace():
        return _Cut.NEVER
    if inside is not None:
        is_first = lines[-1].inside is None
        is_last = isinstance(inside, Fence) and inside.is_closed_by(text)
        return _Cut.NEVER if is_first or is_last else _Cut.INSIDE
    if _HEADING.match(before):
        return _Cut.LINE
    if _ITEM.match(text):
        return _Cut.ITEM
    is_set_off = bool(lines) and lines[-1].is_blank and not text[0].isspace()
    return _Cut.PARAGRAPH if is_set_off or _HEADING.match(text) else _Cut.LINE


def _skip_blank(lines: list[_Line], start: int) -> int:
    while start < len(lines) - 1 and lines[start].is_blank and lines[start].inside is None:
        start += 1
    return start


def _reach(lines: list[_Line], start: int, likely: int, fits: Fits) -> tuple[int, int]:
    """Return the end of (almost) all that fits into a part from `start`, and its size in bytes.

    The search begins at `likely` bytes, the size of the part before.
    """
    lengths = (len(line.text.encode()) + 1 for line in lines[start:-1])
    sizes = [0, *takewhile(lambda size: size <= HOPELESS, accumulate(lengths))]
    known, beyond = 0, len(sizes)
    guess = likely
    while beyond - known > 1 and not _is_near(sizes, known, beyond):
        tried = min(max(bisect_right(sizes, guess) - 1, known + 1), beyond - 1)
        if fits(_compose(lines, start, start + tried)):
            known = tried
        else:
            beyond = tried
        if beyond == len(sizes):
            guess = int(sizes[known] * STEP)
        else:
            guess = (sizes[known] + sizes[beyond]) // 2
    return start + known, sizes[known] or likely


def _is_near(sizes: list[int], known: int, beyond: int) -> bool:
    """Return whether `known` lines, which fit, are nearly as many as `beyond`, which do not."""
    if known == 0 or beyond == len(sizes):
        return False
    return sizes[beyond] - sizes[known] <= SLACK * sizes[known]


def _best_cut(lines: list[_Line], start: int, end: int, fits: Fits) -> int:
    """Return where to end a part from `start` that may reach to `end`."""
    lengths = [len(line.text) for line in lines[start:end]]
    most = sum(lengths)
    early: dict[_Cut, int] = {}
    late: dict[_Cut, int] = {}
    for place, length in enumerate(accumulate(lengths), start + 1):
        (late if 2 * length >= most else early)[lines[place].cut] = place
    outside = max((early[cut] for cut in _OUTSIDE if cut in early), default=None)
    if outside is not None and not fits(_compose(lines, outside, _block_end(lines, outside))):
        outside = None  # what follows must be cut anyway: no reason for a short part
    choices = (*(late.get(cut) for cut in _OUTSIDE), outside, late.get(_Cut.INSIDE))
    best = next((choice for choice in choices if choice is not None), end)
    return best if fits(_compose(lines, start, best)) else end


def _block_end(lines: list[_Line], place: int) -> int:
    """Return the end of the block that begins at `place`, or of as much as may fit."""
    size = 0
    for end in range(place + 1, len(lines) - 1):
        size += len(lines[end].text)
        if size > HOPELESS or (lines[end].inside is None and lines[end].cut is not _Cut.NEVER):
            return end
    return len(lines) - 1


def _compose(lines: list[_Line], start: int, end: int) -> str:
    """Return the lines from `start` to `end` as a text of their own."""
    opened, left_open = lines[start].inside, lines[end].inside
    width = opened.indent if isinstance(opened, Fence) else lines[start].indent
    text: list[str] = []
    if isinstance(opened, Fence):
        text.append(opened.opening)
    elif isinstance(opened, _Table):
        text += [opened.header, opened.dashes]
    for line in lines[start:end]:
        if not isinstance(line.inside, Fence) and not line.is_blank and line.indent < width:
            width = 0  # the list that the part began in is over
        text.append(line.text[min(width, line.indent) :])
    if isinstance(left_open, Fence):
        text.append(" " * (left_open.indent - min(width, left_open.indent)) + left_open.closing)
    return "\n".join(text).rstrip()


def _break_line(lines: list[_Line], place: int, fits: Fits) -> None:
    """Put two lines in the place of one that is too long, the first as long as fits."""
    line = lines[place]
    known, beyond = 0, min(len(line.text), HOPELESS)
    guess = min(LIKELY, beyond) // 2
    while beyond - known > 1 and (known == 0 or beyond - known > SLACK * known):
        tried = min(max(guess, known + 1), beyond - 1)
        begun = _Line(line.text[:tried], line.inside, line.cut)
        if fits(_compose([begun, _Line("", line.inside, _Cut.NEVER)], 0, 1)):
            known = tried
        else:
            beyond = tried
        guess = (known + beyond) // 2
    at = _seam(line.text, max(known, 1))
    tail = line.text[at:] if isinstance(line.inside, Fence) else line.text[at:].lstrip()
    lines[place : place + 1] = [
        _Line(line.text[:at], line.inside, line.cut),
        _Line(tail, line.inside, _Cut.LINE),
    ]


def _seam(text: str, most: int) -> int:
    """Return where to cut `text` at `most`: after a sentence, a word, a whole character."""
    stops = list(_STOPS.finditer(text, most * 4 // 5, most))
    ends = [each.end() for each in stops if len(each[0]) > 1] or [each.end() for each in stops]
    if ends:
        return ends[-1]
    at = most
    while at > max(most - LONGEST_CHARACTER, 1) and _is_within_character(text, at):
        at -= 1
    return at


def _is_within_character(text: str, at: int) -> bool:
    """Return whether a cut before `text[at]` would part an accent, an emoji or a flag."""
    left, right = text[at - 1], text[at]
    if _is_flag_letter(left) and _is_flag_letter(right):
        run = takewhile(_is_flag_letter, reversed(text[max(at - LONGEST_CHARACTER, 0) : at]))
        return sum(1 for _ in run) % 2 == 1
    is_skin_tone = "\U0001f3fb" <= right <= "\U0001f3ff"
    return is_skin_tone or "\u200d" in (left, right) or unicodedata.category(right)[0] == "M"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
