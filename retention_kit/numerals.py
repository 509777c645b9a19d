"""Rounded numbers as a language writes them, shares and money among them.

A report writes thousands of numbers. Those of one sign with as many digits differ in these alone, so the
language is asked once how it writes as many ones.
"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, getcontext, localcontext
from functools import lru_cache
from itertools import chain
from typing import Any

from babel import Locale, numbers


def rounded(number: Decimal, places: int) -> Decimal:
    """The number with so many places, halves to the even neighbour.

    >>> rounded(Decimal("0.125"), 2)
    Decimal('0.12')
    """
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def decimal_text(locale: Locale, number: Decimal, places: int) -> str:
    """A rounded number with all its places.

    >>> decimal_text(Locale("pl"), Decimal("12345.50"), 2)
    '12\xa0345,50'
    """
    return _written(_decimal, number, locale, places)


def percent_text(locale: Locale, number: Decimal, places: int) -> str:
    """A rounded share as a percentage.

    >>> percent_text(Locale("en"), Decimal("0.382"), 1)
    '38.2%'
    """
    return _written(_percent, number.scaleb(2), locale, places)


def money_text(locale: Locale, number: Decimal, places: int, currency: str) -> str:
    """A rounded amount with the sign of its currency.

    >>> money_text(Locale("en"), Decimal("1234.50"), 2, "EUR")
    '€1,234.50'
    """
    return _written(_money, number, locale, places, currency)


def _decimal(number: Decimal, locale: Locale, places: int) -> str:
    pattern = _with_places(locale.decimal_formats[None].pattern, places)
    return numbers.format_decimal(number, format=pattern, locale=locale)


def _percent(number: Decimal, locale: Locale, places: int) -> str:
    pattern = _with_places(locale.percent_formats[None].pattern, places)
    return numbers.format_percent(number.scaleb(-2), format=pattern, locale=locale)


def _money(number: Decimal, locale: Locale, places: int, currency: str) -> str:
    pattern = _with_places(locale.currency_formats["standard"].pattern, places)
    text = numbers.format_currency(number, currency, format=pattern, locale=locale, currency_digits=False)
    return re.sub(r"(?<=[^\W\d_])(?=\d)", "\N{NO-BREAK SPACE}", text)  # PLN 12, as €12


def _written(write: Callable[..., str], number: Decimal, *how: Any) -> str:
    """What `write` makes of a number, from what it makes of ones: the digits take their places."""
    digits = f"{abs(number):f}".replace(".", "")
    between = _around_ones(write, number < 0, len(digits), *how)
    return "".join(chain.from_iterable(zip(between, digits, strict=False))) + between[-1]


@lru_cache(maxsize=1_000)
def _around_ones(
    write: Callable[..., str], negative: bool, digits: int, locale: Locale, places: int, *how: Any
) -> list[str]:
    ones = Decimal((int(negative), (1,) * digits, -places))
    with localcontext(prec=max(digits, getcontext().prec)):  # 1e-300 as a decimal has 301 digits
        return write(ones, locale, places, *how).split("1")


def _with_places(pattern: str, places: int) -> str:
    """A pattern of a language with so many places, in its form for numbers below zero too."""
    return re.sub(r"0(\.[0#]+)?(?![0#.,])", f"0{'.' if places else ''}{'0' * places}", pattern)
