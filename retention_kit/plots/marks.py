"""What every plot shares: the Axes, axes of shares, periods and money, bars, dots and bands, the colours.

Words on the axes are the frame's column names unless `labels` says otherwise (`voice.columns` does, in
the report's language). So it does of numbers, money and months: 1.2M is 1,2 mln in Polish, 2024-07 lip 2024.
"""

import math
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from babel import dates
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from retention_kit import lengths

Labels = Mapping[str, str]

BLUE, ORANGE, GREEN, RED, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"  # Okabe and Ito
INK, GRID = "#1f2933", "#e4e7eb"
_TICKS = 9
_ROW, _MARK = 80, 8  # signs that stand above a picture of usual width, and the room that a mark takes of them
_SKELETONS = {"quarter": "yQQQ", "year": "y"}
#: What is counted in the client's currency, and has its sign beside its name.
_MONEY = {
    *("revenue", "end", "movements", "clv_historical", "clv_expected", "spend_per_customer"),
    *("revenue_per_customer", "cumulative_revenue", "cumulative_revenue_per_customer"),
}
_SIZES = ((1e9, "billion", "B"), (1e6, "million", "M"), (1e3, "thousand", "k"))


def axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # only who has no Axes needs pyplot's state

    return plt.gca()


def label(name: str, labels: Labels | None) -> str:
    said = (labels or {}).get(name, name.replace("_", " "))
    sign = (labels or {}).get("mark.currency") if name in _MONEY else None
    return f"{said} ({sign})" if sign else said


def line_with_band(ax: Axes, x: Any, frame: pd.DataFrame, value: str) -> None:
    ax.fill_between(x, frame["low"], frame["high"], color=BLUE, alpha=0.18, linewidth=0)
    ax.plot(x, frame[value], color=BLUE, marker=".")


def dots(ax: Axes, x: Any, frame: pd.DataFrame, value: str) -> None:
    ax.errorbar(x, frame[value], yerr=reach(frame, value), fmt="o", color=BLUE, capsize=3)


def reach(frame: pd.DataFrame, value: str) -> np.ndarray:
    """How far the interval reaches below and above, as errorbar wants it: lengths, never negative."""
    below, above = frame[value] - frame["low"], frame["high"] - frame[value]
    return np.maximum(np.vstack([below, above]).astype(float), 0)


def bars(ax: Axes, periods: Any, heights: Any, bottom: Any, colour: str, label: str) -> None:
    days = np.diff(pd.DatetimeIndex(periods).to_numpy()) / np.timedelta64(1, "D")
    width = 0.8 * (days.min() if len(days) else 28)
    ax.bar(periods, heights, width=width, bottom=bottom, color=colour, label=label)


def cohort_lines(ax: Axes, frame: pd.DataFrame, value: str, labels: Labels | None) -> None:
    """A line a cohort over age, old cohorts dark, young ones light; at most nine are named."""
    cohorts = frame["cohort"].drop_duplicates().sort_values()
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.88, len(cohorts)))
    named = set(spread(list(cohorts)))
    for cohort, shade in zip(cohorts, shades, strict=True):
        one = frame[frame["cohort"] == cohort].sort_values("age")
        name = period_name(cohort, labels, frame.attrs.get("period")) if cohort in named else "_unnamed"
        ax.plot(one["age"], one[value], color=shade, label=name, marker=".", markersize=4, linewidth=1.2)
    age_axis(ax, frame, labels)
    if len(cohorts):
        title = label("cohort", labels)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=title, frameon=False)


def spread(items: list[Any]) -> list[Any]:
    """At most nine of the items, evenly spread, the first always among them."""
    return items[:: -(-len(items) // _TICKS) or 1]


def period_name(moment: Any, labels: Labels | None = None, period: str | None = None) -> str:
    """The first moment of a period as the language writes such a period: Jul 2024, Q3 2024; else 2024-07."""
    moment = pd.Timestamp(moment)
    locale = (labels or {}).get("mark.locale")
    if locale:
        skeleton = _SKELETONS.get(period or "", "yMMM" if moment.day == 1 else "yMMMd")
        return dates.format_skeleton(skeleton, moment, locale=locale)
    return f"{moment:%Y-%m}" if moment.day == 1 else f"{moment:%Y-%m-%d}"


def period_axis(ax: Axes, frame: pd.DataFrame, column: str, labels: Labels | None) -> None:
    """At most nine of a column's periods, named by their first moment, as the unit that the frame tells."""
    shown = spread(sorted(pd.DatetimeIndex(frame[column]).unique()))
    ax.set_xticks(shown, [period_name(moment, labels, frame.attrs.get("period")) for moment in shown])


def age_axis(ax: Axes, frame: pd.DataFrame, labels: Labels | None) -> None:
    """Whole periods since the first, in the unit that the frame tells."""
    counted = lengths.age_word(labels or {}, frame.attrs.get("period"))
    ax.set_xlabel(counted or label("age", labels))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def share_axis(ax: Axes, name: str, labels: Labels | None) -> None:
    """Shares from zero, so that a difference looks as large as it is."""
    ax.set_ylabel(label(name, labels))
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(share_marks(labels))


def share_marks(labels: Labels | None) -> FuncFormatter:
    """Shares as percent, as the language writes them: 2.5%."""
    percent = (labels or {}).get("mark.percent", "%")
    return FuncFormatter(lambda share, _: f"{_written(100 * share, labels)}{percent}")


def number_marks(labels: Labels | None) -> FuncFormatter:
    """Thousands, millions and billions by their letter or short word: 40k, 1.2M."""

    def mark(number: float, _: Any) -> str:
        size, name, usual = next((step for step in _SIZES if abs(number) >= step[0]), (1, "", ""))
        return _written(number / size, labels) + (labels or {}).get(f"mark.{name}", usual)

    return FuncFormatter(mark)


def _written(number: float, labels: Labels | None) -> str:
    point = (labels or {}).get("mark.point", ".")
    return f"{number:g}".replace("-", "−").replace(".", point)


def number_axis(ax: Axes, name: str, labels: Labels | None, from_zero: bool = True) -> None:
    ax.set_ylabel(label(name, labels))
    ax.yaxis.set_major_formatter(number_marks(labels))
    low, high = ax.get_ylim()
    if from_zero and low > 0:
        ax.set_ylim(0, high * 1.05)


def legend_above(ax: Axes) -> None:
    """In as many rows as its words need: one too wide would be cut off, and narrow the whole picture."""
    if ax.containers:
        called = ax.get_legend_handles_labels()[1]
        rows = math.ceil(sum(len(name) + _MARK for name in called) / _ROW)
        columns = math.ceil(len(called) / max(rows, 1)) or 1
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False)
