"""What lifetimes does, as its documentation says; it has an environment of its own."""

from collections.abc import Callable
from functools import partial

import pandas as pd
from lifetimes import BetaGeoFitter, ParetoNBDFitter
from lifetimes.utils import summary_data_from_transaction_data

from benchmarks.ways import AS_OF, Way
from benchmarks.with_pandas import columns, read, sums


def customers(orders: pd.DataFrame) -> pd.DataFrame:
    """Its summary, which counts days to the end of the last one."""
    end = pd.Timestamp(AS_OF) - pd.Timedelta(days=1)
    return summary_data_from_transaction_data(
        orders, "customer_id", "ordered_at", "amount", observation_period_end=end
    )


def fit(fitter: Callable, customers: pd.DataFrame) -> dict[str, float]:
    """Its fit; our histogram it can take as weights."""
    found = fitter(penalizer_coef=0.0)
    found.fit(customers["frequency"], customers["recency"], customers["T"], weights=customers.get("weight"))
    return found.params_.to_dict()


WAYS = {
    "customers": Way(read, customers, sums, repeats=1),
    "bg_nbd": Way(columns, partial(fit, BetaGeoFitter), dict, repeats=1),
    "pareto_nbd": Way(columns, partial(fit, ParetoNBDFitter), dict, repeats=1),
}
