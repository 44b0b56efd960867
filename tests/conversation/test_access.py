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
