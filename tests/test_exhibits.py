"""What reaches a page is escaped, readable without colour or picture, and carries its data."""

import base64
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image

from retention_kit import exhibits, grids, plots
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.sentences import Voice, phrase

VOICE = Voice(language="en", currency="EUR")
HOSTILE = """<script>alert("x")</script> " onmouseover='y' {{ 7 * 7 }} $5 & {% raw %}"""
MONTHS = pd.date_range("2024-01-01", periods=3, freq="MS")


def soup(exhibit):
    return BeautifulSoup(exhibit._repr_mimebundle_()["text/html"], "html.parser")


def carried(exhibit, kind):
    """The data beside the HTML, as it comes back from a notebook file."""
    return json.loads(json.dumps(exhibit._repr_mimebundle_()[exhibits.MIME.format(kind)]))


def headline(**changed):
    values = {
        "name": "retention.month_1",
        "value": 324 / 885,
        "unit": "share",
        "good": "up",
        "counts": {"retained": 324, "customers": 885},
        "definition": "retained / customers",
        "as_of": "2011-12-10",
        "low": 0.335,
        "high": 0.398,
        "interval": "Wilson 95 %",
    }
    return Headline(**values | changed)


@pytest.fixture
def rates():
    return pd.DataFrame(
        {
            "cohort": [MONTHS[0]] * 3 + [MONTHS[1]] * 2,
            "age": [0, 1, 2, 0, 1],
            "customers": [7, 7, 7, 3, 3],
            "retained": [7, 4, 0, 3, 1],
            "retention_rate": [1, 4 / 7, 0, 1, 1 / 3],
        }
    )


@pytest.fixture
def loaded():
    checks = pd.DataFrame(
        {
            "rule": ["read", "no customer", "unreadable date", "kept"],
            "rows": [10, 2, 1, 7],
            "amount": [100.5, 20.0, np.nan, 80.5],
            "example": [None, None, HOSTILE, None],
        }
    )
    return SimpleNamespace(
        kind="orders",
        as_of=pd.Timestamp("2024-07-01"),
        observed_from=pd.Timestamp("2024-01-05"),
        observed_until=pd.Timestamp("2024-06-10"),
        checks=checks,
        notes=(SimpleNamespace(level="warning", text=HOSTILE),),
    )


def churn_picture(frame, **changed):
    words = {"name": "churn_rates", "alt": "A line.", "caption": "Churn by month", "voice": VOICE} | changed
    return exhibits.figure(plots.plot_churn_rates(frame, ax=exhibits.axes()), frame=frame, **words)


@pytest.fixture
def churn():
    return pd.DataFrame({"period": MONTHS, "churn_rate": [0.04, 0.05, 0.06], "low": 0.03, "high": 0.08})


# -- escaping ------------------------------------------------------------------


def hostile_exhibits(rates, churn, loaded):
    table = pd.DataFrame({HOSTILE: [1], "plan": [HOSTILE]})
    by_plan = rates.assign(cohort=HOSTILE).drop_duplicates("age")
    return [
        exhibits.finding(HOSTILE),
        exhibits.sentence(HOSTILE),
        exhibits.notes(HOSTILE),
        exhibits.cards(
            headline(definition=HOSTILE, period=HOSTILE, interval=HOSTILE, counts={HOSTILE: 1}), voice=VOICE
        ),
        exhibits.table(table, name="plans", caption=HOSTILE, voice=VOICE),
        exhibits.heat_table(by_plan, name="heat", caption=HOSTILE, voice=VOICE),
        churn_picture(churn.assign(note=HOSTILE), alt=HOSTILE, caption=HOSTILE),
        exhibits.data_checks(loaded, voice=VOICE),
    ]


def test_hostile_values_are_text_everywhere(rates, churn, loaded):
    for exhibit in hostile_exhibits(rates, churn, loaded):
        page = soup(exhibit)
        assert page.find("script") is None
        assert not [name for tag in page.find_all() for name in tag.attrs if name.startswith("on")]
        assert HOSTILE in page.get_text() or HOSTILE.replace('"', "”") in page.get_text()


def test_attributes_hold_hostile_values_whole(churn):
    assert soup(churn_picture(churn, alt=HOSTILE)).img["alt"] == HOSTILE


def test_notes_can_only_look_like_text():
    markdown = (
        "# Title\n\n**bold** costs $40 and $50 {{ x }}\n\n"
        "[one](javascript:alert(1)) [two](data:text/html,x) [three](//evil.example) "
        "[four](https://example.com/a?b=1&c) [mail](mailto:a@example.com) ![a picture](https://x.example/y.png)\n\n"
        "<img src=x onerror=alert(1)>\n\n<div>raw</div>"
    )
    page = soup(exhibits.notes(markdown))
    assert {tag.name for tag in page.find_all()} == {"div", "h3", "p", "strong"}
    assert len(page.find_all("div")) == 1
    text = page.get_text()
    assert "costs $40 and $50 {{ x }}" in text
    assert "one two three four (https://example.com/a?b=1&c) mail (a@example.com) a picture" in text
    assert "<img src=x onerror=alert(1)>" in text
    assert "javascript" not in text


# -- cards, findings -----------------------------------------------------------


def test_a_card_says_value_interval_counts_and_definition():
    exhibit = exhibits.cards(headline(), headline(name="churn.typical", good="down"), voice=VOICE)
    first, second = soup(exhibit).find_all(class_="card")
    assert first.find(class_="value").text == "36.6%"
    assert first.find(class_="range").text == "between 33.5% and 39.8%"
    assert first.find(class_="counts").text == "Retained\xa0324 · Customers\xa0885"
    said = [p.text for p in first.details.find_all("p")]
    assert said == ["retained / customers", "Higher is better.", "As of 10 December 2011", "Wilson, 95%"]
    assert "Lower is better." in second.details.text
    assert Headline.from_json(carried(exhibit, "headline")["headlines"][0]) == headline()


def test_a_heat_table_says_in_which_periods_an_age_is():
    rates = pd.DataFrame(
        {"cohort": MONTHS[[0, 0, 1]], "age": [1, 2, 1], "retention_rate": 0.5, "customers": 4, "retained": 2}
    )
    over = [
        soup(exhibits.heat_table(frame, name="x", caption="Three", voice=VOICE)).find(class_="over").text
        for frame in (rates, rates.pipe(lambda frame: frame.attrs.update(period="month") or frame))
    ]
    assert over == ["Age", "Months since the first"]


def test_a_part_of_what_a_metric_told_says_which_part_it_is():
    whole = phrase("definition.nps_from_counts")
    part = replace(headline(name="nps.promoter_share"), definition=whole)
    [told] = exhibits.cards(part, voice=VOICE).data[exhibits.MIME.format("headline")]["headlines"]
    said = "Promoters alone, as a share of the answers. Share of promoters less share of detractors"
    assert told["definition"].startswith(said)
    polish = exhibits.cards(part, voice=Voice(language="pl", currency="EUR"))
    assert "Sami promotorzy jako odsetek odpowiedzi. Udział promotorów minus" in polish.html
    again = Headline.from_json(told | {"counts": dict(told["counts"])})
    assert VOICE.said(again.definition) == told["definition"]


def test_numbers_of_a_column_have_the_same_places():
    frame = pd.DataFrame({"plan": list("abc"), "ratio": [1.26, 0.9, 2], "days": [14.0, 369.5, 91], "n": 3.0})
    rows = soup(exhibits.table(frame, name="x", caption="Three", voice=VOICE)).tbody.find_all("tr")
    assert [[td.text for td in row.find_all("td")] for row in rows] == [
        ["1.26", "14.0", "3"], ["0.90", "369.5", "3"], ["2.00", "91.0", "3"],
    ]  # fmt: skip


def test_money_among_the_counts_has_its_currency():
    card = soup(exhibits.cards(headline(counts={"customers": 553, "base_mrr": 9367.0}), voice=VOICE))
    assert card.find(class_="counts").text == "Customers\xa0553 · Base, a month\xa0€9,367"


def test_a_figure_that_cannot_be_known_says_so():
    unknown = headline(value=None, low=None, high=None, interval=None)
    assert soup(exhibits.cards(unknown, voice=VOICE)).find(class_="value").text == "not known"


def test_a_sentence_of_the_catalogue_stands_below_the_heading_it_brings():
    told = VOICE.say("nps.no_dates"), VOICE.say("nps.overall.unknown")
    shown = soup(exhibits.finding(told[1]))
    assert (shown.h2.text, shown.p.text) == (
        "There are no answers, so there is no score", "There are no answers, so there is no score.",
    )  # fmt: skip
    assert soup(exhibits.finding(told[0])).p is None  # that one is no finding, and has no heading


def test_a_finding_is_a_heading_and_blank_ones_are_refused():
    assert soup(exhibits.finding("It grew.")).h2.text == "It grew."
    assert carried(exhibits.finding("It grew."), "finding") == {"heading": "It grew.", "text": "It grew."}
    with pytest.raises(ReportError, match=r"A finding is blank\."):
        exhibits.finding(" ")
    with pytest.raises(ReportError, match=r"cards\(\) needs at least one headline\."):
        exhibits.cards(voice=VOICE)


# -- figures -------------------------------------------------------------------


def test_a_figure_is_one_small_picture_with_words_and_data(churn):
    exhibit = churn_picture(churn)
    page = soup(exhibit)
    assert page.img["alt"] == "A line."
    assert page.figcaption.text == "Churn by month"
    head, png = page.img["src"].split(",")
    assert head == "data:image/png;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    assert picture.mode == "P"
    assert len(picture.getcolors(256)) <= 128
    assert picture.convert("RGB").getpixel((1, 1)) == (255, 255, 255)  # no grey box on a white page
    assert picture.width / picture.height == pytest.approx(
        int(page.img["width"]) / int(page.img["height"]), abs=0.01
    )
    assert [td.text for td in page.details.tbody.tr.find_all("td")] == ["4.0%", "3.0%", "8.0%"]
    data = carried(exhibit, "table")
    assert data["columns"] == ["period", "churn_rate", "low", "high"]
    assert data["rows"][0] == ["2024-01-01", 0.04, 0.03, 0.08]


@pytest.mark.parametrize("alt", ["", "  "])
def test_alt_text_is_required(churn, alt):
    with pytest.raises(ReportError) as error:
        churn_picture(churn, alt=alt)
    assert str(error.value) == "Figure 'churn_rates': alt, what the picture shows in words, is blank."


def test_caption_and_file_name_are_required(churn):
    with pytest.raises(ReportError, match=r"'churn_rates': the caption is blank\."):
        churn_picture(churn, caption="")
    with pytest.raises(
        ReportError, match=r"Name '\.\./x' becomes a file: use small letters, digits and _ only\."
    ):
        churn_picture(churn, name="../x")


def test_a_figure_of_pyplot_is_closed_and_dollars_are_no_formula(churn):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    drawn, ax = plt.subplots()
    ax.set_xlabel("$5 or $9 a month")
    exhibits.figure(ax, name="x", alt="x", caption="x", frame=churn, voice=VOICE)
    assert not plt.fignum_exists(drawn.number)
    assert not ax.xaxis.label.get_parse_math()


def test_house_axes_leave_global_settings_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    ax = exhibits.axes(height=4.8)
    assert isinstance(ax.figure, Figure)
    assert list(ax.figure.get_size_inches()) == [7.2, 4.8]
    assert not ax.spines["top"].get_visible()
    assert dict(mpl.rcParams) == before


# -- tables --------------------------------------------------------------------


def test_a_cell_has_room_for_points_but_not_for_their_name():
    frame = pd.DataFrame({"who": ["promoters"], "difference": [-0.132]})
    shown = exhibits.table(frame, name="gaps", voice=VOICE, caption="Gaps", formats={"difference": "points"})
    assert soup(shown).td.text == "−13.2 pp"


def test_a_table_formats_by_column_and_keeps_exact_data(rates):
    exhibit = exhibits.table(rates, name="rates", caption="Rates", voice=VOICE)
    page = soup(exhibit)
    assert page.caption.text == "Rates"
    heads = page.thead.find_all("th")
    assert [th["scope"] for th in heads] == ["col"] * 5
    assert [th.text for th in heads] == ["Cohort", "Age", "Customers", "Retained", "Retention rate"]
    second = page.tbody.find_all("tr")[1]
    assert second.th["scope"] == "row"
    assert [cell.text for cell in second.find_all(["th", "td"])] == ["January 2024", "1", "7", "4", "57.1%"]
    assert carried(exhibit, "table")["rows"][1] == ["2024-01-01", 1, 7, 4, 4 / 7]


def test_units_follow_the_frame_unless_said_otherwise():
    frame = pd.DataFrame(
        {
            "country": ["PL"],
            "revenue": [1234.5],
            "low": [1000.0],
            "high": [None],
            "week": pd.to_datetime(["2024-01-08"]),
            "margin": [0.5],
        }
    )
    page = soup(exhibits.table(frame, name="t", caption="t", voice=VOICE, formats={"margin": "share.0"}))
    assert [cell.text for cell in page.tbody.tr.find_all(["th", "td"])] == [
        "PL", "€1,234", "€1,000", "–", "8 Jan 2024", "50%",
    ]  # fmt: skip


def test_json_has_no_nan():
    frame = pd.DataFrame({"a": [np.nan, np.inf], "b": [pd.NaT, pd.Timestamp("2024-01-01 12:30")]})
    rows = carried(exhibits.table(frame, name="t", caption="t", voice=VOICE), "table")["rows"]
    assert rows == [[None, None], [None, "2024-01-01T12:30:00"]]


# -- heat tables ---------------------------------------------------------------


def test_a_list_of_customers_is_on_the_page_only_where_it_may_be():
    called = pd.DataFrame({"customer_id": ["ann", "bob"], "orders": [4, 3]})
    how = {"name": "at_risk", "caption": "Whom to call", "voice": VOICE}
    hidden, shown = (exhibits.customer_table(called, show=show, **how) for show in (False, True))
    assert soup(hidden).p.text == "The list of the 2 is not shown here: it is in tables/at_risk.csv."
    assert "ann" not in hidden.html + hidden.text
    assert [row.th.text for row in soup(shown).tbody.find_all("tr")] == ["ann", "bob"]
    for exhibit in (hidden, shown):
        assert carried(exhibit, "table")["rows"] == [["ann", 4], ["bob", 3]]
        assert carried(exhibit, "table")["file"] == "at_risk"
    one = exhibits.customer_table(called.head(1), show=False, **how)
    assert one.text == "The list of one is not shown here: it is in tables/at_risk.csv."


def test_a_heat_table_shows_a_gap_for_unknown_and_a_zero_for_nothing(rates):
    page = soup(exhibits.heat_table(rates, name="triangle", caption="Triangle", voice=VOICE))
    assert [th.text for th in page.thead.find_all("th")] == ["Cohort", "Customers", "Age", "1", "2"]
    assert [th["scope"] for th in page.thead.find_all("th")] == ["col", "col", "colgroup", "col", "col"]
    january, february = page.tbody.find_all("tr")
    assert [cell.text for cell in january.find_all(["th", "td"])] == ["January 2024", "7", "57%", "0%"]
    assert [cell.text for cell in february.find_all(["th", "td"])] == ["February 2024", "3", "33%", ""]
    assert january.find_all("td")[1]["title"] == "4 of 7"
    assert january.find_all("td")[2]["style"] != january.find_all("td")[1]["style"]
    assert february.find_all("td")[2]["class"] == ["gap"]
    assert "style" not in february.find_all("td")[2].attrs


def test_a_heat_table_of_nothing_is_an_empty_table(rates):
    assert not soup(exhibits.heat_table(rates[:0], name="t", caption="t", voice=VOICE)).tbody.find_all("tr")


def test_a_heat_table_of_several_groups_is_refused(rates):
    with pytest.raises(ReportError) as error:
        exhibits.heat_table(pd.concat([rates, rates]), name="t", caption="Triangle", voice=VOICE)
    assert str(error.value) == "'Triangle': more than one row for a cohort and age. Pick one group first."


def contrast(one, other):
    """WCAG 2 contrast of two colours in hexadecimal."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        values = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_heat_colour_has_enough_contrast_and_more_is_darker():
    pairs = [grids.heat_colours(level) for level in np.linspace(0, 1, 201)]
    assert min(contrast(back, ink) for back, ink in pairs) >= 4.5
    against_white = [contrast(back, "#ffffff") for back, _ in pairs]
    assert against_white == sorted(against_white)


# -- data checks ---------------------------------------------------------------


def test_data_checks_account_for_every_row(loaded):
    exhibit = exhibits.data_checks(loaded, voice=VOICE)
    page = soup(exhibit)
    rows = [[cell.text for cell in tr.find_all(["th", "td"])] for tr in page.tbody.find_all("tr")]
    assert rows[0] == ["Rows read", "10", "€100.50", "–"]
    assert rows[2] == ["Date could not be read", "1", "–", HOSTILE]
    assert rows[3] == ["Rows kept", "7", "€80.50", "–"]
    assert "Data until 10 June 2024, read as of 1 July 2024." in page.text
    assert page.li["class"] == ["warning"]
    (check,) = carried(exhibit, "checks")["checks"]
    assert check["rows"][1] == ["no customer", 2, 20.0, None]
    assert check["as_of"] == "2024-07-01"


def test_a_column_of_checks_with_nothing_in_it_is_left_out(loaded):
    loaded.checks["example"] = None
    heads = soup(exhibits.data_checks(loaded, voice=VOICE)).thead.find_all("th")
    assert [th.text for th in heads] == ["Rule", "Rows", "Amount"]


def test_data_without_dates_says_no_date(loaded):
    loaded.as_of = loaded.observed_until = None
    assert "as of" not in soup(exhibits.data_checks(loaded, voice=VOICE)).text.replace("On the as-of", "")
