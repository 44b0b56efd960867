import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.surface.writing.rendering import ATTRIBUTES, DEEPEST, SCHEMES, TAGS, render


class Reader(HTMLParser):
    """Holds HTML against the specification's list, and knows how deep it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.depth = 0
        self.deepest = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(tag)
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, set()):
                self.faults.append(f"{tag} {name}")
            if name == "href" and (value or "").partition(":")[0] not in SCHEMES:
                self.faults.append(f"href {value}")
            if name == "class" and not (value or "").startswith("language-"):
                self.faults.append(f"class {value}")
        if tag not in {"br", "hr"}:
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in {"br", "hr"}


def html(markdown: str) -> str:
    formatted = render(markdown).formatted_body
    assert formatted is not None
    return formatted


@pytest.mark.parametrize(
    "plain",
    [
        "Hello!",
        "Two\nlines",
        "Two\n\nparagraphs, 3 < 4 of them: 100 % of a_b, c*d and @room.",
        "it costs $5, or $10",
        "https://example.org/a_b?c=d",
        "<script>alert(1)</script>",
        "-1 is less than +1",
        "1.5 is a number",
        "",
    ],
)
def test_what_markup_adds_nothing_to_is_plain(plain: str) -> None:
    assert render(plain).body == plain
    assert render(plain).formatted_body is None


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**b** *i* `c` ~~s~~", "<strong>b</strong> <em>i</em> <code>c</code> <s>s</s>"),
        ("# Title", "<h1>Title</h1>"),
        ("a **b**\nc", "<br>"),
        ("- a\n- b", "<li>a</li>"),
        ("3. a\n4. b", '<ol start="3">'),
        ("```python\nx < 1\n```", '<pre><code class="language-python">x &lt; 1\n</code></pre>'),
        ("    indented", "<pre><code>indented\n</code></pre>"),
        ("| a | b |\n|--:|---|\n| 1 | 2 |", "<th>a</th>"),
        ("| a |\n|---|\n| 1<br>2<BR/>3 |", "<td>1<br>2<br>3</td>"),
        ("[x](https://example.org)", '<a href="https://example.org">x</a>'),
        ("<https://example.org>", '<a href="https://example.org">https://example.org</a>'),
        ("> quoted", "<blockquote>"),
        ("- [ ] open\n- [x] done [x]", "<li>☐ open</li><li>☑ done [x]</li>"),
        ("not [x] **a task**", "not [x]"),
        ("- not [x] a task", "<li>not [x] a task</li>"),
        (
            "[a<br>b \\(x\\)](https://e.org)",
            '<a href="https://e.org">a<br>b <span data-mx-maths=',
        ),
        ("two  \nlines", "two<br>lines"),
        (r"\*stars\*", "*stars*"),
        ("&copy; 2026", "© 2026"),
    ],
)
def test_markdown_is_rendered(markdown: str, expected: str) -> None:
    assert expected in html(markdown)
    assert render(markdown).body == markdown


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("so $x^2$ it is", '<span data-mx-maths="x^2"><code>x^2</code></span>'),
        (r"so \(x^2\) it is", '<span data-mx-maths="x^2"><code>x^2</code></span>'),
        ("in $$a<b$$ line", '<span data-mx-maths="a&lt;b"><code>a&lt;b</code></span>'),
        (r"in \[a\] line", '<span data-mx-maths="a"><code>a</code></span>'),
        ("$$x = 1$$", '<div data-mx-maths="x = 1"><code>x = 1</code></div>'),
        ("Now:\n$$\nx\n= 1\n$$\nthen", '<p>Now:</p><div data-mx-maths="x\n= 1">'),
        ("Now:\n\\[\nx\n= 1\n\\]\nthen", "</code></div><p>then</p>"),
        ("- list\n  $$x$$", '<div data-mx-maths="x">'),
        ('"$\\text{"a"}$"', '<span data-mx-maths="\\text{&quot;a&quot;}">'),
    ],
)
def test_latex_becomes_data_mx_maths(markdown: str, expected: str) -> None:
    assert expected in html(markdown)


@pytest.mark.parametrize(
    "markdown",
    [
        "**$5 and $10**",
        "**x** \\( unclosed",
        "**x** \\(\\) empty",
        "$$\nnever closed\n\n**x**",
        "- **x** $$\nout of the list$$ y",
        "> $$\nout of the quote **x**",
        "$$\n$$ twice\n$$ **x**",
        "$$\n\n$$ **x**",
        "    $$x$$",
        "\\[\n\\[ **x** \\] y",
        "\\[ a \\] b \\] **x** \\]",
    ],
)
def test_what_only_looks_like_latex_is_text(markdown: str) -> None:
    assert "<div" not in html(markdown)


def test_a_formula_may_be_empty_of_meaning_but_not_of_text() -> None:
    assert "maths" not in html("$$ $$ **x**")
    assert "<div" not in html("$$   $$\n**x**")


def test_a_paragraph_alone_has_no_tags_of_its_own() -> None:
    assert html("**a** b") == "<strong>a</strong> b"
    assert html("**a**\n\nb") == "<p><strong>a</strong></p><p>b</p>"


def test_nothing_stands_between_tags() -> None:
    # Hydrogen, for one, fails at a table whose head is not the first thing in it.
    table = "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"
    assert html("| a |\n|---|\n| 1 |") == table
    assert html("- a\n  - b\n\n> c") == (
        "<ul><li>a<ul><li>b</li></ul></li></ul><blockquote><p>c</p></blockquote>"
    )
    code = "<p>a:</p><pre><code>\nb\n\n\nc\n</code></pre>"
    assert html("a:\n```\n\nb\n\n\nc\n```") == code


def test_an_image_is_a_link_and_never_fetched() -> None:
    assert html("![a cat](https://e.org/c.png)") == ('<a href="https://e.org/c.png">a cat</a>')
    assert html("![](https://e.org/c.png)").count("https://e.org/c.png") == 2


def test_an_image_in_a_link_is_its_text() -> None:
    assert html("[![logo](https://e.org/l.png)](https://e.org)") == (
        '<a href="https://e.org">logo</a>'
    )


@pytest.mark.parametrize(
    "markdown",
    [
        "[x](javascript:alert(1))",
        "[x](tel:123)",
        "[x](mxc://e.org/abc)",
        "[x](relative.md)",
        "**b** <img src=x onerror=alert(1)>",
        '```a" onclick="x\ncode\n```',
    ],
)
def test_nothing_dangerous_passes(markdown: str) -> None:
    assert not re.search(r"<[^>]*(?:href|src|on\w+)=", render(markdown).formatted_body or "")


def test_html_that_goes_too_deep_is_not_sent() -> None:
    assert render("*" * 300 + "a" + "*" * 300).formatted_body is None
    assert render(">" * 300 + "a").formatted_body is not None


def test_what_the_homeserver_refuses_is_cleaned_first() -> None:
    assert render("**a\ud800**\x00").body == "**a\ufffd**"


# fmt: off
PIECES = [
    "a", "b1", ".", "\n", "\n\n", "**", "*", "_", "`", "```", "~~", "#", "-", "+", ">", "|", "---",
    "[", "](", ")", "![", "<", "<b>", "<br>", "&", "&lt;", "$", "$$", "\\(", "\\)", "\\[", "\\]",
    "\\", ":", "/", "http://x", "[x]", "1.", "\t", " ", '"',
]
# fmt: on


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_whatever_comes_out_is_what_matrix_allows(markdown: str) -> None:
    rendered = render(markdown)
    reader = Reader()
    reader.feed(rendered.formatted_body or "")
    assert reader.faults == []
    assert reader.depth == 0
    assert reader.deepest <= DEEPEST


@given(st.text(alphabet="ab1 .,\n-+=#>)\t!:\"'", max_size=30))
def test_what_is_sent_as_plain_would_be_mere_paragraphs(text: str) -> None:
    if render(text).formatted_body is None:
        forced = html(f"{text}\n\n**x**")
        assert set(re.findall(r"<(\w+)", forced)) <= {"p", "br", "strong"}
        assert "".join(unescape(re.sub("<.*?>", "", forced)).split()) == "".join(text.split()) + "x"
