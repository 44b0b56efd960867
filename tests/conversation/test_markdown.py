import pytest

from lambda_matrix.conversation.markdown import as_code, literal, with_line
from lambda_matrix.surface.writing.rendering import render


@pytest.mark.parametrize(
    "name", ["plain", "a*b*_c_", "[x](http://e.org)", "<b> & $x$ `c`", "a|b", "~~s~~", r"\\*", "#1"]
)
def test_a_literal_shows_what_was_written(name: str) -> None:
    shown = render(f"**>** {literal(name)}").formatted_body or ""
    assert "<a" not in shown
    assert shown.count("<") == 2
    expected = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert expected in shown.replace("\\", "\\")


def test_what_is_quoted_is_one_line() -> None:
    assert literal(" a\n\n# b\t") == r"a \# b"
    assert as_code(" a\n`b` ") == "`a ˋbˋ`"
    assert as_code(" ") == ""


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("", "line"),
        ("text", "text\n\nline"),
        ("```py\nx", "```py\nx\n```\n\nline"),
        ("````\n```\nx", "````\n```\nx\n````\n\nline"),
        ("```\nx\n```", "```\nx\n```\n\nline"),
        ("- a\n  ~~~\n  x", "- a\n  ~~~\n  x\n  ~~~\n\nline"),
        ("- ```\n  x", "- ```\n  x\n  ```\n\nline"),
        ("see ```x```", "see ```x```\n\nline"),
        ("$$\nx\n~~~", "$$\nx\n~~~\n\nline"),
        ("$$\nx\n\n~~~", "$$\nx\n\n~~~\n~~~\n\nline"),
        ("$$x$$\n```", "$$x$$\n```\n```\n\nline"),
        ("\\[\nx\n\\]\n```", "\\[\nx\n\\]\n```\n```\n\nline"),
    ],
)
def test_a_line_stands_under_the_text_and_outside_of_its_code(markdown: str, expected: str) -> None:
    assert with_line(markdown, "line") == expected
