"""Mistakes in a client file: the file, the line, what is wrong, what to write."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from retention_kit import mistakes, yamls
from retention_kit.params import Client

GOOD = "client: acme\ntitle: Acme\nas_of: 2024-07-01\ndata:\n  orders: {source: a.csv}\n"


def told(folder: Path, text: str, defaults: str = "") -> str:
    """The line for a client file that says `text`, over defaults."""
    (folder / "acme.yaml").write_text(text)
    (folder / "_defaults.yaml").write_text(defaults or "{}")
    documents = [yamls.load(folder / name) for name in ("acme.yaml", "_defaults.yaml")]
    with pytest.raises(ValidationError) as refused:
        Client.model_validate(documents[1].values | documents[0].values)
    return mistakes.complaint(documents, refused.value, lambda place: ["source", "columns"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("title: \n", "acme.yaml line 6: title is empty."),
        ("prepared_by: [a]\n", "acme.yaml line 6: prepared_by: must be text; put it in quotes; it is ['a']."),
        ("data: 7\n", "acme.yaml line 6: data: must be keys and values; it is 7."),
        (
            "chapters: nps\n",
            "acme.yaml line 6: chapters: must be a list, such as [retention, clv]; it is 'nps'.",
        ),
    ],
)
def test_a_value_of_another_type_is_named_with_its_line(tmp_path: Path, more: str, message: str) -> None:
    kept = [line for line in GOOD.splitlines() if not line.startswith(more.partition(":")[0])]
    text = "\n".join([*kept, *[""] * (5 - len(kept)), more])
    if more.startswith("data"):
        text = "\n".join(["client: acme", "title: Acme", "as_of: 2024-07-01", "", "", more])
    assert told(tmp_path, text) == message


def test_an_unknown_key_is_told_before_what_it_leaves_missing(tmp_path: Path) -> None:
    text = GOOD.replace("source", "sorce")
    assert told(tmp_path, text) == (
        "acme.yaml line 5: unknown key 'sorce'. Did you mean 'source'? Known keys: source, columns."
    )


def test_what_is_missing_is_told_where_it_should_stand(tmp_path: Path) -> None:
    assert told(tmp_path, GOOD.replace("{source: a.csv}", "{sheet: S}")) == (
        "acme.yaml line 5: data.orders.source is missing."
    )


def test_a_mistake_of_the_defaults_is_told_of_the_defaults(tmp_path: Path) -> None:
    assert told(tmp_path, GOOD, "period: fortnight\n").startswith(
        "_defaults.yaml line 1: period: must be 'week'"
    )


def test_an_option_of_several_types_is_one_mistake(tmp_path: Path) -> None:
    text = GOOD + "options: {retention: {by: {country: 1}}}\n"
    assert told(tmp_path, text) == (
        "acme.yaml line 6: options.retention.by: must be one value: text, a number, true or false; "
        "it is {'country': 1}."
    )
