"""Pictures of who comes back, and what that brings."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_kit.plots import marks


def plot_retention_curves(
    rates: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """A line a cohort over age, old cohorts dark, young ones light; age 0 is left out where it is 1.

    `rates` as from `retention.retention_rates`: `cohort`, `age`, `retention_rate`.
    The legend names at most nine cohorts, evenly spread.
    """
    ax = marks.axes(ax)
    marks.cohort_lines(ax, _after_certain_start(rates), "retention_rate", labels)
    marks.share_axis(ax, "retention_rate", labels)
    return ax


def plot_retention_matrix(
    rates: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """The triangle of cohorts and ages as a heat map; a cell that was not observed stays white.

    `rates` as from `retention.retention_rates`: `cohort`, `age`, `retention_rate`. A report shows the
    same as a table (`exhibits.heat_table`), which is sharper and can be read aloud.
    """
    import seaborn as sns  # half a second that a report does not need

    ax = marks.axes(ax)
    wide = rates[rates["age"] > 0].pivot(index="cohort", columns="age", values="retention_rate")
    unit = rates.attrs.get("period")
    wide.index = [marks.period_name(cohort, labels, unit) for cohort in wide.index]
    sns.heatmap(wide, ax=ax, cmap="Blues", vmin=0, annot=True, fmt=".0%", cbar=False, annot_kws={"size": 7})
    ax.set_xlabel(marks.label("age", labels))
    ax.set_ylabel(marks.label("cohort", labels))
    return ax


def plot_average_retention(
    average: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """The average curve with its interval as a band; age 0 is left out where it is 1.

    `average` as from `retention.average_retention`: `age`, `retention_rate`, `low`, `high`.
    """
    ax = marks.axes(ax)
    average = _after_certain_start(average)
    marks.line_with_band(ax, average["age"], average, "retention_rate")
    marks.age_axis(ax, average, labels)
    marks.share_axis(ax, "retention_rate", labels)
    return ax


def plot_first_and_returning(
    mix: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """Revenue a period, stacked: returning orders below, first orders above.

    `mix` has a row a period and `order_type` ("first" or "returning"): `period`, `order_type`, `revenue`.
    """
    ax = marks.axes(ax)
    wide = mix.pivot(index="period", columns="order_type", values="revenue").fillna(0).sort_index()
    below = np.zeros(len(wide))
    for order_type, colour in (("returning", marks.BLUE), ("first", marks.ORANGE)):
        if order_type in wide:
            heights = wide[order_type].to_numpy(dtype=float)
            marks.bars(ax, wide.index, heights, below, colour, marks.label(order_type, labels))
            below = below + heights
    marks.period_axis(ax, mix, "period", labels)
    marks.number_axis(ax, "revenue", labels)
    marks.legend_above(ax)
    return ax


def _after_certain_start(rates: pd.DataFrame) -> pd.DataFrame:
    """Without age 0 when it is 1 by construction: it says nothing and flattens all that follows."""
    later = rates[rates["age"] > 0]
    return later if len(later) and (rates.loc[rates["age"] == 0, "retention_rate"] == 1).all() else rates
