r"""LaTeX in Markdown, as agents write it, on its way to `data-mx-maths` (11.2.1.1, MSC2191).

Four spellings: `$x$` and `\(x\)` in a line, `$$x$$` and `\[x\]` on lines of their own. A single
dollar is money unless it hugs its formula, as in pandoc: `$5 and $10` stays as it is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath.index import math_inline_dollar

if TYPE_CHECKING:
    from markdown_it.renderer import RendererProtocol
    from markdown_it.utils import EnvType, OptionsDict

_INLINE = {r"\(": r"\)", r"\[": r"\]"}
_BLOCK = {"$$": "$$", r"\[": r"\]"}
LONGEST_INLINE = 2_000
"""Characters of a formula in a line; the bound keeps a text full of openings cheap to read."""


def add_mathematics(parser: MarkdownIt) -> None:
    """Teach `parser` to read and to render LaTeX."""
    inline = parser.inline.ruler
    inline.before("escape", "math_bracket", _bracket_inline)
    inline.before(
        "escape",
        "math_inline",
        math_inline_dollar(allow_space=False, allow_digits=False, allow_double=True),
    )
    parser.block.ruler.before(
        "fence", "math_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    parser.add_render_rule("math_inline", _render_inline)
    parser.add_render_rule("math_inline_double", _render_inline)
    parser.add_render_rule("math_block", _render_block)


def _bracket_inline(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    r"""Read `\(x\)`, and `\[x\]` in the midst of a line."""
    begin = state.pos + 2
    closing = _INLINE.get(state.src[state.pos : begin])
    if closing is None:
        return False
    end = state.src.find(closing, begin, min(state.posMax, begin + LONGEST_INLINE))
    content = state.src[begin : max(begin, end)]
    if not content.strip():
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = content
    state.pos = end + 2
    return True


def _block(
    state: StateBlock,
    start: int,
    end: int,
    silent: bool,  # noqa: FBT001 - markdown-it's call
) -> bool:
    """Read a formula that begins and ends a line, with no blank line in it."""
    opening = _line(state, start)[:2]
    closing = _BLOCK.get(opening)
    if closing is None or state.is_code_block(start):
        return False
    lines = [_line(state, start)[2:]]
    while not lines[-1].endswith(closing):
        number = start + len(lines)
        if number >= end or state.isEmpty(number) or state.sCount[number] < state.blkIndent:
            return False
        lines.append(_line(state, number))
        if lines[-1].startswith(opening) and not lines[-1].endswith(closing):
            return False
    content = "\n".join(lines)[: -len(closing)]
    if closing in content or not content.strip():
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.block = True
        token.content = content
        token.map = [start, start + len(lines)]
        state.line = start + len(lines)
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()


def _render_inline(
    _self: "RendererProtocol",
    tokens: Sequence[Token],
    index: int,
    _options: "OptionsDict",
    _env: "EnvType",
) -> str:
    token = tokens[index]
    latex = escapeHtml(token.content.strip())
    if not latex:  # `$$ $$`
        return token.markup + token.content + token.markup
    return f'<span data-mx-maths="{latex}"><code>{latex}</code></span>'


def _render_block(
    _self: "RendererProtocol",
    tokens: Sequence[Token],
    index: int,
    _options: "OptionsDict",
    _env: "EnvType",
) -> str:
    latex = escapeHtml(tokens[index].content.strip())
    return f'<div data-mx-maths="{latex}"><code>{latex}</code></div>\n'
