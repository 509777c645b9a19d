"""Pictures of what customers are worth."""

import pandas as pd
from matplotlib.axes import Axes

from retention_kit.plots import marks


def plot_clv_historical(
    values: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """Revenue per customer so far, a dot with its interval a cohort; older cohorts had more time.

    `values` as from `clv.clv_historical`: `cohort`, `clv_historical`, `low`, `high`.
    """
    ax = marks.axes(ax)
    marks.dots(ax, values["cohort"], values, "clv_historical")
    marks.period_axis(ax, values["cohort"])
    ax.set_xlabel(marks.label("cohort", labels))
    marks.number_axis(ax, "clv_historical", labels)
    return ax
