"""Picture of what a score hangs on, and how each of it is rated."""

import pandas as pd
from matplotlib.axes import Axes

from retention_kit import names
from retention_kit.plots import callouts, marks

# Of each corner: where its name stands, and how it is aligned there.
_CORNERS = {
    "concentrate_here": (0.01, 0.99, "left", "top"),
    "keep_it_up": (0.99, 0.99, "right", "top"),
    "low_priority": (0.01, 0.01, "left", "bottom"),
    "more_than_needed": (0.99, 0.01, "right", "bottom"),
}
_QUIET = "#52606d"


def plot_drivers(
    drivers: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """Importance against performance, with the intervals of both: important and badly rated is up left.

    The lines are the means of what is drawn, so a corner is relative: there is a worst driver in the best of
    companies. `drivers` as from `drivers.key_drivers`, of one group: `driver`, `importance`, `low`, `high`,
    `performance`, `performance_low`, `performance_high`. Drivers without an importance are left out.
    """
    ax = marks.axes(ax)
    shown = drivers.dropna(subset=["importance", "performance"])
    across = shown[["performance", "performance_low", "performance_high"]]
    across = across.set_axis(["performance", "low", "high"], axis="columns")
    ax.errorbar(
        *(shown["performance"], shown["importance"]),
        xerr=marks.reach(across, "performance"),
        yerr=marks.reach(shown, "importance"),
        fmt="o", color=marks.BLUE, ecolor=marks.SKY, elinewidth=1, capsize=2,
    )  # fmt: skip
    if len(shown):
        ax.axvline(shown["performance"].mean(), color=_QUIET, linewidth=0.8, linestyle="--")
        ax.axhline(shown["importance"].mean(), color=_QUIET, linewidth=0.8, linestyle="--")
    ax.margins(x=0.25, y=0.15)  # room for the names of the corners
    for name, (x, y, side, level) in _CORNERS.items():
        ax.text(
            x,
            y,
            marks.label(name, labels),
            transform=ax.transAxes,
            ha=side,
            va=level,
            color=_QUIET,
            style="italic",
        )
    ax.set_xlabel(marks.label("performance", labels))
    marks.share_axis(ax, "importance", labels)
    callouts.name_dots(
        ax,
        list(zip(shown["performance"], shown["importance"], strict=True)),
        [names.drawn(driver) for driver in shown["driver"]],
    )
    return ax
