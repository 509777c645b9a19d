"""The account of a run says what was run, on what, and what came of it."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_kit import exhibits, params, runs
from retention_kit.runs import Ran
from retention_kit.sentences import Voice

CLIENT = """\
title: Shop & Sons
currency: PLN
as_of: 2024-05-01
data: {orders: {source: orders.csv}}
options: {retention: {by: country}}
"""


@pytest.fixture
def job(tmp_path):
    """A run of two chapters, of which none has ended."""
    (tmp_path / "shop.yaml").write_text(CLIENT, encoding="utf-8")
    path = params.find(tmp_path / "shop.yaml")
    return runs.Job(params.read(path), path, tmp_path / "notebooks")


def executed():
    """A notebook that has read 13 rows of orders."""
    frame = pd.DataFrame({"rule": ["read", "kept"], "rows": [13, 13], "amount": 5.0, "example": None})
    moment = pd.Timestamp("2024-05-01")
    loaded = SimpleNamespace(kind="orders", as_of=moment, observed_until=moment, checks=frame, notes=())
    shown = exhibits.data_checks(loaded, voice=Voice(language="en", currency="PLN"))
    cell = new_code_cell(
        outputs=[new_output("display_data", data=shown._repr_mimebundle_())],
        metadata={"tags": ["data-notes"]},
    )
    return new_notebook(cells=[cell])


def test_a_run_that_went_well(job, tmp_path):
    job.ran = {"clv": Ran(1.239, executed()), "retention": Ran(2.0, executed())}
    (tmp_path / "done").mkdir()
    runs.write(job, tmp_path / "done")
    account = runs.read(tmp_path / "done")
    assert {key: account[key] for key in ("client", "title", "as_of", "language", "currency", "period")} == {
        "client": "shop", "title": "Shop & Sons", "as_of": "2024-05-01", "language": "en",
        "currency": "PLN", "period": "month",
    }  # fmt: skip
    assert account["status"] == "done"
    assert "reason" not in account
    assert list(account["chapters"].items()) == [
        ("retention", {
            "status": "done", "seconds": 2.0,
            "parameters": {"client": "shop", "as_of": "2024-05-01", "by": "country"},
        }),
        ("clv", {
            "status": "done", "seconds": 1.24, "parameters": {"client": "shop", "as_of": "2024-05-01"},
        }),
    ]  # fmt: skip
    assert account["rows"] == {"orders": {"read": 13, "kept": 13}}
    assert account["left_out"] == {"churn": "subscriptions", "nps": "responses"}
    assert {"Python", "duckdb", "retention-kit"} <= set(account["versions"])


def test_a_run_that_failed_says_where_and_keeps_what_it_has(job, tmp_path):
    job.ran = {"clv": Ran(1.0, executed()), "retention": Ran(2.0, reason="retention: orders is empty.")}
    assert job.failed
    (tmp_path / "failed").mkdir()
    runs.write_failed(job, tmp_path / "failed")
    account = runs.read(tmp_path / "failed")
    assert (account["status"], account["reason"]) == ("failed", "retention: orders is empty.")
    told = {name: (chapter["status"], chapter.get("reason")) for name, chapter in account["chapters"].items()}
    assert told == {"retention": ("failed", "retention: orders is empty."), "clv": ("done", None)}
    assert [path.name for path in (tmp_path / "failed" / "notebooks").iterdir()] == ["clv.ipynb"]
    assert not (tmp_path / "failed" / "report.html").exists()


def test_a_run_that_failed_before_any_chapter(job):
    job.trouble = "The clv chapter has no option 'x'."
    account = runs.account(job)
    assert (account["status"], account["reason"]) == ("failed", job.trouble)
    assert {chapter["status"] for chapter in account["chapters"].values()} == {"not run"}


@pytest.mark.parametrize("content", [None, "", '{"client": '])
def test_a_folder_without_a_whole_account_has_none(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    assert runs.read(tmp_path) is None
    (tmp_path / "run.json").write_text(json.dumps({"client": "shop"}), encoding="utf-8")
    assert runs.read(tmp_path) == {"client": "shop"}
