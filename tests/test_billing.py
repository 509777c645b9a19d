"""What each customer pays at every moment."""

import pandas as pd

from retention_kit import billing, datasets, tables


def steps_of(
    subscriptions: pd.DataFrame, by: tuple[str, ...] = (), as_of: str = "2024-05-01"
) -> pd.DataFrame:
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=by)
    return billing.levels(loaded, by).order_by("customer_id", "since").to_pandas()


def test_parallel_subscriptions_are_one_level() -> None:
    gus = steps_of(datasets.tiny_subscriptions()).query("customer_id == 'gus'")
    assert gus["since"].dt.strftime("%m-%d").tolist() == ["01-05", "02-10", "04-20"]
    assert gus["until"].dt.strftime("%m-%d").tolist()[:2] == ["02-10", "04-20"]
    assert gus["until"].isna().tolist() == [False, False, True]
    assert gus["cents_before"].tolist() == [0, 10_00, 30_00]
    assert gus["cents"].tolist() == [10_00, 30_00, 10_00]
    assert gus["is_first"].tolist() == [True, False, False]


def test_a_plan_swapped_at_one_moment_is_one_step_and_a_free_trial_is_none() -> None:
    steps = steps_of(datasets.tiny_subscriptions())
    assert steps.query("customer_id == 'ana'")["cents"].tolist() == [10_00, 20_00]
    ivo = steps.query("customer_id == 'ivo'")
    assert ivo["cents"].tolist() == [20_00]
    assert ivo["is_first"].tolist() == [True]


def test_values_stand_as_in_the_subscription_that_began_last() -> None:
    steps = steps_of(datasets.tiny_subscriptions(), by=("plan",))
    assert steps.query("customer_id == 'gus'")["plan"].tolist() == ["basic", "plus", "plus"]
    assert steps.query("customer_id == 'cleo'")["plan"].tolist() == ["plus", "plus", "basic"]


def test_of_values_that_begin_at_one_moment_the_smallest_stands() -> None:
    both = pd.DataFrame(
        {
            "customer_id": ["ann", "ann"],
            "started_at": pd.to_datetime(["2024-01-01", "2024-01-01"]),
            "ended_at": pd.to_datetime([None, None]),
            "mrr": [1.0, 2.0],
            "plan": ["plus", "basic"],
        }
    )
    steps = steps_of(both, by=("plan",))
    assert steps[["cents", "plan"]].to_numpy().tolist() == [[300, "basic"]]


def test_without_mrr_a_level_counts_subscriptions_and_one_over_at_once_is_none() -> None:
    memberships = datasets.tiny_subscriptions().drop(columns="mrr")
    at_once = memberships.head(1).assign(customer_id="zoe", ended_at=memberships["started_at"].iloc[0])
    steps = steps_of(pd.concat([memberships, at_once]))
    assert steps.query("customer_id == 'gus'")["cents"].tolist() == [1, 2, 1]
    assert steps.query("customer_id == 'ivo'")["cents"].tolist() == [1, 1]
    assert "zoe" not in set(steps["customer_id"])


def test_movements_name_each_change() -> None:
    loaded = tables.subscriptions(datasets.tiny_subscriptions(), as_of="2024-05-01")
    moves = billing.movements(loaded).order_by("customer_id", "since").to_pandas()
    assert moves.columns.tolist() == [
        *("customer_id", "since", "new", "reactivation", "expansion", "contraction", "churn"),
        *("customers_new", "customers_reactivated", "customers_churned", "cents_before", "cents"),
    ]
    kinds = ["new", "reactivation", "expansion", "contraction", "churn"]
    cleo = moves[moves["customer_id"] == "cleo"]
    assert cleo[kinds].to_numpy().tolist() == [[20_00, 0, 0, 0, 0], [0, 0, 0, 0, 20_00], [0, 10_00, 0, 0, 0]]
    assert cleo[["cents_before", "cents"]].to_numpy().tolist() == [[0, 20_00], [20_00, 0], [0, 10_00]]
    people = ["customers_new", "customers_reactivated", "customers_churned"]
    assert cleo[people].to_numpy().tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_a_plan_swapped_for_one_of_the_same_price_is_no_movement() -> None:
    swapped = pd.DataFrame(
        {
            "customer_id": ["ann", "ann"],
            "started_at": pd.to_datetime(["2024-01-01", "2024-02-01"]),
            "ended_at": pd.to_datetime(["2024-02-01", None]),
            "mrr": [1.0, 1.0],
        }
    )
    moves = billing.movements(tables.subscriptions(swapped, as_of="2024-05-01")).to_pandas()
    assert moves[["expansion", "contraction", "churn", "reactivation"]].to_numpy().sum() == 0


def test_movements_by_a_column_keep_its_value_in_the_first_paid_subscription() -> None:
    loaded = tables.subscriptions(datasets.tiny_subscriptions(), as_of="2024-05-01")
    moves = billing.movements(loaded, ("plan",)).to_pandas()
    assert set(moves.loc[moves["customer_id"] == "cleo", "plan"]) == {"plus"}
    assert len(moves) == billing.movements(loaded).count().execute()
