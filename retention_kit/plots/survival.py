"""Pictures of how long customers stay, and how soon they come back."""

import pandas as pd
from matplotlib.axes import Axes

from retention_kit import names
from retention_kit.plots import marks

_COLOURS = (marks.BLUE, marks.ORANGE, marks.GREEN, marks.RED, marks.SKY, marks.INK)


def plot_survival(curve: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """The share that lasts longer than each duration, as steps, with its interval as a band.

    `curve` as from `survival.survival_curve`: the columns before `duration` are groups, and each of them has
    a curve of its own.
    """
    ax = marks.axes(ax)
    groups = list(curve.columns[: curve.columns.get_loc("duration")])
    parts = curve.groupby(groups, dropna=False, sort=False) if groups else [((), curve)]
    for number, (values, part) in enumerate(parts):
        colour = _COLOURS[number % len(_COLOURS)]
        band = {"color": colour, "alpha": 0.15, "linewidth": 0}
        ax.fill_between(part["duration"], part["low"], part["high"], step="post", **band)
        line = {"color": colour, "linestyle": "-" if number < len(_COLOURS) else "--"}
        ax.step(part["duration"], part["survival"], where="post", label=_name(values), **line)
    ax.set_xlabel(marks.label("duration", labels))
    ax.set_xlim(left=0)
    marks.share_axis(ax, "survival", labels)
    if groups and len(curve):
        title = ", ".join(marks.label(group, labels) for group in groups)
        legend = ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=title, frameon=False)
        for text in (legend.get_title(), *legend.get_texts()):
            text.set_parse_math(False)
    return ax


def _name(values: tuple) -> str:
    """A group as the legend names it; matplotlib leaves out names that begin with an underscore."""
    return (
        ", ".join("–" if pd.isna(value) else names.drawn(value) for value in values).lstrip("_") or "_unnamed"
    )
