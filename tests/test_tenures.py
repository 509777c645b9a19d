"""How long subscribers stayed, against lives counted by hand."""

import pandas as pd

from retention_kit import policies, tables, tenures
from retention_kit.tables import Loaded


def lives() -> Loaded:
    """Ann left after two months and eight days, Bob comes back later, Cem is there from the 31st on."""
    rows = {
        "customer_id": ["ann", "bob", "bob", "cem"],
        "started_at": pd.to_datetime(["2024-01-05", "2024-01-10", "2024-04-01", "2024-01-31"]),
        "ended_at": pd.to_datetime(["2024-03-13", "2024-02-10", None, None]),
        "mrr": [10.0, 10.0, 10.0, 10.0],
    }
    return policies.applied(tables.subscriptions(pd.DataFrame(rows), as_of="2024-05-01"))


def test_days_are_counted_to_the_first_stop_or_until_now() -> None:
    found = tenures.durations(lives(), ()).to_pandas().sort_values("duration")
    told = found[["duration", "event", "customers"]].to_numpy().tolist()
    # 26 + 29 + 13 days of Ann, 31 of Bob's first life, 91 of Cem until May.
    assert told == [[31, True, 1], [68, True, 1], [91, False, 1]]


def test_a_month_is_full_on_its_day_or_on_its_last_one() -> None:
    counted = tenures.at_risk(lives(), (), "month").to_pandas()
    # Ann is lost in her third month, Bob when the first is full; Cem's third month was full on 30 April.
    assert counted.sort_values(["tenure", "churned"]).to_numpy().tolist() == [[1, 1, 1], [2, 2, 1]]


def test_who_was_at_risk_is_who_reached_it() -> None:
    counted = pd.DataFrame({"tenure": [1, 2], "customers": [1, 2], "churned": [1, 1]})
    found = tenures.each(counted, ())
    assert found[["tenure", "at_risk", "churned"]].to_numpy().tolist() == [[0, 3, 0], [1, 3, 1], [2, 2, 1]]
