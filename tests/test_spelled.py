"""Moments with words in them: mails, surveys and spreadsheets write months by name and zones as GMT+1."""

import pandas as pd
import pytest

from retention_kit import tables
from retention_kit.exceptions import DataError


def loaded(cells: list[str], **how: str) -> tables.Loaded:
    rows = {"customer_id": [f"c{number}" for number in range(len(cells))], "ordered_at": cells}
    return tables.load_orders(pd.DataFrame(rows), as_of="2030-01-01", **how)


def moments(cells: list[str], **how: str) -> list[str]:
    frame = loaded(cells, **how).table.order_by("customer_id").execute()
    return [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in frame["ordered_at"]]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Aug 1, 2025", "2025-08-01 00:00:00"),
        ("August 1, 2025 6:07 PM", "2025-08-01 18:07:00"),
        ("Aug 1, 2025, 6:07:13 PM", "2025-08-01 18:07:13"),
        ("Friday, August 1, 2025", "2025-08-01 00:00:00"),
        ("01-Aug-2025 06:07:13", "2025-08-01 06:07:13"),
        ("1 Aug 25", "2025-08-01 00:00:00"),
        ("12 September 2025 23:59", "2025-09-12 23:59:00"),
    ],
)
def test_a_month_by_its_name(cell: str, expected: str) -> None:
    assert moments([cell]) == [expected]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Thu, 31 Jul 2025 23:30:00 +0000", "2025-08-01 01:30:00"),  # as mails write it
        ("Thu, 31 Jul 2025 18:00:00 -0530", "2025-08-01 01:30:00"),
        ("Thu, 31 Jul 2025 23:30:00 GMT", "2025-08-01 01:30:00"),
        ("2025/07/31 11:30:00 PM GMT+1", "2025-08-01 00:30:00"),  # as Google Forms does
        ("2025/08/01 5:00 AM GMT+5:30", "2025-08-01 01:30:00"),
        ("2025-07-31 23:30:00 UTC", "2025-08-01 01:30:00"),
    ],
)
def test_a_zone_by_its_name_is_read_in_the_clients(cell: str, expected: str) -> None:
    assert moments([cell], timezone="Europe/Warsaw") == [expected]
    with pytest.raises(DataError, match=r"^ordered_at has a time zone, .* Say whose with timezone="):
        loaded([cell])


def test_what_is_no_day_or_has_no_zone_among_those_that_have_is_counted() -> None:
    good = ["Fri, 01 Aug 2025 06:07:13 +0000"] * 5
    rows = loaded([*good, "Fri, 31 Feb 2025 06:07:13 +0000", "1 Aug 2025 06:07"], timezone="UTC").checks
    assert dict(zip(rows["rule"], rows["rows"].tolist(), strict=True)) == {
        "read": 7,
        "unreadable date": 2,
        "kept": 5,
    }
    checks = loaded(["1 Aug 2025 06:07", "1 Aug 2025 06:08", "1 Aug 2025 06:07:13 GMT"]).checks
    assert checks["rows"].tolist() == [3, 1, 2]
