import pytest

from lambda_matrix.conversation.access import Access
from lambda_matrix.ids import PersonId

ACCESS = Access(("@*:example.org", "@anna:elsewhere.org"), ("@mallory:*",))


@pytest.mark.parametrize(
    ("person", "may"),
    [
        ("@boris:example.org", True),
        ("@anna:elsewhere.org", True),
        ("@boris:elsewhere.org", False),
        ("@mallory:example.org", False),
        ("@Boris:EXAMPLE.ORG", False),
        ("", False),
    ],
)
def test_who_may_talk_to_us(person: str, may: bool) -> None:  # noqa: FBT001 - a table
    assert ACCESS.allows(PersonId(person)) is may


def test_nobody_is_allowed_by_nothing() -> None:
    assert not Access(()).allows(PersonId("@anna:example.org"))


@pytest.mark.parametrize(
    ("glob", "person"),
    [
        ("@*:[2001:db8::1]:8448", "@eve:[2001:db8::1]:8448"),
        ("@eve[1]:example.org", "@eve[1]:example.org"),
        ("@*:evil.org", "@eve:EVIL.org"),
        ("@*:Evil.org", "@eve:evil.org"),
        ("@e?e:*", "@eve:example.org"),
    ],
)
def test_whoever_is_denied_stays_so_whatever_their_name_is_spelled_with(
    glob: str, person: str
) -> None:
    assert not Access(("*",), (glob,)).allows(PersonId(person))


def test_brackets_stand_for_themselves() -> None:
    access = Access(("@*:[::1]", "@[ab]:example.org"))
    assert access.allows(PersonId("@anna:[::1]"))
    assert not access.allows(PersonId("@a:example.org"))
