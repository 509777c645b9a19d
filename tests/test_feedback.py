"""What customers did after an answer: by hand, at the borders of the window, where the truth is known."""

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import clv, company, comparisons, datasets, feedback, intervals, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = "2024-04-01"
ANSWERS = pd.DataFrame(
    [
        ("pam", 10, "2024-01-10"),
        ("pat", 9, "2024-01-10"),
        ("ned", 7, "2024-01-10"),
        ("dee", 3, "2024-01-10"),
        ("don", 0, "2024-01-10"),
        ("don", 10, "2024-02-10"),  # the first answer counts
        ("late", 9, "2024-03-20"),  # 30 days later is not observed
        ("edge", 9, "2024-03-02"),  # 30 days later is as_of itself: observed
        ("again", 10, "2024-02-02"),  # asked twice, and the first time silent
        ("free", 10, "2024-01-10"),
        (None, 0, "2024-01-10"),
    ],
    columns=["customer_id", "score", "responded_at"],
)
ASKED = pd.DataFrame(
    [(who, "2024-01-09") for who in ("pam", "pat", "ned", "dee", "don", "again", "sid", "sue")]
    + [("again", "2024-02-01"), ("late", "2024-03-19"), ("mute", "2024-03-19")],
    columns=["customer_id", "invited_at"],
)
FEES = pd.DataFrame(
    [
        ("pam", "2023-06-01", None, 9),
        ("pat", "2023-06-01", "2024-02-09", 9),  # exactly 30 days after: no longer there
        ("ned", "2023-06-01", "2024-01-20", 9),
        ("ned", "2024-02-01", None, 19),  # back before the window ends: not lost
        ("dee", "2023-06-01", "2024-01-10", 9),  # gone at the very moment: could not be lost
        ("don", "2023-06-01", "2024-02-08", 9),
        ("late", "2023-06-01", "2024-03-21", 9),
        ("edge", "2024-03-02", "2024-03-31", 9),  # joined at the very moment
        ("again", "2023-06-01", "2024-02-01", 9),
        ("free", "2023-06-01", "2024-01-12", 0),
        ("sid", "2023-06-01", "2024-01-12", 9),
        ("sue", "2023-06-01", None, 9),
        ("mute", "2023-06-01", None, 9),
    ],
    columns=["customer_id", "started_at", "ended_at", "mrr"],
)
SHOP = pd.DataFrame(
    [
        ("pam", "2024-01-10", 5),  # the day of the answer: not after it
        ("pam", "2024-01-11", 20),
        ("pam", "2024-02-08", 30),
        ("pat", "2024-02-09", 40),  # exactly 30 days after: outside
        ("don", "2024-01-12", 7),
        ("ned", "2023-12-01", 8),
        ("sid", "2024-01-10", 4),  # from the invitation, of the day before
        ("again", "2024-01-20", 6),
        ("stranger", "2024-01-20", 99),
    ],
    columns=["customer_id", "ordered_at", "amount"],
)
LEFT_OUT = "Windows that are not over are left out."


def test_churn_by_hand() -> None:
    found = feedback.churn_after(ANSWERS, FEES, days=30, as_of=AS_OF)
    # Promoters paying: pam, pat, edge; again had left the day before; dee when answering; free pays nothing.
    assert found["band"].tolist() == ["promoters", "passives", "detractors"]
    assert found[["customers", "churned"]].to_numpy().tolist() == [[3, 2], [1, 0], [1, 1]]
    assert found["churn_rate"].tolist() == [2 / 3, 0, 1]
    assert found["difference"].tolist()[1:] == [0 - 2 / 3, 1 - 2 / 3]
    assert found.loc[0, ["difference", "difference_low", "difference_high"]].isna().all()
    low, high = intervals.difference(1, 1, 2, 3)
    assert found.loc[2, ["difference_low", "difference_high"]].tolist() == [float(low), float(high)]
    assert set(found["interval"]) == {"Wilson 95 %; difference Newcombe 95 %"}
    assert found.columns.tolist() == [
        *("band", "customers", "churned", "churn_rate", "low", "high"),
        *("difference", "difference_low", "difference_high", "interval"),
    ]
    assert (found.attrs["not_observed"], found.attrs["days"]) == (1, 30)
    assert found.attrs["definition"].startswith(
        "Of those who paid when they answered: the share who did not pay 30 days"
    )
    assert found.attrs["definition"].endswith(LEFT_OUT)
    assert "not what raising a score would bring" in found.attrs["caveat"]


def test_the_silent_are_followed_from_the_invitation() -> None:
    found = feedback.churn_after(ANSWERS, FEES, days=30, invited=ASKED, as_of=AS_OF)
    # again, sid and sue were asked on 9 January and kept silent; mute's window is not over.
    assert found["band"].tolist() == ["promoters", "passives", "detractors", "non_respondents"]
    assert found[["customers", "churned"]].to_numpy().tolist() == [[3, 2], [1, 0], [1, 1], [3, 2]]
    assert found.attrs["not_observed"] == 2


def test_buying_again_by_hand() -> None:
    found = feedback.retention_after(ANSWERS, SHOP, days=30, invited=ASKED, as_of=AS_OF)
    # Promoters: pam came; pat, edge and free did not. Silent: sid and again of four came.
    assert found[["customers", "retained"]].to_numpy().tolist() == [[4, 1], [1, 0], [2, 1], [3, 2]]
    assert found["retention_rate"].tolist() == [1 / 4, 0, 1 / 2, 2 / 3]


def test_being_active_again_is_told_of_events_as_buying_is_of_orders() -> None:
    events = SHOP.rename(columns={"ordered_at": "occurred_at"})
    found = feedback.retention_after(ANSWERS, events, days=30, invited=ASKED, as_of=AS_OF)
    bought = feedback.retention_after(ANSWERS, SHOP, days=30, invited=ASKED, as_of=AS_OF)
    pd.testing.assert_frame_equal(found, bought)
    assert "the share with an event within 30 days after it" in found.attrs["definition"]
    assert "the share with an order within 30 days after it" in bought.attrs["definition"]


def test_spend_by_hand() -> None:
    found = feedback.spend_after(ANSWERS, SHOP, days=30, invited=ASKED, as_of=AS_OF)
    assert found["revenue"].tolist() == [50, 0, 7, 10]
    assert found["spend_per_customer"].tolist() == pytest.approx([50 / 4, 0, 7 / 2, 10 / 3])
    spends = pd.Series([50, 0, 0, 0]), pd.Series([7, 0])
    expected = intervals.difference_of_means(3.5, spends[1].std(), 2, 12.5, spends[0].std(), 4)
    bounds = found.loc[2, ["difference_low", "difference_high"]].tolist()
    assert bounds == pytest.approx([float(bound) for bound in expected])
    assert set(found["interval"]) == {"t 95 %; difference Welch 95 %"}


def test_value_by_hand() -> None:
    worth = pd.DataFrame({"customer_id": ["pam", "late", "don", "sue", "who"], "gain": [10.0, 30, 4, 6, 99]})
    found = feedback.clv_after(ANSWERS, worth, value="gain", invited=ASKED, as_of=AS_OF)
    assert found["band"].tolist() == ["promoters", "detractors", "non_respondents"]
    assert found["customers"].tolist() == [2, 1, 1]
    assert found["clv_expected"].tolist() == [20, 4, 6]
    assert found["difference"].tolist()[1:] == [-16, -14]


def test_each_score_for_itself_against_the_highest() -> None:
    found = feedback.retention_after(ANSWERS, SHOP, days=30, groups="score", invited=ASKED, as_of=AS_OF)
    assert found["score"].tolist()[:-1] == [10, 9, 7, 3, 0]
    assert pd.isna(found["score"].iloc[-1])  # who did not answer has none
    assert found[["customers", "retained"]].to_numpy().tolist() == [
        *([2, 1], [2, 0], [1, 0], [1, 0], [1, 1]),
        [3, 2],
    ]
    assert found["difference"].tolist()[1:4] == [-0.5, -0.5, -0.5]


def test_without_promoters_there_is_nothing_to_compare_with() -> None:
    found = feedback.retention_after(ANSWERS[ANSWERS["score"] < 9], SHOP, days=30, as_of=AS_OF)
    assert found["band"].tolist() == ["passives", "detractors"]
    assert found[["difference", "difference_low", "difference_high"]].isna().all(axis=None)


def test_no_window_is_over() -> None:
    for found in (
        feedback.churn_after(ANSWERS, FEES, days=365, as_of=AS_OF),
        feedback.spend_after(ANSWERS, SHOP, days=365, as_of=AS_OF),
    ):
        assert found.empty
        assert {"band", "customers", "difference_low"} <= set(found.columns)
        assert found.attrs["not_observed"] == 9


def test_a_scale_of_its_own_makes_the_bands() -> None:
    five = ANSWERS.assign(score=[5, 4, 3, 1, 1, 5, 4, 4, 5, 5, 1])
    scale = "lowest 1, highest 5, promoters_from 5, passives_from 4"
    found = feedback.retention_after(five, SHOP, days=30, scale=scale, as_of=AS_OF)
    assert dict(zip(found["band"], found["customers"], strict=True)) == {
        "promoters": 3,
        "passives": 2,
        "detractors": 3,
    }


def test_the_rows_can_be_compared_by_hand() -> None:
    found = feedback.churn_after(ANSWERS, FEES, days=30, as_of=AS_OF)
    by_hand = comparisons.compare(found[found["band"] == "detractors"], found[found["band"] == "promoters"])
    row = found.iloc[2]
    assert by_hand.loc[0, ["low", "high"]].tolist() == row[["difference_low", "difference_high"]].tolist()


def test_one_band_beside_promoters_in_a_row() -> None:
    found = feedback.churn_after(ANSWERS, FEES, days=30, invited=ASKED, as_of=AS_OF)
    row = feedback.against_promoters(found).iloc[0]
    assert row[["customers", "churned", "customers_promoters", "churned_promoters"]].tolist() == [1, 1, 3, 2]
    assert row[["difference", "low", "high"]].tolist() == (
        found.loc[2, ["difference", "difference_low", "difference_high"]].tolist()
    )
    silent = feedback.against_promoters(found, "non_respondents")
    assert silent[["churned", "churn_rate_promoters"]].to_numpy().tolist() == [[2, 2 / 3]]
    assert silent.attrs["days"] == 30
    only = feedback.churn_after(ANSWERS[ANSWERS["score"] < 9], FEES, days=30, as_of=AS_OF)
    assert feedback.against_promoters(only).empty
    assert feedback.against_promoters(found.head(2)).empty


def test_frames_loaded_tables_and_another_engine_say_the_same() -> None:
    loaded = tables.load_responses(ANSWERS, as_of=AS_OF), tables.load_orders(SHOP, as_of=AS_OF)
    asked = tables.load_invitations(ASKED, as_of=AS_OF)
    plain = feedback.spend_after(ANSWERS, SHOP, days=30, invited=ASKED, as_of=AS_OF)
    for _ in range(2):  # the second time from what the first has kept
        pd.testing.assert_frame_equal(plain, feedback.spend_after(*loaded, days=30, invited=asked))
    moments = SHOP.astype({"ordered_at": "datetime64[us]", "amount": "float64"})
    other = ibis.duckdb.connect().create_table("shop", moments)
    pd.testing.assert_frame_equal(
        plain, feedback.spend_after(ANSWERS, other, days=30, invited=ASKED, as_of=AS_OF)
    )


def test_what_is_kept_of_one_question_does_not_answer_another() -> None:
    loaded = tables.load_responses(ANSWERS, as_of=AS_OF)
    first = feedback.churn_after(loaded, FEES, days=30, as_of=AS_OF)
    longer = feedback.churn_after(loaded, FEES, days=60, as_of=AS_OF)
    asked = feedback.churn_after(loaded, FEES, days=30, invited=ASKED, as_of=AS_OF)
    assert (first.attrs["not_observed"], longer.attrs["not_observed"]) == (1, 3)
    assert (len(first), len(asked)) == (3, 4)


people = st.lists(
    st.tuples(st.integers(0, 10), st.integers(-40, 60), st.integers(1, 50)), min_size=1, max_size=12
)


@settings(max_examples=10, deadline=None)
@given(people)
def test_a_plain_count_says_the_same(people: list[tuple[int, int, int]]) -> None:
    """One answer each at midnight of 1 February, one order so many days before or after, and what it cost."""
    answered = pd.Timestamp("2024-02-01")
    who = [str(i) for i in range(len(people))]
    said = pd.DataFrame({"customer_id": who, "score": [s for s, _, _ in people], "responded_at": answered})
    moments = [answered + pd.Timedelta(days=day) for _, day, _ in people]
    bought = pd.DataFrame({"customer_id": who, "ordered_at": moments, "amount": [a for _, _, a in people]})
    bought = pd.concat([bought, pd.DataFrame([["z", pd.Timestamp("2023-12-01"), 1]], columns=list(bought))])
    found = feedback.spend_after(said, bought, days=30, groups="score", as_of="2024-04-02")
    expected: dict[int, list[int]] = {}
    for score, day, amount in people:
        expected.setdefault(score, []).append(amount if 0 < day < 30 else 0)
    assert found["score"].tolist() == sorted(expected, reverse=True)
    for score, customers, revenue in found[["score", "customers", "revenue"]].itertuples(index=False):
        assert customers == len(expected[score])
        assert revenue == pytest.approx(sum(expected[score]))


# -- errors -------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, -3, 1.5, True, "90"])
def test_days_that_are_none(days: object) -> None:
    with pytest.raises(ParamsError) as error:
        feedback.churn_after(ANSWERS, FEES, days=days, as_of=AS_OF)
    assert (
        str(error.value) == f"days is a whole number from 1, and it was {days!r}. Type days=90, or another."
    )


def test_groups_that_are_not_known() -> None:
    with pytest.raises(ParamsError) as error:
        feedback.churn_after(ANSWERS, FEES, groups="bands", as_of=AS_OF)
    assert str(error.value) == (
        "groups 'bands' is not known. Did you mean 'band'? Choose one of ['band', 'score']."
    )


def test_what_is_missing_is_named() -> None:
    for call, message in (
        (
            lambda: feedback.churn_after(ANSWERS.drop(columns="responded_at"), FEES, as_of=AS_OF),
            "responses is missing ['responded_at']. It has ['customer_id', 'score']. "
            "Map your names onto ours with columns={'responded_at': 'your_name'}.",
        ),
        (
            lambda: feedback.spend_after(ANSWERS, SHOP.drop(columns="amount"), as_of=AS_OF),
            "orders is missing ['amount']. It has ['customer_id', 'ordered_at']. "
            "Map your names onto ours with columns={'amount': 'your_name'}.",
        ),
        (
            lambda: feedback.against_promoters(SHOP),
            "after has no column band. It has ['customer_id', 'ordered_at', 'amount']. "
            "Make it with groups='band'.",
        ),
        (
            lambda: feedback.clv_after(ANSWERS, SHOP, as_of=AS_OF),
            "customer_values is missing ['expected_value']. It has ['customer_id', 'ordered_at', 'amount'].",
        ),
    ):
        with pytest.raises(DataError) as error:
            call()
        assert str(error.value) == message


# -- data whose truth is known ------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> dict:
    return {"invited": datasets.demo_invitations(), "as_of": datasets.DEMO_AS_OF}


def test_detractors_of_the_invented_company_leave_more_and_bring_less(demo) -> None:
    """Its scores lean on who is about to leave and who buys slowly, and on nothing that follows from them."""
    loaded = tables.load_responses(datasets.demo_responses(), as_of=demo["as_of"])
    orders = tables.load_orders(datasets.demo_orders(), as_of=demo["as_of"])
    for found, worse in (
        (feedback.churn_after(loaded, datasets.demo_subscriptions(), **demo), 1),
        (feedback.retention_after(loaded, orders, **demo), -1),
        (feedback.spend_after(loaded, orders, **demo), -1),
        (feedback.clv_after(loaded, clv.customer_value(orders), **demo), -1),
    ):
        row = found.set_index("band").loc["detractors"]
        assert (worse * row[["difference_low", "difference_high"]] > 0).all()
        assert found.attrs["not_observed"] == 0


def test_where_scores_lean_on_nothing_nobody_differs() -> None:
    plain = {"buying": 0.0, "leaving": 0.0, "leaves_soon": 0.0, "character": 0.0, "chance": 1.0}
    alike = {"promoters": 0.5, "passives": 0.3, "detractors": 0.2}
    shares = {"2024": dict.fromkeys(["household", "office", "café"], alike)}
    truth = company.Truth(liking=plain, waves={"2024": "2024-03-04"}, score_shares=shares)
    frames = company.Company(truth)
    for found in (
        feedback.churn_after(frames["responses"], frames["subscriptions"], as_of=truth.as_of),
        feedback.spend_after(frames["responses"], frames["orders"], as_of=truth.as_of),
    ):
        row = found.set_index("band").loc["detractors"]
        assert row["difference_low"] < 0 < row["difference_high"]
