"""Pictures of what customers write: words of each side, and themes by how often and how satisfied."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_kit import names
from retention_kit.plots import callouts, marks

_MOST = 10  # words of each side that can be read one below the other
_COLOURS = {"detractors": marks.RED, "promoters": marks.BLUE}


def plot_keywords(words: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """Bars of how surely each word is of one side: detractors' to the right, promoters' to the left.

    Words that chance alone may have put there are pale. `words` as from `keywords.keywords`: `words`, `side`,
    `z`, `apart`; ten of each side are drawn, the surest on top.
    """
    ax = marks.axes(ax)
    shown = words.groupby("side", sort=False).head(_MOST)
    rows = np.arange(len(shown))
    for side, colour in _COLOURS.items():
        mine = (shown["side"] == side).to_numpy()
        bars = ax.barh(rows[mine], shown.loc[mine, "z"], color=colour, label=marks.label(side, labels))
        for bar, apart in zip(bars, shown.loc[mine, "apart"], strict=True):
            bar.set_alpha(1.0 if apart else 0.35)
    ax.axvline(0, color=marks.INK, linewidth=0.8)
    ax.set_yticks(rows, [names.drawn(text) for text in shown["words"]], parse_math=False)
    ax.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    ax.set_xlabel(marks.label("z", labels))
    ax.xaxis.set_major_formatter(marks.number_marks(labels))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=marks.GRID, linewidth=0.8)
    marks.legend_above(ax)
    return ax


def plot_themes(themes: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """How often a theme comes up against how those score who bring it up, with the intervals of both.

    What is common and scores low lies down on the right. `themes` as from `themes.themes`, of one group:
    `theme`, `comment_share`, `low`, `high`, `nps`, `nps_low`, `nps_high`. Those without a score are left out.
    """
    ax = marks.axes(ax)
    shown = themes.dropna(subset=["nps"])
    scores = shown[["nps", "nps_low", "nps_high"]].set_axis(["nps", "low", "high"], axis="columns")
    ax.errorbar(
        *(shown["comment_share"], shown["nps"]),
        xerr=marks.reach(shown, "comment_share"),
        yerr=marks.reach(scores, "nps"),
        fmt="o", color=marks.BLUE, ecolor=marks.SKY, elinewidth=1, capsize=2,
    )  # fmt: skip
    ax.margins(0.1)
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color=marks.INK, linewidth=0.8)
    ax.set_xlim(left=0)
    across = zip(shown["low"], shown["high"], shown["nps"], shown["nps"], strict=True)
    along = shown[["comment_share", "comment_share", "nps_low", "nps_high"]].itertuples(index=False)
    callouts.name_dots(
        ax,
        list(zip(shown["comment_share"], shown["nps"], strict=True)),
        [names.drawn(marks.label(theme, labels)) for theme in shown["theme"]],
        [*across, *map(tuple, along)],
    )
    ax.set_xlabel(marks.label("comment_share", labels))
    ax.xaxis.set_major_formatter(marks.share_marks(labels))
    ax.set_ylabel(marks.label("nps", labels))
    return ax
