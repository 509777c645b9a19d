"""One picture a result frame: each draws on the Axes it is given and computes nothing beyond a pivot.

No title, size or style here: the caller has the Axes. Words on the axes are the
frame's column names unless `labels` says otherwise (`voice.columns` does, in
the report's language). Marks are the same in every language: 2024-07, 40%, 1.2M.
"""

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

Labels = Mapping[str, str]

BLUE, ORANGE, GREEN, RED, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"  # Okabe and Ito
INK, GRID = "#1f2933", "#e4e7eb"
GAINS = {"new": BLUE, "reactivation": GREEN, "expansion": SKY}
LOSSES = {"contraction": ORANGE, "churn": RED}
_TICKS = 9


def plot_retention_curves(
    rates: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None
) -> Axes:
    """A line a cohort over age, old cohorts dark, young ones light; age 0 is left out where it is 1.

    `rates` as from `retention.retention_rates`: `cohort`, `age`, `retention_rate`.
    The legend names at most nine cohorts, evenly spread.
    """
    ax = _axes(ax)
    rates = _after_certain_start(rates)
    cohorts = rates["cohort"].drop_duplicates().sort_values()
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.88, len(cohorts)))
    named = set(_spread(list(cohorts)))
    for cohort, shade in zip(cohorts, shades, strict=True):
        one = rates[rates["cohort"] == cohort].sort_values("age")
        label = _period_name(cohort) if cohort in named else "_unnamed"
        ax.plot(
            one["age"],
            one["retention_rate"],
            color=shade,
            label=label,
            marker=".",
            markersize=4,
            linewidth=1.2,
        )
    _age_axis(ax, labels)
    _share_axis(ax, "retention_rate", labels)
    if len(cohorts):
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=_label("cohort", labels), frameon=False)
    return ax


def plot_retention_matrix(
    rates: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None
) -> Axes:
    """The triangle of cohorts and ages as a heat map; a cell that was not observed stays white.

    `rates` as from `retention.retention_rates`: `cohort`, `age`, `retention_rate`. A report shows the
    same as a table (`exhibits.heat_table`), which is sharper and can be read aloud.
    """
    import seaborn as sns  # half a second that a report does not need

    ax = _axes(ax)
    wide = rates[rates["age"] > 0].pivot(index="cohort", columns="age", values="retention_rate")
    wide.index = [_period_name(cohort) for cohort in wide.index]
    sns.heatmap(wide, ax=ax, cmap="Blues", vmin=0, annot=True, fmt=".0%", cbar=False, annot_kws={"size": 7})
    ax.set_xlabel(_label("age", labels))
    ax.set_ylabel(_label("cohort", labels))
    return ax


def plot_average_retention(
    average: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None
) -> Axes:
    """The average curve with its interval as a band; age 0 is left out where it is 1.

    `average` as from `retention.average_retention`: `age`, `retention_rate`, `low`, `high`.
    """
    ax = _axes(ax)
    average = _after_certain_start(average)
    _line_with_band(ax, average["age"], average, "retention_rate")
    _age_axis(ax, labels)
    _share_axis(ax, "retention_rate", labels)
    return ax


def plot_first_and_returning(
    mix: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None
) -> Axes:
    """Revenue a period, stacked: returning orders below, first orders above.

    `mix` has a row a period and `order_type` ("first" or "returning"): `period`, `order_type`, `revenue`.
    """
    ax = _axes(ax)
    wide = mix.pivot(index="period", columns="order_type", values="revenue").fillna(0).sort_index()
    below = np.zeros(len(wide))
    for order_type, colour in (("returning", BLUE), ("first", ORANGE)):
        if order_type in wide:
            heights = wide[order_type].to_numpy(dtype=float)
            _bars(ax, wide.index, heights, below, colour, _label(order_type, labels))
            below = below + heights
    _period_axis(ax, wide.index)
    _number_axis(ax, "revenue", labels)
    _legend_above(ax)
    return ax


def plot_churn_rates(rates: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None) -> Axes:
    """The share of customers lost in each period, with its interval as a band.

    `rates` as from `churn.churn_rates`: `period`, `churn_rate`, `low`, `high`.
    """
    ax = _axes(ax)
    rates = rates.sort_values("period")
    _line_with_band(ax, rates["period"], rates, "churn_rate")
    _period_axis(ax, rates["period"])
    _share_axis(ax, "churn_rate", labels)
    return ax


def plot_mrr_movements(
    movements: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None
) -> Axes:
    """What was gained (up) and lost (down) in each period; above it, what recurs at its end.

    Two panels, because movements are small against the level and would not be
    seen on its scale. `movements` as from `mrr.mrr_movements`: `period`, `new`,
    `reactivation`, `expansion`, `contraction`, `churn`, `end`.
    """
    ax = _axes(ax)
    movements = movements.sort_values("period")
    periods = movements["period"]
    for parts, sign in ((GAINS, 1), (LOSSES, -1)):
        reached = np.zeros(len(movements))
        for name, colour in parts.items():
            heights = sign * movements[name].to_numpy(dtype=float)
            _bars(ax, periods, heights, reached, colour, _label(name, labels))
            reached = reached + heights
    ax.axhline(0, color=INK, linewidth=0.8)
    _period_axis(ax, periods)
    _number_axis(ax, "movements", labels, from_zero=False)
    _legend_above(ax)
    level = _panel_above(ax)
    level.plot(periods, movements["end"], color=INK, marker=".")
    _number_axis(level, "end", labels)
    return ax


def _panel_above(ax: Axes) -> Axes:
    """A second Axes in the upper part of the place that `ax` has, dressed as `ax` is."""
    place = ax.get_subplotspec() or GridSpec(1, 1, figure=ax.figure)[0]
    upper, lower = place.subgridspec(2, 1, height_ratios=(2, 3))
    ax.set_subplotspec(lower)
    above = ax.figure.add_subplot(upper, sharex=ax)
    for side, spine in above.spines.items():
        spine.set(visible=ax.spines[side].get_visible(), edgecolor=ax.spines[side].get_edgecolor())
    for way in ("x", "y"):
        above.tick_params(axis=way, **ax.xaxis.get_tick_params() | {"labelbottom": False, "bottom": False})
    above.yaxis.label.set_color(ax.yaxis.label.get_color())
    above.grid(axis="y", color=GRID, linewidth=0.8)
    above.set_axisbelow(True)
    return above


def plot_nps(scores: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None) -> Axes:
    """A dot with its interval a segment or period, on the scale from −100 to 100.

    `scores` as from `nps.nps`: one label column (a segment, or a period, which
    is drawn over time), `nps`, `low`, `high`, `answers`.
    """
    ax = _axes(ax)
    measured = {"nps", "low", "high", "promoters", "passives", "detractors", "answers", "interval"}
    label = next((column for column in scores.columns if column not in measured), None)
    if label is not None and pd.api.types.is_datetime64_any_dtype(scores[label]):
        _dots(ax, scores[label], scores, "nps")
        _period_axis(ax, scores[label])
        ax.margins(x=0.1)
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylabel(_label("nps", labels))
        _mark_zero(ax.axhline, ax.get_ylim())
    else:
        _nps_by_segment(ax, scores, list(scores[label].astype(str)) if label is not None else [""])
        ax.set_xlabel(_label("nps", labels))
        _mark_zero(ax.axvline, ax.get_xlim())
    return ax


def _nps_by_segment(ax: Axes, scores: pd.DataFrame, names: list[str]) -> None:
    """Names at the side, the first on top: they are longer than dates."""
    rows = np.arange(len(scores))
    ax.errorbar(scores["nps"], rows, xerr=_reach(scores, "nps"), fmt="o", color=BLUE, capsize=3)
    ax.set_yticks(rows, names, parse_math=False)
    ax.set_ylim(max(len(scores), 1) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID, linewidth=0.8)


def _mark_zero(line: Callable[..., Any], limits: tuple[float, float]) -> None:
    """As many promoters as detractors: worth a line where it is in sight."""
    if limits[0] < 0 < limits[1]:
        line(0, color=INK, linewidth=0.8)


def plot_clv_historical(
    values: pd.DataFrame, *, ax: Axes | None = None, labels: Labels | None = None
) -> Axes:
    """Revenue per customer so far, a dot with its interval a cohort; older cohorts had more time.

    `values` as from `clv.clv_historical`: `cohort`, `clv_historical`, `low`, `high`.
    """
    ax = _axes(ax)
    _dots(ax, values["cohort"], values, "clv_historical")
    _period_axis(ax, values["cohort"])
    ax.set_xlabel(_label("cohort", labels))
    _number_axis(ax, "clv_historical", labels)
    return ax


# -- shared steps --------------------------------------------------------------


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # only who has no Axes needs pyplot's state

    return plt.gca()


def _label(name: str, labels: Labels | None) -> str:
    return (labels or {}).get(name, name.replace("_", " "))


def _after_certain_start(rates: pd.DataFrame) -> pd.DataFrame:
    """Without age 0 when it is 1 by construction: it says nothing and flattens all that follows."""
    later = rates[rates["age"] > 0]
    return later if len(later) and (rates.loc[rates["age"] == 0, "retention_rate"] == 1).all() else rates


def _line_with_band(ax: Axes, x: Any, frame: pd.DataFrame, value: str) -> None:
    ax.fill_between(x, frame["low"], frame["high"], color=BLUE, alpha=0.18, linewidth=0)
    ax.plot(x, frame[value], color=BLUE, marker=".")


def _dots(ax: Axes, x: Any, frame: pd.DataFrame, value: str) -> None:
    ax.errorbar(x, frame[value], yerr=_reach(frame, value), fmt="o", color=BLUE, capsize=3)


def _reach(frame: pd.DataFrame, value: str) -> np.ndarray:
    """How far the interval reaches below and above, as errorbar wants it: lengths, never negative."""
    below, above = frame[value] - frame["low"], frame["high"] - frame[value]
    return np.maximum(np.vstack([below, above]).astype(float), 0)


def _bars(ax: Axes, periods: Any, heights: Any, bottom: Any, colour: str, label: str) -> None:
    days = np.diff(pd.DatetimeIndex(periods).to_numpy()) / np.timedelta64(1, "D")
    width = 0.8 * (days.min() if len(days) else 28)
    ax.bar(periods, heights, width=width, bottom=bottom, color=colour, label=label)


def _spread(items: list[Any]) -> list[Any]:
    """At most nine of the items, evenly spread, the first always among them."""
    return items[:: -(-len(items) // _TICKS) or 1]


def _period_name(moment: Any) -> str:
    moment = pd.Timestamp(moment)
    return f"{moment:%Y-%m}" if moment.day == 1 else f"{moment:%Y-%m-%d}"


def _period_axis(ax: Axes, periods: Any) -> None:
    shown = sorted(pd.DatetimeIndex(periods).unique())
    monthly = all(moment.day == 1 for moment in shown)
    ax.set_xticks(_spread(shown))
    ax.xaxis.set_major_formatter(DateFormatter("%Y-%m" if monthly else "%Y-%m-%d"))


def _age_axis(ax: Axes, labels: Labels | None) -> None:
    ax.set_xlabel(_label("age", labels))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _share_axis(ax: Axes, name: str, labels: Labels | None) -> None:
    """Shares from zero, so that a difference looks as large as it is."""
    ax.set_ylabel(_label(name, labels))
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))


def _number_axis(ax: Axes, name: str, labels: Labels | None, from_zero: bool = True) -> None:
    ax.set_ylabel(_label(name, labels))
    ax.yaxis.set_major_formatter(EngFormatter(sep=""))
    low, high = ax.get_ylim()
    if from_zero and low > 0:
        ax.set_ylim(0, high * 1.05)


def _legend_above(ax: Axes) -> None:
    if ax.containers:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5, frameon=False)
