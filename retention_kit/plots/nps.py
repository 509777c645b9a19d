"""Pictures of what customers say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from retention_kit import answers, names
from retention_kit.plots import marks

#: What a frame of scores holds beside the column that says what a row is of.
_MEASURED = {
    *("nps", "low", "high", "promoters", "passives", "detractors", "answers", "interval"),
    *("effective_answers", "caution", "pooled", "limit_low", "limit_high", "signal"),
}


def plot_nps(scores: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """A dot with its interval a segment or period, on the scale from −100 to 100.

    `scores` as from `nps.nps`: one label column (a segment, or a period, which
    is drawn over time), `nps`, `low`, `high`, `answers`. A segment that is hidden
    says so in its place, and one of few answers has a hollow dot. With the limits of
    `nps_comparisons.nps_limits` what chance alone would do is shaded, and a wave beyond it has a ring.
    """
    ax = marks.axes(ax)
    label = next((column for column in scores.columns if column not in _MEASURED), None)
    if label is not None and pd.api.types.is_datetime64_any_dtype(scores[label]):
        _nps_by_period(ax, scores.sort_values(label), label, labels)
        ax.set_ylabel(marks.label("nps", labels))
        _mark_zero(ax.axhline, ax.get_ylim())
    else:
        called = map(names.drawn, scores[label]) if label is not None else [""]
        _nps_by_segment(ax, scores, list(called), labels)
        ax.set_xlabel(marks.label("nps", labels))
        _mark_zero(ax.axvline, ax.get_xlim())
    return ax


def _nps_by_period(ax: Axes, scores: pd.DataFrame, label: str, labels: marks.Labels | None) -> None:
    marks.dots(ax, scores[label], scores, "nps")
    if "limit_low" in scores.columns:
        ax.fill_between(
            scores[label], scores["limit_low"], scores["limit_high"], step="mid", color=marks.GRID,
            linewidth=0, label=marks.label("limits", labels),
        )  # fmt: skip
        ax.plot(scores[label], scores["pooled"], color=marks.INK, linewidth=0.8, linestyle="--",
                label=marks.label("pooled", labels))  # fmt: skip
        beyond = scores[scores["signal"] != ""]
        if len(beyond):
            ax.plot(beyond[label], beyond["nps"], "o", markersize=13, markerfacecolor="none",
                    color=marks.RED, label=marks.label("signal", labels))  # fmt: skip
        marks.legend_above(ax)
    marks.period_axis(ax, scores, label, labels)
    ax.margins(x=0.1)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))


def _nps_by_segment(ax: Axes, scores: pd.DataFrame, called: list[str], labels: marks.Labels | None) -> None:
    """Names at the side, the first on top: they are longer than dates."""
    rows = np.arange(len(scores))
    few = (scores["caution"] == answers.FEW) if "caution" in scores else rows < 0
    hidden = scores["nps"].isna()
    for some, face in ((~few & ~hidden, marks.BLUE), (few, "white")):
        part = scores[some]
        if len(part) or not len(scores):
            ax.errorbar(
                part["nps"], rows[some], xerr=marks.reach(part, "nps"), fmt="o", color=marks.BLUE,
                markerfacecolor=face, capsize=3,
            )  # fmt: skip
    for row in rows[hidden]:
        ax.text(0.5, row, marks.label("hidden", labels), transform=ax.get_yaxis_transform(), ha="center",
                va="center", color=marks.INK)  # fmt: skip
    ax.set_yticks(rows, called, parse_math=False)
    ax.set_ylim(max(len(scores), 1) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=marks.GRID, linewidth=0.8)


def _mark_zero(line: Callable[..., Any], limits: tuple[float, float]) -> None:
    """As many promoters as detractors: worth a line where it is in sight."""
    if limits[0] < 0 < limits[1]:
        line(0, color=marks.INK, linewidth=0.8)
