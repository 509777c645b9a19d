"""What passes the door, whatever stands behind it."""

import pandas as pd
import pytest

from retention_kit import admission
from retention_kit.contracts import ORDERS, RESPONSES, SUBSCRIPTIONS
from retention_kit.exceptions import DataError
from retention_kit.opened import Source
from retention_kit.sources import open_source

SHOP = pd.DataFrame(
    {
        "who": ["a", "b", None],
        "day": ["2024-03-13", "2024-03-14", "2024-03-14"],
        "paid": ["5.00", "7.00", "1"],
    }
)
OURS = {"customer_id": "who", "ordered_at": "day", "amount": "paid"}


def test_the_rows_are_accounted_for_and_named_as_ours() -> None:
    passed = admission.load(ORDERS, SHOP, columns=OURS, as_of="2024-04-01")
    assert dict(zip(passed.checks["rule"], passed.checks["rows"].tolist(), strict=True)) == {
        "read": 3,
        "no customer": 1,
        "kept": 2,
    }
    assert set(passed.table.columns) == set(OURS)
    assert str(passed.as_of) == "2024-04-01 00:00:00"


def test_rows_are_laid_out_and_warned_of_only_where_they_are_loaded_by_name() -> None:
    source = open_source(SHOP.rename(columns={ours: name for name, ours in OURS.items()}))
    quiet = admission.admitted(ORDERS, source, as_of="2024-09-01", warn=False)
    told = admission.admitted(ORDERS, source, as_of="2024-09-01", warn=True)
    assert "in_order" not in quiet.kept
    assert told.kept["in_order"] is not None
    assert len(told.notes) >= len(quiet.notes)
    assert quiet.checks.equals(told.checks)


def test_a_condition_is_one_and_the_rows_that_fail_it_are_counted() -> None:
    passed = admission.load(ORDERS, SHOP, columns=OURS, as_of="2024-04-01", where="paid > 6")
    assert passed.checks["rule"].tolist() == ["read", "no customer", "filtered", "kept"]
    with pytest.raises(DataError) as refused:
        admission.load(ORDERS, SHOP, columns=OURS, as_of="2024-04-01", where="who || day")
    assert str(refused.value) == ("where: 'who || day' is no condition. Write one such as country = 'PL'.")


@pytest.mark.parametrize(
    ("contract", "name"), [(ORDERS, "customer_id"), (RESPONSES, "score"), (SUBSCRIPTIONS, "customer_id")]
)
def test_a_table_without_what_it_needs_says_what_it_has(contract: object, name: str) -> None:
    with pytest.raises(DataError) as refused:
        admission.load(contract, SHOP, as_of="2024-04-01")
    assert (
        f"It has ['who', 'day', 'paid']. Map your names onto ours with columns={{{name!r}: 'your_name'}}."
        in str(refused.value)
    )


def test_what_a_drivers_own_error_says_is_one_line() -> None:
    class DriverError(Exception):
        pass

    def read(needed: list[str]) -> None:
        raise DriverError("connection lost\nDETAIL: the server went away")

    source = Source("shop.orders", ("customer_id", "ordered_at"), read, place="postgres")
    with pytest.raises(DataError) as refused:
        admission.admitted(ORDERS, source, as_of="2024-04-01", warn=True)
    assert str(refused.value).startswith("shop.orders cannot be read: connection lost")
    assert "\n" not in str(refused.value)
    near = Source("a.csv", ("customer_id", "ordered_at"), read)
    with pytest.raises(DriverError):  # of a file it would be a mistake of ours, and is not hidden
        admission.admitted(ORDERS, near, as_of="2024-04-01", warn=True)
