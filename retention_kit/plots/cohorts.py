"""Pictures of what cohorts bring in."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_kit.plots import marks


def plot_cohort_revenue(
    revenue: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """What a customer of each cohort has brought so far, a line a cohort over age, old ones dark.

    `revenue` as from `cohorts.cohort_revenue`, without `by`: `cohort`, `age`,
    `cumulative_revenue_per_customer`. The legend names at most nine cohorts, evenly spread.
    """
    ax = marks.axes(ax)
    cohorts = revenue["cohort"].drop_duplicates().sort_values()
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.88, len(cohorts)))
    named = set(marks.spread(list(cohorts)))
    for cohort, shade in zip(cohorts, shades, strict=True):
        one = revenue[revenue["cohort"] == cohort].sort_values("age")
        label = marks.period_name(cohort) if cohort in named else "_unnamed"
        money = one["cumulative_revenue_per_customer"]
        ax.plot(one["age"], money, color=shade, label=label, marker=".", markersize=4, linewidth=1.2)
    marks.age_axis(ax, labels)
    marks.number_axis(ax, "cumulative_revenue_per_customer", labels)
    if len(cohorts):
        title = marks.label("cohort", labels)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=title, frameon=False)
    return ax
