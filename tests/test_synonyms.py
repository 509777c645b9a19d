"""What exports call our columns."""

import pytest

from retention_kit import synonyms


@pytest.mark.parametrize(
    ("name", "column", "rank"),
    [
        ("customer_id", "CustomerID", 0),
        ("customer_id", "Nr klienta", 0),
        ("customer_id", "user_id", 1),
        ("customer_id", "External Data Reference", 1),
        ("customer_id", "E-Mail-Adresse", 2),
        ("customer_id", "Number of customer visits", None),
        ("amount", "Total (EUR, brutto)", 0),
        ("amount", "Total tax", None),
        ("score", "How likely are you to recommend us?", 11),
        ("comment", "What is the main reason\nfor your score?", 11),
        ("plan", "Colour", None),
    ],
)
def test_a_name_is_as_good_as_its_group(name: str, column: str, rank: int | None) -> None:
    assert synonyms.rank(name, column) == rank


def test_a_name_is_in_one_group_alone() -> None:
    for groups in synonyms.NAMES.values():
        seen: set[tuple[str, ...]] = set()
        for group in groups:
            names = {synonyms.words(each) for each in group.split(", ")}
            assert names.isdisjoint(seen)
            seen |= names
