"""Pictures of where activity comes from, and of who is still there after a first step."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_kit.plots import marks

ACTIVE = {"returning": marks.BLUE, "resurrected": marks.GREEN, "new": marks.SKY}


def plot_lifecycle(flow: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """Active customers of each period by where they come from (up), and those gone quiet (down).

    `flow` as from `lifecycle.lifecycle`, without `by`: `period`, `returning`, `resurrected`, `new`,
    `dormant`.
    """
    ax = marks.axes(ax)
    flow = flow.sort_values("period")
    reached = np.zeros(len(flow))
    for name, colour in ACTIVE.items():
        heights = flow[name].to_numpy(dtype=float)
        marks.bars(ax, flow["period"], heights, reached, colour, marks.label(name, labels))
        reached = reached + heights
    lost = -flow["dormant"].to_numpy(dtype=float)
    marks.bars(ax, flow["period"], lost, np.zeros(len(flow)), marks.RED, marks.label("dormant", labels))
    ax.axhline(0, color=marks.INK, linewidth=0.8)
    marks.period_axis(ax, flow, "period", labels)
    marks.number_axis(ax, "customers", labels, from_zero=False)
    marks.legend_above(ax)
    return ax


def plot_activation(
    groups: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """Retention of those who did and of those who did not, each a dot with its interval.

    `groups` as from `activation.activation`, without `by`: `activation`, `retention_rate`, `low`, `high`. The
    dots stand for who the customers are, too: print `attrs["caveat"]` beside them.
    """
    ax = marks.axes(ax)
    places = np.arange(len(groups))
    marks.dots(ax, places, groups, "retention_rate")
    ax.set_xticks(places, [marks.label(name, labels) for name in groups["activation"]])
    ax.set_xlim(-0.5, max(len(groups), 1) - 0.5)
    marks.share_axis(ax, "retention_rate", labels)
    return ax


def plot_stickiness(
    days: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """The share of a period's customers who are there on a day of it, with its interval as a band.

    `days` as from `lifecycle.stickiness`, without `by`: `period`, `stickiness`, `stickiness_low`,
    `stickiness_high`.
    """
    ax = marks.axes(ax)
    days = days.sort_values("period")
    bounds = days.drop(columns=["low", "high"], errors="ignore")
    bounds = bounds.rename(columns={"stickiness_low": "low", "stickiness_high": "high"})
    marks.line_with_band(ax, days["period"], bounds, "stickiness")
    marks.period_axis(ax, days, "period", labels)
    marks.share_axis(ax, "stickiness", labels)
    return ax
