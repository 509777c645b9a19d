"""Pictures of what customers say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from retention_kit import names
from retention_kit.plots import marks


def plot_nps(scores: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """A dot with its interval a segment or period, on the scale from −100 to 100.

    `scores` as from `nps.nps`: one label column (a segment, or a period, which
    is drawn over time), `nps`, `low`, `high`, `answers`.
    """
    ax = marks.axes(ax)
    measured = {"nps", "low", "high", "promoters", "passives", "detractors", "answers", "interval"}
    label = next((column for column in scores.columns if column not in measured), None)
    if label is not None and pd.api.types.is_datetime64_any_dtype(scores[label]):
        marks.dots(ax, scores[label], scores, "nps")
        marks.period_axis(ax, scores[label])
        ax.margins(x=0.1)
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylabel(marks.label("nps", labels))
        _mark_zero(ax.axhline, ax.get_ylim())
    else:
        called = map(names.drawn, scores[label]) if label is not None else [""]
        _nps_by_segment(ax, scores, list(called))
        ax.set_xlabel(marks.label("nps", labels))
        _mark_zero(ax.axvline, ax.get_xlim())
    return ax


def _nps_by_segment(ax: Axes, scores: pd.DataFrame, called: list[str]) -> None:
    """Names at the side, the first on top: they are longer than dates."""
    rows = np.arange(len(scores))
    ax.errorbar(scores["nps"], rows, xerr=marks.reach(scores, "nps"), fmt="o", color=marks.BLUE, capsize=3)
    ax.set_yticks(rows, called, parse_math=False)
    ax.set_ylim(max(len(scores), 1) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=marks.GRID, linewidth=0.8)


def _mark_zero(line: Callable[..., Any], limits: tuple[float, float]) -> None:
    """As many promoters as detractors: worth a line where it is in sight."""
    if limits[0] < 0 < limits[1]:
        line(0, color=marks.INK, linewidth=0.8)
