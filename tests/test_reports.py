"""A batch of clients: reports for the good ones, one line for the others, and nothing half-written."""

import json
import re
import shutil
import tempfile
import time
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from retention_kit import datasets, forkserver, kernels, params, reports
from retention_kit.engines import Engine
from retention_kit.exceptions import ReportError

SECRET = "hunter2-in-the-environment"
ENGINE = "papermill" if forkserver.hindrance() else "warm"


def write_client(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


ORDERS = """
title: "<b>Bold</b> & Sons"
currency: EUR
as_of: 2024-05-01
notes: "Paid $5. <script>alert(1)</script>"
data:
  orders:
    source: orders.csv
    columns: {{country: country}}
options:
  retention: {{by: country}}
"""


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    """Six clients run once: two good ones, four that fail in different ways, one with an old report."""
    folder = tmp_path_factory.mktemp("clients")
    orders = datasets.tiny_orders()
    orders["country"] = orders["country"].where(orders["country"] != orders["country"].iloc[0], "=cmd()<i>")
    orders.to_csv(folder / "orders.csv", index=False)
    orders = orders.drop(columns="channel")
    orders.drop(columns="ordered_at").to_csv(folder / "undated.csv", index=False)
    pd.DataFrame({"score": [9, 11, 3]}).to_csv(folder / "survey.csv", index=False)
    secret = folder / SECRET
    secret.mkdir()
    datasets.tiny_responses().to_csv(secret / "answers-2024-05.csv", index=False)
    good = ORDERS.format()
    clients = [
        write_client(folder, "shop", good),
        write_client(folder, "typo", good.replace("currency", "curency")),
        write_client(folder, "undated", good.replace("orders.csv", "undated.csv")),
        write_client(folder, "survey", "as_of: 2024-05-01\ndata: {responses: {source: survey.csv}}\n"),
        write_client(folder, "twin", "client: shop\n" + good),
        write_client(
            folder,
            "answers",
            'as_of: 2024-01-01\ndata: {responses: {source: "${SECRET_FOLDER}/answers-{as_of:%Y-%m}.csv"}}\n',
        ),
    ]
    out = folder / "outputs"
    old = out / "undated" / "2024-05-01"
    old.mkdir(parents=True)
    (old / "report.html").write_text("the old report", encoding="utf-8")
    steps = []
    scratch = folder / "scratch"
    scratch.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_FOLDER", str(secret))
        patch.setattr(tempfile, "tempdir", str(scratch))
        outcomes = reports.run(
            clients, as_of="2024-05-01", out=out, progress=lambda *step: steps.append(step)
        )
    return folder, outcomes, steps


@pytest.fixture
def shop(batch):
    return batch[0] / "outputs" / "shop" / "2024-05-01"


def test_each_client_has_a_report_or_one_line(batch):
    folder, outcomes, _ = batch
    reported = {outcome.client: outcome.report for outcome in outcomes}
    assert list(reported) == ["shop", "typo", "undated", "survey", "answers"]
    assert reported["answers"] == folder / "outputs" / "answers" / "2024-05-01" / "report.html"
    reasons = [outcome.reason for outcome in outcomes]
    assert reasons == [
        "",
        "typo.yaml line 3: unknown key 'curency'. Did you mean 'currency'? "
        f"Known keys: {', '.join(params.Client.model_fields)}.",
        "retention: orders is missing ['ordered_at']. "
        "It has ['customer_id', 'order_id', 'amount', 'country']. "
        "Map your names onto ours with columns={'ordered_at': 'your_name'}.",
        "nps: 1 of 3 scores is no whole number from 0 to 10, such as 11. "
        "Correct those rows, or let the scale set them aside: out_of_range='set_aside'.",
        "twin.yaml and shop.yaml are both client 'shop'. Give one another id.",
        "",
    ]


def test_a_failed_client_keeps_its_old_report(batch):
    old = batch[0] / "outputs" / "undated" / "2024-05-01" / "report.html"
    assert old.read_text("utf-8") == "the old report"


def test_a_failed_client_leaves_its_notebook_as_far_as_it_came(batch):
    failed = batch[0] / "outputs" / "undated" / "2024-05-01-failed"
    assert json.loads((failed / "run.json").read_text("utf-8"))["engine"] == ENGINE
    cells = json.loads((failed / "notebooks" / "retention.ipynb").read_text("utf-8"))["cells"]
    states = [cell["metadata"]["papermill"]["status"] for cell in cells if cell["cell_type"] == "code"]
    assert states[:3] == ["completed", "completed", "failed"]
    assert set(states[3:]) == {"pending"}


def test_nothing_half_written_is_left(batch):
    out = batch[0] / "outputs"
    assert sorted(str(path.relative_to(out)) for path in out.glob("*/*")) == [
        "answers/2024-05-01",
        "shop/2024-05-01",
        "survey/2024-05-01-failed",
        "typo/unread-failed",
        "undated/2024-05-01",
        "undated/2024-05-01-failed",
    ]


def test_no_process_leaves_a_clients_data_behind(batch):
    assert list((batch[0] / "scratch").iterdir()) == []


def test_the_folder_holds_what_the_design_lists(shop):
    assert sorted(path.name for path in shop.iterdir()) == [
        "headlines.json", "notebooks", "report.html", "run.json", "tables",
        "tables.xlsx",
    ]  # fmt: skip
    assert sorted(path.name for path in (shop / "notebooks").iterdir()) == ["clv.ipynb", "retention.ipynb"]
    headlines = json.loads((shop / "headlines.json").read_text("utf-8"))
    assert headlines["retention"][0]["name"] == "retention.month_1"
    assert headlines["retention"][0]["counts"] == {"retained": 2, "customers": 5}


def test_what_comes_from_data_shows_as_text(shop):
    page = (shop / "report.html").read_text("utf-8")
    assert "<h1>&lt;b&gt;Bold&lt;/b&gt; &amp; Sons</h1>" in re.sub(r"<h1[^>]*>\s*", "<h1>", page)
    assert "=cmd()&lt;i&gt;" in page
    assert "<script" not in page
    assert "Paid $5." in page


def test_a_report_tells_no_path_no_code_and_no_customer(batch, shop):
    page = (shop / "report.html").read_text("utf-8")
    assert str(batch[0]) not in page
    assert "load(client" not in page
    assert not any(f">{customer}<" in page for customer in datasets.tiny_orders()["customer_id"].unique())
    # The call list names whom the page does not: the test above would see it there.
    assert "ana" in (shop / "tables" / "at_risk.csv").read_text("utf-8-sig")


def test_secrets_stay_in_the_environment(batch):
    written = [path for path in (batch[0] / "outputs").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


# -- run again -------------------------------------------------------------------

WORDS = "title: Shop\nprepared_by: A consultant\nnotes: Well done.\nbrand: {name: A consultancy}\n"


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """A client of all chapters run five times, and what it wrote: see each run's remark."""
    folder = tmp_path_factory.mktemp("again")
    sources = []
    for kind in ("orders", "subscriptions", "responses"):
        getattr(datasets, f"tiny_{kind}")().to_csv(folder / f"{kind}.csv", index=False)
        sources.append(f"  {kind}: {{source: {kind}.csv}}\n")
    text = f"as_of: {datasets.TINY_AS_OF}\ncurrency: EUR\ndata:\n{''.join(sources)}"
    seen = {}

    def run(name, text, **how):
        steps = []
        client = write_client(folder, "shop", text)
        [outcome] = reports.run([client], out=folder, progress=lambda *step: steps.append(step[1:]), **how)
        copied = folder / name
        shutil.copytree(outcome.report.parent, copied)
        seen[name] = (outcome, steps, copied)

    run("first", text)
    run("nothing changed", text)
    run("words changed", text + WORDS)
    run("the same, executed", text + WORDS, fresh=True)
    (folder / "shop" / datasets.TINY_AS_OF / "notebooks" / "nps.ipynb").write_text("{}", encoding="utf-8")
    run("a notebook was written over", text + WORDS.replace("Well done", "Done"), jobs=1)
    return seen


def test_what_has_not_changed_is_not_made_again(again):
    outcome, steps, folder = again["nothing changed"]
    assert (outcome.state, outcome.reason) == ("unchanged", "")
    assert [step for step in steps if step[1] != "waiting"] == [
        *((chapter, "kept") for chapter in params.CHAPTERS), ("report", "kept"),
    ]  # fmt: skip
    assert (folder / "run.json").read_bytes() == (again["first"][2] / "run.json").read_bytes()


def test_words_that_chapters_do_not_read_are_changed_without_them(again):
    outcome, steps, folder = again["words changed"]
    assert outcome.state == "rendered"
    assert "started" not in {state for _, state in steps}
    assert "Well done." in (folder / "report.html").read_text("utf-8")


def test_a_page_made_anew_is_the_page_of_a_run(again):
    """Chapters were executed with other words of the page; had one of them read any, it would show."""
    spared, fresh = again["words changed"][2], again["the same, executed"][2]
    assert again["the same, executed"][0].state == "made"
    for path in sorted(fresh.rglob("*")):
        name = path.relative_to(fresh)
        if path.is_file() and path.suffix not in (".ipynb", ".json"):
            assert (spared / name).read_bytes() == path.read_bytes(), name
    assert (spared / "headlines.json").read_bytes() == (fresh / "headlines.json").read_bytes()


def test_no_page_is_made_of_a_notebook_that_somebody_changed(again):
    outcome, steps, _ = again["a notebook was written over"]
    assert outcome.state == "made"
    assert ("nps", "done") in steps


def test_data_that_change_while_they_are_read_make_no_report(tmp_path, monkeypatch):
    """Its chapters may have read different data, and nobody would know."""
    (tmp_path / "answers.csv").write_text("score\n9\n", encoding="utf-8")
    client = write_client(tmp_path, "shop", "as_of: 2024-05-01\ndata: {responses: {source: answers.csv}}\n")

    def execute(path, parameters, **how):
        (tmp_path / "answers.csv").write_text("score\n9\n3\n", encoding="utf-8")
        return kernels.Executed(nbformat.v4.new_notebook(), 0.1, "papermill")

    monkeypatch.setattr(reports.kernels, "execute", execute)
    [outcome] = reports.run([client], out=tmp_path / "outputs")
    assert outcome.reason == "The data changed while the report was made of them. Run again."
    assert [path.name for path in (tmp_path / "outputs" / "shop").iterdir()] == ["2024-05-01-failed"]


# -- the month after ---------------------------------------------------------------


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """Three runs of a client of one chapter: May, June with an answer of May corrected, other words."""
    folder = tmp_path_factory.mktemp("months")
    answers = pd.DataFrame({"score": [9, 10, 3, 9], "responded_at": "2024-04-20"})
    answers.to_csv(folder / "answers-2024-05-01.csv", index=False)
    answers.assign(score=[9, 10, 9, 9]).to_csv(folder / "answers-2024-06-01.csv", index=False)
    text = 'data: {responses: {source: "answers-{as_of}.csv"}}\n'
    seen = []
    with Engine() as engine:
        for date, words in (("2024-05-01", ""), ("2024-06-01", ""), ("2024-06-01", "title: A shop\n")):
            steps = []
            client = write_client(folder, "shop", f"as_of: {date}\n{text}{words}")
            [outcome] = reports.run(
                [client], out=folder, engine=engine, progress=lambda *step, to=steps: to.append(step[1:])
            )
            seen.append((outcome, steps, outcome.report.read_text("utf-8")))
    return seen


def test_figures_that_a_corrected_answer_changes_are_restated_with_why(months):
    (_, _, first), (outcome, steps, second), _ = months
    assert outcome.state == "made"
    assert [state for chapter, state in steps if chapter == "nps of the report before"] == [
        "waiting", "started", "done",
    ]  # fmt: skip
    assert "+50" in first
    assert 'id="restated"' not in first
    part = second[second.index('id="restated"') :]
    assert "3 figures of the report of 1 May 2024 would come out otherwise today, of 3 compared." in part
    assert part.index("+50") < part.index("+100")
    assert "Nothing that both runs wrote down" in part


def test_words_change_without_the_report_before_being_read_again(months):
    outcome, steps, page = months[2]
    assert outcome.state == "rendered"
    assert "started" not in {state for _, state in steps}
    assert "A shop" in page
    assert page[page.index('id="restated"') :] == months[1][2][months[1][2].index('id="restated"') :]


# -- as a PDF ----------------------------------------------------------------------


@pytest.fixture
def printer(tmp_path, monkeypatch):
    """What a browser does when it is asked to print, to be changed; and the reports it was asked for."""
    asked = []

    def print_pdf(browser, page, pdf):
        asked.append(page.parent.parent.name)
        if page.parent.parent.name == "bad":
            raise ReportError("chromium wrote no PDF of report.html.")
        pdf.write_bytes(b"%PDF-")

    monkeypatch.setattr(reports.browsers, "find", lambda: Path("chromium"))
    monkeypatch.setattr(reports.browsers, "print_pdf", print_pdf)
    monkeypatch.setattr(reports.kernels, "execute", lambda *_, **__: kernels.Executed(EMPTY, 0.1, ENGINE))
    return asked


EMPTY = nbformat.v4.new_notebook()
ANSWERS = "as_of: 2024-05-01\ndata: {responses: {source: answers.csv}}\n"


def test_each_report_is_printed_once_and_one_that_cannot_be_is_told(tmp_path, printer):
    (tmp_path / "answers.csv").write_text("score\n9\n", encoding="utf-8")
    clients = [write_client(tmp_path, name, ANSWERS) for name in ("good", "bad")]
    how = {"out": tmp_path / "outputs", "jobs": 1}
    assert [outcome.pdf for outcome in reports.run(clients, **how)] == [None, None]
    good, bad = reports.run(clients, pdf=True, **how)
    assert (good.state, good.reason, good.pdf) == ("unchanged", "", good.report.parent / "report.pdf")
    assert good.pdf.read_bytes() == b"%PDF-"
    assert (bad.pdf, bad.reason) == (
        None, "The report is made, its PDF is not. chromium wrote no PDF of report.html.",
    )  # fmt: skip
    assert bad.report.is_file()
    reports.run(clients[:1], pdf=True, **how)
    reports.run(clients[:1], pdf=True, fresh=True, **how)
    assert printer == ["good", "bad", "good"]


def test_without_a_browser_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(reports.browsers, "_FOLDERS", ())
    client = write_client(tmp_path, "shop", ANSWERS)
    with pytest.raises(ReportError, match="A PDF needs Chromium, Chrome or Edge"):
        reports.run([client], pdf=True, out=tmp_path / "outputs")
    assert not (tmp_path / "outputs").exists()


# -- the page over all clients -------------------------------------------------------


def test_a_client_file_that_cannot_be_read_is_on_the_page_until_it_is_mended(tmp_path, printer):
    (tmp_path / "answers.csv").write_text("score\n9\n", encoding="utf-8")
    out = tmp_path / "outputs"
    for text, failed in ((ANSWERS, False), (f"curency: EUR\n{ANSWERS}", True), (ANSWERS, False)):
        reports.run([write_client(tmp_path, "shop", text)], out=out)
        page = reports.index(out).read_text("utf-8")
        assert ("unknown key &#39;curency&#39;" in page) == failed
        assert 'href="shop/2024-05-01/report.html"' in page
    assert [path.name for path in (out / "shop").iterdir()] == ["2024-05-01"]


def test_a_page_over_all_clients_needs_a_folder_that_can_be_written(tmp_path, monkeypatch):
    assert reports.index(tmp_path / "nowhere") is None

    def full(out):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reports.portfolio, "write", full)
    with pytest.raises(ReportError) as error:
        reports.index(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/index.html: no space left on device. Free some, or name another folder with --out."
    )


# -- progress and refusals -------------------------------------------------------


def test_progress_names_every_chapter_once(batch):
    steps = batch[2]
    assert sorted(step for step in steps if step[0] == "shop") == [
        ("shop", "clv", "done"), ("shop", "clv", "started"), ("shop", "clv", "waiting"),
        ("shop", "report", "done"),
        ("shop", "retention", "done"), ("shop", "retention", "started"), ("shop", "retention", "waiting"),
    ]  # fmt: skip
    assert ("survey", "report", "failed") in steps


def test_jobs_is_how_many_chapters_are_executed_at_a_time(tmp_path, monkeypatch):
    running, most = set(), []

    def execute(path, parameters, **how):
        running.add(parameters["client"])
        most.append(len(running))
        time.sleep(0.1)
        running.discard(parameters["client"])
        return kernels.Executed(EMPTY, 0.1, ENGINE)

    monkeypatch.setattr(reports.kernels, "execute", execute)
    (tmp_path / "answers.csv").write_text("score\n9\n", encoding="utf-8")
    clients = [write_client(tmp_path, name, ANSWERS) for name in ("one", "two", "three", "four")]
    with Engine("papermill") as engine:
        for jobs in (1, 3):
            reports.run(clients, out=tmp_path / f"{jobs}", jobs=jobs, engine=engine)
            assert max(most) == jobs
            most.clear()


def test_an_option_no_chapter_has_is_refused_before_anything_runs(tmp_path):
    client = write_client(
        tmp_path, "shop", "as_of: 2024-05-01\ndata: demo\noptions: {nps: {scala: nps_1_10}}\n"
    )
    [outcome] = reports.run([client], out=tmp_path / "outputs")
    assert outcome.reason == (
        "The nps chapter has no option 'scala'. Did you mean 'scale'? It has ['by', 'scale', 'out_of_range', "
        "'duplicates', 'satisfaction', 'effort', 'drivers', 'after']."
    )
    assert [str(path.relative_to(tmp_path)) for path in (tmp_path / "outputs").glob("*/*/*.json")] == [
        "outputs/shop/2024-05-01-failed/run.json"
    ]


def test_a_playbook_that_cannot_be_read_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "mine.yaml").write_text("comunity: null", encoding="utf-8")
    client = write_client(tmp_path, "shop", "as_of: 2024-05-01\ndata: demo\nplaybook: mine.yaml\n")
    [outcome] = reports.run([client], out=tmp_path / "outputs")
    assert outcome.reason == "mine.yaml line 1: no rule 'comunity'. Did you mean 'community'?"


def test_a_folder_that_cannot_be_written_is_one_line(batch, tmp_path, monkeypatch):
    """A file where the folder should be: found out before a chapter is run in vain."""
    monkeypatch.setattr(reports.kernels, "execute", None)
    (tmp_path / "outputs").write_text("in the way", encoding="utf-8")
    shutil.copy(batch[0] / "survey.csv", tmp_path / "survey.csv")
    client = write_client(
        tmp_path, "ok", "as_of: 2024-05-01\ndata: {responses: {source: survey.csv, where: score < 11}}\n"
    )
    [outcome] = reports.run([client], out=tmp_path / "outputs")
    assert (outcome.report, outcome.state) == (None, "failed")
    assert outcome.reason == (f"{tmp_path}/outputs/ok: not a directory. Name another folder with --out.")
    assert (tmp_path / "outputs").read_text("utf-8") == "in the way"


def test_what_nobody_foresaw_stays_with_its_client(tmp_path, monkeypatch):
    def execute(path, parameters, **how):
        raise RuntimeError(f"no kernel for {Path(parameters['client']).stem}\nand more")

    monkeypatch.setattr(reports.kernels, "execute", execute)
    clients = [write_client(tmp_path, name, "as_of: 2024-05-01\ndata: demo\n") for name in ("one", "two")]
    outcomes = reports.run(clients, out=tmp_path / "outputs", jobs=1)
    assert [outcome.reason for outcome in outcomes] == [
        "retention: RuntimeError: no kernel for one",
        "retention: RuntimeError: no kernel for two",
    ]
