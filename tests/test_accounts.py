"""What a run left behind is read whole, or named in one line; nothing in a folder can crash a reader."""

import json

import pytest

from retention_kit import accounts
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline

TOLD = {"client": "acme", "title": "Acme", "as_of": "2024-07-01", "status": "done", "chapters": {"nps": {}}}
SCORE = Headline(
    "nps.nps", 31.0, unit="nps", good="up", counts={"answers": 9}, definition="How.", as_of="2024-07-01"
)


def written(folder, told=None, figures=None):
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps(TOLD if told is None else told), encoding="utf-8")
    figures = {"nps": [SCORE.to_json()]} if figures is None else figures
    (folder / "headlines.json").write_text(json.dumps(figures), encoding="utf-8")
    return folder


def test_an_account_has_its_figures_by_chapter(tmp_path):
    account = accounts.read(written(tmp_path / "2024-07-01"))
    assert (account.as_of, account.done, account.moment.year) == ("2024-07-01", True, 2024)
    assert account.figures == {"nps": [SCORE]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "x has no run.json."),
        ("{", "x/run.json cannot be read."),
        ("\xff", "x/run.json cannot be read."),
        ("[" * 100_000, "x/run.json cannot be read."),
        ("[]", "x/run.json does not hold what a run writes."),
        ("{}", "x/run.json: client is None."),
        (json.dumps(TOLD | {"title": 7}), "x/run.json: title is 7."),
        (json.dumps(TOLD | {"status": "fine"}), "x/run.json: status is 'fine'."),
        (json.dumps(TOLD | {"as_of": "July"}), "x/run.json: as_of is 'July'."),
        (json.dumps(TOLD | {"as_of": 20240701}), "x/run.json: as_of is 20240701."),
        (
            json.dumps(TOLD | {"as_of": "2024-07-01T00:00+02:00"}),
            "x/run.json: as_of is '2024-07-01T00:00+02:00'.",
        ),
        (json.dumps(TOLD | {"chapters": ["nps"]}), "x/run.json: chapters is ['nps']."),
        (json.dumps(TOLD | {"chapters": {"nps": 1}}), "x/run.json: chapters is {'nps': 1}."),
        (json.dumps(TOLD | {"rows": [1]}), "x/run.json: rows is [1]."),
        (json.dumps(TOLD | {"versions": "new"}), "x/run.json: versions is 'new'."),
    ],
)
def test_what_is_no_account_is_one_line(tmp_path, text, message):
    (tmp_path / "x").mkdir()
    if text is not None:
        (tmp_path / "x" / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ReportError) as error:
        accounts.read(tmp_path / "x")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ([], "x/headlines.json does not hold what a run writes."),
        ({"nps": 3}, "x/headlines.json does not hold chapters of figures."),
        ({"nps": [[]]}, "x/headlines.json does not hold chapters of figures."),
        ({"nps": [{"name": "nps.nps", "worth": 3}]}, "A headline has no 'worth'."),
    ],
)
def test_figures_that_cannot_be_read_are_one_line(tmp_path, figures, message):
    account = accounts.read(written(tmp_path / "x", figures=figures))
    with pytest.raises(ReportError) as error:
        _ = account.figures
    assert str(error.value).startswith(message)


def test_folders_are_those_of_runs_not_those_being_written(tmp_path):
    for name in ("2024-07-01", "2024-06-01-failed", ".2024-07-01-ab12", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").write_text("", encoding="utf-8")
    assert [path.name for path in accounts.folders(tmp_path)] == ["2024-06-01-failed", "2024-07-01", "b"]
