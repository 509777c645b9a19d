"""Rounded numbers as a language writes them, shares and money among them.

A report writes thousands of numbers, and rounded ones repeat: most are found here.
"""

import re
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from babel import Locale, numbers


def rounded(number: Decimal, places: int) -> Decimal:
    """The number with so many places, halves to the even neighbour.

    >>> rounded(Decimal("0.125"), 2)
    Decimal('0.12')
    """
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


@lru_cache(maxsize=20_000)
def decimal_text(locale: Locale, number: Decimal, places: int) -> str:
    """A rounded number with all its places.

    >>> decimal_text(Locale("pl"), Decimal("12345.50"), 2)
    '12\xa0345,50'
    """
    pattern = re.sub(r"0(\.[0#]+)?(?=;|$)", "0" + _places(places), locale.decimal_formats[None].pattern)
    return numbers.format_decimal(number + 0, format=pattern, locale=locale)


@lru_cache(maxsize=20_000)
def percent_text(locale: Locale, number: Decimal, places: int) -> str:
    """A rounded share as a percentage.

    >>> percent_text(Locale("en"), Decimal("0.382"), 1)
    '38.2%'
    """
    pattern = locale.percent_formats[None].pattern.replace("##0", "##0" + _places(places))
    return numbers.format_percent(number + 0, format=pattern, locale=locale)


@lru_cache(maxsize=20_000)
def money_text(locale: Locale, number: Decimal, places: int, currency: str) -> str:
    """A rounded amount with the sign of its currency.

    >>> money_text(Locale("en"), Decimal("1234.50"), 2, "EUR")
    '€1,234.50'
    """
    pattern = re.sub(r"0\.0+", "0" + _places(places), locale.currency_formats["standard"].pattern)
    text = numbers.format_currency(number + 0, currency, format=pattern, locale=locale, currency_digits=False)
    return re.sub(r"(?<=[^\W\d_])(?=\d)", "\N{NO-BREAK SPACE}", text)  # PLN 12, as €12


def _places(places: int) -> str:
    return "." + "0" * places if places else ""
