"""A phrase reads as its text, survives frames and notebooks, and means the same in any language."""

import copy
import json
import pickle

import numpy as np
import pandas as pd

from retention_kit.phrases import Phrase, meaning, words

TOLD = Phrase("2 days", words("unit.days", number=np.int64(2)))


def test_a_phrase_is_its_text() -> None:
    assert TOLD == "2 days"
    assert type(TOLD.upper()) is str
    assert json.dumps({"definition": TOLD}) == '{"definition": "2 days"}'


def test_it_remembers_its_words_where_text_is_copied() -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["definition"] = TOLD
    kept = frame.assign(b=2).head(1).copy().attrs["definition"]
    for copied in (kept, copy.deepcopy(TOLD), pickle.loads(pickle.dumps(TOLD))):
        assert copied == TOLD
        assert copied.words == {"say": "unit.days", "number": 2}


def test_words_are_what_json_has() -> None:
    told = words("a.b", on=pd.Timestamp("2024-07-01"), by=("plan", "country"), inner=TOLD, n=np.float64(0.5))
    assert json.loads(json.dumps(told)) == told
    assert told["inner"] == {"say": "unit.days", "number": 2}
    assert told["on"] == "2024-07-01T00:00:00"


def test_meaning_is_the_same_in_two_languages_and_a_plain_text_means_itself() -> None:
    assert meaning(Phrase("2 dni", words("unit.days", number=2))) == meaning(TOLD)
    assert meaning(Phrase("2 dni", words("unit.days", number=3))) != meaning(TOLD)
    assert meaning("kept / customers") == "kept / customers"
