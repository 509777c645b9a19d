"""Which answers count: what is left out is counted, by rule, and messy files come through the door whole."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import answers, datasets, nps, scales, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
ASIDE = scales.read("nps_0_10", out_of_range="set_aside")


def account(loaded: tables.Loaded) -> dict[str, int]:
    return dict(zip(loaded.checks["rule"], loaded.checks["rows"].tolist(), strict=True))


def kept(loaded: tables.Loaded) -> list[tuple]:
    frame = loaded.table.select("customer_id", "score").to_pandas()
    named = frame["customer_id"].fillna("nameless")
    return sorted(zip(named, frame["score"].astype(int), strict=True))


def test_the_latest_and_the_first_answer_of_each_customer_by_hand() -> None:
    # ana 10 then 9, ben 6 then 7, cleo 8 then 0; dan, eva and finn once; two without a name stay.
    latest = answers.select_answers(datasets.tiny_responses(), duplicates="latest", as_of=AS_OF)
    assert kept(latest) == sorted(
        [
            ("ana", 9),
            ("ben", 7),
            ("cleo", 0),
            ("dan", 10),
            ("eva", 8),
            ("finn", 9),
            ("nameless", 3),
            ("nameless", 10),
        ]
    )
    assert account(latest) == {
        "read": 14,
        "no answer": 2,
        "at or after as_of": 1,
        "answered again later": 3,
        "kept": 8,
    }
    first = answers.select_answers(datasets.tiny_responses(), duplicates="first", as_of=AS_OF)
    assert {("ana", 10), ("ben", 6), ("cleo", 8)} < set(kept(first))
    assert account(first)["answered before"] == 3


def test_one_answer_in_each_period_leaves_the_waves_whole() -> None:
    twice = datasets.tiny_responses()
    twice = pd.concat([twice, twice.assign(score=0, responded_at=twice["responded_at"] - pd.Timedelta("1h"))])
    found = nps.nps(twice, as_of=AS_OF, period="month", duplicates="latest")
    expected = nps.nps(datasets.tiny_responses(), as_of=AS_OF, period="month")
    # Those without a name, and those whose later answer is blank, cannot be told to have answered twice.
    nameless = [1, 1]
    blank = [1, 2]
    assert found["answers"].tolist() == [
        n + a + b for n, a, b in zip(expected["answers"], nameless, blank, strict=True)
    ]
    assert found["promoters"].tolist() == expected["promoters"].tolist()
    assert found.attrs["rows_set_aside"]["answered again later in the period"] == 9
    assert "each customer's latest answer in a period, in points" in found.attrs["definition"]


def test_what_was_selected_once_says_so_in_the_score() -> None:
    selected = answers.select_answers(datasets.tiny_responses(), duplicates="first", as_of=AS_OF)
    found = nps.nps(selected)
    assert found["answers"].tolist() == [8]
    assert "among each customer's first answer, in points" in found.attrs["definition"]
    assert found.attrs["rows_set_aside"]["answered before"] == 3
    direct = nps.nps(datasets.tiny_responses(), duplicates="first", as_of=AS_OF)
    pd.testing.assert_frame_equal(direct, found)
    assert direct.attrs == found.attrs


def test_a_rule_that_left_nobody_out_is_told_too() -> None:
    once = pd.DataFrame({"customer_id": ["a", "b"], "score": [9, 3], "responded_at": "2024-01-05"})
    selected = answers.select_answers(once, duplicates="latest", as_of="2024-02-01")
    assert account(selected) == {"read": 2, "answered again later": 0, "kept": 2}


def test_scores_outside_go_first_and_are_named() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "c"],
            "score": [9, 11, 9.5, -1],
            "responded_at": ["2024-01-05", "2024-01-06", "2024-01-05", "2024-01-05"],
        }
    )
    selected = answers.select_answers(frame, scale=ASIDE, duplicates="latest", as_of="2024-02-01")
    assert kept(selected) == [("a", 9)]
    assert account(selected) == {
        "read": 4,
        "score outside the scale": 3,
        "answered again later": 0,
        "kept": 1,
    }
    assert selected.checks.set_index("rule").loc["score outside the scale", "example"] == "11"
    assert nps.nps(frame, scale=ASIDE, as_of="2024-02-01").attrs["rows_set_aside"] == {
        "score outside the scale": 3
    }


def test_nothing_but_scores_outside() -> None:
    with pytest.raises(DataError) as error:
        nps.nps(pd.DataFrame({"score": [11, 12]}), scale=ASIDE)
    assert str(error.value) == (
        "responses: none of 2 rows can be used: score outside the scale 2 (such as '12'). "
        "Check columns= and where=."
    )


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 10), st.integers(1, 2), st.sampled_from("xy")),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_at_one_moment_the_order_of_rows_does_not_choose(rows: list, random: object) -> None:
    frame = pd.DataFrame(rows, columns=["customer_id", "score", "day", "team"])
    frame["responded_at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    shuffled = list(range(len(frame)))
    random.shuffle(shuffled)
    found = [
        answers.select_answers(each, duplicates="latest", as_of="2024-02-01", columns=["team"])
        .table.order_by("customer_id")
        .to_pandas()
        for each in (frame, frame.iloc[shuffled])
    ]
    pd.testing.assert_frame_equal(*found)
    lowest = (
        frame.sort_values(["responded_at", "score"], ascending=[False, True]).groupby("customer_id").first()
    )
    assert found[0]["score"].tolist() == lowest["score"].tolist()


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        (
            {"duplicates": "last"},
            ParamsError,
            "duplicates 'last' is not known. Did you mean 'latest'? "
            "Choose one of ['all', 'latest', 'first'].",
        ),
        (
            {"duplicates": "latest"},
            DataError,
            "responses is missing ['customer_id', 'responded_at']. It has ['score']. "
            "Map your names onto ours with columns={'customer_id': 'your_name'}.",
        ),
    ],
)
def test_what_cannot_be_chosen(how: dict, kind: type, message: str) -> None:
    with pytest.raises(kind) as error:
        answers.select_answers(pd.DataFrame({"score": [9]}), **how)
    assert str(error.value) == message


# -- messy survey files ---------------------------------------------------------

BIG = 2**53
ROWS = [
    ("id", "When", "How likely?", "Why?"),
    (BIG, "2024-01-05", "10 - extremely likely", "na stałe"),
    (BIG + 1, "2024-01-05", "5.0", "łatwo,\nszybko\n\ni tanio"),
    (BIG + 2, "2024-01-06", "", "nic"),
    (BIG + 3, "2024-01-06", " 9 ", 'he said "no"'),
    (BIG + 4, "2024-01-07", "11", "more than all"),
    (BIG + 5, "2024-01-07", "0 – not at all likely", "żółw"),
    (BIG + 6, "2024-01-08", "maybe", ""),
    (BIG + 7, "2024-01-08", "N/A", ""),
    (BIG + 1, "2024-02-08", "7", "again"),
    (BIG + 1, "2024-02-08", "7", "again"),
]
OURS = {"customer_id": "id", "responded_at": "When", "score": '"How likely?"', "comment": '"Why?"'}


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """Two encodings in one file, comments of several lines, quotes; packed."""
    quoted = ['"' + '";"'.join(str(cell).replace('"', '""') for cell in row) + '"' for row in ROWS]
    lines = [line.encode("cp1250" if number == 6 else "utf-8") for number, line in enumerate(quoted)]
    path = tmp_path / "survey.csv.gz"
    path.write_bytes(gzip.compress(b"\r\n".join(lines)))
    return path


def test_a_messy_survey_is_accounted_for_row_by_row(survey: Path) -> None:
    loaded = tables.load_responses(survey, columns=OURS, as_of="2024-03-01")
    assert account(loaded) == {"read": 10, "unreadable number": 1, "no answer": 2, "kept": 7}
    selected = answers.select_answers(loaded, scale=ASIDE, duplicates="latest")
    assert account(selected) == {
        "read": 10,
        "unreadable number": 1,
        "no answer": 2,
        "score outside the scale": 1,
        "answered again later": 2,
        "kept": 4,
    }
    found = selected.table.order_by("customer_id").to_pandas()
    assert found["customer_id"].tolist() == [str(BIG + more) for more in (0, 1, 3, 5)]
    assert found["score"].tolist() == [10, 7, 9, 0]
    assert found["comment"].tolist() == ["na stałe", "again", 'he said "no"', "żółw"]
    assert "score: the number beside its words" in [str(note.text) for note in loaded.notes]
    row = nps.nps(selected).iloc[0]
    assert row[["promoters", "passives", "detractors"]].tolist() == [2, 1, 1]


def test_a_comment_of_several_lines_is_one_answer(survey: Path) -> None:
    loaded = tables.load_responses(survey, columns=OURS, as_of="2024-03-01")
    comments = loaded.table.filter(loaded.table.score == 5)["comment"].to_pandas().tolist()
    assert [comment.split() for comment in comments] == [["łatwo,", "szybko", "i", "tanio"]]


def test_a_score_outside_stops_the_messy_survey_with_one_line(survey: Path) -> None:
    with pytest.raises(DataError) as error:
        nps.nps(tables.load_responses(survey, columns=OURS, as_of="2024-03-01"))
    assert str(error.value) == (
        "1 of 7 scores is no whole number from 0 to 10, such as 11. "
        "Correct those rows, or let the scale set them aside: out_of_range='set_aside'."
    )
