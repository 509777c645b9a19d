"""What pymc-marketing does, as its documentation says; it has an environment of its own."""

import pandas as pd
from pymc_marketing.clv import rfm_summary

from benchmarks.ways import AS_OF, Way
from benchmarks.with_pandas import read, sums


def customers(orders: pd.DataFrame) -> pd.DataFrame:
    """Its summary, which counts days to the end of the last one."""
    end = pd.Timestamp(AS_OF) - pd.Timedelta(days=1)
    return rfm_summary(orders, "customer_id", "ordered_at", "amount", observation_period_end=end)


WAYS = {"customers": Way(read, customers, sums, repeats=1)}
