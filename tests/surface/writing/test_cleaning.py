import json

from hypothesis import given, strategies as st

from lambda_matrix.surface.writing.cleaning import clean

ANYTHING = st.text(alphabet=st.characters(), max_size=50)
WITH_SURROGATES = st.lists(
    st.one_of(
        st.characters(),
        st.sampled_from(["\ud83d", "\ude00", "\udfff", "\x00", "\x1b", "\r", "\n", "\t"]),
    )
).map("".join)


@given(WITH_SURROGATES)
def test_what_is_clean_can_be_sent(text: str) -> None:
    cleaned = clean(text)
    assert json.loads(json.dumps(cleaned, ensure_ascii=False).encode()) == cleaned
    assert not {chr(code) for code in range(32)} & set(cleaned) - {"\n", "\t"}
    assert clean(cleaned) == cleaned


@given(ANYTHING.filter(lambda text: text.isprintable()))
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    assert clean(text) is text


def test_a_pair_of_surrogates_becomes_its_character() -> None:
    assert clean("a\ud83d\ude00b") == "a😀b"


def test_a_lone_surrogate_is_replaced() -> None:
    assert clean("\ude00 and \ud83d") == "\ufffd and \ufffd"


def test_line_ends_are_newlines_and_controls_vanish() -> None:
    assert clean("a\r\nb\rc\x00\x1b[0m\td\x0b") == "a\nb\nc[0m\td"
