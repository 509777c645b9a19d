"""Weeks of repeat purchases: as they came, and within the bounds of the model they came from."""

import pandas as pd
import pytest

from retention_kit import btyd, datasets, holdouts, tables, tracking

HALF = "2024-01-01"


def test_tracking_counts_repeat_purchases_and_ends_where_the_split_does() -> None:
    orders = tables.load_orders(datasets.demo_orders(), as_of="2024-07-01")
    expected = holdouts.calibration_holdout(orders, calibration_end=HALF)
    weeks = tracking.tracking(orders, btyd.fit_bg_nbd(expected), calibration_end=HALF)
    held = weeks["held_out"]
    assert weeks["week"][held].iloc[0] == pd.Timestamp(HALF)
    assert weeks["week"].diff().dropna().eq(pd.Timedelta(days=7)).all()
    assert weeks["actual"][~held].iloc[-1] == expected["frequency"].sum()
    assert weeks["actual"].iloc[-1] == (expected["frequency"] + expected["purchases_after"]).sum()
    # The demo company is a BG/NBD: what came lies within the bounds, but for the none of the first days.
    assert weeks["actual"].between(weeks["low"], weeks["high"])[1:].all()
    assert weeks["expected"].iloc[-1] == pytest.approx(weeks["actual"].iloc[-1], rel=0.03)
