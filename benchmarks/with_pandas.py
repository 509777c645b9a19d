"""The usual recipes in pandas, as most tutorials have them: no open periods, no intervals, no checks."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.ways import AS_OF, Way


def cohorts(orders: pd.DataFrame) -> pd.DataFrame:
    """Customers of each monthly cohort who came back, by age in months."""
    orders = orders[orders["ordered_at"] < AS_OF]
    month = orders["ordered_at"].dt.to_period("M")
    cohort = month.groupby(orders["customer_id"]).transform("min")
    age = (month.dt.year - cohort.dt.year) * 12 + month.dt.month - cohort.dt.month
    keyed = orders.assign(cohort=cohort, age=age)
    return keyed.groupby(["cohort", "age"])["customer_id"].nunique().unstack()


def customers(orders: pd.DataFrame) -> pd.DataFrame:
    """What a purchase model reads of each customer: orders of one day are one purchase."""
    orders = orders[orders["ordered_at"] < AS_OF]
    day = orders["ordered_at"].dt.normalize()
    days = orders.groupby(["customer_id", day])["amount"].sum().reset_index()
    end = pd.Timestamp(AS_OF) - pd.Timedelta(days=1)
    seen = days.groupby("customer_id")["ordered_at"].agg(["min", "max", "size"])
    later = days[days.duplicated("customer_id")].groupby("customer_id")["amount"].mean()
    return pd.DataFrame(
        {
            "frequency": seen["size"] - 1,
            "recency": (seen["max"] - seen["min"]).dt.days,
            "T": (end - seen["min"]).dt.days,
            "monetary_value": later.reindex(seen.index, fill_value=0.0),
        }
    )


def words(survey: pd.DataFrame) -> pd.DataFrame:
    """Split, explode, count: words alone that set detractors apart, nothing cleaned or masked."""
    side = survey["score"].map(
        lambda score: "promoters" if score >= 9 else "passives" if score >= 7 else "detractors"
    )
    said = survey["comment"].str.lower().str.findall(r"[a-z]{2,}").map(set).explode()
    counts = pd.crosstab(said.to_numpy(), side.loc[said.index].to_numpy())
    prior = (
        counts.sum(axis="columns")
        * 0.1
        * counts[["detractors", "promoters"]].sum().min()
        / counts.to_numpy().sum()
    )
    read = counts[["detractors", "promoters"]].add(prior, axis="index")
    odds = read / (counts[["detractors", "promoters"]].sum() + prior.sum() - read)
    counts["z"] = np.log(odds["detractors"] / odds["promoters"]) / np.sqrt((1 / read).sum(axis="columns"))
    return counts.sort_values("z", ascending=False)


def sums(customers: pd.DataFrame) -> list[float]:
    """What all summaries of the same orders agree on."""
    columns = customers[["frequency", "recency", "T", "monetary_value"]].astype("float64")
    together = columns["frequency"] @ columns["T"] + columns["monetary_value"] @ columns["recency"]
    return [len(columns), *columns.sum(), together]


def _retained(table: pd.DataFrame) -> list[int]:
    return [int(cell) for cell in table.stack().dropna()]


def read(path: Path) -> pd.DataFrame:
    """The orders of a file."""
    return pd.read_parquet(path)


def columns(path: Path) -> pd.DataFrame:
    """Customers as plain numbers."""
    with np.load(path) as found:
        return pd.DataFrame(dict(found))


WAYS = {
    "cohorts": Way(read, cohorts, _retained),
    "customers": Way(read, customers, sums),
    "words": Way(read, words),
}
