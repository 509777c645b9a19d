"""What the invented company's customers do in its shop and app, drawn around the orders they have placed."""

import numpy as np
import pandas as pd

from retention_kit.company_truth import HOURS, Truth

_SECONDS_AN_HOUR = 3600
_SECONDS_A_DAY = 24 * _SECONDS_AN_HOUR
_NAMES = pd.Series(["visited", "ordered", "saved_favourite"])
_VISITED, _ORDERED, _SAVED = range(len(_NAMES))


def draw_events(
    rng: np.random.Generator, truth: Truth, orders: pd.DataFrame, keenness: pd.Series
) -> pd.DataFrame:
    """Visits, orders and favourites saved, in order of time; `keenness` is a rank from 0 to 1 by customer.

    Orders are drawn before and are not touched: nothing a customer does here changes what they buy.
    """
    placed = orders["ordered_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    parts = [
        (np.arange(placed.size), placed, _ORDERED),
        _visits_before(rng, placed),
        _visits_after(rng, truth, placed),
        *_favourites(rng, truth, orders["customer_id"], placed, keenness),
    ]
    beside = np.concatenate([order for order, _, _ in parts])
    second = np.concatenate([moments for _, moments, _ in parts])
    kind = np.concatenate([np.full(order.size, name) for order, _, name in parts])
    in_time = np.lexsort((kind, beside, second))
    end = np.datetime64(truth.as_of, "s").astype(np.int64)
    in_time = in_time[second[in_time] < end]
    events = orders[["customer_id", "country", "channel"]].take(beside[in_time]).reset_index(drop=True)
    events.insert(1, "occurred_at", second[in_time].astype("datetime64[s]").astype("datetime64[us]"))
    events.insert(2, "event", _NAMES.take(kind[in_time]).array)
    return events


def _visits_before(rng: np.random.Generator, placed: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """An order is placed in a visit that began a little earlier on the same day."""
    began = placed - rng.integers(60, 20 * 60, placed.size)
    midnight = placed - placed % _SECONDS_A_DAY
    return np.arange(placed.size), np.maximum(began, midnight), _VISITED


def _visits_after(
    rng: np.random.Generator, truth: Truth, placed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Each order brings visits on later days in which nothing is bought."""
    order = np.repeat(np.arange(placed.size), rng.poisson(truth.visits_after_order, placed.size))
    days = 1 + rng.exponential(truth.visit_days, order.size).astype(np.int64)
    hour = rng.choice(24, order.size, p=HOURS / HOURS.sum())
    second = hour * _SECONDS_AN_HOUR + rng.integers(0, _SECONDS_AN_HOUR, order.size)
    return order, (placed[order] // _SECONDS_A_DAY + days) * _SECONDS_A_DAY + second, _VISITED


def _favourites(
    rng: np.random.Generator, truth: Truth, customer_id: pd.Series, placed: np.ndarray, keenness: pd.Series
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Keen buyers save a favourite more often: soon after the first order, in a visit, and once."""
    first = np.flatnonzero(~customer_id.duplicated().to_numpy())
    slowest, keenest = truth.favourite_chance["slowest"], truth.favourite_chance["keenest"]
    chance = slowest + (keenest - slowest) * customer_id.iloc[first].map(keenness).to_numpy()
    order = first[rng.random(first.size) < chance]
    # Squared, so that most are saved in the first days; the last moment is before the window's end.
    waits = rng.random(order.size) ** 2 * (truth.favourite_days * _SECONDS_A_DAY - _SECONDS_AN_HOUR)
    saved = placed[order] + waits.astype(np.int64)
    return [(order, saved, _VISITED), (order, saved, _SAVED)]
