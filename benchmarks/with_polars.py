"""The same in Polars by hand, distinct customers and periods first."""

import polars as pl

from benchmarks.ways import AS_OF, Way


def cohorts(orders: pl.DataFrame) -> pl.DataFrame:
    """Customers of each monthly cohort who came back, by age in months."""
    month = pl.col("ordered_at").dt.year() * 12 + pl.col("ordered_at").dt.month() - 1
    active = _seen(orders).select("customer_id", month=month).unique()
    aged = active.with_columns(cohort=pl.col("month").min().over("customer_id"))
    return aged.group_by("cohort", age=pl.col("month") - pl.col("cohort")).len().collect()


def customers(orders: pl.DataFrame) -> pl.DataFrame:
    """What a purchase model reads of each customer."""
    end = pl.lit(AS_OF).str.to_date() - pl.duration(days=1)
    days = _seen(orders).group_by("customer_id", day=pl.col("ordered_at").dt.date()).agg(pl.sum("amount"))
    first, frequency = pl.col("day").min(), pl.len().cast(pl.Int64) - 1
    later = pl.col("amount").sum() - pl.col("amount").get(pl.col("day").arg_min())
    return (
        days.group_by("customer_id")
        .agg(
            frequency=frequency,
            recency=(pl.col("day").max() - first).dt.total_days(),
            T=(end - first).dt.total_days(),
            monetary_value=pl.when(frequency > 0).then(later / frequency).otherwise(0.0),
        )
        .collect()
    )


def _seen(orders: pl.DataFrame) -> pl.LazyFrame:
    return orders.lazy().filter(pl.col("ordered_at") < pl.lit(AS_OF).str.to_datetime())


def _retained(cells: pl.DataFrame) -> list[int]:
    return cells.sort("cohort", "age")["len"].to_list()


def _sums(customers: pl.DataFrame) -> list[float]:
    columns = customers.select(pl.exclude("customer_id").cast(pl.Float64))
    together = columns["frequency"].dot(columns["T"]) + columns["monetary_value"].dot(columns["recency"])
    return [len(columns), *(column.sum() for column in columns), together]


WAYS = {
    "cohorts": Way(pl.read_parquet, cohorts, _retained),
    "customers": Way(pl.read_parquet, customers, _sums),
}
