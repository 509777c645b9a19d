"""Durations as one histogram: the forms they come in by hand, and what is refused."""

import pandas as pd
import pytest

from retention_kit import durations
from retention_kit.exceptions import DataError

SPELLS = pd.DataFrame({"duration": [2, 5, 2, 5], "event": [1, 0, 1, 1], "plan": ["a", "a", "b", None]})


def test_the_forms_by_hand() -> None:
    together = [[0, 0, 0], [2, 2, 0], [5, 1, 1]]
    counted = pd.DataFrame({"duration": [2, 5, 5], "event": [True, True, False], "customers": [2, 1, 1]})
    for given in (
        (SPELLS,),
        (SPELLS["duration"], SPELLS["event"]),
        ([2, 5, 5], [1, 1, 0], [2, 1, 1]),
        (counted,),
    ):
        found, groups = durations.histogram(*given)
        assert groups == []
        assert found.columns.tolist() == ["duration", "events", "censored"]
        assert found.to_numpy().tolist() == together
        again, _ = durations.histogram(found)
        assert again.equals(found)


def test_groups_each_begin_at_0() -> None:
    found, groups = durations.histogram(SPELLS, by="plan")
    assert groups == ["plan"]
    assert found.fillna("none").to_numpy().tolist() == [
        ["a", 0, 0, 0], ["a", 2, 1, 0], ["a", 5, 0, 1], ["b", 0, 0, 0], ["b", 2, 1, 0],
        ["none", 0, 0, 0], ["none", 5, 1, 0],
    ]  # fmt: skip


def test_whole_durations_stay_whole() -> None:
    assert durations.histogram([1, 2], [1, 1])[0]["duration"].dtype == "int64"
    assert durations.histogram([1.5, 2], [1, 1])[0]["duration"].tolist() == [0, 1.5, 2]


def test_non_negative() -> None:
    assert durations.non_negative([0, 3]).tolist() == [0, 3]


# -- messages -----------------------------------------------------------------


def asked(question) -> str:
    with pytest.raises(DataError) as error:
        question()
    return str(error.value)


def test_durations_that_are_none() -> None:
    hint = "Give numbers (of days, say) from 0 up."
    assert asked(lambda: durations.histogram([3, -1], [1, 1])) == (
        f"durations holds -1 (1 of 2 values). {hint}"
    )
    assert asked(lambda: durations.histogram([3, None, None], [1, 1, 1])) == (
        f"durations holds nan (2 of 3 values). {hint}"
    )
    spans = pd.to_timedelta([3, 4], unit="D")
    assert asked(lambda: durations.histogram(spans, [1, 1])) == (
        f"durations holds 3 days 00:00:00 (2 of 2 values). {hint}"
    )


def test_events_that_are_neither_yes_nor_no() -> None:
    hint = "Give 1 (True) where it has ended and 0 (False) where it had not when last seen."
    assert asked(lambda: durations.histogram([3, 4, 5], [1, 2, 0])) == (
        f"events holds 2 (1 of 3 values). {hint}"
    )
    assert asked(lambda: durations.histogram([3, 4], ["Yes", "No"])) == (
        f"events holds Yes (2 of 2 values). {hint}"
    )
    assert asked(lambda: durations.histogram([3, 4])) == (
        "events is missing. Say of each duration whether it has ended: True or False."
    )


def test_weights_that_are_no_counts() -> None:
    assert asked(lambda: durations.histogram([3, 4], [1, 1], weights=[0.5, 1])) == (
        "customers holds 0.5 (1 of 2 values). Give counts of customers: whole, and not below 0."
    )


def test_columns_that_do_not_fit() -> None:
    assert asked(lambda: durations.histogram([3, 4], [1], by=["a", "b"])) == (
        "Of each duration one value is needed, and there are {'duration': 2, 'event': 1, 'group': 2}."
    )
    assert asked(lambda: durations.histogram(SPELLS, SPELLS["event"])) == (
        "events and weights go with plain durations. A frame has event and customers."
    )
    assert asked(lambda: durations.histogram(SPELLS[["duration"]], by="tier")) == (
        "durations is missing ['tier', 'event']. It has ['duration']. "
        "A frame needs duration and event; customers where a row stands for many; and what by= names."
    )
    assert asked(lambda: durations.histogram([3], [1], by="plan")) == (
        "by='plan' names a column, and plain durations have none. Give the group of each."
    )
    assert asked(lambda: durations.histogram(SPELLS, by="survival")) == (
        "by='survival' is a column of the result already. Give yours another name, such as 'by_survival'."
    )
