"""One page over all clients, made of whatever the runs left: complete, escaped, never crashed by a folder."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from retention_kit import portfolio
from retention_kit.headlines import Headline

MADE = dt.datetime(2024, 7, 2, 9, 30)
REASON = "churn: subscriptions is missing ['ended_at']. <script>alert(1)</script>"


def share(name, value):
    return Headline(
        name, value, unit="share", good="down" if "churn" in name else "up", counts={"customers": 900},
        definition="How.", as_of="2024-07-01", low=value - 0.01, high=value + 0.01, interval="Wilson 95 %",
    )  # fmt: skip


def money(value):
    return Headline(
        "clv.historical", value, unit="money", good="up", counts={}, definition="How.", as_of="2024-07-01"
    )


def run(out: Path, client: str, as_of="2024-07-01", *, figures=(), reason="", page=True, **told) -> Path:
    """What a run of `reports` leaves behind, as far as the page over all clients reads it."""
    folder = out / client / f"{as_of}{'-failed' if reason else ''}"
    folder.mkdir(parents=True)
    chapters = {figure.name.split(".")[0]: [figure.to_json()] for figure in figures}
    account = {
        "client": client, "title": client.capitalize(), "as_of": as_of, "language": "en", "currency": "EUR",
        "status": "failed" if reason else "done", "seconds": 70.53, "reason": reason,
        "chapters": {chapter: {"status": "done", "seconds": 1.0} for chapter in chapters},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(account | told), encoding="utf-8")
    if not reason:
        (folder / "headlines.json").write_text(json.dumps(chapters), encoding="utf-8")
        if page:
            (folder / "report.html").write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def out(tmp_path):
    """Three clients: one made twice, one whose newest run failed, one that has never had a report."""
    run(tmp_path, "acme", "2024-06-01", figures=[share("churn.typical", 0.05), money(90.0)])
    run(tmp_path, "acme", figures=[share("churn.typical", 0.09), money(90.0)])
    run(tmp_path, "shop", "2024-06-01", figures=[share("retention.month_1", 0.3)])
    chapters = {
        "retention": {"status": "done"},
        "churn": {"status": "failed", "reason": REASON},
        "clv": {"status": "not run"},
    }
    run(tmp_path, "shop", reason=REASON, chapters=chapters, title="Shop <b>")
    run(tmp_path, "late", reason="late: no space left.", chapters={"nps": {"status": "failed"}})
    return tmp_path


def soup_of(out) -> BeautifulSoup:
    return BeautifulSoup(portfolio.render(portfolio.read(out), made=MADE), "html.parser")


def rows(soup) -> dict[str, BeautifulSoup]:
    return {body.find(class_="id").text: body for body in soup.find_all("tbody")}


def texts(cells) -> list[str]:
    return [" ".join(cell.get_text(" ").split()) for cell in cells]


def test_a_matrix_of_clients_and_chapters_those_that_failed_first(out):
    soup = soup_of(out)
    assert texts(soup.thead.find_all("th")) == [
        "Client", "Status", "Retention", "Churn and recurring revenue", "Net Promoter Score",
        "Customer lifetime value", "Run time", "Report",
    ]  # fmt: skip
    assert list(rows(soup)) == ["late", "shop", "acme"]
    assert texts(soup.find(class_="counts").find_all("span")) == ["3 clients", "2 reports", "2 runs failed"]


def test_a_report_has_its_key_figures_their_change_its_time_and_its_link(out):
    row = rows(soup_of(out))["acme"]
    assert texts(row.find_all("td")) == [
        "✓ made As of 1 Jul 2024 against 1 Jun 2024",
        "– not in the report",
        "9.0% Customers lost in a typical period ▲ +4.0 percentage points: worse",
        "– not in the report",
        "€90.00 Brought by a customer so far = unchanged",
        "71 s",
        "Open",
    ]
    assert row.find("a")["href"] == "acme/2024-07-01/report.html"
    assert row.find("a")["aria-label"] == "Open the report of Acme"


def test_a_failure_has_its_reason_how_far_it_came_and_the_last_good_report(out):
    failed = rows(soup_of(out))
    assert texts(failed["shop"].find_all("td")) == [
        "✕ failed As of 1 Jul 2024",
        "done",
        "failed",
        "– not in the report",
        "not run",
        "71 s",
        "Last good report, 1 Jun 2024",
        f"Why it failed: {REASON}",
    ]
    assert failed["shop"].find(lang="en").text == REASON  # whatever the language of the page
    assert failed["shop"].find("a")["href"] == "shop/2024-06-01/report.html"
    assert failed["late"].find(class_="link").text.strip() == "none yet"
    assert failed["late"].find("a") is None


def test_an_old_failure_is_forgotten_once_a_newer_report_stands(out):
    run(out, "shop", "2024-08-01", figures=[share("retention.month_1", 0.3)])
    assert "failed" not in rows(soup_of(out))["shop"].get("class", [])


def test_the_page_stands_alone_and_everything_is_text(out):
    run(out, "hostile", figures=[share("churn.typical", 0.1)], title="<script>alert(1)</script> {{ 7 * 7 }}")
    html = portfolio.render(portfolio.read(out), made=MADE)
    soup = BeautifulSoup(html, "html.parser")
    assert "<script>alert(1)</script> {{ 7 * 7 }}" in soup.text
    assert soup.find(["script", "link", "iframe", "b"], string=re.compile("alert")) is None
    assert "://" not in html
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert len(soup.find_all("h1")) == 1
    assert all(cell.get("scope") for cell in soup.find_all("th"))
    assert "2 July 2024" in soup.footer.text


def test_what_no_run_wrote_is_named_and_the_others_stand(out):
    (out / "archive").mkdir()
    (out / "notes.txt").write_text("", encoding="utf-8")
    (out / ".acme-ab12").mkdir()
    for name, text in (("torn", '{"client": '), ("other", "{}")):
        (out / name / "2024-07-01").mkdir(parents=True)
        (out / name / "2024-07-01" / "run.json").write_text(text, encoding="utf-8")
    (out / "acme" / "<old>").mkdir()
    (run(out, "figureless", figures=[share("churn.typical", 0.1)]) / "headlines.json").unlink()
    soup = soup_of(out)
    assert texts(soup.find(class_="strange").find_all("li")) == [
        "acme/<old> <old> has no run.json.",
        "archive holds no run",
        "figureless/2024-07-01 2024-07-01 has no headlines.json.",
        "other/2024-07-01 2024-07-01/run.json: client is None.",
        "torn/2024-07-01 2024-07-01/run.json cannot be read.",
    ]
    assert set(rows(soup)) == {"acme", "shop", "late", "figureless"}
    assert "done" in texts(rows(soup)["figureless"].find_all("td"))


def test_money_is_in_each_clients_currency_and_numbers_in_its_way(tmp_path):
    run(tmp_path, "london", figures=[money(1234.5)], currency="GBP")
    run(tmp_path, "york", figures=[money(1234.5)], currency="USD", language="en_US")
    run(tmp_path, "nowhere", figures=[money(1234.5)], currency="XXXX")
    run(tmp_path, "old", figures=[money(1234.5)], currency=None)
    found = {client: texts(row.find_all(class_="cell")) for client, row in rows(soup_of(tmp_path)).items()}
    assert found["london"] == ["£1,234 Brought by a customer so far"]
    assert found["york"] == ["$1,234 Brought by a customer so far"]
    assert found["nowhere"] == found["old"] == ["done"]


@pytest.mark.parametrize(
    ("languages", "chosen"),
    [
        ([], "en"),
        (["pl", "pl", "en"], "pl"),
        (["pl", "en"], "en"),
        (["xx", "xx", "en"], "en"),
        (["xx"], "en"),
    ],
)
def test_the_page_speaks_as_most_clients_do(tmp_path, monkeypatch, languages, chosen):
    monkeypatch.setattr(portfolio.catalogues, "languages", lambda: ["en", "pl"])
    for n, language in enumerate(languages):
        run(tmp_path, f"c{n}", figures=[money(1.0)], language=language)
    assert portfolio._language(portfolio.read(tmp_path).standings) == chosen


def test_a_folder_may_be_called_anything(tmp_path):
    run(tmp_path, "a #1", figures=[money(1.0)])
    assert soup_of(tmp_path).find("tbody").find("a")["href"] == "a%20%231/2024-07-01/report.html"


def test_no_run_at_all_is_a_page_that_says_so(tmp_path):
    soup = soup_of(tmp_path)
    assert "No run has been made yet." in soup.text
    assert soup.find("table") is None


def test_a_hundred_clients_are_a_page(tmp_path):
    for n in range(100):
        reason = "broken" if n % 10 == 0 else ""
        run(tmp_path, f"client_{n:03}", figures=[share("churn.typical", 0.05)], reason=reason)
    soup = soup_of(tmp_path)
    assert [row.find(class_="mark").text.split()[1] for row in rows(soup).values()] == (
        ["failed"] * 10 + ["made"] * 90
    )


def test_the_page_replaces_the_old_one_and_leaves_nothing_beside_it(out):
    (out / "index.html").write_text("old", encoding="utf-8")
    before = sorted(path.name for path in out.iterdir())
    assert portfolio.write(out) == out / "index.html"
    assert "Acme" in (out / "index.html").read_text("utf-8")
    assert sorted(path.name for path in out.iterdir()) == before


def test_what_cannot_be_written_leaves_the_old_page(out, monkeypatch):
    (out / "index.html").write_text("old", encoding="utf-8")

    def full(self, *content, **how):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        portfolio.write(out)
    assert (out / "index.html").read_text("utf-8") == "old"
    assert not list(out.glob(".index*"))


def test_a_run_that_ends_while_the_page_is_made_is_on_it(out, monkeypatch):
    """Two commands at once: this one has read the folder, then the other publishes and writes its page."""
    render, late = portfolio.render, ["third", "second"]

    def slow(found, **how):
        page = render(found, **how)
        if late:
            run(out, late.pop(), figures=[money(1.0)])
        return page

    monkeypatch.setattr(portfolio, "render", slow)
    page = portfolio.write(out).read_text("utf-8")
    assert "Second" in page
    assert "Third" in page
