"""Rounded numbers as a language writes them, shares and money among them.

A report writes thousands of numbers. Those of one sign with as many digits differ in these alone, so the
language is asked once how it writes as many ones.
"""

import re
from contextlib import AbstractContextManager
from decimal import ROUND_HALF_EVEN, Decimal, getcontext, localcontext
from functools import lru_cache
from itertools import chain

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
    digits = _digits(number)
    return _filled(_decimal_model(locale, number < 0, len(digits), places), digits)


def percent_text(locale: Locale, number: Decimal, places: int) -> str:
    """A rounded share as a percentage.

    >>> percent_text(Locale("en"), Decimal("0.382"), 1)
    '38.2%'
    """
    digits = _digits(number.scaleb(2))
    return _filled(_percent_model(locale, number < 0, len(digits), places), digits)


def money_text(locale: Locale, number: Decimal, places: int, currency: str) -> str:
    """A rounded amount with the sign of its currency.

    >>> money_text(Locale("en"), Decimal("1234.50"), 2, "EUR")
    '€1,234.50'
    """
    digits = _digits(number)
    return _filled(_money_model(locale, number < 0, len(digits), places, currency), digits)


@lru_cache
def _decimal_model(locale: Locale, negative: bool, digits: int, places: int) -> str:
    pattern = _with_places(locale.decimal_formats[None].pattern, places)
    with _exact(digits):
        return numbers.format_decimal(_ones(negative, digits, places), format=pattern, locale=locale)


@lru_cache
def _percent_model(locale: Locale, negative: bool, digits: int, places: int) -> str:
    pattern = _with_places(locale.percent_formats[None].pattern, places)
    with _exact(digits):
        return numbers.format_percent(_ones(negative, digits, places + 2), format=pattern, locale=locale)


@lru_cache
def _money_model(locale: Locale, negative: bool, digits: int, places: int, currency: str) -> str:
    pattern = _with_places(locale.currency_formats["standard"].pattern, places)
    ones = _ones(negative, digits, places)
    with _exact(digits):
        text = numbers.format_currency(ones, currency, format=pattern, locale=locale, currency_digits=False)
    return re.sub(r"(?<=[^\W\d_])(?=\d)", "\N{NO-BREAK SPACE}", text)  # PLN 12, as €12


def _exact(digits: int) -> AbstractContextManager:
    """Within it numbers have so many digits: 1e-300 as a decimal has 301."""
    return localcontext(prec=max(digits, getcontext().prec))


def _ones(negative: bool, digits: int, places: int) -> Decimal:
    return Decimal((int(negative), (1,) * digits, -places))


def _digits(number: Decimal) -> str:
    return f"{abs(number):f}".replace(".", "")


def _filled(model: str, digits: str) -> str:
    """The text of ones with the digits of a number in their place."""
    between = model.split("1")
    return "".join(chain.from_iterable(zip(between, digits, strict=False))) + between[-1]


def _with_places(pattern: str, places: int) -> str:
    """A pattern of a language with so many places, in its form for numbers below zero too."""
    return re.sub(r"0(\.[0#]+)?(?![0#.,])", f"0{'.' if places else ''}{'0' * places}", pattern)
