"""Which ratings a score hangs on: key drivers by relative weights, and how each of them is rated.

Ratings of one survey go together, so the coefficients of a regression are no measure of importance: they
share out what two ratings say alike by chance, and change sign. Relative weights share it out evenly.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import answers, fits, intervals, session, tables, values
from retention_kit.exceptions import DataError
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Columns

#: What a row's column `interval` says: of the importance, and of the performance.
INTERVAL = f"{fits.BOOTSTRAP}; performance {intervals.MEAN}"
#: A variance inflation factor from which a coefficient is hardly told from its neighbours'.
COLLINEAR_FROM = 5.0
_TOO_MANY, _CONSTANT = "too few answers for so many drivers", "does not vary"
_FLAT = 1e-10  # of the eigenvalues of a correlation matrix: less than this is rounding
_CELLS = 2_000_000  # of the table of draws by answers, how many are held at a time
_TAILS = (0.025, 0.975)
_FLAGS = ("suppressor", "collinear", "within_chance")
_MEASURED = (
    *("importance", "low", "high", "r2_share", "r2", "performance", "performance_low", "performance_high"),
    *("coefficient", "vif"),
)
_RESULT = ("driver", *_MEASURED, *_FLAGS, "answers", "left_out", "interval", "caution")


def key_drivers(
    responses: Any,
    drivers: Sequence[str],
    *,
    by: Columns = None,
    draws: int = 500,
    seed: int = 0,
    as_of: Date | None = None,
) -> pd.DataFrame:
    """Which ratings does the score hang on, and how well do we do in those?

    Importance is the part of the score's variance that goes with a rating, what several ratings say alike
    shared out between them. It is association: who is pleased on the whole rates everything higher, and
    raising a rating need not raise the score. What was not asked cannot be a driver.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` and a column of numbers for each driver. Text that holds numbers is read as such.
    drivers : list of str
        The columns to weigh against each other, two at least.
    by : str or list of str, optional
        Drivers of each group by itself.
    draws : int
        Samples that the bounds are drawn from.
    seed : int
        The same seed draws the same samples.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        [by], `driver`, `importance` (0 to 1; they add up to `r2`), `low`, `high` (95 %), `r2_share`
        (importance / `r2`), `r2`, `performance` (the mean rating), `performance_low`, `performance_high`
        (95 %), `coefficient` (points of the score for one point of the rating, the others held), `vif` (by
        how much the others inflate its variance), `suppressor`, `collinear`, `within_chance`, `answers`,
        `left_out` (with a blank among the score and the drivers), `interval`, `caution`. The most important
        first in each group.

    Raises
    ------
    DataError
        When a column is missing or holds no numbers, fewer than two drivers are named or one of them twice,
        or no answer is complete.

    Notes
    -----
    With R the correlations of the drivers, L its symmetric root and r their correlations with the score, the
    weights are L² (L⁻¹ r)², the squares taken element by element.

    A driver is `suppressor` where the bounds of its standardised coefficient lie on the other side of zero
    than its correlation with the score: it counts for what it takes away from the others. It is `collinear`
    from a `vif` of 5 on. Weights are never below zero, so their bounds never hold it: each driver is set
    beside a column of pure chance in every sample, and is `within_chance` where the bounds of the
    difference hold zero.

    References
    ----------
    Johnson (2000), A heuristic method for estimating the relative weight of predictor variables in multiple
    regression; Tonidandel, LeBreton and Johnson (2009) for telling a weight from chance.

    Examples
    --------
    >>> rated = pd.DataFrame({"score": [9, 3, 8, 2, 10, 5, 7, 6], "delivery": [5, 1, 4, 1, 5, 3, 4, 2],
    ...                       "price": [3, 2, 4, 3, 2, 3, 3, 4]})
    >>> found = key_drivers(rated, ["price", "delivery"], draws=50)
    >>> print(found[["driver", "importance", "performance", "answers"]].round(2).to_string(index=False))
      driver  importance  performance  answers
    delivery         0.9         3.12        8
       price         0.0         3.00        8
    """
    names = _named(drivers)
    groups = tables.by_columns(by, taken=_RESULT)
    loaded = tables.responses(responses, as_of=as_of, columns=(*names, *groups))
    rated = _rated(loaded.table, names, groups)
    complete = rated[names].notna().all(axis="columns")
    if not complete.any():
        raise DataError(
            f"No answer has a score and all of {names}. Leave out the drivers that were seldom asked."
        )
    parts = []
    for keys, rows in rated.groupby(list(groups), dropna=False) if groups else [((), rated)]:
        used = rows.loc[complete[rows.index], ["score", *names]]
        part = _weighed(used, names, draws, seed).assign(left_out=len(rows) - len(used))
        parts.append(part.assign(**dict(zip(groups, keys, strict=True))))
    frame = pd.concat(parts, ignore_index=True)
    order = [*groups, "importance", "driver"]
    frame = frame.sort_values(order, ascending=[name != "importance" for name in order], ignore_index=True)
    frame = frame[[*groups, *_RESULT]].astype({"left_out": "int64"})
    frame.attrs = loaded.told(phrase("definition.key_drivers", by=tables.by_words("within", groups)))
    return frame


# -- the answers --------------------------------------------------------------------------------------


def _named(drivers: Sequence[str]) -> list[str]:
    names = [drivers] if isinstance(drivers, str) else list(drivers)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"drivers names {twice[0]!r} twice. Name each once.")
    if "score" in names:
        raise DataError("drivers holds the score itself. Leave it out.")
    if len(names) < 2:
        raise DataError(f"drivers weighs ratings against each other, and it has {names}. Name two at least.")
    return sorted(names)


def _rated(table: ir.Table, names: Sequence[str], groups: Sequence[str]) -> pd.DataFrame:
    """Score and ratings as numbers, beside the groups; text that is no number is refused."""
    read = {name: values.number_of(table, name) for name in names}
    numbers = {name: number for name, (number, _) in read.items()}
    unread = {f"_unread_{name}": text for name, (_, text) in read.items()}
    rated = table.select(table.score, *(table[name] for name in groups), **numbers, **unread)
    frame = session.fetched(rated, "key_drivers weighs each answer here").to_pandas()
    for name in names:
        texts = frame.pop(f"_unread_{name}").dropna()
        if len(texts):
            raise DataError(
                f"{name} holds {min(texts)!r}, which is no number, in {len(texts):,} of {len(frame):,} "
                "answers. Give ratings as numbers, or leave it out of drivers."
            )
    return frame


# -- the weights --------------------------------------------------------------------------------------


def _weighed(rows: pd.DataFrame, names: list[str], draws: int, seed: int) -> pd.DataFrame:
    """One group's drivers: weights and their bounds, means, coefficients, and what to beware of."""
    used = len(rows)
    frame = pd.DataFrame({"driver": names, "answers": used, "interval": INTERVAL})
    frame["caution"] = answers.cautions(frame["answers"])
    frame[list(_MEASURED)] = np.nan
    flags = {name: np.zeros(len(names), dtype=bool) for name in _FLAGS}
    varies = (rows[names].nunique() > 1).to_numpy()
    if used < answers.HIDDEN_UNDER:
        return frame.assign(**flags)
    frame["performance"] = rows[names].mean().to_numpy()
    bounds = intervals.mean(frame["performance"], rows[names].std(), used)
    frame["performance_low"], frame["performance_high"] = bounds
    if used < len(names) + 2:
        return frame.assign(**flags, caution=_TOO_MANY)
    frame.loc[~varies, "caution"] = _CONSTANT
    if rows["score"].nunique() < 2 or not varies.any():
        return frame.assign(**flags, caution=_CONSTANT)
    moving = [name for name, moves in zip(names, varies, strict=True) if moves]
    for name, found in _explained(rows[[*moving, "score"]].to_numpy(dtype="float64"), draws, seed).items():
        if name in flags:
            flags[name][varies] = found
        else:
            frame.loc[varies, name] = found
    return frame.assign(**flags)


def _explained(data: np.ndarray, draws: int, seed: int) -> dict[str, np.ndarray]:
    """What is measured of drivers that vary; the last column is the score."""
    # Answers that are alike are drawn together, and in one order whichever way the rows came.
    rows, counts = np.unique(data, axis=0, return_counts=True)
    spread = data.std(axis=0)
    scaled = (rows - data.mean(axis=0)) / spread
    together = _correlations(scaled, counts[None].astype("float64"))
    weights, standard, inflation = (found[0] for found in _relative(together))
    drawn = _drawn(scaled, counts, together[0], draws, seed)
    low, high = np.quantile(drawn.weights, _TAILS, axis=0)
    least, most = np.nanquantile(drawn.coefficients, _TAILS, axis=0)
    side = np.sign(together[0, :-1, -1])
    return {
        "importance": weights,
        "low": np.minimum(low, weights),
        "high": np.maximum(high, weights),
        "r2_share": weights / weights.sum(),
        "r2": weights.sum(),
        "coefficient": standard * spread[-1] / spread[:-1],
        "vif": inflation,
        "suppressor": ((side > 0) & (most < 0)) | ((side < 0) & (least > 0)),
        "collinear": inflation >= COLLINEAR_FROM,
        "within_chance": np.quantile(drawn.beyond_chance, _TAILS[0], axis=0) <= 0,
    }


class _Drawn(NamedTuple):
    """Of each sample: the weights, how far they lie above that of pure chance, the coefficients."""

    weights: np.ndarray
    beyond_chance: np.ndarray
    coefficients: np.ndarray


def _drawn(scaled: np.ndarray, counts: np.ndarray, together: np.ndarray, draws: int, seed: int) -> _Drawn:
    rng = np.random.default_rng(seed)
    places, size = np.repeat(np.arange(len(counts)), counts), counts.sum()
    at_once = max(1, _CELLS // len(counts))
    found = np.empty((draws, *together.shape))
    for start in range(0, draws, at_once):
        sizes = range(start, min(start + at_once, draws))
        samples = [np.bincount(rng.choice(places, size), minlength=len(counts)) for _ in sizes]
        found[sizes.start : sizes.stop] = _correlations(scaled, np.array(samples, dtype="float64"))
    weights, coefficients, _ = _relative(found)
    # A column of chance goes with the others as far as answers drawn twice over let it: its correlations
    # vary by 1 / size among all the surveys there could be, and by as much again among the samples.
    stray = rng.multivariate_normal(np.zeros(len(together)), 2 * together / size, size=draws, method="eigh")
    beside = np.insert(found, -1, stray, axis=1)
    beside = np.insert(beside, -1, np.insert(stray, -1, 1.0, axis=1), axis=2)
    noisy, _, _ = _relative(beside)
    return _Drawn(weights, noisy[:, :-1] - noisy[:, -1:], coefficients)


def _correlations(scaled: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The correlations of all columns by each row of counts, which say how often each answer occurs.

    A column that does not vary there goes with no other.
    """
    left, right = np.triu_indices(scaled.shape[1])
    sizes = counts.sum(axis=1)[:, None]
    mean = counts @ scaled / sizes
    product = counts @ (scaled[:, left] * scaled[:, right]) / sizes
    covariance = np.empty((len(counts), scaled.shape[1], scaled.shape[1]))
    covariance[:, left, right] = covariance[:, right, left] = product - mean[:, left] * mean[:, right]
    spread = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0))
    steady = spread < _FLAT
    spread[steady] = 1
    found = covariance / spread[:, :, None] / spread[:, None, :]
    place, column = np.nonzero(steady)
    found[place, column], found[place, :, column], found[place, column, column] = 0, 0, 1
    return found


def _relative(together: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Johnson's weights, standardised coefficients and variance inflation of each correlation matrix, whose
    last column is the score. What another driver says word for word has weight and no coefficient."""
    drivers, score = together[:, :-1, :-1], together[:, :-1, -1]
    spectrum, vectors = np.linalg.eigh(drivers)
    flat = spectrum < _FLAT
    root = np.sqrt(np.where(flat, 0, spectrum))
    inverse = np.divide(1, root, out=np.zeros_like(root), where=~flat)
    turned = vectors.swapaxes(1, 2)
    loadings = (vectors * root[:, None]) @ turned
    parts = (vectors * inverse[:, None]) @ turned @ score[:, :, None]
    weights = (loadings**2 @ parts**2)[:, :, 0]
    coefficients = ((vectors * inverse[:, None]) @ turned @ parts)[:, :, 0]
    inflation = (vectors**2 @ inverse[:, :, None] ** 2)[:, :, 0]
    lost = (vectors**2 @ flat[:, :, None])[:, :, 0] > _FLAT
    inflation[lost], coefficients[lost] = np.inf, np.nan
    return weights, coefficients, inflation
