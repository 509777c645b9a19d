"""The account of a run says what was run, on what, and what came of it."""

import json
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_kit import accounts, exhibits, params, playbook, previous, projects, runs, wheels
from retention_kit.headlines import Headline
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
    return runs.Job(params.read(path), path)


def test_a_chapter_is_the_projects_own_where_it_has_one(job, tmp_path):
    own = projects.init(tmp_path / "project")
    ours = runs.Job(job.client, own)
    assert ours.notebook("clv") == tmp_path / "project" / "notebooks" / "clv.ipynb"
    assert job.notebook("clv") == wheels.shipped("notebooks") / "clv.ipynb"


FORECAST = {
    "made": "2024-02-01", "since": "2024-02-01", "until": "2024-05-01", "name": "clv.next_quarter",
    "value": 100.0, "low": 80.0, "high": 120.0, "interval": "gamma",
}  # fmt: skip


def test_a_chapter_that_asks_is_told_what_earlier_reports_foretold(job):
    job.forecasts = [FORECAST, FORECAST | {"made": "2024-04-01"}]
    assert "forecasts" not in job.parameters("retention")
    assert job.parameters("clv")["forecasts"] == job.forecasts
    job.before = SimpleNamespace(as_of="2024-04-01")
    assert job.parameters_again("clv")["forecasts"] == [FORECAST]  # what was known then


def executed(*cards):
    """A notebook that has read 13 rows of orders, and shows cards of the figures given."""
    frame = pd.DataFrame({"rule": ["read", "kept"], "rows": [13, 13], "amount": 5.0, "example": None})
    moment = pd.Timestamp("2024-05-01")
    seen = {"observed_from": moment, "observed_until": moment}
    loaded = SimpleNamespace(kind="orders", as_of=moment, checks=frame, notes=(), **seen)
    shown = exhibits.data_checks(loaded, voice=Voice(language="en", currency="PLN"))
    cell = new_code_cell(
        outputs=[new_output("display_data", data=shown._repr_mimebundle_())],
        metadata={"tags": ["data-notes"]},
    )
    if cards:
        bundle = exhibits.cards(*cards, voice=Voice(language="en", currency="PLN"))._repr_mimebundle_()
        shown = new_code_cell(outputs=[new_output("display_data", data=bundle)])
        return new_notebook(cells=[shown, cell])
    return new_notebook(cells=[cell])


def repeat(value, as_of="2024-05-01"):
    """A repeat purchase rate of an interval five points wide, below one half where `value` is 0.4."""
    return Headline(
        "retention.repeat_purchase_rate", value, unit="share", good="up", as_of=as_of, definition="How.",
        counts={"customers": 900}, low=value - 0.025, high=value + 0.025, interval="Wilson 95 %",
    )  # fmt: skip


def test_a_run_that_went_well(job, tmp_path):
    job.ran = {"clv": Ran(1.239, executed()), "retention": Ran(2.0, executed())}
    (tmp_path / "done").mkdir()
    runs.write(job, tmp_path / "done")
    account = accounts.read(tmp_path / "done").told
    assert {key: account[key] for key in ("client", "title", "as_of", "language", "currency", "period")} == {
        "client": "shop", "title": "Shop & Sons", "as_of": "2024-05-01", "language": "en",
        "currency": "PLN", "period": "month",
    }  # fmt: skip
    assert account["status"] == "done"
    assert "reason" not in account
    assert all(len(chapter.pop("executed")) == 32 for chapter in account["chapters"].values())
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


@pytest.fixture
def followed(job, tmp_path):
    """A second month: the report before it, its own chapters, and what those before say today."""
    job.rules = playbook.read()
    for as_of, value in (("2024-04-01", 0.48), ("2024-05-01", 0.4)):
        job.client = job.client.model_copy(update={"as_of": as_of})
        job.ran = {"clv": Ran(1.0, executed()), "retention": Ran(2.0, executed(repeat(value, as_of)))}
        job.before = previous.find(tmp_path / "shop", as_of)
        (tmp_path / "shop" / as_of).mkdir(parents=True)
        if as_of == "2024-04-01":
            runs.write(job, tmp_path / "shop" / as_of)
    job.again = {"retention": Ran(1.0, executed(repeat(0.46)))}
    return job, tmp_path / "shop"


def test_the_page_tells_what_changed_and_what_to_do(followed):
    job, home = followed
    runs.write(job, home / "2024-05-01")
    first, second = [(home / as_of / "report.html").read_text("utf-8") for as_of in (
        "2024-04-01", "2024-05-01",
    )]  # fmt: skip
    assert "nothing is advised here" in first
    assert 'class="change' not in first
    assert 'id="restated"' not in first
    assert not (home / "2024-04-01" / "restated.json").exists()
    assert "Give a reason for the second order" in second
    assert second.count("−8.0 percentage points since 1 April 2024: worse") == 2
    assert "One figure of the report of 1 April 2024 would come out otherwise today" in second
    assert "46.0%" in second


def test_the_chapters_of_the_report_before_run_as_of_its_date_on_todays_data(followed, monkeypatch):
    job, _ = followed
    assert job.to_restate == ["retention", "clv"]
    assert job.parameters_again("retention") == {
        "client": str(job.path), "as_of": "2024-04-01", "data_as_of": "2024-05-01", "by": "country",
    }  # fmt: skip
    own = job.path.parent / "own.ipynb"
    cell = new_code_cell("client = ''\nas_of = None", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), own)
    with monkeypatch.context() as patch:
        patch.setattr(runs.projects, "notebook", lambda path, chapter: own)
        assert job.to_restate == []
    job.before = None
    assert job.to_restate == []


def test_what_was_found_out_of_the_report_before_is_kept_for_a_new_page(followed):
    job, home = followed
    job.fingerprint = {"data": "x", "page": "y"}
    runs.write(job, home / "2024-05-01")
    job.fingerprint = {"data": "x", "page": "z"}
    job.again = {}
    assert runs.reuse(job, home / "2024-05-01") == "rendered"
    assert job.to_restate == []
    assert job.restating.account["rows"] == {"orders": {"read": 13, "kept": 13}}
    job.before = replace(job.before, account=replace(
        job.before.account, told=dict(job.before.account.told) | {"as_of": "2024-03-01"},
    ))  # fmt: skip
    job.restating = None
    assert runs.reuse(job, home / "2024-05-01") == "rendered"
    assert job.to_restate == ["retention", "clv"]


def test_a_report_before_that_cannot_be_run_again_is_told_and_not_kept(followed):
    job, home = followed
    job.again = {"retention": Ran(1.0, reason="retention: orders is empty.")}
    runs.write(job, home / "2024-05-01")
    page = (home / "2024-05-01" / "report.html").read_text("utf-8")
    assert "it could not be run again." in page
    assert "orders is empty" not in page  # that is for the consultant
    account = json.loads((home / "2024-05-01" / "run.json").read_text("utf-8"))
    assert account["not_restated"] == "retention: orders is empty."
    assert not (home / "2024-05-01" / "restated.json").exists()


def test_the_account_says_what_may_tell_why_figures_come_out_otherwise(job, tmp_path):
    job.ran = {"clv": Ran(1.0, executed())}
    account = runs.account(job, tmp_path)
    assert account["amounts"] == {"orders": {"read": 5.0, "kept": 5.0}}
    assert account["reading"] == {"orders": {"columns": {}}}


def test_a_client_who_wants_no_advice_gets_none(job, tmp_path):
    job.rules = playbook.read()
    job.client = job.client.model_copy(update={"playbook": False})
    job.ran = {"clv": Ran(1.0, executed()), "retention": Ran(2.0, executed(repeat(0.4)))}
    runs.write(job, tmp_path)
    assert "What to do next" not in (tmp_path / "report.html").read_text("utf-8")


def test_a_run_that_failed_says_where_and_keeps_what_it_has(job, tmp_path):
    job.ran = {"clv": Ran(1.0, executed()), "retention": Ran(2.0, reason="retention: orders is empty.")}
    assert job.failed
    (tmp_path / "failed").mkdir()
    runs.write_failed(job, tmp_path / "failed")
    account = accounts.read(tmp_path / "failed").told
    assert (account["status"], account["reason"]) == ("failed", "retention: orders is empty.")
    told = {name: (chapter["status"], chapter.get("reason")) for name, chapter in account["chapters"].items()}
    assert told == {"retention": ("failed", "retention: orders is empty."), "clv": ("done", None)}
    assert [path.name for path in (tmp_path / "failed" / "notebooks").iterdir()] == ["clv.ipynb"]
    assert not (tmp_path / "failed" / "report.html").exists()


def test_a_run_that_failed_before_any_chapter(job, tmp_path):
    job.trouble = "The clv chapter has no option 'x'."
    account = runs.account(job, tmp_path)
    assert (account["status"], account["reason"]) == ("failed", job.trouble)
    assert {chapter["status"] for chapter in account["chapters"].values()} == {"not run"}
