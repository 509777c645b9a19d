"""Names beside dots, each where it covers as little as can be of the others and of what is drawn."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

_SIGN, _LINE, _DOT = 5.8, 12.0, 4.0  # points: a sign's width, a line's height, half a dot
# Where a name may stand, the usual places first: points to the right and up, and its side at the dot.
_PLACES = ((6, 5, "left"), (6, -15, "left"), (-6, 5, "right"), (-6, -15, "right"), (0, 10, "center"),
           (0, -20, "center"))  # fmt: skip
_SHIFT = {"left": 0.0, "center": 0.5, "right": 1.0}

Box = tuple[float, float, float, float]


def name_dots(
    ax: Axes,
    dots: Sequence[tuple[float, float]],
    called: Sequence[str],
    spans: Sequence[Box] = (),
) -> None:
    """Each dot's name beside it; the axes' limits are to be final.

    Sizes are estimated, not drawn: a picture that is laid out twice takes twice as long. `spans` are
    intervals, (left, right, bottom, top) in the units of the axes, which a name had better not cross.
    """
    taken = [(x - _DOT, x + _DOT, y - _DOT, y + _DOT) for x, y in _in_points(ax, dots)]
    crossed = [
        (*np.minimum(one, two), *np.maximum(one, two))
        for left, right, bottom, top in spans
        for one, two in [_in_points(ax, [(left, bottom), (right, top)])]
    ]
    lines = [(left, right, bottom, top) for left, bottom, right, top in crossed]
    width, height = _size(ax)
    for (x, y), dot, name in zip(_in_points(ax, dots), dots, called, strict=True):
        boxes = [_box(x, y, len(name), place) for place in _PLACES]
        costs = [
            8 * sum(_shared(box, other) for other in taken)
            + sum(_shared(box, line) for line in lines)
            + 20 * _outside(box, width, height)
            + rank
            for rank, box in enumerate(boxes)
        ]
        best = int(np.argmin(costs))
        right, up, side = _PLACES[best]
        taken.append(boxes[best])
        ax.annotate(name, dot, xytext=(right, up), ha=side, textcoords="offset points", parse_math=False)


def _in_points(ax: Axes, places: Sequence[tuple[float, float]]) -> np.ndarray:
    """Places in the axes' units as points from their lower left corner."""
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    return (np.asarray(places, dtype=float) - low) / (high - low) * _size(ax)


def _size(ax: Axes) -> np.ndarray:
    place = ax.get_position()
    return ax.figure.get_size_inches() * 72 * (place.width, place.height)


def _box(x: float, y: float, signs: int, place: tuple[float, float, str]) -> Box:
    right, up, side = place
    wide = signs * _SIGN
    left = x + right - wide * _SHIFT[side]
    return left, left + wide, y + up - 1, y + up + _LINE - 1


def _shared(one: Box, two: Box) -> float:
    """The area that two boxes share; a line counts as one point wide."""
    across = min(one[1], max(two[1], two[0] + 1)) - max(one[0], two[0])
    along = min(one[3], max(two[3], two[2] + 1)) - max(one[2], two[2])
    return max(across, 0.0) * max(along, 0.0)


def _outside(box: Box, width: float, height: float) -> float:
    return max(-box[0], box[1] - width, -box[2], box[3] - height, 0.0)
