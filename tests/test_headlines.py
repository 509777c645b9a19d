"""A headline keeps what is needed to read it, survives JSON, and refuses what cannot be read."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit.exceptions import ReportError
from retention_kit.headlines import DIRECTIONS, UNITS, Headline, of
from retention_kit.phrases import Phrase, words


def headline(**changed):
    values = {
        "name": "retention.month_1",
        "value": 324 / 885,
        "unit": "share",
        "good": "up",
        "counts": {"retained": 324, "customers": 885},
        "definition": "retained / customers",
        "as_of": "2011-12-10",
    }
    return Headline(**values | changed)


@given(
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    unit=st.sampled_from(UNITS),
    good=st.sampled_from(DIRECTIONS),
    definition=st.text(min_size=1).filter(str.strip),
)
def test_json_round_trip(value, unit, good, definition):
    one = headline(value=value, unit=unit, good=good, definition=definition)
    assert Headline.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_phrase_keeps_its_key_beside_its_text_in_json():
    told = Phrase("2 dni", words("unit.days", number=2))
    written = json.loads(json.dumps(headline(definition=told).to_json()))
    assert (written["definition"], written["definition_key"]) == ("2 dni", {"say": "unit.days", "number": 2})
    assert Headline.from_json(written).definition.words == told.words
    assert headline().to_json()["definition_key"] is None


def test_numpy_and_dates_become_plain():
    one = headline(
        value=np.float64(0.25), counts={"customers": np.int64(4)}, as_of=pd.Timestamp("2024-07-01")
    )
    assert type(one.value) is float
    assert type(one.counts["customers"]) is int
    assert one.as_of == "2024-07-01"
    assert headline(as_of=dt.date(2024, 7, 1)).as_of == "2024-07-01"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"unit": "shares"},
            "Headline 'retention.month_1': unit 'shares' is not one of "
            "['share', 'points', 'money', 'count', 'nps', 'ratio', 'days'].",
        ),
        (
            {"good": "higher"},
            "Headline 'retention.month_1': good 'higher' is not one of ['up', 'down', 'neither'].",
        ),
        (
            {"value": float("nan")},
            "Headline 'retention.month_1': value is nan. Give None when it is not known.",
        ),
        ({"value": "0.3"}, "Headline 'retention.month_1': value must be a number or None, not '0.3'."),
        ({"counts": {}}, "Headline 'retention.month_1' is a share without counts. Give counts={...}."),
        ({"definition": " "}, "Headline 'retention.month_1' has no definition."),
        ({"as_of": "July"}, "Headline 'retention.month_1': as_of 'July' is not a date like 2024-07-01."),
        ({"name": "Month 1"}, "Headline name 'Month 1' must be like 'retention.month_1'."),
        ({"low": 0.2}, "Headline 'retention.month_1' needs both low and high, or neither."),
        ({"low": 0.4, "high": 0.2}, "Headline 'retention.month_1': low 0.4 is above high 0.2."),
        ({"low": 0.2, "high": 0.4}, "Headline 'retention.month_1' has bounds but no interval method."),
    ],
)
def test_what_cannot_be_read_is_refused(changed, message):
    with pytest.raises(ReportError) as error:
        headline(**changed)
    assert str(error.value) == message


def test_from_json_names_what_is_unknown_or_missing():
    with pytest.raises(ReportError, match=r"A headline has no 'vaule'\. Did you mean 'value'\?"):
        Headline.from_json(headline().to_json() | {"vaule": 1})
    short = headline().to_json()
    del short["unit"]
    with pytest.raises(ReportError) as error:
        Headline.from_json(short)
    assert str(error.value) == "Headline 'retention.month_1' is missing ['unit']."


def test_a_forecast_says_from_when_to_when():
    told = headline(foretells=("2024-07-01 00:00:00", "2024-10-01"))
    assert told.foretells == ("2024-07-01", "2024-10-01")
    assert Headline.from_json(json.loads(json.dumps(told.to_json()))) == told
    row = pd.DataFrame({"money": [3.0], "since": pd.to_datetime(["2024-07-01"]), "until": ["2024-10-01"]})
    row.attrs = {"definition": "What will come.", "as_of": "2024-07-01"}
    made = of("clv.next", row, "money", unit="money", good="up", foretells=["since", "until"])
    assert made.foretells == ("2024-07-01", "2024-10-01")
