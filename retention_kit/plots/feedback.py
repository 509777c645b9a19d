"""Picture of what customers did after they answered."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_kit.plots import marks

_VALUES = ("churn_rate", "retention_rate", "spend_per_customer", "clv_expected")
_SHARES = ("churn_rate", "retention_rate")


def plot_after(after: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """A dot with its interval for each band, or each score, the first on top; who did not answer is orange.

    `after` as from `feedback.churn_after` and its siblings: `band` or `score`, one of their values, `low`,
    `high`. Shares and money are drawn from zero.
    """
    ax = marks.axes(ax)
    value = next(name for name in _VALUES if name in after.columns)
    label = "band" if "band" in after.columns else "score"
    silent = (after[label] == "non_respondents") if label == "band" else after[label].isna()
    silent = silent.fillna(True).to_numpy(dtype=bool)
    rows = np.arange(len(after))
    for some, colour in ((~silent, marks.BLUE), (silent, marks.ORANGE)):
        part = after[some]
        if len(part):
            reach = marks.reach(part, value)
            ax.errorbar(part[value], rows[some], xerr=reach, fmt="o", color=colour, capsize=3)
    names = ["non_respondents" if one else str(name) for name, one in zip(after[label], silent, strict=True)]
    ax.set_yticks(rows, [marks.label(name, labels) for name in names])
    ax.set_ylim(max(len(after), 1) - 0.5, -0.5)
    ax.set_xlim(left=0)
    if label == "score":
        ax.set_ylabel(marks.label("score", labels))
    ax.set_xlabel(marks.label(value, labels))
    share = value in _SHARES
    ax.xaxis.set_major_formatter(marks.share_marks(labels) if share else marks.number_marks(labels))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=marks.GRID, linewidth=0.8)
    return ax
