"""Pictures of what customers are worth, and of what models expect of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, num2date
from matplotlib.ticker import MaxNLocator

from retention_kit.plots import marks


def plot_clv_historical(
    values: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """Revenue per customer so far, a dot with its interval a cohort; older cohorts had more time.

    `values` as from `clv.clv_historical`: `cohort`, `clv_historical`, `low`, `high`.
    """
    ax = marks.axes(ax)
    marks.dots(ax, values["cohort"], values, "clv_historical")
    marks.period_axis(ax, values, "cohort", labels)
    ax.set_xlabel(marks.label("cohort", labels))
    marks.number_axis(ax, "clv_historical", labels)
    return ax


def plot_expected_and_actual(
    groups: pd.DataFrame,
    *,
    models: Sequence[str],
    ax: Axes | None = None,
    labels: marks.Labels | None = None,
) -> Axes:
    """Mean purchases of each group as they were, dots with their intervals, and a line a model through them.

    `groups` as from `holdouts.expected_and_actual`: `group`, `actual`, `low`, `high` and a column a model.
    """
    ax = marks.axes(ax)
    places = np.arange(len(groups))
    marks.dots(ax, places, groups, "actual")
    ax.containers[-1].set_label(marks.label("actual", labels))
    for model, colour, style in zip(models, _LINES, _STYLES, strict=False):
        name = marks.label(model, labels)
        ax.plot(places, groups[model], color=colour, linestyle=style, marker=".", label=name)
    ax.set_xticks(places, list(groups["group"]), parse_math=False)
    marks.legend_above(ax)
    ax.set_xlabel(marks.label("group", labels))
    marks.number_axis(ax, "purchases_after", labels)
    return ax


def plot_tracking(weeks: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """Repeat purchases so far: the model's line with its band, what came as dots, and where it saw no more.

    `weeks` as from `holdouts.tracking`: `week`, `held_out`, `actual`, `expected`, `low`, `high`.
    """
    ax = marks.axes(ax)
    marks.line_with_band(ax, weeks["week"], weeks, "expected")
    ax.lines[-1].set(marker="", label=marks.label("expected", labels))
    shown = weeks.iloc[::4]
    ax.plot(shown["week"], shown["actual"], "o", color=marks.ORANGE, label=marks.label("actual", labels))
    held = weeks["week"][weeks["held_out"]]
    if len(held):
        ax.axvline(held.iloc[0], color=marks.INK, linestyle=":", linewidth=1)
    ax.legend(loc="upper left", frameon=False)
    ax.xaxis.set_major_locator(AutoDateLocator(maxticks=8))
    ax.xaxis.set_major_formatter(lambda day, _: marks.period_name(num2date(day).replace(tzinfo=None), labels))
    marks.number_axis(ax, "purchases", labels)
    return ax


def plot_alive(grid: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """Probability of being still a customer: the more purchases the higher up, the longer the silence the
    further right; a line where it is a half.

    `grid` as from `portfolios.alive_by_pattern`: `frequency`, `silence`, `p_alive`.
    """
    ax = marks.axes(ax)
    wide = grid.pivot(index="frequency", columns="silence", values="p_alive")
    x, y, z = wide.columns.to_numpy(), wide.index.to_numpy(), wide.to_numpy()
    drawn = ax.pcolormesh(x, y, z, cmap="viridis", vmin=0, vmax=1, shading="nearest")
    if z.min() < 0.5 < z.max():
        ax.contour(x, y, z, levels=[0.5], colors="white", linewidths=2)
    bar = ax.figure.colorbar(drawn, ax=ax)
    bar.set_label(marks.label("p_alive", labels))
    bar.ax.yaxis.set_major_formatter(marks.share_marks(labels))
    ax.set_xlabel(marks.label("silence", labels))
    ax.set_ylabel(marks.label("frequency", labels))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=False)
    return ax


def plot_lorenz(curve: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None) -> Axes:
    """How unevenly value is spread: the further below the diagonal, the more comes from few.

    `curve` as from `concentrations.lorenz_curve`: `customer_share`, `value_share`.
    """
    ax = marks.axes(ax)
    ax.plot([0, 1], [0, 1], color=marks.INK, linestyle=":", linewidth=1)
    ax.plot(curve["customer_share"], curve["value_share"], color=marks.BLUE)
    ax.fill_between(curve["customer_share"], curve["value_share"], color=marks.BLUE, alpha=0.12, linewidth=0)
    ax.set_xlabel(marks.label("customer_share", labels))
    ax.xaxis.set_major_formatter(marks.share_marks(labels))
    ax.set_xlim(0, 1)
    marks.share_axis(ax, "value_share", labels)
    ax.set_ylim(0, 1)
    return ax


def plot_contract_survival(
    curves: pd.DataFrame, *, ax: Axes | None = None, labels: marks.Labels | None = None
) -> Axes:
    """Who is still there after so many renewals: dots as observed, and each model's line with its band.

    `curves` as from `renewals.contract_survival`: `curve`, `period`, `survival`, `low`, `high`.
    """
    ax = marks.axes(ax)
    seen = curves[curves["curve"] == "observed"]
    marks.dots(ax, seen["period"], seen, "survival")
    models = [name for name in curves["curve"].unique() if name != "observed"]
    for name, colour, style in zip(models, _LINES, _STYLES, strict=False):
        one = curves[curves["curve"] == name]
        ax.fill_between(one["period"], one["low"], one["high"], color=colour, alpha=0.15, linewidth=0)
        ax.plot(
            one["period"], one["survival"], color=colour, linestyle=style, label=marks.label(name, labels)
        )
    marks.legend_above(ax)
    ax.set_xlabel(marks.label("renewals", labels))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    marks.share_axis(ax, "survival", labels)
    return ax


_LINES = (marks.ORANGE, marks.GREEN, marks.RED, marks.SKY, marks.INK)
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))
