"""The number detective: which definitions print a figure, and the sentence that says so."""

import json
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import (
    churn,
    churn_candidates,
    explanations,
    figures,
    mrr,
    nps,
    nps_candidates,
    params,
    periods,
    retention,
    scales,
    tables,
)
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.explanations import COHORT, OTHER_PERIOD, Candidate
from retention_kit.phrases import words
from retention_kit.sentences import Voice

PARAMS = Path(__file__).parents[1] / "params"
COLUMNS = ["definition", "group", "numerator", "denominator", "value", "matches", "ours", "also"]


def fees(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at", "mrr"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("started_at", "ended_at")}
    return frame.assign(**dates)


def matching(frame: pd.DataFrame) -> list[str]:
    return frame.loc[frame["matches"], "definition"].tolist()


def tried(frame: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """By each definition, those by the same counts too, what it divides by what."""
    rows = {}
    for row in frame.itertuples():
        for name in [row.definition, *filter(None, row.also.split("; "))]:
            rows[name] = (row.numerator, row.denominator)
    return rows


# -- the shared core ----------------------------------------------------------

HALF = {"asked": words("explain.asked.churn", month="2024-02-01")}
HALF |= {"nothing": words("explain.nothing.churn", month="2024-02-01"), "told": {}}


def candidate(name: str, numerator: float, denominator: float, **more: object) -> Candidate:
    said = words("explain.counted", numerator=numerator, denominator=denominator, definition=name)
    return Candidate(name, numerator, denominator, said, **more)


OURS = candidate("a over b", 1, 4, ours=True)
MORE = candidate("a over c", 1, 3, why=[words("explain.policy_why.free")])
SAME = candidate("d over e", 2, 6)
COHORT_1 = candidate("one cohort", 1, 5, group=COHORT)
NEXT = candidate("a over b, later", 1, 10, group=OTHER_PERIOD, period="later")


@pytest.mark.parametrize(
    ("figure", "candidates", "said"),
    [
        ("25 %", [OURS, MORE], "25% in February 2024 is 1 of 4: a over b. Ours is the same."),
        (
            "33 %",
            [OURS, MORE],
            "33% in February 2024 is 1 of 3: a over c. Ours is 25.0%, 1 of 4: a over b. "
            "Ours counts those who pay, and nobody else.",
        ),
        (
            "33.33 %",
            [OURS, MORE, SAME],
            "33.33% in February 2024 can be 2 things, and the figure alone cannot decide: (1) 1 of 3: "
            "a over c; (2) 2 of 6: d over e. Ours is 25.00%, 1 of 4: a over b.",
        ),
        (
            "0.3",
            [OURS, MORE, SAME],
            "30% in February 2024 can be 3 things, and the figure alone cannot decide: (1) ours, 1 of 4: "
            "a over b; (2) 1 of 3: a over c; (3) 2 of 6: d over e.",
        ),
        (
            "0.3",
            [*(candidate(f"no. {i}", i, 3 * i) for i in range(1, 8))],
            "30% in February 2024 can be 7 things, and the figure alone cannot decide: (1) 1 of 3: no. 1; "
            "(2) 2 of 6: no. 2; (3) 3 of 9: no. 3; (4) 4 of 12: no. 4; and 3 more. "
            "There is no figure of ours to compare.",
        ),
        (
            "12.5 %",
            [OURS, MORE, NEXT],
            "No definition tried gives 12.5% in February 2024 (3 tried), and none comes nearer than ours. "
            "Ours is 25.0%, 1 of 4: a over b.",
        ),
        (
            "50 %",
            [OURS, MORE],
            "No definition tried gives 50% in February 2024 (2 tried). The nearest is 33.3%, 1 of 3: a over "
            "c. Ours is 25.0%, 1 of 4: a over b.",
        ),
        (
            "10 %",
            [OURS, NEXT],
            "No definition tried gives 10% in February 2024, unless it is the figure of something else: "
            "1 of 10: a over b, later. Ours is 25.0%, 1 of 4: a over b.",
        ),
        # A last resort is no rival of a definition of the whole.
        ("0.2", [OURS, COHORT_1], "20% in February 2024 can be"),
        ("20 %", [OURS, COHORT_1, NEXT], "No definition tried gives 20% in February 2024, unless"),
        (
            "10 %",
            [NEXT],
            "No definition tried gives 10% in February 2024, unless it is the figure of something else: "
            "1 of 10: a over b, later. There is no figure of ours to compare.",
        ),
        (
            "11 %",
            [NEXT],
            "No definition can be tried for 11% in February 2024. There is no figure of ours to compare.",
        ),
        (
            "11 %",
            [candidate("nothing", 0, 0)],
            "Churn in February 2024 cannot be explained: nobody paid and nobody stopped paying.",
        ),
    ],
)
def test_sentence(figure: str, candidates: list[Candidate], said: str) -> None:
    frame = explanations.explained(candidates, figures.read(figure, "share"), **HALF)
    if said.endswith("can be"):
        said = "20% in February 2024 is 1 of 4: a over b. Ours is the same."
    found = frame.attrs["sentence"]
    assert found == said or (said.endswith("unless") and found.startswith(said))
    assert explanations.sentence(frame, Voice("en")) == found


def test_shape_of_the_frame() -> None:
    frame = explanations.explained([OURS, MORE, SAME, NEXT], figures.read("33.3 %", "share"), **HALF)
    assert frame.columns.tolist() == COLUMNS
    assert frame["definition"].tolist() == ["a over c", "d over e", "a over b", "a over b, later"]
    assert frame["matches"].tolist() == [True, True, False, False]
    assert frame["value"].tolist() == [1 / 3, 2 / 6, 1 / 4, 1 / 10]
    assert frame["ours"].tolist() == [False, False, True, False]
    assert {str(kind) for kind in frame.dtypes} == {"str", "float64", "bool"}
    assert frame.attrs["figure"] == 0.333
    assert json.loads(json.dumps(frame.attrs)) == frame.attrs
    empty = explanations.explained([], figures.read("33.3 %", "share"), **HALF)
    assert empty.columns.tolist() == COLUMNS
    assert empty.dtypes.equals(frame.dtypes)


def test_the_same_counts_are_one_definition_under_the_simplest() -> None:
    again = candidate("the same again", 1, 4)
    money = candidate("as much in money", 1, 4, unit="money")
    policy = candidate("the same by a policy", 1, 4, group="policy")
    late = candidate("the same, later", 1, 4, group=OTHER_PERIOD, period="later")
    late_again = candidate("again, later", 1, 4, group=OTHER_PERIOD, period="later")
    frame = explanations.explained(
        [OURS, again, money, policy, late, late_again], figures.read("25 %", "share"), **HALF
    )
    assert frame["definition"].tolist() == ["a over b", "as much in money", "the same, later"]
    # A policy that changes nothing is no news.
    assert frame["also"].tolist() == ["the same again", "", "again, later"]


def test_text_for_a_terminal() -> None:
    frame = explanations.explained([OURS, MORE], figures.read("33 %", "share"), **HALF)
    assert explanations.as_text(frame, Voice("en")).splitlines()[1:] == [
        "",
        "= a over c         1 of 3  33.3%",
        "  a over b (ours)  1 of 4  25.0%",
    ]
    empty = explanations.explained([], figures.read("33 %", "share"), **HALF)
    assert explanations.as_text(empty, Voice("en")) == empty.attrs["sentence"]


# -- churn --------------------------------------------------------------------

# In February: ann stays, bob is lost, cat joins and leaves, dan leaves and comes back.
FEES = fees(
    ("ann", "2024-01-01", None, 20),
    ("bob", "2024-01-10", "2024-02-20", 10),
    ("cat", "2024-02-05", "2024-02-15", 10),
    ("dan", "2024-01-15", "2024-02-10", 30),
    ("dan", "2024-02-20", None, 30),
)


@pytest.fixture(scope="module")
def february() -> pd.DataFrame:
    return churn.explain_figure(FEES, "33.3 %", month="2024-02", as_of="2024-04-01")


def test_churn_by_hand(february: pd.DataFrame) -> None:
    frame = february
    found = tried(frame[frame["group"] == "definition"])
    days = Fraction(29 + 19 + 10 + 9 + 10, 29)
    assert {name: Fraction(a).limit_denominator(1000) / Fraction(b) for name, (a, b) in found.items()} == {
        "lost / start": Fraction(1, 3),
        "lost / (start + new)": Fraction(2, 4),
        "lost / average": Fraction(2, 3 + 2),
        "lost / end": Fraction(1, 2),
        "churned MRR / begin": Fraction(50, 60),
        "(churned + contraction) / begin": Fraction(50, 60),
        "(churned + contraction - expansion - reactivation) / begin": Fraction(50 - 30, 60),
        "(churned + contraction - expansion) / begin": Fraction(50, 60),
        "stops / customer-months": pytest.approx(3 / days),
        "lost / due for renewal": Fraction(2, 3),
        "stops / start": Fraction(3, 3),
        "stops / average": Fraction(2 * 3, 3 + 2),
        "stops / end": Fraction(3, 2),
        "subscriptions ended / at start": Fraction(3, 3),
    }
    assert frame.loc[frame["ours"], "definition"].tolist() == ["lost / start"]
    assert (frame.attrs["month"], frame.attrs["as_of"], frame.attrs["figure"]) == (
        "2024-02",
        "2024-04-01",
        0.333,
    )
    assert matching(frame) == ["lost / start", "(churned + contraction - expansion - reactivation) / begin"]
    assert frame.attrs["sentence"] == (
        "33.3% in February 2024 can be 2 things, and the figure alone cannot decide: (1) ours, 1 of 3: "
        "customers lost over those at the start; (2) 20 of 60: recurring revenue lost, less what other "
        "customers paid more or came back with, over that at the start."
    )


def test_policies_that_change_something_are_tried() -> None:
    loaded = tables.subscriptions(FEES, as_of="2024-04-01")
    month = periods.index_of(pd.Timestamp("2024-02-01"), "month")
    candidates = churn_candidates.candidates(loaded, month)
    policies = {each.definition: each for each in candidates if each.group == "policy"}
    of = {name: (each.numerator, each.denominator) for name, each in policies.items()}
    assert of["lost / (start + new), same_month=ignored"] == (1, 3)  # bob, of three without cat
    assert of["stops / start, same_month=ignored"] == (2, 3)  # bob and dan
    assert of["churned MRR / begin, reactivation_days=30"] == (20, 60)  # bob's 10 and cat's 10
    assert {name.rsplit(", ", 1)[-1] for name in policies} == {
        *("same_month=ignored", "reactivation_days=30", "reactivation_days=90"),
    }


def test_one_explanation_says_why_ours_is_another() -> None:
    plain = fees(
        *((f"old{i}", "2024-01-05", "2024-02-10" if i < 2 else None, 10 + i) for i in range(5)),
        ("new", "2024-02-03", None, 10),
    )
    frame = churn.explain_figure(plain, 0.333, month="2024-02", as_of="2024-04-01")
    assert matching(frame) == ["lost / (start + new)"]
    assert set(frame["group"]) == {"definition", OTHER_PERIOD}  # no policy changes anything here
    assert frame.attrs["sentence"] == (
        "33.3% in February 2024 is 2 of 6: customers lost over those at the start and those who joined. "
        "Ours is 40.0%, 2 of 5: customers lost over those at the start. The one who joined in the month is "
        "not at risk in ours. (Stripe documents this rule, over 30 days.)"
    )


def test_a_figure_of_the_month_beside_is_a_last_resort() -> None:
    plain = fees(*((f"c{i}", "2024-01-05", "2024-03-10" if i < 2 else None, 10) for i in range(7)))
    frame = churn.explain_figure(plain, "28.6 %", month="2024-02", as_of="2024-04-01")
    assert frame.attrs["sentence"].startswith(
        "No definition tried gives 28.6% in February 2024, unless it is the figure of something else: "
        "(1) in March 2024, 2 of 7: customers lost over those at the start; (2) in March 2024, 20 of 70: "
    )
    assert frame.attrs["sentence"].endswith("Ours is 0.0%, 0 of 7: customers lost over those at the start.")
    # The month after is not tried where it is not over.
    early = churn.explain_figure(plain, "28.6 %", month="2024-02", as_of="2024-03-20")
    assert matching(early) == []


def test_a_month_in_which_nobody_could_be_lost() -> None:
    late = churn.explain_figure(FEES.iloc[:2], "5 %", month="2023-06", as_of="2024-04-01")
    assert late.columns.tolist() == COLUMNS
    assert late.empty
    assert late.attrs["sentence"] == (
        "Churn in June 2023 cannot be explained: nobody paid and nobody stopped paying."
    )
    first = churn.explain_figure(FEES.iloc[:2], "5 %", month="2024-01", as_of="2024-02-01")
    assert not first["ours"].any()
    assert first.attrs["sentence"].endswith("There is no figure of ours to compare.")


def test_without_fees_no_money_is_tried() -> None:
    frame = churn.explain_figure(
        FEES.iloc[:2].drop(columns="mrr"), "33.3 %", month="2024-02", as_of="2024-04-01"
    )
    assert not frame["definition"].str.contains("MRR|begin|free").any()


def test_every_policy_the_data_can_tell() -> None:
    pause = fees(
        ("gus", "2024-01-03", "2024-02-05", 20),
        ("gus", "2024-02-05", "2024-02-20", 20),
        ("gus", "2024-02-20", None, 20),
        ("eve", "2024-01-02", None, 0),
    )
    table = pd.concat([FEES, pause], ignore_index=True)
    table["cancelled_at"] = pd.Series(pd.Timestamp("2024-01-20"), table.index).where(
        table["customer_id"] == "bob"
    )
    table["paused"] = table.index == 6
    table["discount"] = 5.0 * (table["customer_id"] == "ann")
    frame = churn.explain_figure(table, "5 %", month="2024-02", as_of="2024-04-01")
    names = {name.rsplit(", ", 1)[-1] for name in tried(frame[frame["group"] == "policy"])}
    assert names == {
        *("same_month=ignored", "reactivation_days=30", "reactivation_days=90", "churn_date=cancel"),
        *("pauses=kept", "discounts=gross", "free=counted"),
    }
    told = said_of_all(frame)
    assert told["lost / start, churn_date=cancel"] == (
        "0 of 3: customers lost over those at the start, by the day of the cancellation",
        ["In ours a customer is lost when what was paid for ends."],
    )
    assert told["lost / start, free=counted"][0].endswith(", with free subscriptions counted")


def said_of_all(frame: pd.DataFrame) -> dict[str, tuple[str, list[str]]]:
    """Every phrase and every reason, said: none may be missing from the catalogue."""
    known = frame.attrs["explained"]["definitions"]
    assert set(known) == set(frame["definition"])
    voice = Voice("en")
    return {
        name: (
            voice.said(told["phrase"]),
            [voice.said(why) for why in told["why"]],
        )
        for name, told in known.items()
    }


subscription = st.tuples(
    st.sampled_from("abcdef"),
    st.integers(0, 100),
    st.integers(1, 90) | st.none(),
    st.sampled_from([0, 5, 7, 20]),
)


def random_fees(rows: list[tuple]) -> pd.DataFrame:
    first = pd.Timestamp("2024-01-01")
    days = [(who, first + pd.Timedelta(days=day), length, price) for who, day, length, price in rows]
    return fees(
        *((who, at, n if n is None else at + pd.Timedelta(days=n), price) for who, at, n, price in days)
    )


@settings(max_examples=5, deadline=None)
@given(rows=st.lists(subscription, min_size=2, max_size=12), month=st.integers(1, 4))
def test_a_definition_explains_its_own_figure(rows: list[tuple], month: int) -> None:
    loaded = tables.subscriptions(random_fees(rows), as_of="2024-06-01")
    number = periods.index_of(pd.Timestamp(2024, month, 1), "month")
    candidates = churn_candidates.candidates(loaded, number)
    for each in candidates:
        if not each.denominator or abs(each.value) >= 99:
            continue
        shown = (100 * each.value).quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)
        for figure in (f"{shown} %", *([float(each.value)] if abs(each.value) <= 1 else [])):
            frame = explanations.explained(candidates, figures.read(figure, "share"), **HALF)
            found = frame[frame["matches"]]
            names = found["definition"].tolist() + [n for also in found["also"] for n in also.split("; ")]
            # By the counts of a simpler one it stands under that one's name, and a policy under none.
            assert each.definition in names or float(each.value) in found["value"].tolist()
            assert each.group == "policy" or each.definition in names


@settings(max_examples=5, deadline=None)
@given(rows=st.lists(subscription, min_size=2, max_size=12))
def test_counts_are_those_of_the_metrics(rows: list[tuple]) -> None:
    table = random_fees(rows)
    loaded = tables.subscriptions(table, as_of="2024-06-01")
    months = churn_candidates.counted(loaded, periods.first_incomplete(loaded, "month"))
    months.index = [periods.start_of(number, "month") for number in months.index]
    for name, counts in churn_candidates._DENOMINATORS.items():
        rates = churn.churn_rates(loaded, denominator=name).set_index("period")
        for theirs, ours in counts.items():
            assert months.loc[rates.index, ours].tolist() == pytest.approx(rates[theirs].tolist())
    bridge = mrr.mrr_movements(loaded).set_index("period")
    for column in ("begin", "new", "reactivation", "expansion", "contraction", "churn"):
        assert (months.loc[bridge.index, column] / 100).tolist() == pytest.approx(bridge[column].tolist())
    for start, row in months.iterrows():
        paid = table[(table["mrr"] > 0)]
        running = (paid["started_at"] < start) & ~(paid["ended_at"] < start)
        ended = (paid["ended_at"] >= start) & (paid["ended_at"] < start + pd.DateOffset(months=1))
        assert (row["rows_start"], row["rows_ended"]) == (running.sum(), ended.sum())


def test_frame_loaded_and_day_of_the_month_give_one_answer(february: pd.DataFrame) -> None:
    loaded = tables.load_subscriptions(FEES, as_of="2024-04-01")
    again = churn.explain_figure(loaded, "33.3 %", month=pd.Timestamp("2024-02-29"))
    pd.testing.assert_frame_equal(again, february)
    assert again.attrs["sentence"] == february.attrs["sentence"]


@pytest.mark.parametrize(
    ("figure", "month", "message"),
    [
        (
            "33",
            "2024-02",
            "churn '33' is no share such as 0.378. Type '33 %' if it is percent.",
        ),
        ("33 %", "soon", "month 'soon' is no date. Type one as month='2019-12'."),
        (
            "33 %",
            "2024-04",
            "month 2024-04 was not observed to its end: the data go to 2024-04-01. The last month that was "
            "is 2024-03.",
        ),
    ],
)
def test_churn_that_cannot_be_asked_about(figure: str, month: str, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        churn.explain_figure(FEES, figure, month=month, as_of="2024-04-01")
    assert str(error.value) == message


# -- churn of dbt's mrr-playbook ----------------------------------------------


@pytest.fixture
def playbook(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> tables.Loaded:
    monkeypatch.setenv("RETENTION_KIT_DATA", str(data_folder))
    return tables.load(params.read(PARAMS / "examples" / "saas_playbook.yaml"), "subscriptions")


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("figure", "definition", "said"),
    [
        (
            0.378,
            "lost / (start + new)",
            "37.8% in December 2019 is 17 of 45: customers lost over those at the start and those who "
            "joined. Ours is 40.5%, 17 of 42: customers lost over those at the start. The 3 who joined in "
            "the month are not at risk in ours. (Stripe documents this rule, over 30 days.)",
        ),
        (
            0.405,
            "lost / start",
            "40.5% in December 2019 is 17 of 42: customers lost over those at the start. Ours is the same.",
        ),
        (
            0.486,
            "lost / average",
            "48.6% in December 2019 is 17 of 35: customers lost over the average of those at the start and "
            "at the end. Ours is 40.5%, 17 of 42: customers lost over those at the start. Ours divides by "
            "the 42 at the start alone, for only they can be lost; there were 28 at the end.",
        ),
    ],
)
def test_playbook_december_2019(playbook: tables.Loaded, figure: float, definition: str, said: str) -> None:
    frame = churn.explain_figure(playbook, figure, month="2019-12")
    assert matching(frame) == [definition]
    assert frame.attrs["sentence"] == said


SIX = [
    *("lost / start", "lost / (start + new)", "lost / average", "lost / end"),
    *("churned MRR / begin", "(churned + contraction) / begin"),
]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("net", "as_of", "months", "values", "alone"),
    [
        # The published 40 of 49: net churn takes expansion off and not reactivation, the last month is in,
        # and a value that several definitions print in a month is one value.
        ("(churned + contraction - expansion) / begin", "2020-02-01", 25, 49, 40),
        # Our own net churn, up to the as-of date of the example.
        ("(churned + contraction - expansion - reactivation) / begin", "2020-01-01", 24, 47, 40),
    ],
)
def test_playbook_figures_that_point_to_one_definition(
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    net: str,
    as_of: str,
    months: int,
    values: int,
    alone: int,
) -> None:
    """Of seven definitions over the months from 2018 on; none prints as another but by the same counts."""
    monkeypatch.setenv("RETENTION_KIT_DATA", str(data_folder))
    client = params.read(PARAMS / "examples" / "saas_playbook.yaml", as_of=as_of)
    playbook = tables.load(client, "subscriptions")
    counted = churn_candidates.counted(playbook, periods.first_incomplete(playbook, "month"))
    counted = counted[counted.index >= periods.index_of(pd.Timestamp("2018-01-01"), "month")]
    seven = [each for each in churn_candidates.DEFINITIONS if each.name in (*SIX, net)]
    shown, unique, mistaken = 0, 0, 0
    for _, counts in counted.iterrows():
        candidates = [each.candidate(counts.to_dict()) for each in seven]
        exact = [each.value for each in candidates if each.denominator]
        printed = [value.quantize(Decimal("0.001"), rounding=ROUND_HALF_EVEN) for value in exact]
        shown += len({text for text in printed if text})
        unique += sum(printed.count(text) == 1 for text in printed if text)
        mistaken += sum(
            printed.count(text) != exact.count(value) for value, text in zip(exact, printed, strict=True)
        )
    assert (len(seven), len(counted), shown, unique, mistaken) == (7, months, values, alone, 0)


# -- retention ----------------------------------------------------------------

# Cohorts of January (4) and February (2), by dates; seen until 20 March.
ORDERS = pd.DataFrame(
    [
        *(("a", "2024-01-05"), ("a", "2024-02-04"), ("b", "2024-01-31"), ("b", "2024-03-05")),
        *(("c", "2024-01-10"), ("d", "2024-01-20"), ("d", "2024-03-15")),
        *(("e", "2024-02-01"), ("e", "2024-03-19"), ("f", "2024-02-28")),
    ],
    columns=["customer_id", "ordered_at"],
).astype({"ordered_at": "datetime64[us]"})


def test_retention_by_hand() -> None:
    frame = retention.explain_figure(ORDERS, "25 %", age=1, as_of="2024-03-20")
    found = tried(frame)
    assert found["on, calendar, complete, pooled"] == (1, 4)
    assert found["on_or_after, calendar, complete, pooled"] == (3, 4)
    assert found["on, calendar, running, pooled"] == (1 + 1, 4 + 2)
    assert found["on, calendar, running, simple"] == (1 / 4 + 1 / 2, 2)
    assert found["on_or_after, calendar, running, pooled"] == (3 + 1, 6)
    # Days 30 to 59: a on day 30, b on day 34, d on day 55, e on day 47. They are over for a, c and d, whose
    # day 59 was 19 March; for f, who came on 28 February, they have not begun.
    assert found["on, elapsed_days, eligible, pooled"] == (2, 3)
    assert found["on, elapsed_days, running, pooled"] == (1 + 1 + 1 + 1, 5)
    assert found["on, elapsed_days, everyone, pooled"] == (4, 6)
    assert found["on, cohort 2024-02-01"] == (1, 2)
    assert "age 2" not in found  # March is not over
    assert found["age 0"] == (6, 6)
    assert frame.loc[frame["ours"], "definition"].tolist() == ["on, calendar, complete, pooled"]
    assert frame.attrs["sentence"] == (
        "25% in month 1 is 1 of 4: customers active in month 1, by the calendar, of cohorts observed that "
        "long. Ours is the same."
    )
    assert (frame.attrs["age"], frame.attrs["period"]) == (1, "month")


def test_retention_says_why_ours_is_another() -> None:
    frame = retention.explain_figure(ORDERS, "37.5 %", age=1, as_of="2024-03-20")
    assert frame.attrs["sentence"] == (
        "37.5% in month 1 is the plain mean over 2 cohorts: customers active in month 1, by the calendar, "
        "with those whose month 1 is not over yet. Ours is 25.0%, 1 of 4: customers active in month 1, by "
        "the calendar, of cohorts observed that long. Ours leaves out the 2 customers of cohorts whose "
        "month 1 is not over. Ours gives every customer the same weight, not every cohort."
    )


def test_retention_of_one_cohort() -> None:
    frame = retention.explain_figure(ORDERS, "50 %", age=1, cohort="2024-02", as_of="2024-03-20")
    assert frame.attrs["sentence"] == (
        "50% in month 1, of the cohort that began on 1 February 2024, is 1 of 2: customers active in month "
        "1, by the calendar, with those whose month 1 is not over yet. There is no figure of ours to "
        "compare. Ours leaves out the 2 customers of cohorts whose month 1 is not over."
    )
    first = retention.explain_figure(ORDERS, "25 %", age=1, cohort="2024-01-17", as_of="2024-03-20")
    assert matching(first) == ["on, calendar, complete, pooled"]
    none = retention.explain_figure(ORDERS, "25 %", age=1, cohort="2023-01", as_of="2024-03-20")
    assert none.empty
    assert none.attrs["sentence"] == "Retention in month 1 cannot be explained: there is no such cohort."


def test_a_single_cohort_and_the_age_beside_are_last_resorts() -> None:
    shop = pd.concat([ORDERS] + [ORDERS.assign(customer_id=ORDERS["customer_id"] + str(i)) for i in range(4)])
    one = pd.DataFrame({"customer_id": "z", "ordered_at": pd.to_datetime(["2024-02-02", "2024-03-02"])})
    frame = retention.explain_figure(pd.concat([shop, one]), "54.5 %", age=1, as_of="2024-03-20")
    assert frame.attrs["sentence"].startswith(
        "No definition tried gives 54.5% in month 1, unless it is the figure of something else: 6 of 11 in "
        "the cohort that began on 1 February 2024: customers active in month 1. Ours is 25.0%, 5 of 20: "
    )


def test_every_way_of_retention_has_its_words() -> None:
    for period in ("day", "week", "month", "quarter"):
        said_of_all(retention.explain_figure(ORDERS, "33 %", as_of="2024-03-20", period=period))


def test_events_are_explained_as_orders_are() -> None:
    events = ORDERS.rename(columns={"ordered_at": "occurred_at"})
    answers = [retention.explain_figure(table, "25 %", as_of="2024-03-20") for table in (ORDERS, events)]
    pd.testing.assert_frame_equal(*answers)


def test_the_first_period_counted_as_number_one() -> None:
    frame = retention.explain_figure(ORDERS, "25 %", age=2, as_of="2024-04-01")
    assert tried(frame)["age 1"] == (1 + 1, 4 + 2)
    shifted = retention.explain_figure(ORDERS, "33 %", age=2, as_of="2024-04-01")
    assert "age 1" in matching(shifted)


@settings(max_examples=5, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 110)), min_size=1, max_size=25),
    age=st.integers(1, 3),
    until=st.integers(40, 120),
)
def test_retention_counts_are_those_of_the_metric(rows: list[tuple], age: int, until: int) -> None:
    """Ours is `average_retention`, and each window's eligible and complete cells are `retention_rates`."""
    first = pd.Timestamp("2024-01-01")
    orders = pd.DataFrame(rows, columns=["customer_id", "day"])
    orders["ordered_at"] = first + pd.to_timedelta(orders.pop("day"), unit="day")
    orders = orders[orders["ordered_at"] < first + pd.Timedelta(days=until)]
    if orders.empty:
        return
    loaded = tables.orders(orders, as_of=f"{first + pd.Timedelta(days=until):%Y-%m-%d}T00:00")
    frame = retention.explain_figure(loaded, "50 %", age=age)
    found = tried(frame)
    for window in ("calendar", "elapsed", "elapsed_days"):
        for measure in ("on", "on_or_after"):
            for cells, denominator in (("complete", "cohort"), ("eligible", "eligible")):
                if (window, cells) == ("calendar", "eligible"):
                    continue
                rates = retention.retention_rates(
                    loaded, window=window, counting=measure, denominator=denominator
                )
                rates = rates[rates["age"] == age]
                name = f"{measure}, {window}, {cells}, pooled"
                assert (name in found) == bool(len(rates))
                if len(rates):
                    assert found[name] == (rates["retained"].sum(), rates["customers"].sum())


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"age": 0}, "age 0 is no whole number from 1 on. Type age=1 for the first after."),
        ({"age": 1.5}, "age 1.5 is no whole number from 1 on. Type age=1 for the first after."),
        ({"cohort": "soon"}, "cohort 'soon' is no date. Type one as cohort='2019-12'."),
    ],
)
def test_retention_that_cannot_be_asked_about(how: dict, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        retention.explain_figure(ORDERS, "25 %", as_of="2024-03-20", **how)
    assert str(error.value) == message


@pytest.mark.realdata
@pytest.mark.parametrize("as_of", ["2011-12-10", "2012-01-01"])
def test_online_retail(data_folder: Path, monkeypatch: pytest.MonkeyPatch, as_of: str) -> None:
    monkeypatch.setenv("RETENTION_KIT_DATA", str(data_folder))
    orders = tables.load(params.read(PARAMS / "examples" / "online_retail.yaml", as_of=as_of), "orders")
    naive = retention.explain_figure(orders, 0.3794, age=11)
    assert matching(naive) == ["on, calendar, running, pooled"]
    assert tried(naive)["on, calendar, running, pooled"] == (494, 1302)
    ours = retention.explain_figure(orders, 0.5028, age=11)
    assert matching(ours) == ["on, calendar, complete, pooled"]
    windows = tried(retention.explain_figure(orders, 0.25, age=1))
    assert windows["on, elapsed_days, eligible, pooled"] == (953, 3754)
    assert windows["on, elapsed, eligible, pooled"] == (944, 3741)


# -- NPS ----------------------------------------------------------------------


def answers(*scores: float | None, **columns: list) -> pd.DataFrame:
    return pd.DataFrame({"score": scores, **columns})


def test_nps_by_hand() -> None:
    # 3 gave 9 or 10, 1 gave 8, 1 a 7, 1 a 6, 2 less; one is blank.
    frame = nps.explain_figure(answers(10, 9, 9, 8, 7, 6, 3, 0, None), 0)
    assert tried(frame) == {
        "9-10 less 0-6 / answers": (0, 8),
        "9-10 less 0-6 / no passives": (0, 6),
        "9-10 less 0-6 / blanks": (0, 9),
        "8-10 less 0-6 / answers": (1, 8),
        "8-10 less 0-6 / no passives": (1, 7),
        "8-10 less 0-6 / blanks": (1, 9),
        "8-10 less 0-6 / answers, shares rounded first": (12, 100),
        "9-10 less 0-5 / answers": (1, 8),
        "9-10 less 0-5 / no passives": (1, 5),
        "9-10 less 0-5 / blanks": (1, 9),
        "8-10 less 0-5 / answers": (2, 8),
        "8-10 less 0-5 / no passives": (2, 6),
        "8-10 less 0-5 / blanks": (2, 9),
        "promoters / answers": (3, 8),
        "mean score x 10": (52, 8),
    }
    assert frame.loc[frame["ours"], "definition"].tolist() == ["9-10 less 0-6 / answers"]
    assert frame.set_index("definition").loc["mean score x 10", "value"] == 10 * 52 / 8
    assert frame.set_index("definition").loc["promoters / answers", "value"] == 100 * 3 / 8


def test_nps_sentences() -> None:
    table = answers(*[10] * 5, *[8] * 3, *[6] * 2)
    said = nps.explain_figure(table, 30).attrs["sentence"]
    assert said == "+30 is 5 who gave 9 or more, less 2 who gave 6 or less, of 10 answers. Ours is the same."
    said = nps.explain_figure(table, 60).attrs["sentence"]
    assert said == (
        "+60 is 8 who gave 8 or more, less 2 who gave 6 or less, of 10 answers. Ours is +30.0, 5 who gave 9 "
        "or more, less 2 who gave 6 or less, of 10 answers. Ours has promoters from 9 up and detractors "
        "from 6 down."
    )
    assert nps.explain_figure(table, -20).attrs["sentence"] == (
        "No definition tried gives −20 (8 tried), and none comes nearer than ours. Ours is +30.0, 5 who "
        "gave 9 or more, less 2 who gave 6 or less, of 10 answers."
    )


def test_each_customers_latest_answer() -> None:
    days = pd.to_datetime(["2024-01-01", "2024-02-01", "2024-02-01", "2024-01-05", "2024-01-06"])
    table = answers(0, 10, 10, 7, 9, customer_id=["a", "a", "b", None, None], responded_at=days)
    frame = nps.explain_figure(table, 75, as_of="2024-03-01")
    assert matching(frame) == ["9-10 less 0-6 / answers, latest a customer"]
    assert tried(frame)["9-10 less 0-6 / answers, latest a customer"] == (3, 4)
    assert frame.attrs["sentence"].startswith(
        "+75 is 3 who gave 9 or more, less 0 who gave 6 or less, of 4 answers, each customer's latest alone. "
    )
    said_of_all(frame)
    # Of two at one moment the lower counts: b is passive.
    twice = pd.concat([table, table.iloc[[2]].assign(score=8)])
    found = nps_candidates.candidates(tables.responses(twice, as_of="2024-03-01"), scales.read("nps_0_10"))
    counts = {each.definition: (each.numerator, each.denominator) for each in found}
    assert counts["9-10 less 0-6 / answers, latest a customer"] == (2, 4)


def test_a_score_of_another_scale_is_explained_by_its_own_bands() -> None:
    # 3 gave 5, 2 gave 4, 1 each a 3 and a 1.
    five = "lowest 1, highest 5, promoters_from 5, passives_from 4"
    frame = nps.explain_figure(answers(5, 5, 5, 4, 4, 3, 1), 57, scale=five)
    by_answers = {name: counts for name, counts in tried(frame).items() if name.endswith("/ answers")}
    assert by_answers == {
        "5-5 less 1-3 / answers": (1, 7),
        "4-5 less 1-3 / answers": (3, 7),
        "5-5 less 1-2 / answers": (2, 7),
        "4-5 less 1-2 / answers": (4, 7),
        "promoters / answers": (3, 7),
    }
    assert "mean score x 10" not in tried(frame)
    assert frame.attrs["sentence"].endswith("Ours has promoters from 5 up and detractors from 3 down.")
    said_of_all(frame)


def test_every_way_of_a_score_has_its_words() -> None:
    said_of_all(nps.explain_figure(answers(10, 9, 9, 8, 7, 6, 3, 0, None), 0))


def test_no_answers() -> None:
    with pytest.raises(DataError):
        nps.explain_figure(answers(None, None), 41)


def test_a_score_that_is_none() -> None:
    with pytest.raises(ParamsError) as error:
        nps.explain_figure(answers(10, 9), 410)
    assert str(error.value) == "nps 410 is no score: it lies between -100 and 100. Type one as 41 or 41.3."
    with pytest.raises(DataError) as refused:
        nps.explain_figure(answers(10, 11), 41)
    assert str(refused.value).startswith("1 of 2 scores is no whole number from 0 to 10, such as 11.")


@pytest.mark.realdata
def test_garden_store(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_KIT_DATA", str(data_folder))
    responses = tables.load(params.read(PARAMS / "examples" / "garden_store.yaml"), "responses")
    assert matching(nps.explain_figure(responses, "53.4")) == ["9-10 less 0-6 / answers"]
    assert tried(nps.explain_figure(responses, "52.1"))["9-10 less 0-6 / blanks"] == (7_271, 13_954)
