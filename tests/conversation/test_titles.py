import pytest
from hypothesis import given, strategies as st

from lambda_matrix.conversation.titles import LONGEST_TITLE, title_of


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What is a monad?", "What is a monad?"),
        ("  What\n is  a monad.  ", "What is a monad"),
        ("**What** is _a_ `monad`?", "What is a monad?"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("# Plan\n- one\n> two", "Plan one two"),
        ("See [the docs](https://example.org/x): why?", "See the docs: why?"),
        ("Why does this fail?\n```py\nprint(1)\n```", "Why does this fail?"),
        ("Fix it\n```py\nprint(1)", "Fix it"),
        ("~~~\nx\n~~~\nand then?", "and then?"),
        ("a\u202eb\u200b\x00c", "ab c"),
        ("👩\u200d🚀 go", "👩\u200d🚀 go"),
        (
            "Explain to me how a compiler turns a program into machine code",
            "Explain to me how a compiler turns a program into…",
        ),
        (
            "Расскажи мне, пожалуйста, о квантовой механике, но простыми словами",
            "Расскажи мне, пожалуйста, о квантовой механике…",
        ),
        (
            "How do I boil an egg properly? I have tried five times and it always bursts.",
            "How do I boil an egg properly?",
        ),
        ("Hi! " + "word " * 30, "Hi! word word word word word word word word word…"),
        ("x" * 100, "x" * (LONGEST_TITLE - 1) + "…"),
        ("x" * LONGEST_TITLE, "x" * LONGEST_TITLE),
        ("", None),
        ("???", None),
        ("```\nonly code\n```", None),
    ],
)
def test_titles(question: str, title: str | None) -> None:
    assert title_of(question) == title


@given(st.text() | st.text(alphabet="*_`~[]()!># \n-x1."))
def test_a_title_is_one_short_line(question: str) -> None:
    title = title_of(question)
    assert title is None or 0 < len(title) <= LONGEST_TITLE
    assert title is None or (title == title.strip() and "\n" not in title)


def test_a_hostile_question_is_soon_done() -> None:
    for pattern in ("*", "**a", "`", "[", "[a](", "```\n", "> ", "_a "):
        title_of(pattern * 30_000)
