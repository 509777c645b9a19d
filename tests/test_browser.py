"""The report in a real browser: nothing runs, nothing leaves, all can be read, printed and taken along."""

import datetime as dt
import json
import re
from itertools import pairwise
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_kit import browsers, cards, exhibits, names, pages, plots, reports
from retention_kit.brands import Brand
from retention_kit.cards import Change
from retention_kit.headlines import Headline
from retention_kit.sentences import Voice

VOICE = Voice(language="en", currency="EUR")
FAR = "https://far.example"
HIT = "window.hit=1"
HOSTILE = [
    f"<script>{HIT}</script>",
    f"<img src={FAR}/x.png onerror={HIT}>",
    f'"><svg onload={HIT}>',
    f"' onmouseover='{HIT}",
    f"</style></title></textarea><script>{HIT}</script>",
    "--><!-- ]]>",
    f"javascript:{HIT}",
    f"[a link](javascript:{HIT}) ![a picture]({FAR}/x.png)",
    f"<a href='{FAR}'>far</a> <iframe src='{FAR}'></iframe>",
    f"<meta http-equiv=refresh content='0;url={FAR}'>",
    f"url({FAR}/x.png) @import '{FAR}'; }} body {{ display: none",
    "{{ 7 * 7 }} {% raw %} ${7*7} %s {0} \\u0041",
    "=cmd|' /C calc'!A0",
    "&lt;b&gt; &amp; &#106;",
    "\u202e turned around \u202d",
    "\u2067\u05d0\u05d1\u2069\u2069\u202e plan",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "😀👩‍👩‍👧 é e\u0301",
    "a\x00b\x1b[31m\x7f",
    "two\nlines\tand a tab",
    "x" * 10_000,
    "many words " * 900,
]
MOMENT = pd.Timestamp("2024-07-01")


def cell(*shown, tags=()):
    outputs = [new_output("display_data", data=one._repr_mimebundle_()) for one in shown]
    return new_code_cell("secret()", metadata={"tags": list(tags)}, execution_count=1, outputs=outputs)


def headline(name, value, unit="share", good="up", period=None):
    return Headline(
        name, value, unit, good, {"retained": 324, "customers": 885}, f"How. {HOSTILE[0]}", "2024-07-01",
        low=value * 0.9, high=value * 1.1, interval="Wilson 95 %", period=period,
    )  # fmt: skip


def cohorts(ages=24):
    """As wide as two years of months are, and every shade of the ramp."""
    pairs = [(cohort, age) for cohort in range(ages) for age in range(ages - cohort)]
    frame = pd.DataFrame(pairs, columns=["number", "age"])
    frame["cohort"] = pd.date_range("2022-07-01", periods=ages, freq="MS")[frame["number"]]
    frame["retention_rate"] = np.linspace(0, 0.5, len(frame))
    return frame.assign(customers=200, retained=100)


def checks(names):
    rules = pd.DataFrame(
        {"rule": ["read", "kept"], "rows": [9, 9], "amount": 5.0, "example": [None, names[0]]}
    )
    notes = [
        SimpleNamespace(level=level, text=text)
        for level, text in zip(("warning", "guess"), names, strict=False)
    ]
    seen = {"as_of": MOMENT, "observed_from": pd.Timestamp("2022-07-01"), "observed_until": MOMENT}
    return exhibits.data_checks(
        SimpleNamespace(kind="orders", checks=rules, notes=notes, **seen), voice=VOICE
    )


def chapter(name, title, called):
    """Every kind of exhibit, with names from the data wherever one can stand."""
    scores = pd.DataFrame({"segment": called, "nps": 30.0, "low": 20.0, "high": 40.0, "answers": 9})
    scores.loc[0, ["nps", "low", "high"]] = [80.0, 70.0, 90.0]
    told = VOICE.tell_extremes("nps.groups", scores, group="segment", value="nps", by="segment")
    months = pd.date_range("2023-07-01", periods=12, freq="MS")
    rates = pd.DataFrame({"period": months, "churn_rate": 0.1, "low": 0.05, "high": 0.2, "customers": 90})
    words = {
        name: {"name": name, "voice": VOICE, "caption": f"The {name} counted. {called[0]}"} for name in TABLES
    }
    figures = [headline(name, 0.3, period=each) for name, each in zip(FIGURES, called, strict=False)]
    line = plots.plot_churn_rates(rates, ax=exhibits.axes())
    dots = plots.plot_nps(scores, ax=exhibits.axes())
    cells = [
        cell(exhibits.finding(told)),
        cell(exhibits.cards(*figures, voice=VOICE)),
        cell(exhibits.sentence(f"Said of {called[0]}.")),
        cell(exhibits.figure(line, alt=f"A line. {called[0]}", frame=rates, **words["rates"])),
        cell(exhibits.figure(dots, alt="Dots.", frame=scores, **words["scores"])),
        cell(exhibits.finding("A second finding of this chapter.")),
        cell(exhibits.heat_table(cohorts(), **words["cohorts"])),
        cell(exhibits.table(scores, **words["groups"])),
        cell(checks(called), tags=["data-notes"]),
    ]
    return pages.Chapter(name, title, new_notebook(cells=cells))


TABLES = ("rates", "scores", "cohorts", "groups")
FIGURES = ("retention.month_1", "retention.month_6", "churn.typical", "nps.nps")


def report(called, **changed):
    how = {
        "client": "acme",
        "title": "Acme & Sons",
        "prepared_by": "North Star",
        "notes_markdown": "Costs $5, **really**.",
        "brand": Brand(name="North Star", colours=("#0b3d5c", "#e69f00"), confidentiality="For Acme alone"),
        "missing": [("clv", "No amounts.")],
        "changes": {
            FIGURES[0]: Change("+1.0 percentage point since 1 June 2024: better", "up", "better"),
            FIGURES[1]: Change("−1.0 percentage point since 1 June 2024: worse", "down", "worse"),
            FIGURES[2]: Change("As on 1 June 2024", "level"),
        },
    }
    chapters = [chapter("retention", "Retention", called), chapter("nps", "Net Promoter Score", called)]
    how |= {
        "as_of": "2024-07-01",
        "language": "en",
        "currency": "EUR",
        "versions": {"retention-kit": "0.1.0"},
    }
    return pages.render(pages.Page(chapters=chapters, generated=dt.datetime(2024, 7, 2), **how | changed))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A report as they usually are."""
    path = tmp_path_factory.mktemp("plain") / "report.html"
    path.write_text(report(["office", "household", "café", "none"]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A report in which every word that a client or a consultant can choose is chosen to do harm."""
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    short = [name for name in HOSTILE if len(name) < 90]
    changed = {
        "title": "".join(HOSTILE),
        "prepared_by": HOSTILE[0] + HOSTILE[-2],
        "notes_markdown": "\n\n".join(HOSTILE),
        "brand": Brand(name=short[1], confidentiality="".join(short)[:200]),
        "missing": [("clv", name) for name in HOSTILE],
        "changes": {FIGURES[0]: Change(HOSTILE[0], "up", "better")},
    }
    path.write_text(report(HOSTILE, **changed), encoding="utf-8")
    return path


def each(page, selector, told):
    """What JavaScript tells of each element `e` on the page."""
    return page.evaluate(f"[...document.querySelectorAll({selector!r})].map(e => {told})")


# -- a report as they usually are -----------------------------------------------


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_it_opens_offline_and_everyone_can_read_it(plain, opened, violations, width):
    page = opened(plain, width)
    assert violations(page) == []
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_its_outline_has_one_title_and_skips_no_level(plain, opened):
    levels = each(opened(plain), "h1, h2, h3, h4, h5, h6", "+e.tagName[1]")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_the_keyboard_gets_past_the_contents(plain, opened):
    page = opened(plain)
    assert page.evaluate("document.documentElement.lang") == "en"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_contents_stay_beside_the_text_on_a_wide_screen(plain, opened):
    page = opened(plain)
    page.evaluate("window.scrollTo({top: 3000, behavior: 'instant'})")
    contents, text = page.locator("nav").bounding_box(), page.locator("main").bounding_box()
    assert contents["y"] == 0
    assert contents["x"] + contents["width"] <= text["x"]
    narrow = opened(plain, 390)
    assert narrow.locator("nav").bounding_box()["y"] < narrow.locator("main").bounding_box()["y"]


def test_what_is_wider_than_a_phone_runs_off_its_edge_and_fades_there(plain, opened):
    page = opened(plain, 390)
    rights = each(page, "#retention .picture, #retention > .scroll", "e.getBoundingClientRect().right")
    assert len(rights) == 4
    assert set(rights) == {390}
    fades = "parseFloat(getComputedStyle(e).getPropertyValue('--more'))"
    assert each(page, "#retention .picture", fades)[0] > 30
    page.evaluate("document.querySelector('#retention .picture').scrollLeft = 9999")
    page.wait_for_timeout(100)
    assert each(page, "#retention .picture", fades)[0] == 0
    assert set(each(opened(plain), "#retention .picture", fades)) == {0}


def test_cards_of_a_row_are_in_line(plain, opened):
    page = opened(plain)
    for part in (".label", ".value", ".range"):
        tops = each(page, f"#retention .card {part}", "e.getBoundingClientRect().top")
        assert len(tops) == 4
        assert max(tops) - min(tops) < 1


def test_a_long_figure_stays_on_one_line_of_its_card(opened, tmp_path):
    path = tmp_path / "report.html"
    long = headline("churn.mrr", 12_345_678.0, unit="money")
    shown = cards.cards_html([long] * 2, voice=Voice(language="pl", currency="PLN"))
    path.write_text(report(["office"]).replace("</main>", f"{shown}</main>"), encoding="utf-8")
    for width in (1280, 390):
        page = opened(path, width)
        lines = "e.getClientRects().length"
        heights = each(page, ".card .value", "e.clientHeight / parseFloat(getComputedStyle(e).fontSize)")
        assert set(each(page, ".card .value span", lines)) == {1}
        assert max(heights) < 2.2


def test_every_shade_of_a_heat_table_can_be_read(plain, opened):
    """axe leaves out what lies in a box that scrolls: measured here, in the colours that were drawn."""
    colours = "[getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    pairs = each(opened(plain), ".heat td[style]", colours)
    contrasts = []
    for pair in pairs:
        back, ink = (_luminance([int(part) for part in re.findall(r"\d+", colour)[:3]]) for colour in pair)
        contrasts.append((max(back, ink) + 0.05) / (min(back, ink) + 0.05))
    assert len({back for back, _ in pairs}) > 20
    assert min(contrasts) >= 4.5


def _luminance(channels):
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in channels)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_tables_and_pictures_are_saved_by_a_click(plain, opened, tmp_path):
    page = opened(plain)
    saved = {}
    for link in page.locator("#retention .downloads").first.locator("a").all():
        with page.expect_download() as found:
            link.click()
        saved[found.value.suggested_filename] = found.value.path().read_bytes()
    assert list(saved) == ["acme_2024-07-01_retention_rates.csv", "acme_2024-07-01_retention_rates.png"]
    rows, picture = saved.values()
    assert rows.decode("utf-8-sig").splitlines()[0] == "period,churn_rate,low,high,customers"
    assert picture.startswith(b"\x89PNG")
    assert page.troubles == []


# -- print -----------------------------------------------------------------------

A4 = 680  # CSS pixels between the margins


def test_it_prints_without_cutting_anything_off(plain, opened):
    page = opened(plain, A4)
    page.emulate_media(media="print")
    cut = page.evaluate(
        f"[...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > {A4} + 1"
        " && e.checkVisibility()).map(e => e.outerHTML.slice(0, 100))"
    )
    assert cut == []
    # A heading and its sentence go to the next page with what they are about.
    assert set(each(page, ".finding, .finding + .sentence", "getComputedStyle(e).breakAfter")) == {"avoid"}


def test_the_widest_data_behind_a_figure_print_whole(opened, tmp_path):
    """As wide as the themes of comments are, in words as long as theirs."""
    measured = ("comments", "comment_share", "low", "high", "nps", "nps_low", "nps_high", "nps_without")
    measured = (*measured, "difference", "difference_low", "difference_high")
    frame = pd.DataFrame({"theme": ["Quality of the product", "Membership and contract"]})
    frame = frame.assign(**dict.fromkeys(measured, 0.25), verdict="cannot be told")
    frame["caution"] = "fewer than 30 answers"
    ax = plots.plot_themes(frame, ax=exhibits.axes())
    told = {"name": "themes", "alt": "Dots.", "caption": "Themes", "frame": frame, "voice": VOICE}
    path = tmp_path / "report.html"
    wide = str(exhibits.figure(ax, **told).html)
    path.write_text(report(["office"]).replace("</main>", f"{wide}</main>"), encoding="utf-8")
    page = opened(path, A4)
    page.emulate_media(media="print")
    rights = each(page, "details table", "e.checkVisibility() && e.getBoundingClientRect().right")
    assert 600 < max(filter(None, rights)) <= A4 + 1


def test_its_pdf_has_pages_with_numbers_and_who_may_read_it(plain, browser, tmp_path):
    """By the browser alone, as `--pdf` does it; `browser` is here to skip where there is none."""
    pdf = tmp_path / "report.pdf"
    browsers.print_pdf(browsers.find(), plain, pdf)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) in range(8, 13)


# -- a report that means harm ------------------------------------------------------


def test_nothing_in_it_runs_or_leaves(hostile, opened):
    page = opened(hostile)
    page.mouse.wheel(0, 100_000)
    for element in page.locator("details > summary").all()[:20]:
        element.dispatch_event("click")
    assert page.evaluate("window.hit") is None
    assert page.troubles == []
    assert page.url == hostile.as_uri()
    kinds = each(page, "*", "e.tagName.toLowerCase()")
    assert {"script", "iframe", "svg", "object", "link", "base", "form"}.isdisjoint(kinds)
    addresses = each(page, "[src], [href]", "e.getAttribute('src') || e.getAttribute('href')")
    assert [
        address
        for address in addresses
        if not unquote(address).startswith(("#", "data:image/png", "data:text/csv"))
    ] == []


def test_every_word_of_it_shows(hostile, opened):
    page = opened(hostile)
    cells = page.evaluate(
        "[...document.querySelectorAll('#nps table:not(.heat)')].at(-1).querySelectorAll('tbody th')"
        ".values().map(th => [th.textContent, th.querySelector('[title]')?.title || '']).toArray()"
    )
    assert len(cells) == len(HOSTILE)
    for (shown, whole), name in zip(cells, HOSTILE, strict=True):
        assert shown == (names.isolated(name) if len(name) <= 120 else names.shown(name, 120))
        assert whole == ("" if len(name) <= 120 else names.visible(name))
    notes = page.locator(".notes").text_content()
    for name in (HOSTILE[0], HOSTILE[4], HOSTILE[11], HOSTILE[17]):
        assert name in notes


@pytest.mark.parametrize("width", [1280, 390])
def test_it_keeps_its_form(hostile, opened, violations, width):
    page = opened(hostile, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert violations(page) == []
    # A name of 10,000 signs is a line or two, not a page of its own.
    heights = each(page, "td, th, h1", "e.getBoundingClientRect().height")
    assert max(heights) < 420


def test_no_name_turns_what_stands_around_it(opened, tmp_path):
    """The words behind a name stand to its right, whatever signs it brings."""
    turned = ["\u202egold", "\u05d0\u05d1", "\u2067gold", "\u2069\u202egold", "office"]
    frame = pd.DataFrame({"plan": turned, "nps": range(5, 0, -1), "low": 0.0, "high": 9.0})
    told = [
        VOICE.tell_extremes(
            "nps.groups", frame[frame["plan"].isin([name, "office"])], group="plan", value="nps", by="plan"
        )
        for name in turned[:-1]
    ]
    cells = [cell(exhibits.sentence(sentence)) for sentence in told]
    made = report(["office"]).replace("</body>", "")
    path = tmp_path / "report.html"
    made += "<style>.sentence { max-width: none; white-space: nowrap }</style>"
    path.write_text(made + "".join(one.outputs[0].data["text/html"] for one in cells), encoding="utf-8")
    page = opened(path, 4000)
    for place, sentence in enumerate(told):
        lefts = page.evaluate(
            """([place, spots]) => {
                const text = document.querySelectorAll('body > .sentence')[place].firstChild;
                return spots.map(spot => {
                    const range = document.createRange();
                    range.setStart(text, spot); range.setEnd(text, spot + 1);
                    return range.getBoundingClientRect().left;
                });
            }""",
            [place, [0, sentence.index(" and office"), sentence.rindex(" ")]],
        )
        assert lefts == sorted(lefts), sentence


# -- the same words as data of a whole run -----------------------------------------


def data_of(names):
    """Orders, subscriptions and answers in which every word is one of the names."""
    months = pd.date_range("2023-07-05", "2024-06-05", freq="MS") + pd.Timedelta(days=4)
    bought = [
        (name, day, other) for name, other in zip(names, names[::-1], strict=True) for day in months[:9]
    ]
    orders = pd.DataFrame(bought, columns=["customer_id", "ordered_at", "channel"]).assign(amount=20.0)
    paid = [(f"{name}-{n}", name, n) for name in names for n in range(6)]
    fees = pd.DataFrame(paid, columns=["customer_id", "plan", "n"]).assign(
        started_at=pd.Timestamp("2023-07-01"), mrr=10.0, cancel_reason=[name for _, name, _ in paid]
    )
    fees["ended_at"] = pd.Timestamp("2024-03-10") + pd.to_timedelta(fees.pop("n") * 20, unit="D")
    said = [(name, score, name, name) for name in names for score in (10, 9, 8, 2)]
    answers = pd.DataFrame(said, columns=["customer_id", "score", "segment", "comment"])
    return {"orders": orders, "subscriptions": fees, "responses": answers.assign(responded_at=months[5])}


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory):
    """The folder of a report made of such data, by a client file of such words, with its customers shown."""
    folder = tmp_path_factory.mktemp("hostile_run")
    named = [re.sub("[\ud800-\udfff]", "", name) for name in HOSTILE]
    further = {
        "orders": ["channel"],
        "subscriptions": ["plan", "cancel_reason"],
        "responses": ["segment", "comment"],
    }
    data = {}
    for kind, frame in data_of(named).items():
        frame.to_parquet(folder / f"{kind}.parquet")
        data[kind] = {"source": f"{kind}.parquet", "columns": {name: name for name in further[kind]}}
    client = {
        "as_of": "2024-07-01", "data": data, "show_customers": True,
        "chapters": ["retention", "churn", "nps"],
        "title": "".join(names.visible(name) for name in named[:16]),
        "notes": "\n\n".join(names.visible(name) for name in named),
        "options": {"retention": {"by": "channel"}, "churn": {"by": "plan"}, "nps": {"by": "segment"}},
    }  # fmt: skip
    (folder / "acme.yaml").write_text(json.dumps(client, ensure_ascii=False), encoding="utf-8")
    [outcome] = reports.run([folder / "acme.yaml"], out=folder / "outputs")
    assert outcome.reason == ""
    return outcome.report.parent


def test_nothing_that_data_say_runs_or_leaves(hostile_run, opened, violations):
    report = hostile_run / "report.html"
    page = opened(report)
    assert violations(page) == []
    page.mouse.wheel(0, 100_000)
    assert page.evaluate("window.hit") is None
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    kinds = each(page, "*", "e.tagName.toLowerCase()")
    assert {"script", "iframe", "svg", "object", "link", "base", "form"}.isdisjoint(kinds)
    words = page.locator("main").text_content()
    for name in (HOSTILE[0], HOSTILE[1], HOSTILE[6], HOSTILE[11], HOSTILE[12], HOSTILE[15]):
        assert names.isolated(name) in words, name
    listed = page.locator("#retention table th[scope=row]").all_text_contents()
    assert names.isolated(HOSTILE[0]) in listed  # a customer, who is shown where the client file says so


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_over_all_clients_is_as_safe_and_as_clear(hostile_run, opened, violations, width):
    page = opened(reports.index(hostile_run.parent.parent), width)
    page.mouse.wheel(0, 100_000)
    assert page.evaluate("window.hit") is None
    assert page.troubles == []
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert HOSTILE[0] in page.locator("tbody th").first.text_content()
    page.locator("tbody a").first.click()
    assert page.url == (hostile_run / "report.html").as_uri()


def test_no_cell_of_its_tables_is_a_formula(hostile_run):
    text = "".join(path.read_text("utf-8-sig") for path in (hostile_run / "tables").glob("*.csv"))
    assert "'=cmd|' /C calc'!A0" in text
    assert not re.search(r"(?m)^\"?[=+@]|,\"?[=@]", text)
