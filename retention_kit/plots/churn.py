"""Pictures of who leaves, and what recurring revenue does."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator

from retention_kit.plots import marks

GAINS = {"new": marks.BLUE, "reactivation": marks.GREEN, "expansion": marks.SKY}
LOSSES = {"contraction": marks.ORANGE, "churn": marks.RED}


def plot_churn_rates(
    rates: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """The share of customers lost in each period, with its interval as a band.

    `rates` as from `churn.churn_rates`: `period`, `churn_rate`, `low`, `high`.
    """
    ax = marks.axes(ax)
    rates = rates.sort_values("period")
    marks.line_with_band(ax, rates["period"], rates, "churn_rate")
    marks.period_axis(ax, rates, "period", labels)
    marks.share_axis(ax, "churn_rate", labels)
    return ax


def plot_mrr_movements(
    movements: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """What was gained (up) and lost (down) in each period; above it, what recurs at its end.

    Two panels, because movements are small against the level and would not be
    seen on its scale. `movements` as from `mrr.mrr_movements`: `period`, `new`,
    `reactivation`, `expansion`, `contraction`, `churn`, `end`.
    """
    ax = marks.axes(ax)
    movements = movements.sort_values("period")
    periods = movements["period"]
    for parts, sign in ((GAINS, 1), (LOSSES, -1)):
        reached = np.zeros(len(movements))
        for name, colour in parts.items():
            heights = sign * movements[name].to_numpy(dtype=float)
            marks.bars(ax, periods, heights, reached, colour, marks.label(name, labels))
            reached = reached + heights
    ax.axhline(0, color=marks.INK, linewidth=0.8)
    marks.period_axis(ax, movements, "period", labels)
    marks.number_axis(ax, "movements", labels, from_zero=False)
    marks.legend_above(ax)
    level = _panel_above(ax)
    level.plot(periods, movements["end"], color=marks.INK, marker=".")
    marks.number_axis(level, "end", labels)
    return ax


def plot_churn_hazard(
    hazard: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """The share of those who have stayed so long that leaves within one period more, its interval as a band.

    `hazard` as from `leaving.churn_hazard`, of one group: `tenure`, `hazard`, `low`, `high`.
    """
    ax = marks.axes(ax)
    hazard = hazard.sort_values("tenure")
    marks.line_with_band(ax, hazard["tenure"], hazard, "hazard")
    ax.set_xlabel(marks.label("tenure", labels))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    marks.share_axis(ax, "hazard", labels)
    return ax


def plot_inactivity_windows(
    windows: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """For each window of silence the share it would have called lost that came back, with its interval.

    `windows` as from `inactivity.inactivity_windows`, of one group: `days`, `return_rate`, `low`, `high`.
    """
    ax = marks.axes(ax)
    marks.dots(ax, windows["days"], windows, "return_rate")
    ax.set_xticks(windows["days"].tolist())
    ax.set_xlabel(marks.label("days", labels))
    marks.share_axis(ax, "return_rate", labels)
    return ax


def plot_gap_distribution(
    gaps: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """For each number of days the share of gaps between orders that lasted longer, with its interval.

    `gaps` as from `rhythm.gap_distribution`, of one group: `days`, `longer_share`, `low`, `high`.
    """
    ax = marks.axes(ax)
    marks.dots(ax, gaps["days"], gaps, "longer_share")
    ax.set_xticks(gaps["days"].tolist())
    ax.set_xlabel(marks.label("days", labels))
    marks.share_axis(ax, "longer_share", labels)
    return ax


def plot_churn_reasons(
    reasons: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """For each reason its share of departures and, below it, of the revenue lost, each with its interval.

    `reasons` as from `leaving.churn_reasons`, of one group: `reason`, `churn_share`, `low`, `high`,
    `mrr_share`, `mrr_low`, `mrr_high`. Without revenue there are departures alone.
    """
    ax = marks.axes(ax)
    places = np.arange(len(reasons))
    money = reasons[["mrr_share", "mrr_low", "mrr_high"]].set_axis(["mrr_share", "low", "high"], axis=1)
    parts = [("churn_share", reasons, marks.BLUE)]
    parts += [("mrr_share", money, marks.ORANGE)] if money["mrr_share"].notna().any() else []
    for shift, (name, frame, colour) in zip((-0.12, 0.12), parts, strict=False):
        reach = np.nan_to_num(marks.reach(frame, name))
        how = {"fmt": "o", "color": colour, "capsize": 3, "label": marks.label(name, labels)}
        ax.errorbar(frame[name], places + shift, xerr=reach, **how)
    ax.set_yticks(places, [marks.label(name, labels) for name in reasons["reason"]])
    ax.set_ylim(max(len(reasons), 1) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(marks.share_marks(labels))
    marks.legend_above(ax)
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
    above.grid(axis="y", color=marks.GRID, linewidth=0.8)
    above.set_axisbelow(True)
    return above
