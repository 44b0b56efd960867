"""Markdown as agents write it → the HTML that Matrix allows (client-server API v1.19, 11.2.1.1).

The Markdown itself is the plain fallback. Raw HTML in it is text; what the parser makes is cut down
once more to the list that the specification gives, so that no bug of the parser's reaches a person.
Nothing is ever fetched: an image is a link to it.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import nh3
from attrs import frozen
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from lambda_matrix.surface.writing.cleaning import clean
from lambda_matrix.surface.writing.mathematics import add_mathematics

if TYPE_CHECKING:
    from markdown_it.renderer import RendererProtocol
    from markdown_it.utils import EnvType, OptionsDict

# The specification's list but for `img`: nothing of ours has one.
# fmt: off
TAGS = frozenset({
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "blockquote", "pre", "hr", "br",
    "ul", "ol", "li", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary",
    "a", "b", "strong", "i", "em", "u", "s", "del", "sub", "sup", "code", "span",
})
# fmt: on
ATTRIBUTES = {
    "span": {"data-mx-bg-color", "data-mx-color", "data-mx-spoiler", "data-mx-maths"},
    "a": {"target", "href"},
    "ol": {"start"},
    "code": {"class"},  # the parser gives none but `language-...`
    "div": {"data-mx-maths"},
}
SCHEMES = frozenset({"https", "http", "ftp", "mailto", "magnet"})
DEEPEST = 100
"""How deep tags may stand in each other."""

_MARKUP = re.compile(
    r"[\\`*_~\[\]<&$|]"  # inline markup, and a table's bars
    r"|^[ \t]*(?:#{1,6}(?:[ \t]|$)|>|[-+](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)|=+[ \t]*$|-+[ \t]*$)"
    r"|^(?: {1,3}\t|\t| {4})"  # an indented code block
    r"|[ \t]$",  # trailing blanks, two of which are a line break
    re.MULTILINE,
)
_TASK = re.compile(r"^\[([ xX])\][ \t]+")
_LINE_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z0-9]+)")
_VOID_TAGS = frozenset({"br", "hr"})
_ONE_PARAGRAPH = ["paragraph_open", "inline", "paragraph_close"]
# Line ends that the parser writes beside tags, to be read well. Clients that keep white space would
# show them, and Hydrogen fails at a table whose head is not the first thing in it. A `>` is always
# the end of a tag here: anywhere else it is an entity.
_BETWEEN_TAGS = re.compile(r"(?<=>)\n+(?=<|$)|(?<=<br>)\n|\n+(?=<(?:[uo]l|pre|blockquote)\b)")
_PLAIN_BLOCKS = frozenset({"paragraph_open", "paragraph_close", "inline"})


@frozen
class Rendered:
    """A text as an event carries it; `formatted_body` is None where it would add nothing."""

    body: str
    formatted_body: str | None = None


def render(markdown: str) -> Rendered:
    """Render `markdown`, whatever is in it; what Matrix refuses is cleaned away first."""
    text = clean(markdown)
    if _MARKUP.search(text) is None:
        return Rendered(text)
    parser = _parser()
    environment: dict[str, object] = {}
    tokens = parser.parse(text, environment)
    if _is_plain(tokens):
        return Rendered(text)
    if [token.type for token in tokens] == _ONE_PARAGRAPH:
        tokens = tokens[1:2]  # alone it needs no tags, which clients would give margins
    written = parser.renderer.render(tokens, parser.options, environment)
    html = _cleaner().clean(_BETWEEN_TAGS.sub("", written)).strip()
    return Rendered(text, html if html and _depth(html) <= DEEPEST else None)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "xhtmlOut": False})
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "line_break_tag", _line_break_tag)
    parser.core.ruler.before("inline", "task_boxes", _task_boxes)
    parser.add_render_rule("image", _render_image)
    add_mathematics(parser)
    return parser


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel=None,
    )


def _is_plain(tokens: Sequence[Token]) -> bool:
    """Return whether the tokens are paragraphs that read just as they were written."""
    return all(
        token.type in _PLAIN_BLOCKS and (token.type != "inline" or _is_as_written(token))
        for token in tokens
    )


def _is_as_written(inline: Token) -> bool:
    children = inline.children or []
    if any(child.type not in {"text", "softbreak"} for child in children):
        return False
    return "".join(child.content or "\n" for child in children) == inline.content


def _depth(html: str) -> int:
    """Return how deep the tags of well-formed `html` stand in each other."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if closing:
            depth -= 1
        elif name not in _VOID_TAGS:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _line_break_tag(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read `<br>`, the one tag that agents cannot do without: a line break in a table's cell."""
    found = _LINE_BREAK.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _task_boxes(state: StateCore) -> None:
    """Turn `[ ]` and `[x]` at the head of a list item into boxes that every client shows."""
    for item, paragraph, inline in zip(
        state.tokens, state.tokens[1:], state.tokens[2:], strict=False
    ):
        if (item.type, paragraph.type) == ("list_item_open", "paragraph_open"):
            inline.content = _TASK.sub(_box, inline.content)


def _box(found: re.Match[str]) -> str:
    return "☐ " if found[1] == " " else "☑ "


def _render_image(
    _self: "RendererProtocol",
    tokens: Sequence[Token],
    index: int,
    _options: "OptionsDict",
    _env: "EnvType",
) -> str:
    image = tokens[index]
    source = str(image.attrGet("src") or "")
    label = escapeHtml(image.content or source)
    links = [token.nesting for token in tokens[:index] if token.type.startswith("link_")]
    if sum(links) > 0:  # links do not nest
        return label
    return f'<a href="{escapeHtml(source)}">{label}</a>'
