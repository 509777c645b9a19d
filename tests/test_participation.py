"""Who answers: by hand, what an invitation is, and where those who answer are unlike the others."""

from pathlib import Path

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, intervals, nps, nps_comparisons, participation, tables
from retention_kit.exceptions import DataError

AS_OF = datasets.TINY_AS_OF
# Twice six and seven were asked; hana exactly at as_of, which is not observed.
ASKED = pd.DataFrame(
    [(who, "2024-01-09") for who in ("ana", "ben", "cleo", "finn", "gus", "kim")]
    + [(who, "2024-04-09") for who in ("ana", "ben", "cleo", "dan", "eva", "ivo", "leo")]
    + [("hana", "2024-05-01")],
    columns=["customer_id", "invited_at"],
)


def test_rates_by_hand() -> None:
    # January: ana, ben, cleo and finn of six, for gus left the score blank; April: five of seven.
    found = participation.response_rates(
        datasets.tiny_responses(), invited=ASKED, period="month", as_of=AS_OF
    )
    assert found["period"].dt.month.tolist() == [1, 4]
    assert found[["invited", "answered"]].to_numpy().tolist() == [[6, 4], [7, 5]]
    assert found["response_rate"].tolist() == [4 / 6, 5 / 7]
    low, high = intervals.wilson([4, 5], [6, 7])
    assert (found["low"].tolist(), found["high"].tolist()) == (low.tolist(), high.tolist())
    assert set(found["interval"]) == {"Wilson 95 %"}
    assert found.attrs["rows_set_aside"] == {"at or after as_of": 1}
    whole = participation.response_rates(datasets.tiny_responses(), invited=ASKED, as_of=AS_OF)
    assert whole[["invited", "answered"]].to_numpy().tolist() == [[13, 9]]


def test_a_period_that_is_not_over_has_no_row() -> None:
    found = participation.response_rates(
        datasets.tiny_responses(), invited=ASKED, period="month", as_of="2024-04-20"
    )
    assert found["period"].dt.month.tolist() == [1]


def test_an_answer_belongs_to_the_last_invitation_before_it() -> None:
    asked = pd.DataFrame({"customer_id": "ann", "invited_at": ["2024-01-01", "2024-02-01", "2024-03-01"]})
    for day, answered in {
        "2023-12-31": [0, 0, 0],
        "2024-01-01": [1, 0, 0],
        "2024-01-31": [1, 0, 0],
        "2024-02-01": [0, 1, 0],
        "2024-03-15": [0, 0, 1],
    }.items():
        answers = pd.DataFrame({"customer_id": ["ann"], "score": [9], "responded_at": [day]})
        found = participation.response_rates(answers, invited=asked, period="month", as_of="2024-04-01")
        assert found["answered"].tolist() == answered, day


def test_two_answers_to_one_invitation_are_one() -> None:
    asked = pd.DataFrame({"customer_id": ["ann", "bob"], "invited_at": "2024-01-01"})
    twice = pd.DataFrame(
        {"customer_id": "ann", "score": [9, 2], "responded_at": ["2024-01-02", "2024-01-05"]}
    )
    found = participation.response_rates(twice, invited=asked, as_of="2024-04-01")
    assert found[["invited", "answered"]].to_numpy().tolist() == [[2, 1]]


def test_without_moments_a_customer_was_asked_once() -> None:
    asked = ASKED[["customer_id"]]
    found = participation.response_rates(datasets.tiny_responses(), invited=asked, as_of=AS_OF)
    assert found[["invited", "answered"]].to_numpy().tolist() == [
        [11, 6]
    ]  # gus, hana, ivo, kim and leo did not


def test_by_a_column_of_those_asked() -> None:
    asked = ASKED.assign(way=["mail"] * 6 + ["app"] * 4 + [None] * 4)
    found = participation.response_rates(datasets.tiny_responses(), invited=asked, by="way", as_of=AS_OF)
    assert found[["invited", "answered"]].to_numpy().tolist() == [[4, 4], [6, 4], [3, 1]]
    assert found["way"].tolist()[:2] == ["app", "mail"]
    assert pd.isna(found["way"].iloc[2])


def test_tables_of_two_engines_are_matched() -> None:
    other = ibis.duckdb.connect().create_table("asked", ASKED.astype({"invited_at": "datetime64[us]"}))
    found = participation.response_rates(datasets.tiny_responses(), invited=other, as_of=AS_OF)
    assert found[["invited", "answered"]].to_numpy().tolist() == [[13, 9]]


def test_completion_by_hand() -> None:
    answers = datasets.tiny_responses().assign(
        price=[5, None, 3, 2, None, 4, 1, 2, 3, 4, 5, None, 1, 1], ease="4"
    )
    found = participation.completion_rates(answers, questions=["price", "ease"], as_of=AS_OF)
    assert found["question"].tolist() == ["score", "price", "ease", "all"]
    # 13 rows before as_of, 11 scores; of those ben, one nameless and another gave no price.
    assert found[["begun", "answered"]].to_numpy().tolist() == [[13, 11], [11, 8], [11, 11], [11, 8]]
    assert found["completion_rate"].tolist() == [11 / 13, 8 / 11, 1, 8 / 11]
    alone = participation.completion_rates(datasets.tiny_responses(), as_of=AS_OF)
    assert alone["question"].tolist() == ["score"]


def test_commenters_by_hand() -> None:
    # With words: 10 6 3 7 0, NPS 100 (1 - 3) / 5; without: 8 9 9 10 8 10, NPS 100 x 4 / 6.
    row = participation.comment_bias(datasets.tiny_responses(), as_of=AS_OF).iloc[0]
    assert row[["with_comment", "answers_with", "answers_without"]].tolist() == [-40, 5, 6]
    assert row["without_comment"] == pytest.approx(400 / 6)
    assert row["difference"] == pytest.approx(-40 - 400 / 6)
    both = [
        nps.nps_from_counts(promoters=promoters, passives=passives, detractors=detractors)
        for promoters, passives, detractors in ((1, 1, 3), (4, 2, 0))
    ]
    expected = nps_comparisons.nps_compare(*both).iloc[0]
    assert row[["low", "high", "interval"]].tolist() == expected[["low", "high", "interval"]].tolist()
    assert row["high"] < 0


@pytest.mark.parametrize("comment", [None, "Good."])
def test_where_all_or_none_write_there_is_nothing_to_compare(comment: str | None) -> None:
    found = participation.comment_bias(datasets.tiny_responses().assign(comment=comment), as_of=AS_OF)
    assert found.empty
    assert {"difference", "low", "high"} <= set(found.columns)


def test_respondents_by_hand() -> None:
    found = participation.respondent_bias(
        datasets.tiny_responses(), datasets.tiny_customers(), columns=["segment", "contactable"], as_of=AS_OF
    )
    assert found["column"].tolist() == ["segment"] * 3 + ["contactable"] * 2
    assert found["value"].tolist()[:2] == ["household", "office"]
    assert pd.isna(found["value"].iloc[2])  # dan
    # Of ten, ana ben cleo dan eva finn answered.
    assert found[["customers", "respondents"]].to_numpy().tolist() == [[6, 3], [3, 2], [1, 1], [2, 1], [8, 5]]
    assert found["difference"].tolist() == pytest.approx(
        [3 / 6 - 0.6, 2 / 6 - 0.3, 1 / 6 - 0.1, -1 / 30, 1 / 30]
    )
    low, high = intervals.difference(3, 6, 3, 4)  # household: of those who did, and of the four who did not
    row = found.iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((float(low) * 0.4, float(high) * 0.4))


def test_who_is_not_among_the_customers_is_left_out() -> None:
    customers = datasets.tiny_customers()[lambda each: each["customer_id"] != "ana"]
    found = participation.respondent_bias(
        datasets.tiny_responses(), customers, columns=["segment"], as_of=AS_OF
    )
    assert found["respondents"].tolist() == [2, 2, 1]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=25))
def test_differences_add_up_to_nothing(people: list[tuple[str, bool]]) -> None:
    customers = pd.DataFrame(
        {"customer_id": map(str, range(len(people))), "plan": [plan for plan, _ in people]}
    )
    who = [str(i) for i, (_, answers) in enumerate(people) if answers]
    answers = pd.DataFrame({"customer_id": [*who, "stranger"], "score": 9})
    found = participation.respondent_bias(answers, customers, columns=["plan"])
    assert found["customers"].sum() == len(people)
    if who:
        assert found["difference"].sum() == pytest.approx(0, abs=1e-12)
    if 0 < len(who) < len(people):
        assert (found["low"] <= found["difference"] + 1e-12).all()
        assert (found["difference"] <= found["high"] + 1e-12).all()


# -- errors -------------------------------------------------------------------


def test_what_is_missing_is_named() -> None:
    answers, asked = datasets.tiny_responses(), ASKED[["customer_id"]]
    for call, message in (
        (
            lambda: participation.response_rates(answers, invited=asked, period="month", as_of=AS_OF),
            "invitations is missing ['invited_at'], and period needs it. Leave period out.",
        ),
        (
            lambda: participation.response_rates(
                answers, invited=tables.load_orders(datasets.tiny_orders(), as_of=AS_OF), as_of=AS_OF
            ),
            "invited= needs invitations, and it was given orders.",
        ),
        (
            lambda: participation.response_rates(
                answers, invited=tables.load_invitations(ASKED, as_of=AS_OF), by="way", as_of=AS_OF
            ),
            "invitations is missing ['way']. It has ['customer_id', 'invited_at'].",
        ),
        (
            lambda: participation.respondent_bias(
                answers, tables.load_customers(datasets.tiny_customers()), columns=["city"], as_of=AS_OF
            ),
            "customers is missing ['city']. It has ['customer_id', 'segment', 'margin', 'acquisition_cost', "
            "'contactable'].",
        ),
        (
            lambda: participation.comment_bias(answers.drop(columns="comment"), as_of=AS_OF),
            "responses is missing ['comment']. It has ['customer_id', 'responded_at', 'score']. "
            "Map your names onto ours with columns={'comment': 'your_name'}.",
        ),
    ):
        with pytest.raises(DataError) as error:
            call()
        assert str(error.value) == message


# -- data whose truth is known, and a real one --------------------------------


def test_the_invented_company_is_answered_as_often_as_its_truth_says() -> None:
    answers, asked = datasets.demo_responses(), datasets.demo_invitations()
    waves = participation.response_rates(answers, invited=asked, period="quarter", as_of=datasets.DEMO_AS_OF)
    given = datasets.demo_truth().response_rate * (1 - datasets.demo_truth().blank_rate)
    assert len(waves) == 2
    assert ((waves["low"] < given) & (given < waves["high"])).all()


@pytest.mark.realdata
def test_garden_store(data_folder: Path) -> None:
    names = {"score": "nps", "comment": "explication"}
    loaded = tables.load_responses(data_folder / "nps_garden_store" / "nps.csv.gz", columns=names)
    row = participation.comment_bias(loaded, scale="nps_1_10").iloc[0]
    assert (row["answers_with"], row["answers_without"]) == (3_802, 9_810)
    assert (row["with_comment"], row["without_comment"]) == pytest.approx((39.22, 58.92), abs=0.005)
    assert row["high"] < -15
