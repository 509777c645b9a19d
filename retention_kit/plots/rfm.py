"""Pictures of segments of customers."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_kit.plots import marks

# Of each share its bounds and how it is marked, told apart without colour too.
_SHARES = {
    "customer_share": ("low", "high", "o", marks.BLUE),
    "revenue_share": ("revenue_low", "revenue_high", "D", marks.ORANGE),
}


def plot_rfm_segments(
    segments: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """Each segment's share of customers and, as a diamond, of revenue, with their intervals.

    The distance of the two is what tells: a segment far richer than it is large is worth a call.
    `segments` as from `rfm.rfm_segments`, of one group: `segment`, `customer_share`, `low`, `high`, and where
    there are amounts `revenue_share`, `revenue_low`, `revenue_high`. The first row is on top.
    """
    ax = marks.axes(ax)
    rows = np.arange(len(segments))
    drawn = [share for share in _SHARES if share in segments]
    ends = segments[drawn]
    ax.hlines(rows, ends.min(axis=1), ends.max(axis=1), color=marks.GRID, linewidth=6, zorder=0)
    for share in drawn:
        low, high, marker, colour = _SHARES[share]
        bounds = segments[[share, low, high]].set_axis([share, "low", "high"], axis="columns")
        reach, name = marks.reach(bounds, share), marks.label(share, labels)
        ax.errorbar(segments[share], rows, xerr=reach, fmt=marker, color=colour, capsize=3, label=name)
    marks.legend_above(ax)
    ax.set_yticks(rows, [marks.label(name, labels) for name in segments["segment"]], parse_math=False)
    ax.set_ylim(max(len(segments), 1) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(marks.share_marks(labels))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=marks.GRID, linewidth=0.8)
    return ax
