"""Somebody else's figures: as they were printed, and as a client file asks about them."""

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from retention_kit.exceptions import ParamsError

#: What can be asked about; each is a chapter of the report.
METRICS = ("churn", "retention", "nps")

Unit = Literal["share", "nps"]

_NUMBER = re.compile(r"([+-]?)(\d{1,4}(?:[.,]\d{0,30})?|[.,]\d{1,30})\s*(%?)")
_SAME = 1e-12  # two floats closer than this are one number, whichever way it was calculated
_HOW = {"share": "Type one as 0.378 or '37.8 %'.", "nps": "Type one as 41 or 41.3."}


@dataclass(frozen=True)
class Printed:
    """A printed figure: a share of 0 to 1, or points from -100 to 100.

    `value` keeps the digits that were given: "37.8 %" is Decimal("0.378"), and "38%" Decimal("0.38").
    """

    value: Decimal
    unit: Unit

    @property
    def decimals(self) -> int:
        """Digits after the point as it is shown: of a share, in percent."""
        places = -self.value.as_tuple().exponent - (2 if self.unit == "share" else 0)
        return max(0, places)

    def is_print_of(self, exact: Decimal) -> bool:
        """Whether a number rounded to this figure's own precision is this figure.

        A number half-way between two is printed as either, by the rounding that programs use (half
        up) and by the bankers' (half to even).

        >>> [read(text, "share").is_print_of(Decimal("0.505")) for text in ("50 %", "51 %", "50.0 %")]
        [True, True, False]
        """
        step = Decimal(1).scaleb(min(self.value.as_tuple().exponent, 0))
        with localcontext(prec=60):
            ways = {exact.quantize(step, rounding=way) for way in (ROUND_HALF_UP, ROUND_HALF_EVEN)}
        return self.value in ways or math.isclose(exact, self.value, rel_tol=_SAME, abs_tol=_SAME)


def read(figure: Any, unit: Unit, *, name: str = "figure") -> Printed:
    """A figure from a number or a text such as "37.8 %"; the digits given are its precision.

    A number has the digits that Python prints: 0.40 is 0.4, anything from 35 to 45 %. Where a last 0
    matters, give a text: "0.40" or "40 %".

    Parameters
    ----------
    figure : int, float or str
        With a decimal point or comma, with or without a sign of percent. A share without one is
        a share: 0.378, never 37.8.
    unit : {"share", "nps"}
    name : str
        What an error calls it.

    Raises
    ------
    ParamsError
        When it is no number, a whole number that may be a share or percent, or no such score.

    Examples
    --------
    >>> read(0.378, "share").value, read("37,8 %", "share").value, read("+41", "nps").value
    (Decimal('0.378'), Decimal('0.378'), Decimal('41'))
    """
    text = _text(figure)
    found = _NUMBER.fullmatch(text)
    if not found:
        raise ParamsError(f"{name} {figure!r} is no number. {_HOW[unit]}")
    value = Decimal(found[1] + found[2].replace(",", "."))
    if unit == "nps":
        if abs(value) > 100:
            raise ParamsError(f"{name} {figure!r} is no score: it lies between -100 and 100. {_HOW[unit]}")
        return Printed(value, unit)
    if found[3]:
        return Printed(value.scaleb(-2), unit)
    if abs(value) > 1 or value.as_tuple().exponent >= 0:  # 1 may be one percent or all
        raise ParamsError(f"{name} {figure!r} is no share such as 0.378. Type '{text} %' if it is percent.")
    return Printed(value, unit)


class Figure(BaseModel):
    """Somebody else's figure, to be explained: one of churn, retention and nps, and what it is of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    churn: Any = None
    retention: Any = None
    nps: Any = None
    # Of churn the month; of retention the cohort, where it is of one alone.
    month: str | None = None
    # Of retention: how many periods after the first.
    age: Annotated[int, Field(ge=1)] | None = None

    @field_validator("churn", "retention", "nps")
    @classmethod
    def _is_a_figure(cls, figure: Any, told: ValidationInfo) -> Any:
        name = str(told.field_name)
        if figure is not None:
            try:
                read(figure, "nps" if name == "nps" else "share", name=name)
            except ParamsError as error:
                raise ValueError(str(error).removeprefix(f"{name} ").removesuffix(".")) from None
        return figure

    @field_validator("month")
    @classmethod
    def _is_a_month(cls, month: str | None) -> str | None:
        if month is not None and not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
            raise ValueError(f"{month!r} is no month; write it as 2019-12")
        return month

    @model_validator(mode="after")
    def _says_what_it_is_of(self) -> "Figure":
        given = [name for name in METRICS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"name one of {', '.join(METRICS)}, such as churn: 0.378; it has {given}")
        if self.churn is not None and self.month is None:
            raise ValueError("churn is of a month; add one such as month: 2019-12")
        for key, belongs in (("age", ("retention",)), ("month", ("churn", "retention"))):
            if getattr(self, key) is not None and self.metric not in belongs:
                raise ValueError(f"{key} belongs to {' or '.join(belongs)}, and this is {self.metric}")
        return self

    @property
    def metric(self) -> str:
        """The one of `METRICS` that it is."""
        return next(name for name in METRICS if getattr(self, name) is not None)

    @property
    def figure(self) -> Any:
        """The figure itself, as it was given."""
        return getattr(self, self.metric)


def asked(**keys: Any) -> tuple[Figure, ...]:
    """The figure that is asked about by the keys of a client file; none where no key has a value.

    Raises
    ------
    ParamsError
        In one line, for the first thing that is wrong.

    Examples
    --------
    >>> asked(churn="37.8 %", month="2019-12")[0].metric, asked(churn=None)
    ('churn', ())
    """
    given = {name: value for name, value in keys.items() if value is not None}
    if not given:
        return ()
    try:
        return (Figure(**given),)
    except ValidationError as error:
        first = error.errors()[0]
        name = " ".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ").replace("Input should", "must")
        raise ParamsError(f"{name} {said}.".lstrip()) from None


def _text(figure: Any) -> str:
    """The figure without what is only typography; a float as Python prints it."""
    if isinstance(figure, bool) or figure is None:
        return ""
    if isinstance(figure, float):
        return f"{Decimal(repr(figure)):f}" if math.isfinite(figure) else ""
    return str(figure).strip().replace("−", "-").replace("\N{NO-BREAK SPACE}", " ")
