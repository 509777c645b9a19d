"""Comments: cleaned, masked, and those that say nothing counted apart."""

import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import comments, datasets, tables
from retention_kit.exceptions import DataError


def checks(written: list, scores: list | None = None) -> dict[str, int]:
    frame = pd.DataFrame({"score": scores or [9] * len(written), "comment": written})
    found = comments.comment_checks(frame)
    return dict(zip(found["rule"], found["rows"].tolist(), strict=True))


def test_tiny_by_hand() -> None:
    found = comments.comment_checks(datasets.tiny_responses(), as_of=datasets.TINY_AS_OF)
    assert found["rule"].tolist() == ["answers", "no comment", "nothing to add", "no words in it", "comments"]
    assert found["rows"].tolist() == [11, 6, 0, 0, 5]
    assert found.attrs["rows_set_aside"] == {"no answer": 2, "at or after as_of": 1}


NOTHINGS = [
    *("n/a", "N/A.", "brak uwag", "Brak uwag!", "BEZ ZASTRZEZEN", "Nic.", "nothing to add", "No comment"),
    *("Keine Angabe", "k. A.", "R.A.S.", "rien à signaler", "sin comentarios", "nessun commento", "Não sei"),
    *("geen", "nevím", "neviem", "нічого", " - nic - "),
]


@pytest.mark.parametrize("text", NOTHINGS)
def test_phrases_that_say_there_is_nothing_to_add(text: str) -> None:
    assert checks([text])["nothing to add"] == 1


@pytest.mark.parametrize(
    "text", ["nothing works", "brak uwag do obsługi, ale drogo", "No!! Never", "Nic mi się nie podoba"]
)
def test_a_comment_that_begins_so_is_a_comment(text: str) -> None:
    assert checks([text])["comments"] == 1


def test_blanks_and_signs_are_no_comments() -> None:
    told = checks([None, "", " \n\t ", "\u200b", "NA", "👍👍", "10/10", "...", "—", "ok"])
    assert told == {"answers": 10, "no comment": 5, "nothing to add": 0, "no words in it": 4, "comments": 1}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\n\r\nlines\tand\u00a0more", "two lines and more"),
        ("Price &gt; value &amp; <b>box</b><br/>crushed", "Price > value & box crushed"),
        ("<!-- mso -->Good<style>", "Good"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("\u202eevil\u202c text\ufeff\x00", "evil text"),
        ("na\u00adive cafe\u0301", "naive café"),
        ("late\x00and\x1bopen", "late and open"),
        ("call 601\u200b234\u200b567", "call 601234567"),
    ],
)
def test_a_comment_is_one_clean_line(text: str, shown: str) -> None:
    assert comments.cleaned(text) == shown


def test_words_in_any_script_stay_whole() -> None:
    assert comments.folded("Żółć, STRASSE & Straße!") == "zolc strasse strasse"
    assert comments.folded("मुझे अच्छा लगा") == "मुझे अच्छा लगा"
    assert comments.folded("дуже добре_24h") == "дуже добре 24h"


@given(st.text(max_size=200))
def test_cleaning_and_folding_twice_is_doing_it_once(text: str) -> None:
    once = comments.cleaned(text)
    assert "\n" not in once
    assert once == once.strip()
    assert comments.folded(comments.folded(text)) == comments.folded(text)


def test_what_leaves_is_masked() -> None:
    frame = pd.DataFrame(
        {"score": [1], "comment": ["Write to eva&#64;mail.example or 601\u200b234\u200b567"]}
    )
    found = comments.read(frame, scale="nps_0_10")
    assert found.rows["comment"].tolist() == ["Write to [@] or [#]"]
    assert found.rows["band"].tolist() == ["detractors"]


def test_bands_are_those_of_the_scale() -> None:
    frame = pd.DataFrame({"score": [5, 4, 1], "comment": ["one", "other", "third"]})
    scale = "lowest 1, highest 5, promoters_from 5, passives_from 4"
    assert comments.read(frame, scale=scale).rows["band"].tolist() == ["promoters", "passives", "detractors"]
    assert len(comments.comment_checks(frame, scale=scale)) == 5
    with pytest.raises(DataError, match="score"):
        comments.comment_checks(frame.assign(score=11))


def test_answers_without_a_field_for_comments_are_one_line() -> None:
    with pytest.raises(DataError) as error:
        comments.comment_checks(pd.DataFrame({"score": [9]}))
    assert str(error.value) == (
        "responses is missing ['comment']. It has ['score']. "
        "Map your names onto ours with columns={'comment': 'your_name'}."
    )


def test_comments_that_are_numbers_have_no_words() -> None:
    assert checks([1, 2, None])["no words in it"] == 2


def test_endless_comments_take_no_time() -> None:
    hostile = [
        "<a" * 5_000,
        "&amp;" * 2_000,
        "<!--" * 2_500,
        "é" * 10_000,
        "a\u0301" * 5_000,
        "👨‍👩‍👧" * 2_000,
    ]
    start = time.process_time()
    told = checks(hostile)
    assert time.process_time() - start < 3
    assert told["answers"] == 6


@pytest.mark.realdata
def test_garden_store(data_folder: Path) -> None:
    ours = {"score": "nps", "comment": "explication"}
    loaded = tables.load_responses(data_folder / "nps_garden_store" / "nps.csv.gz", columns=ours)
    found = comments.comment_checks(loaded, scale="nps_1_10").set_index("rule")["rows"]
    assert found["answers"] == 13_612
    assert found["answers"] - found["no comment"] == 3_802  # of them 95 say that there is nothing to say
    assert found["nothing to add"] == 95
