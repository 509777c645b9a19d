"""Plots are asserted on their artists: what was drawn, not how it looks."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import date2num

from retention_kit import answers, datasets, exhibits, leaving, plots, rhythm
from retention_kit.plots import marks
from retention_kit.sentences import Voice

MONTHS = pd.date_range("2024-01-01", periods=3, freq="MS")


@pytest.fixture
def ax():
    return exhibits.axes()


@pytest.fixture
def rates():
    return pd.DataFrame(
        {
            "cohort": [MONTHS[0]] * 3 + [MONTHS[1]] * 2,
            "age": [0, 1, 2, 0, 1],
            "retention_rate": [1.0, 4 / 7, 2 / 7, 1.0, 1 / 3],
        }
    )


def shown(ax):
    """Tick labels as a reader sees them."""
    ax.figure.canvas.draw()
    return [label.get_text() for label in ax.get_xticklabels()]


def test_retention_curves_draw_a_line_a_cohort_after_the_certain_start(ax, rates):
    plots.plot_retention_curves(rates, ax=ax)
    assert [list(line.get_ydata()) for line in ax.lines] == [[4 / 7, 2 / 7], [1 / 3]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["2024-01", "2024-02"]
    assert ax.get_ylim()[0] == 0


def test_age_0_stays_when_it_is_not_1_by_construction(ax, rates):
    rates.loc[0, "retention_rate"] = 0.9
    plots.plot_retention_curves(rates, ax=ax)
    assert list(ax.lines[0].get_xdata()) == [0, 1, 2]


def test_many_cohorts_are_all_drawn_and_nine_are_named(ax):
    cohorts = pd.date_range("2022-01-01", periods=24, freq="MS")
    rates = pd.DataFrame({"cohort": cohorts, "age": 1, "retention_rate": 0.5})
    plots.plot_retention_curves(rates, ax=ax)
    assert len(ax.lines) == 24
    assert len(ax.get_legend().get_texts()) <= 9
    assert len({to_hex(line.get_color()) for line in ax.lines}) == 24


def test_the_matrix_shows_what_was_observed_and_nothing_else(ax, rates):
    plots.plot_retention_matrix(rates, ax=ax)
    cells = ax.collections[0].get_array()
    assert cells.compressed().tolist() == [4 / 7, 2 / 7, 1 / 3]
    assert cells.mask.ravel().tolist() == [False, False, False, True]
    assert [text.get_text() for text in ax.texts] == ["57%", "29%", "33%"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["2024-01", "2024-02"]


def test_average_retention_has_its_interval_as_a_band(ax):
    average = pd.DataFrame({"age": [0, 1], "retention_rate": [1, 0.6], "low": [0.9, 0.5], "high": [1, 0.7]})
    plots.plot_average_retention(average, ax=ax)
    assert list(ax.lines[0].get_ydata()) == [0.6]
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.5, 0.7)


def test_revenue_of_first_orders_stands_on_that_of_returning_ones(ax):
    mix = pd.DataFrame(
        {
            "period": [MONTHS[0], MONTHS[0], MONTHS[1]],
            "order_type": ["first", "returning", "first"],
            "revenue": [30.0, 70.0, 20.0],
        }
    )
    plots.plot_first_and_returning(mix, ax=ax, labels={"first": "Erste", "revenue": "Umsatz"})
    returning, first = ax.containers
    assert [bar.get_height() for bar in returning] == [70, 0]
    assert [(bar.get_y(), bar.get_height()) for bar in first] == [(70, 30), (0, 20)]
    assert first.get_label() == "Erste"
    assert ax.get_ylabel() == "Umsatz"
    assert shown(ax) == ["2024-01", "2024-02"]


def test_churn_rates_start_at_zero_and_keep_the_dates(ax):
    rates = pd.DataFrame({"period": MONTHS, "churn_rate": [0.05, 0.04, 0.06], "low": 0.03, "high": 0.08})
    plots.plot_churn_rates(rates.iloc[::-1], ax=ax)
    assert list(ax.lines[0].get_ydata()) == [0.05, 0.04, 0.06]
    assert list(date2num(ax.lines[0].get_xdata())) == list(date2num(MONTHS))
    assert ax.get_ylim()[0] == 0


def test_mrr_movements_go_up_and_down_and_the_level_has_its_own_panel(ax):
    movements = pd.DataFrame(
        {
            "period": MONTHS[:2],
            "begin": [1840.0, 1900.0],
            "new": [100.0, 10.0],
            "reactivation": [0.0, 5.0],
            "expansion": [50.0, 0.0],
            "contraction": [30.0, 0.0],
            "churn": [60.0, 15.0],
            "end": [1900.0, 1900.0],
        }
    )
    plots.plot_mrr_movements(movements, ax=ax)
    bars = {c.get_label(): [(bar.get_y(), bar.get_height()) for bar in c] for c in ax.containers}
    assert bars["new"] == [(0, 100), (0, 10)]
    assert bars["expansion"] == [(100, 50), (15, 0)]
    assert bars["contraction"] == [(0, -30), (0, 0)]
    assert bars["churn"] == [(-30, -60), (0, -15)]
    level = next(other for other in ax.figure.axes if other is not ax)
    assert list(level.lines[0].get_ydata()) == [1900, 1900]
    assert level.get_position().y0 > ax.get_position().y1


def test_nps_by_segment_keeps_the_order_and_the_names_as_they_are(ax):
    scores = pd.DataFrame(
        {"segment": ["$5 or $9", "<b>"], "nps": [40.0, -5.0], "low": [30.0, -20.0], "high": [45.0, 10.0]}
    )
    plots.plot_nps(scores, ax=ax)
    dots = ax.containers[0].lines[0]
    assert list(dots.get_xdata()) == [40, -5]
    reach = ax.containers[0].lines[2][0].get_segments()
    assert [list(segment[:, 0]) for segment in reach] == [[30, 45], [-20, 10]]
    labels = ax.get_yticklabels()
    assert [label.get_text() for label in labels] == ["$5 or $9", "<b>"]
    assert not any(label.get_parse_math() for label in labels)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_a_small_group_is_hidden_in_its_place_and_a_few_answers_make_a_hollow_dot(ax):
    scores = pd.DataFrame({"team": list("abc"), "nps": [40.0, None, 10], "low": [30.0, None, -5]})
    scores = scores.assign(high=[50.0, None, 30], caution=["", answers.HIDDEN, answers.FEW])
    plots.plot_nps(scores, ax=ax, labels={"hidden": "zu wenige"})
    full, hollow = (container.lines[0] for container in ax.containers)
    assert (list(full.get_xdata()), list(full.get_ydata())) == ([40], [0])
    assert (list(hollow.get_xdata()), list(hollow.get_ydata())) == ([10], [2])
    assert (full.get_markerfacecolor(), hollow.get_markerfacecolor()) == (marks.BLUE, "white")
    assert [(text.get_text(), text.get_position()[1]) for text in ax.texts] == [("zu wenige", 1)]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("abc")


def test_limits_of_chance_are_shaded_and_a_wave_beyond_them_has_a_ring(ax):
    scores = pd.DataFrame({"period": MONTHS, "nps": [10.0, 20, 60], "low": [5.0, 15, 55], "high": 65.0})
    scores = scores.assign(pooled=30.0, limit_low=5.0, limit_high=55.0, signal=["", "", "above"])
    plots.plot_nps(scores.iloc[::-1], ax=ax, labels={"signal": "Zufall"})
    shaded = ax.collections[-1].get_paths()[0].vertices[:, 1]
    assert (shaded.min(), shaded.max()) == (5, 55)
    middle, ring = ax.lines[-2:]
    assert list(middle.get_ydata()) == [30, 30, 30]
    assert list(ring.get_ydata()) == [60]
    assert ring.get_label() == "Zufall"
    assert len(ax.get_legend().get_texts()) == 3


def test_nps_by_period_is_drawn_over_time(ax):
    scores = pd.DataFrame({"period": MONTHS, "nps": [10.0, 20, 30], "low": [5.0, 15, 25], "high": 40.0})
    plots.plot_nps(scores, ax=ax)
    assert list(ax.containers[0].lines[0].get_ydata()) == [10, 20, 30]
    assert shown(ax) == ["2024-01", "2024-02", "2024-03"]


def test_clv_is_a_dot_with_its_interval_a_cohort(ax):
    values = pd.DataFrame(
        {"cohort": MONTHS, "clv_historical": [90.0, 60, 30], "low": [80.0, 50, 20], "high": 100.0}
    )
    plots.plot_clv_historical(values, ax=ax)
    assert list(ax.containers[0].lines[0].get_ydata()) == [90, 60, 30]
    assert ax.get_ylim()[0] == 0


def test_what_was_made_is_dots_and_each_model_a_line(ax):
    groups = pd.DataFrame(
        {"group": ["0", "1+"], "actual": [1.0, 2], "low": [0.5, 1], "high": [1.5, 3], "bg_nbd": [1.1, 1.8]}
    )
    plots.plot_expected_and_actual(groups, models=["bg_nbd"], ax=ax, labels={"bg_nbd": "BG/NBD"})
    assert list(ax.containers[0].lines[0].get_ydata()) == [1, 2]
    assert list(ax.lines[-1].get_ydata()) == [1.1, 1.8]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["BG/NBD", "actual"]
    assert shown(ax) == ["0", "1+"]


@pytest.mark.parametrize(("name", "columns"), [("short", 3), ("a name of thirty signs, or more", 2)])
def test_a_legend_too_wide_for_a_row_has_two(ax, name, columns):
    for mark in ("returning", "new", "dormant"):
        ax.bar([0], [1], label=f"{name} {mark}")
    marks.legend_above(ax)
    assert ax.get_legend()._ncols == columns


def test_tracking_marks_where_the_model_saw_no_more(ax):
    weeks = pd.DataFrame({"week": pd.date_range("2024-01-01", periods=9, freq="7D"), "expected": range(9)})
    weeks = weeks.assign(held_out=[False] * 6 + [True] * 3, actual=range(9), low=0, high=10)
    plots.plot_tracking(weeks, ax=ax)
    assert list(ax.lines[0].get_ydata()) == list(range(9))
    assert list(ax.lines[1].get_ydata()) == [0, 4, 8]  # a dot every fourth week
    assert ax.lines[2].get_xdata()[0] == pd.Timestamp("2024-02-12")


def test_the_map_of_who_is_still_there_has_frequency_upwards(ax):
    grid = pd.DataFrame(
        {"frequency": [1, 1, 2, 2], "silence": [0.0, 5, 0, 5], "p_alive": [0.9, 0.6, 0.95, 0.2]}
    )
    plots.plot_alive(grid, ax=ax)
    assert ax.collections[0].get_array().tolist() == [[0.9, 0.6], [0.95, 0.2]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("silence", "frequency")


def test_a_lorenz_curve_hangs_below_the_diagonal(ax):
    curve = pd.DataFrame({"customer_share": [0, 0.5, 1], "value_share": [0, 0.1, 1]})
    plots.plot_lorenz(curve, ax=ax)
    assert [list(line.get_ydata()) for line in ax.lines] == [[0, 1], [0, 0.1, 1]]
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 1), (0, 1))


def test_renewals_are_dots_as_observed_and_a_line_a_model(ax):
    curves = pd.DataFrame({"curve": ["observed"] * 2 + ["sbg"] * 3, "period": [0, 1, 0, 1, 2]})
    curves = curves.assign(survival=[1, 0.8, 1, 0.79, 0.7], low=0.5, high=1.0)
    plots.plot_contract_survival(curves, ax=ax)
    assert list(ax.containers[0].lines[0].get_ydata()) == [1, 0.8]
    assert list(ax.lines[-1].get_ydata()) == [1, 0.79, 0.7]
    assert ax.get_ylim()[0] == 0


def test_reasons_have_departures_above_and_revenue_below_each_with_its_interval(ax):
    fees = datasets.tiny_subscriptions()
    reasons = leaving.churn_reasons(fees, as_of=datasets.TINY_AS_OF)
    plots.plot_churn_reasons(reasons, ax=ax)
    people, money = ax.containers
    assert list(people.lines[0].get_xdata()) == reasons["churn_share"].tolist()
    assert list(money.lines[0].get_xdata()) == reasons["mrr_share"].tolist()
    assert [ticks.get_xdata()[0] for ticks in people.lines[1][:1]] == [pytest.approx(reasons["low"][0])]
    assert [text.get_text() for text in ax.get_yticklabels()] == reasons["reason"].tolist()
    assert ax.yaxis_inverted()  # the most frequent on top


def test_reasons_without_revenue_are_departures_alone(ax):
    reasons = leaving.churn_reasons(
        datasets.tiny_subscriptions().drop(columns="mrr"), as_of=datasets.TINY_AS_OF
    )
    plots.plot_churn_reasons(reasons, ax=ax)
    assert [container.get_label() for container in ax.containers] == ["churn share"]


def test_gaps_are_a_dot_for_each_number_of_days(ax):
    gaps = rhythm.gap_distribution(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF, days=(30, 60))
    plots.plot_gap_distribution(gaps, ax=ax)
    assert list(ax.containers[0].lines[0].get_xdata()) == [30, 60]
    assert list(ax.containers[0].lines[0].get_ydata()) == [3 / 5, 1 / 5]
    assert ax.get_ylim()[0] == 0


def test_stickiness_has_its_own_interval_as_a_band_and_not_that_of_days(ax):
    days = pd.DataFrame({"period": MONTHS, "stickiness": [0.2, 0.3, 0.4], "low": 3.0, "high": 9.0})
    days = days.assign(stickiness_low=0.1, stickiness_high=0.5)
    plots.plot_stickiness(days, ax=ax)
    assert list(ax.lines[0].get_ydata()) == [0.2, 0.3, 0.4]
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.1, 0.5)


EMPTY = {
    plots.plot_gap_distribution: "days longer_share low high",
    plots.plot_stickiness: "period stickiness stickiness_low stickiness_high",
    plots.plot_retention_curves: "cohort age retention_rate",
    plots.plot_average_retention: "age retention_rate low high",
    plots.plot_first_and_returning: "period order_type revenue",
    plots.plot_churn_rates: "period churn_rate low high",
    plots.plot_mrr_movements: "period begin new reactivation expansion contraction churn end",
    plots.plot_nps: "segment nps low high",
    plots.plot_clv_historical: "cohort clv_historical low high",
    plots.plot_lorenz: "customer_share value_share",
}


@pytest.mark.parametrize("plot", EMPTY, ids=lambda plot: plot.__name__)
def test_an_empty_frame_is_an_empty_picture(plot, ax):
    frame = pd.DataFrame({name: np.array([], dtype=float) for name in EMPTY[plot].split()})
    for moment in {"period", "cohort"} & set(frame):
        frame[moment] = pd.to_datetime(frame[moment])
    assert plot(frame, ax=ax) is ax
    ax.figure.canvas.draw()


@pytest.mark.parametrize("plot", EMPTY, ids=lambda plot: plot.__name__)
def test_no_title_and_words_from_labels(plot, ax):
    frame = pd.DataFrame({name: [0.5] for name in EMPTY[plot].split()})
    for moment in {"period", "cohort"} & set(frame):
        frame[moment] = MONTHS[0]
    if "order_type" in frame:
        frame["order_type"] = "first"
    labels = {name: f"«{name}»" for name in [*frame.columns, "movements"]}
    plot(frame, ax=ax, labels=labels)
    assert ax.get_title() == ""
    assert {ax.get_xlabel(), ax.get_ylabel()} & set(labels.values())


def test_without_an_axes_the_current_one_is_drawn_on(rates):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    _, current = plt.subplots()
    assert plots.plot_retention_curves(rates) is current
    plt.close("all")


def test_drivers_stand_by_importance_and_performance_around_their_means(ax):
    drivers = pd.DataFrame(
        {
            "driver": ["price", "$x$ delivery", "staff", "never varied"],
            "importance": [0.3, 0.2, 0.1, np.nan],
            "low": [0.2, 0.1, 0.05, np.nan],
            "high": [0.5, 0.3, 0.2, np.nan],
            "performance": [2.0, 3.0, 7.0, 5.0],
            "performance_low": [1.5, 2.5, 6.5, 5.0],
            "performance_high": [2.5, 3.5, 7.5, 5.0],
        }
    )
    plots.plot_drivers(drivers, ax=ax, labels={"concentrate_here": "Improve first"})
    points, across, along = ax.lines[0], *ax.lines[-2:]
    assert list(zip(points.get_xdata(), points.get_ydata(), strict=True)) == [(2, 0.3), (3, 0.2), (7, 0.1)]
    assert across.get_xdata()[0] == 4  # the mean of what is drawn
    assert along.get_ydata()[0] == pytest.approx(0.2)
    said = {text.get_text(): text.get_position() for text in ax.texts}
    assert list(said)[-3:] == ["price", "$x$ delivery", "staff"]
    assert said["Improve first"] == (0.01, 0.99)
    assert said["more than needed"] == (0.99, 0.01)
    assert "never varied" not in said
    reach = [segments.get_segments()[0].tolist() for segments in ax.collections]
    assert [[1.5, 0.3], [2.5, 0.3]] in reach
    assert [[2, 0.2], [2, 0.5]] in reach


def test_words_of_detractors_go_right_and_what_chance_may_have_done_is_pale(ax):
    words = pd.DataFrame(
        {
            "words": ["$late$", "dear", "good"],
            "side": ["detractors", "detractors", "promoters"],
            "z": [4.0, 2.0, -3.0],
            "apart": [True, False, True],
        }
    )
    plots.plot_keywords(words, ax=ax)
    assert [bar.get_width() for bar in ax.patches] == [4, 2, -3]
    assert [bar.get_alpha() for bar in ax.patches] == [1, 0.35, 1]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["$late$", "dear", "good"]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["detractors", "promoters"]
    many = pd.concat([words.assign(words=str(i)) for i in range(20)]).sort_values("side")
    assert len(plots.plot_keywords(many, ax=exhibits.axes()).patches) == 20


def after_an_answer(**columns):
    answered = ["promoters", "detractors", "non_respondents"]
    frame = pd.DataFrame({"band": answered, "customers": [50, 20, 90]} | columns)
    return frame.assign(low=[0.02, 0.1, 0.05], high=[0.2, 0.4, 0.15])


def test_what_they_did_after_an_answer_is_a_dot_each_the_silent_in_another_colour(ax):
    plots.plot_after(after_an_answer(churn_rate=[0.1, 0.25, 0.1]), ax=ax, labels={"promoters": "Fans"})
    spoke, silent = ax.containers
    assert list(spoke.lines[0].get_xdata()) == [0.1, 0.25]
    assert list(silent.lines[0].get_xdata()) == [0.1]
    assert list(silent.lines[0].get_ydata()) == [2]
    assert spoke.lines[0].get_color() != silent.lines[0].get_color()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Fans", "detractors", "non respondents"]
    assert ax.get_xlim()[0] == 0
    assert ax.yaxis_inverted()
    assert ax.get_xlabel() == "churn rate"
    assert ax.xaxis.get_major_formatter()(0.2, 0) == "20%"


def test_money_after_an_answer_is_no_share(ax):
    plots.plot_after(after_an_answer(spend_per_customer=[10.0, 20.0, 15.0]), ax=ax)
    assert ax.xaxis.get_major_formatter()(20, 0) == "20"


def test_by_score_the_rows_are_named_by_it(ax):
    scores = pd.Series([10, 3, None], dtype="Int64")
    frame = after_an_answer(retention_rate=[0.1, 0.2, 0.1]).drop(columns="band").assign(score=scores)
    plots.plot_after(frame, ax=ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["10", "3", "non respondents"]
    assert ax.get_ylabel() == "score"
    assert [len(container.lines[0].get_xdata()) for container in ax.containers] == [2, 1]


def test_nobody_was_followed_after_an_answer(ax):
    plots.plot_after(after_an_answer(churn_rate=[0.1, 0.25, 0.1]).head(0), ax=ax)
    assert not ax.containers


def test_no_name_of_a_theme_lies_on_another(ax):
    scores = {
        "Quality of the product": (0.287, 25), "Getting an answer": (0.232, -10),
        "Membership and contract": (0.141, 34), "Delivery": (0.135, 9), "Packaging": (0.097, -61),
        "Price": (0.084, -58), "Ordering and paying": (0.078, 100), "Staff and service": (0.078, 100),
        "Website and app": (0.053, 0), "Choice and stock": (0.044, 0),
    }  # fmt: skip
    themes = pd.DataFrame.from_dict(scores, orient="index", columns=["comment_share", "nps"])
    themes = themes.rename_axis("theme").reset_index()
    for column, value, reach in (("low", "comment_share", -0.02), ("high", "comment_share", 0.02)):
        themes[column] = themes[value] + reach
    themes = themes.assign(nps_low=themes["nps"] - 15, nps_high=themes["nps"] + 15)
    plots.plot_themes(themes, ax=ax)
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 10
    assert [(a, b) for a in range(10) for b in range(a) if boxes[a].overlaps(boxes[b])] == []
    assert all(ax.get_window_extent().padded(2).containsx(edge) for box in boxes for edge in (box.x0, box.x1))


def test_periods_and_money_are_named_as_the_language_does(ax):
    months = pd.date_range("2024-01-01", periods=3, freq="MS")
    mix = pd.DataFrame({"period": months, "order_type": "first", "revenue": [1.0, 2.0, 3.0]})
    polish = Voice(language="pl", currency="PLN").columns
    plots.plot_first_and_returning(mix, ax=ax, labels=polish)
    assert shown(ax) == ["sty 2024", "lut 2024", "mar 2024"]
    assert ax.get_ylabel() == "Przychód (zł)"
    scores = pd.DataFrame({"period": months[:1], "nps": 30.0, "low": 20.0, "high": 40.0, "answers": 9})
    scores.attrs["period"] = "quarter"
    quarters = exhibits.axes()
    plots.plot_nps(scores, ax=quarters, labels=Voice(language="en", currency="EUR").columns)
    assert shown(quarters) == ["Q1 2024"]


def test_an_age_says_of_which_periods_it_is(ax):
    average = pd.DataFrame({"age": [1, 2], "retention_rate": [0.6, 0.5], "low": 0.4, "high": 0.7})
    average.attrs["period"] = "week"
    plots.plot_average_retention(average, ax=ax, labels=Voice(language="en", currency="EUR").columns)
    assert ax.get_xlabel() == "Weeks since the first"


def test_themes_stand_by_how_common_they_are_and_how_those_score(ax):
    themes = pd.DataFrame(
        {
            "theme": ["Delivery", "uncoded", "Rare"],
            "comment_share": [0.4, 0.1, 0.01],
            "low": [0.3, 0.05, 0.0],
            "high": [0.5, 0.2, 0.02],
            "nps": [-20.0, 30.0, np.nan],
            "nps_low": [-40.0, 10.0, np.nan],
            "nps_high": [0.0, 50.0, np.nan],
        }
    )
    plots.plot_themes(themes, ax=ax, labels={"uncoded": "No theme found"})
    points = ax.lines[0]
    assert list(zip(points.get_xdata(), points.get_ydata(), strict=True)) == [(0.4, -20), (0.1, 30)]
    assert [text.get_text() for text in ax.texts] == ["Delivery", "No theme found"]
    reach = [segments.get_segments()[0].tolist() for segments in ax.collections]
    assert [[0.3, -20], [0.5, -20]] in reach
    assert [[0.4, -40], [0.4, 0]] in reach
    assert ax.get_xlim()[0] == 0
    assert ax.lines[-1].get_ydata()[0] == 0
