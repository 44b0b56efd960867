import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings, strategies as st

from lambda_matrix.conversation.markdown import Fence, fence_after
from lambda_matrix.ids import EventId, InstanceId, RequestId
from lambda_matrix.matrix_events import AnswerMark, AnswerState
from lambda_matrix.surface.writing.content import fits, text_message
from lambda_matrix.surface.writing.rendering import render
from lambda_matrix.surface.writing.splitting import Fits, parts, split
from tests.lab.effort import examples

MARK = AnswerMark(
    question=EventId("$" + "q" * 43),
    request=RequestId("request"),
    part=0,
    state=AnswerState.FINAL,
    instance=InstanceId("1-a"),
)
PROSE = "Some **words** that make a paragraph, and a sentence. "


def within(most: int) -> Fits:
    return lambda text: len(text) <= most


def fits_an_event(text: str) -> bool:
    return fits(text_message(render(text), MARK))


def open_at_end(text: str) -> Fence | None:
    fence: Fence | None = None
    for line in text.split("\n"):
        fence = fence_after(line, fence)
    return fence


def test_what_fits_is_not_split() -> None:
    assert split("a\n\nb\n", within(10)) == ("a\n\nb\n",)


@pytest.mark.parametrize("blank", ["", "   ", "\n" * 100])
def test_nothing_is_one_empty_part(blank: str) -> None:
    assert split(blank, within(2)) == ("",)


def test_paragraphs_stay_whole() -> None:
    text = "\n\n".join(f"{number} " + "word " * 5 for number in range(10))
    for part in split(text, within(100)):
        assert all(re.match(r"\d", paragraph) for paragraph in part.split("\n\n"))


def test_items_of_a_list_stay_whole() -> None:
    text = "\n".join(f"- item {number}\n  goes on" for number in range(10))
    assert all(part.startswith("- item") for part in split(text, within(60)))


def test_a_heading_stays_with_what_it_heads() -> None:
    text = "word " * 14 + "\n\n# Heading\n\nbelow " + "word " * 10
    assert split(text, within(90))[1].startswith("# Heading")


def test_a_heading_begins_a_part_even_without_a_blank_line() -> None:
    text = "word\n" * 14 + "## Heading\n" + "word\n" * 14
    assert split(text, within(90))[1].startswith("## Heading")


def test_code_that_fits_a_part_stays_whole() -> None:
    code = "```py\n" + "x = 1\n\n" * 8 + "```"
    assert split(f"Intro.\n\n{code}\n\nEnd.", within(70)) == ("Intro.", code, "End.")


def test_code_that_is_too_long_is_opened_again() -> None:
    lines = [f"line_{number}()" for number in range(20)]
    first, *more = split("Intro:\n\n```py title\n" + "\n".join(lines) + "\n```\n\nEnd.", within(80))
    assert first.startswith("Intro:\n\n```py title\nline_0()")
    assert all(part.startswith("```py title\nline_") for part in more)
    assert all(part.count("```") == 2 for part in (first, *more))
    assert more[-1].endswith("```\n\nEnd.")


def test_code_in_a_list_is_moved_to_the_margin() -> None:
    code = "\n".join(f"      line_{number}\n" for number in range(10))
    text = f"- item\n\n      ```py\n{code}\n      ```\n  tail of the item"
    _, second, *_, last = split(text, within(70))
    assert second.startswith("```py\nline_")
    assert "\n```\n" in last


def test_code_left_open_is_closed() -> None:
    assert all(open_at_end(part) is None for part in split("  ~~~~\n" + "code\n" * 30, within(40)))


def test_a_table_is_not_cut_where_it_fits_whole() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |"
    assert split(f"Some words before.\n\n{table}\n\nwords after", within(50)) == (
        "Some words before.",
        table,
        "words after",
    )


def test_a_table_that_is_too_long_has_its_header_again() -> None:
    header = "| a | b |\n|---|:-:|\n"
    rows = [f"| {number} | x |" for number in range(30)]
    found = split(header + "\n".join(rows) + "\n\nEnd.", within(70))
    assert all(part.startswith(header + "| ") for part in found)
    assert [row for part in found for row in part.splitlines() if re.match(r"\| \d", row)] == rows


def test_a_formula_stays_whole() -> None:
    text = "word " * 12 + "\n$$\na\n= b\n$$\n" + "word " * 12
    assert any("$$\na\n= b\n$$" in part for part in split(text, within(75)))


def test_a_formula_that_is_too_long_is_opened_again() -> None:
    found = split("\\[\n" + "a + b +\n" * 20 + "c\n\\]", within(60))
    assert all(part.startswith("\\[\n") and part.endswith("\\]") for part in found)


def test_an_endless_line_is_cut_after_sentences_then_words_then_characters() -> None:
    assert all(
        part.endswith(".") for part in split("Eight words make a sentence. " * 30, within(100))
    )
    assert all(len(part.split()[-1]) == 4 for part in split("word " * 100, within(83)))
    *most, last = split("x" * 1000, within(100))
    assert "".join([*most, last]) == "x" * 1000
    assert all(85 <= len(part) <= 100 for part in most)


@pytest.mark.parametrize(
    "together", ["e\u0301", "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "☺\ufe0f"], ids=ascii
)
def test_characters_of_several_code_points_stay_whole(together: str) -> None:
    for part in split("x" + together * 100, within(50)):
        assert not part.removeprefix("x").replace(together, "")


def test_a_long_line_of_code_keeps_its_blanks() -> None:
    found = split("```\n" + "a    " * 50 + "\n```", within(60))
    assert all(part.startswith("```\n") and part.endswith("\n```") for part in found)
    inner = "".join(part.removeprefix("```\n").removesuffix("\n```") for part in found)
    assert inner.strip() == ("a    " * 50).strip()


def test_what_never_fits_comes_out_by_the_character() -> None:
    assert split("abc", lambda _: False) == ("a", "b", "c")


def test_a_list_that_goes_on_in_the_next_part_is_moved_to_the_margin() -> None:
    text = "- item\n" + "".join(f"    - sub {number}\n" for number in range(20)) + "- last"
    second = split(text, within(80))[1]
    assert second.startswith("- sub")
    assert "    - sub" not in second


def test_the_first_part_is_had_without_the_others() -> None:
    tried: list[int] = []

    def counted(text: str) -> bool:
        tried.append(len(text))
        return len(text) <= 15_000

    first = next(parts(PROSE * 100_000, counted))
    assert 11_000 < len(first) <= 15_000
    assert len(tried) < 15
    assert max(tried) < 40_000


@pytest.mark.parametrize(
    "text",
    [
        (PROSE * 6 + "\n\n") * 120,
        "```py\n" + "print('some <code>')\n" * 2_500 + "```",
        "| a | b |\n|---|---|\n" + "| 1 | some words |\n" * 900,
        PROSE * 1_000,
        '"\\\n' * 6_000,
    ],
    ids=["prose", "code", "table", "line", "escapes"],
)
def test_every_part_fits_an_event(text: str) -> None:
    found = split(text, fits_an_event)
    assert len(found) > 1
    assert all(map(fits_an_event, found))
    assert all(len(one) + len(two) > 12_000 for one, two in pairwise(found[:-1]))


LINES = st.sampled_from(
    [
        "word and word",
        "a longer line with rather more words on it. And two sentences, too.",
        "",
        "",
        "# head",
        "- item",
        "  - sub",
        "1. one",
        "> quote",
        "```py",
        "```",
        "  ```",
        "~~~",
        "    code",
        "| a | b |",
        "|---|---|",
        "| 1 | 2 |",
        "$$",
        "\\[",
        "\\]",
        "x" * 70,
    ]
)
TEXTS = st.lists(LINES, max_size=30).map("\n".join)


def words(text: str) -> list[str]:
    """The words, without what may be said again at the head of a part: fences, table headers."""
    unfenced = re.sub(r"(?m)^\s*(?:```(?:py)?|~~~|\$\$|\\[\[\]])$\n?", "", text)
    said_once = re.sub(r"(?m)^[^\n]*\|[^\n]*\n(?=\s*\|---\|---\|)", "", unfenced)
    return re.findall(r"[a-z0-9]+", said_once)


@settings(max_examples=examples(300))
@example("$$\nword and word\n| 1 | 2 |\n\n|---|---|\nword and word", 45)
@example("$$\nword and word\n# head\n# head\n| a | b |\n|---|---|", 45)
@given(TEXTS, st.integers(45, 200))
def test_every_part_fits_and_none_of_the_text_is_lost(text: str, most: int) -> None:
    found = split(text, within(most))
    assert found
    assert all(len(part) <= most for part in found)
    assert "".join(words("\n".join(found))) == "".join(words(text))
    if len(found) > 1:
        assert all(found)
        assert all(fence is None or not fence.is_code for fence in map(open_at_end, found))


PIECES = st.sampled_from(
    ["\n", "\n\n", "```", "~~~", "$$", "| ", "|---|", "- ", "> ", "    ", "**", "# ", "x" * 50]
)


@settings(max_examples=examples(200))
@given(st.lists(PIECES | st.text(max_size=12), max_size=40).map("".join), st.integers(45, 200))
def test_of_any_text_no_letter_is_lost_or_moved(text: str, most: int) -> None:
    found = split(text, within(most))
    assert all(len(part) <= most for part in found)
    letters = iter("".join(found))
    assert all(letter in letters for letter in text if letter.isalnum())
