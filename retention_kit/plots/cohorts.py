"""Pictures of what cohorts bring in."""

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
    marks.cohort_lines(ax, revenue, "cumulative_revenue_per_customer", labels)
    marks.number_axis(ax, "cumulative_revenue_per_customer", labels)
    return ax
