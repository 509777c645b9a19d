"""Rounded numbers as languages write them; `test_sentences` holds what a report prints."""

from decimal import Decimal

import pytest
from babel import Locale, localedata, numbers
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("pattern", "two", "none"),
    [
        ("#,##0.###", "#,##0.00", "#,##0"),
        ("#,##,##0%", "#,##,##0.00%", "#,##,##0%"),
        ("0%", "0.00%", "0%"),
        ("%\xa0#,#0;%\xa0-#,#0", "%\xa0#,#0.00;%\xa0-#,#0.00", "%\xa0#,#0;%\xa0-#,#0"),
        ("¤#,##0.00;¤-#,##0.00", "¤#,##0.00;¤-#,##0.00", "¤#,##0;¤-#,##0"),
    ],
)
def test_every_pattern_of_a_language_can_have_so_many_places(pattern, two, none):
    assert (numerals._with_places(pattern, 2), numerals._with_places(pattern, 0)) == (two, none)


LOCALES = st.sampled_from([Locale.parse(name) for name in sorted(localedata.locale_identifiers())])


@given(LOCALES, st.integers(-(10**9), 10**9), st.integers(0, 3), st.sampled_from(["EUR", "PLN", "JPY"]))
def test_every_language_writes_each_number_as_babel_does(locale, digits, places, currency):
    number = Decimal(digits).scaleb(-places)
    standards = (
        locale.decimal_formats[None],
        locale.percent_formats[None],
        locale.currency_formats["standard"],
    )
    decimal, percent, money = (numerals._with_places(standard.pattern, places) for standard in standards)
    told = numbers.format_decimal(number, format=decimal, locale=locale)
    assert numerals.decimal_text(locale, number, places) == told
    told = numbers.format_percent(number.scaleb(-2), format=percent, locale=locale)
    assert numerals.percent_text(locale, number.scaleb(-2), places) == told
    told = numbers.format_currency(number, currency, format=money, locale=locale, currency_digits=False)
    # A code of letters stands off from its number.
    assert numerals.money_text(locale, number, places, currency).replace("\xa0", "") == told.replace(
        "\xa0", ""
    )


def test_a_number_may_have_any_number_of_digits():
    assert numerals.decimal_text(Locale("en"), Decimal("1E-40"), 40) == f"0.{'0' * 39}1"
    assert numerals.decimal_text(Locale("en"), Decimal(10**40), 0) == "10" + ",000" * 13


def test_nothing_has_no_sign():
    assert numerals.decimal_text(Locale("en"), Decimal("-0.0"), 1) == "0.0"


@pytest.mark.parametrize(("currency", "told"), [("EUR", "€12"), ("USD", "US$12"), ("PLN", "PLN\xa012")])
def test_a_code_of_letters_stands_off_from_its_number(currency, told):
    assert numerals.money_text(Locale("en", "GB"), Decimal(12), 0, currency) == told
