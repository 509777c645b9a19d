"""Records: JSON lines and lists, what is nested, what is mixed, and what is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from retention_kit.exceptions import DataError
from retention_kit.sources import open_source


def cells(folder: Path, *records: Any, name: str = "a.jsonl") -> dict[str, list]:
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    opened = open_source(folder / name)
    return opened.table(opened.columns).to_pyarrow().to_pydict()


def test_what_is_nested_is_reached_by_its_keys_and_a_list_is_its_json(tmp_path: Path) -> None:
    assert cells(tmp_path, {"a": {"b": {"c": "x"}, "d": 1}, "e": [1, 2]}) == {
        "a.b.c": ["x"],
        "a.d": ["1"],
        "e": ["[1,2]"],
    }


def test_numbers_with_decimals_are_numbers_and_long_ones_keep_their_digits(tmp_path: Path) -> None:
    found = cells(tmp_path, {"x": 1.234, "id": 18446744073709551616123}, {"x": 2, "id": 7})
    assert found == {"x": [1.234, 2.0], "id": ["18446744073709551616123", "7"]}


def test_records_of_differing_keys_and_types_are_one_table(tmp_path: Path) -> None:
    found = cells(tmp_path, {"id": 1, "day": "2024-01-13"}, {"id": "K-7", 'it\'s "odd"': True})
    assert found == {"id": ["1", "K-7"], "day": ["2024-01-13", None], 'it\'s "odd"': [None, "true"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}\n", 'a.jsonl holds no records, such as {"customer_id": 1}.'),
        ('["a", "b"]', 'a.jsonl holds no records, such as {"customer_id": 1}.'),
        ('{"a": 1}\n{"a": }\n', "a.jsonl cannot be read as JSON: line 2 is no record."),
        ('[{"a": 1}, {"a": 2}', "a.jsonl cannot be read as JSON: its list is not closed."),
        ("  \n", "a.jsonl is empty."),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(DataError) as refused:
        open_source(tmp_path / "a.jsonl")
    assert str(refused.value) == f"{message} Export it again, or give another file."
