"""Rounded numbers as languages write them; `test_sentences` holds what a report prints."""

from decimal import Decimal

import pytest
from babel import Locale

from retention_kit import numerals


@pytest.mark.parametrize(
    ("number", "places", "told"),
    [("0.5", 0, "0"), ("1.5", 0, "2"), ("2.675", 2, "2.68"), ("-0.04", 1, "-0.0")],
)
def test_halves_go_to_the_even_neighbour(number, places, told):
    assert str(numerals.rounded(Decimal(number), places)) == told


@pytest.mark.parametrize(
    ("language", "number", "share", "money"),
    [("en", "1,234.50", "38.20%", "€1,234.50"), ("pl", "1\xa0234,50", "38,20%", "1\xa0234,50\xa0€")],
)
def test_each_language_has_its_signs(language, number, share, money):
    locale = Locale(language)
    assert numerals.decimal_text(locale, Decimal("1234.50"), 2) == number
    assert numerals.percent_text(locale, Decimal("0.3820"), 2) == share
    assert numerals.money_text(locale, Decimal("1234.50"), 2, "EUR") == money


def test_nothing_has_no_sign():
    assert numerals.decimal_text(Locale("en"), Decimal("-0.0"), 1) == "0.0"


@pytest.mark.parametrize(("currency", "told"), [("EUR", "€12"), ("USD", "US$12"), ("PLN", "PLN\xa012")])
def test_a_code_of_letters_stands_off_from_its_number(currency, told):
    assert numerals.money_text(Locale("en", "GB"), Decimal(12), 0, currency) == told
