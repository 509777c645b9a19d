"""A Polish report holds no English: every word of two reports, and of every picture, is looked at."""

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.text import Text

from benchmarks import notebooks
from retention_kit import (
    activation,
    catalogues,
    churn,
    clv,
    cohorts,
    datasets,
    exhibits,
    inactivity,
    keywords,
    leaving,
    lifecycle,
    mrr,
    nps,
    plots,
    purchases,
    reports,
    retention,
    rfm,
    rhythm,
    runs,
)
from retention_kit.sentences import Voice

#: What a Polish analyst calls by its English name, and the owners of a registered mark.
NAMES = (
    "NPS Net Promoter Score ARPA quick ratio churn CLV MRR NRR GRR Bain Company Satmetrix Systems Fred CSV"
)
NAMES = f"{NAMES} PNG UTF Stripe log rank logo plan retention_kit customer_id contactable age last_age direct"

TEXT = re.compile(r"[^\W\d_]+(?:[’'_][^\W\d_]+)*")


def words(text: str) -> set[str]:
    return {word.lower() for word in TEXT.findall(text)}


#: Words that stand in nearly every English sentence and in no Polish one.
FUNCTION = words(
    "the of and is are was were with that this these those for from which who whose when where what how "
    "not or than then their there they them it its an as at be been has have had will would each every all "
    "any some first last more less after before between over under into only also other another"
)


def of_catalogue(language: str) -> set[str]:
    entries = catalogues.entries(language)
    texts = [text for key, entry in entries.items() if key != "locale" for text in catalogues.texts(entry)]
    return words(re.sub(r"\{[^}]*\}", " ", " ".join(texts)))


POLISH = of_catalogue("pl")
ENGLISH = (of_catalogue("en") - POLISH) | FUNCTION


def english(text: str, data: Iterable[str] = ()) -> list[str]:
    """The English words of a text, without the names from the client's data."""
    found = (words(text) & ENGLISH) - words(NAMES)
    for name in sorted(data, key=len, reverse=True) if found else ():
        text = text.replace(name, " ")
    return sorted(found & words(text))


# -- the catalogue --------------------------------------------------------------------


def test_the_word_list_knows_english_from_polish() -> None:
    assert english("Customers lost in a typical month, of those paying when it began.")
    assert english("Klienci utraceni w typowym miesiącu jako odsetek płacących na jego początku.") == []


def test_the_polish_catalogue_holds_no_english_sentence() -> None:
    assert sorted((POLISH & FUNCTION) - words(NAMES)) == []


# -- reports --------------------------------------------------------------------------

DEMO = """
title: Larkmoor
language: pl
currency: PLN
as_of: 2024-07-01
data: demo
explain: [{churn: 3.6 %, month: 2024-06}, {nps: 40}, {retention: 33 %}]
options:
  retention: {by: channel, inactive_after: 90}
  churn: {by: plan, involuntary: payment failed}
  nps: {by: segment}
"""

# A shop of five orders: too few for nearly everything, and what is odd in its file is told.
CORNER = """
title: Sklepik
language: pl
currency: PLN
as_of: 2024-06-03
period: week
data:
  orders:
    source: zamówienia.csv
    columns: {customer_id: klient, ordered_at: data, amount: kwota}
    where: kwota < 1000
  subscriptions: {source: abonamenty.csv}
  responses: {source: ankieta.csv}
options:
  retention: {inactive_after: 7}
"""
ROWS = """klient;data;kwota
Łucja;13.05.2024;12,50
Łucja;20.05.2024;7,00
Żaneta;14.05.2024;3,20
;14.05.2024;1,00
Zoë;kiedyś;1,00
Żaneta;21.05.2024;-3,20
Łucja;22.05.2024;5000,00
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The demo company's four chapters, a corner shop's and the page over both, in Polish, run once."""
    folder = tmp_path_factory.mktemp("polish")
    (folder / "zamówienia.csv").write_bytes(ROWS.encode("cp1250", errors="replace"))
    ended = {"started_at": ["2024-05-06"], "ended_at": ["2024-05-20"], "mrr": [30]}
    pd.DataFrame({"customer_id": ["Łucja"]} | ended).to_csv(folder / "abonamenty.csv", index=False)
    pd.DataFrame({"score": [9]}).to_csv(folder / "ankieta.csv", index=False)
    clients = {"larkmoor": DEMO, "sklepik": CORNER}
    for name, text in clients.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    outcomes = reports.run([folder / f"{name}.yaml" for name in clients], out=folder / "outputs")
    assert [outcome.reason for outcome in outcomes] == ["", ""]
    found = {outcome.client: Path(outcome.report) for outcome in outcomes}
    return found | {"index": reports.index(folder / "outputs")}


class Said(HTMLParser):
    """What a page says to whoever reads it, or has it read: texts, and attributes that are texts."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.hidden = 0
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "script")
        self.texts += [value for name, value in attrs if name in ("alt", "title", "aria-label") and value]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append(data)


def names_of_data() -> set[str]:
    """What the demo company's tables hold as text, and the versions that a report names."""
    tables = (getattr(datasets, f"demo_{kind}")() for kind in ("orders", "subscriptions", "responses"))
    texts = (frame.select_dtypes("str") for frame in (*tables, datasets.demo_customers()))
    found = {value for frame in texts for column in frame for value in frame[column].dropna().unique()}
    listed = {"; ".join(side) for side in written()}
    return {value for value in found if not value.isdigit()} | set(runs.made_with()) | {"Larkmoor"} | listed


def written() -> list[list[str]]:
    """The words of its comments that a report lists, of detractors and of promoters."""
    words = keywords.keywords(datasets.demo_responses(), as_of=datasets.DEMO_AS_OF)
    words = words[words["words"].str.len() > 3]
    return [words.loc[words["side"] == side, "words"].head(5).tolist() for side in keywords.SIDES]


def not_written(texts: Iterable[str]) -> list[str]:
    """All but the cells that hold a word of a comment."""
    words = set(keywords.keywords(datasets.demo_responses(), as_of=datasets.DEMO_AS_OF)["words"])
    return [text for text in texts if text.strip() not in words]


@pytest.mark.parametrize(("name", "least"), [("larkmoor", 2000), ("sklepik", 300), ("index", 30)])
def test_a_polish_page_holds_no_english_sentence(pages: dict[str, Path], name: str, least: int) -> None:
    said, data = Said(pages[name]).texts, names_of_data()
    assert len(said) > least
    found = {text.strip(): found for text in not_written(said) if (found := english(text, data))}
    assert found == {}, "say it in pl.yaml, or format it by the voice"


def test_a_polish_workbook_holds_no_english_sentence(pages: dict[str, Path]) -> None:
    with zipfile.ZipFile(pages["larkmoor"].parent / "tables.xlsx") as book:
        said = re.findall(r"<t[^>]*>([^<]+)</t>", book.read("xl/sharedStrings.xml").decode())
    assert "Wskaźnik retencji" in said
    data = names_of_data()
    assert {text: found for text in not_written(said) if (found := english(text, data))} == {}


def test_every_column_of_a_table_has_words(pages: dict[str, Path]) -> None:
    """A column without any would be headed by its name, which is English."""
    tables = sorted((pages["larkmoor"].parent / "tables").glob("*.csv"))
    assert len(tables) > 20
    columns = {name for table in tables for name in pd.read_csv(table, nrows=0).columns}
    assert columns - Voice(language="pl").words("column").keys() == set()


def test_a_polish_report_is_polish(pages: dict[str, Path]) -> None:
    page = " ".join(Said(pages["larkmoor"]).texts)
    assert '<html lang="pl">' in pages["larkmoor"].read_text("utf-8")
    assert "w czerwcu 2024" in page
    assert "1 lipca 2024" in page
    assert re.search(r"\d,\d%", page)
    assert not re.search(r"\d\.\d", page.split("Sporządzono")[0])
    assert re.search(r"\d\s\d{3}\szł", page)


def test_a_page_of_all_chapters_can_be_mailed(pages: dict[str, Path]) -> None:
    assert 500_000 < pages["larkmoor"].stat().st_size < notebooks.LARGEST


def test_a_figure_is_the_same_wherever_it_stands(pages: dict[str, Path]) -> None:
    """On its cards, among the definitions, in headlines.json, and counted anew from tables and workbook."""
    folder = pages["larkmoor"].parent
    told = json.loads((folder / "headlines.json").read_text("utf-8"))
    value = {one["name"]: one["value"] for chapter in told.values() for one in chapter}
    sheets = pd.read_excel(folder / "tables.xlsx", sheet_name=None, engine="calamine", header=None)
    read = {path.stem: pd.read_csv(path, encoding="utf-8-sig") for path in (folder / "tables").glob("*.csv")}
    first = read["retention_cohorts"].query("age == 1")
    year, moves = read["churn_churn_rates"].tail(12), read["churn_mrr_movements"]
    mix, scores = read["retention_revenue_shares"].set_index("order_type"), read["nps_scores"]
    by_month = read["retention_first_and_returning"].groupby("order_type")["revenue"].sum()
    last, ends = moves.iloc[-1], moves["begin"].shift(-1).dropna()
    sides = scores.groupby(pd.cut(scores["score"], [-1, 6, 8, 10], labels=False))["answers"].sum()
    counted = {
        "retention.month_1": first["retained"].sum() / first["customers"].sum(),
        "retention.returning_revenue_share": by_month["returning"] / by_month.sum(),
        "churn.typical": year["churned"].sum() / year["customers"].sum(),
        "churn.last_period": last["customers_churned"] / last["customers_begin"],
        "churn.mrr": last[["begin", "new", "reactivation", "expansion"]].sum()
        - last[["contraction", "churn"]].sum(),
        "churn.gross_revenue_churn": (last["contraction"] + last["churn"]) / last["begin"],
        "nps.nps": 100 * (sides[2] - sides[0]) / sides.sum(),
        "clv.historical": read["clv_historical"]["revenue"].sum() / read["clv_historical"]["customers"].sum(),
    }
    assert {name: value[name] for name in counted} == pytest.approx(counted)
    assert ends.tolist() == pytest.approx(moves["end"].iloc[:-1].tolist())
    assert read["clv_historical"]["revenue"].sum() == pytest.approx(mix["revenue"].sum())
    assert read["retention_segments"]["revenue"].sum() == pytest.approx(mix["revenue"].sum())
    for name in ("retention_segments", "churn_mrr_movements", "clv_historical"):
        cells = set(pd.to_numeric(sheets[name].stack(), errors="coerce").round(8))
        assert set(read[name].select_dtypes("number").stack().round(8)) <= cells
    page = BeautifulSoup(pages["larkmoor"].read_text("utf-8"), "html.parser")
    shown = [
        (card.find(class_="label").text, card.find(class_="value").text) for card in page.select(".card")
    ]
    shown += [(dt.contents[0].strip(), dt.b.text) for dt in page.select("#definitions dt")]
    assert len(shown) > 60
    assert len(set(shown)) == len({label for label, _ in shown}) == len(value)


def test_what_is_odd_in_a_file_is_told_in_polish(pages: dict[str, Path]) -> None:
    page = " ".join(Said(pages["sklepik"]).texts)
    for told in (
        "kwota: przecinek dziesiętny",
        "odczytano je jako cp1250",
        "separator ';'",
        "najpierw dzień",
    ):
        assert told in page
    for rule in ("Nieczytelna data", "Brak klienta", "Zwrot (kwota poniżej zera)"):
        assert rule in page


# -- pictures -------------------------------------------------------------------------

AS_OF = {"as_of": datasets.TINY_AS_OF}
MAY, WEEKS = pd.Timestamp("2024-05-01"), pd.date_range("2024-04-01", periods=9, freq="7D")
ORDERS, FEES = datasets.tiny_orders, datasets.tiny_subscriptions
OPTIONS = {"plot_expected_and_actual": {"models": ["bg_nbd", "historical_mean"]}}


def table(columns: str, *rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


FRAMES = {
    "plot_activation": lambda: activation.activation(
        datasets.tiny_events(), event="ordered", within_days=7, age=1, **AS_OF
    ),
    "plot_average_retention": lambda: retention.average_retention(
        retention.retention_rates(ORDERS(), **AS_OF)
    ),
    "plot_churn_hazard": lambda: leaving.churn_hazard(FEES(), **AS_OF),
    "plot_churn_rates": lambda: churn.churn_rates(FEES(), **AS_OF),
    "plot_churn_reasons": lambda: table(
        "reason churn_share low high mrr_share mrr_low mrr_high", ("za drogo", 0.5, 0.4, 0.6, 0.4, 0.3, 0.5)
    ),
    "plot_clv_historical": lambda: clv.clv_historical(ORDERS(), **AS_OF),
    "plot_cohort_revenue": lambda: cohorts.cohort_revenue(ORDERS(), **AS_OF),
    "plot_first_and_returning": lambda: purchases.first_and_returning(ORDERS(), period="month", **AS_OF),
    "plot_gap_distribution": lambda: rhythm.gap_distribution(ORDERS(), days=(10, 20), **AS_OF),
    "plot_inactivity_windows": lambda: inactivity.inactivity_windows(ORDERS(), days=(10, 20), **AS_OF),
    "plot_lifecycle": lambda: lifecycle.lifecycle(ORDERS(), **AS_OF),
    "plot_mrr_movements": lambda: mrr.mrr_movements(FEES(), **AS_OF),
    "plot_nps": lambda: nps.nps(datasets.tiny_responses(), period="quarter", **AS_OF),
    "plot_retention_curves": lambda: retention.retention_rates(ORDERS(), **AS_OF),
    "plot_retention_matrix": lambda: retention.retention_rates(ORDERS(), **AS_OF),
    "plot_rfm_segments": lambda: rfm.rfm_segments(ORDERS(), **AS_OF),
    "plot_stickiness": lambda: lifecycle.stickiness(datasets.tiny_events(), **AS_OF),
    "plot_keywords": lambda: table(
        "words side z apart", ("za drogo", "detractors", 4.1, True), ("miło", "promoters", -2.2, False)
    ),
    "plot_themes": lambda: table(
        "theme comment_share low high nps nps_low nps_high",
        ("dostawa", 0.4, 0.3, 0.5, -20, -40, 0),
        ("uncoded", 0.1, 0.05, 0.2, 30, 10, 50),
    ),
    "plot_drivers": lambda: table(
        "driver importance low high performance performance_low performance_high",
        ("dostawa", 0.5, 0.4, 0.6, 4.1, 4, 4.2),
        ("cena", 0.2, 0.1, 0.3, 3.1, 3, 3.2),
    ),
    "plot_after": lambda: table(
        "band churn_rate low high", ("promoters", 0.1, 0, 0.2), ("non_respondents", 0.2, 0.1, 0.3)
    ),
    "plot_alive": lambda: table(
        "frequency silence p_alive", (1, 0, 0.9), (1, 5, 0.6), (2, 0, 1), (2, 5, 0.2)
    ),
    "plot_contract_survival": lambda: table(
        "curve period survival low high", ("observed", 0, 1, 1, 1), ("sbg", 0, 1, 1, 1), ("bdw", 0, 1, 1, 1)
    ),
    "plot_expected_and_actual": lambda: table(
        "group actual low high bg_nbd historical_mean", ("0", 1, 0.5, 1.5, 1.1, 1), ("1+", 2, 1, 3, 2, 1)
    ),
    "plot_lorenz": lambda: table("customer_share value_share", (0, 0), (0.5, 0.1), (1, 1)),
    "plot_tracking": lambda: table(
        "week held_out actual expected low high", *((week, week > MAY, 9, 9, 8, 12) for week in WEEKS)
    ),
    "plot_survival": lambda: purchases.time_to_second_order(ORDERS(), **AS_OF),
}


def test_every_plot_is_looked_at() -> None:
    assert sorted(FRAMES) == sorted(plots.__all__)


@pytest.mark.parametrize("name", FRAMES)
def test_a_polish_picture_holds_no_english_word(name: str) -> None:
    voice = Voice(language="pl", currency="PLN")
    labels = (
        voice.columns
        | voice.words("order_type")
        | voice.words("segment")
        | voice.words("quadrant")
        | voice.words("theme")
    )
    options = {"ax": exhibits.axes(), "labels": labels} | OPTIONS.get(name, {})
    ax = getattr(plots, name)(FRAMES[name](), **options)
    said = list(drawn_words(ax.figure))
    assert said
    assert {text: found for text in said if (found := english(text))} == {}


def drawn_words(figure) -> Iterator[str]:
    figure.draw_without_rendering()
    yield from (text.get_text() for text in figure.findobj(Text) if text.get_text().strip())


def test_marks_are_those_of_the_language() -> None:
    voice = Voice(language="pl", currency="PLN")
    ax = plots.plot_mrr_movements(FRAMES["plot_mrr_movements"](), ax=exhibits.axes(), labels=voice.columns)
    mark = ax.yaxis.get_major_formatter()
    assert [mark(1_250_000), mark(40_000), mark(-2.5)] == ["1,25 mln", "40 tys.", "−2,5"]
    share = plots.plot_churn_rates(FRAMES["plot_churn_rates"](), ax=exhibits.axes(), labels=voice.columns)
    assert share.yaxis.get_major_formatter()(0.025) == "2,5%"
