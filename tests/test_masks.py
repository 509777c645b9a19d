"""What would give a customer away is hidden, what would not stays, and no comment takes long."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import masks

NUMBERS = [
    # Poland, Germany, the United States, the United Kingdom
    *("+48 601 234 567", "601-234-567", "601 234 567", "601.234.567", "601234567", "(22) 123 45 67"),
    *(
        "601 - 234 - 567",
        "22 123‑45‑67",
        "0048601234567",
        "+49 (0)30 1234567",
        "0151 12345678",
        "0171/1234567",
    ),
    *("+49 (0) 30 / 123 456-7", "(555) 123-4567", "555-123-4567", "1-800-555-0199", "+1 555.123.4567"),
    *("020 7946 0958", "+44 20 7946 0958", "07700 900123", "6 0 1 2 3 4 5 6 7", "٠١٢٣٤٥٦٧٨٩"),
    # cards, accounts, identity numbers, orders
    *("4111 1111 1111 1111", "4111-1111-1111-1111", "PL61 1090 1014 0000 0712 1981 2874"),
    *(
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "44051401359",
        "1234567",
        "12.05.2024 601234567",
    ),
]
HARMLESS = [
    *("2023", "2019-2023", "2019 – 2023", "2019, 2020 2021", "12.05.2024", "12/05/2024", "2024-05-12 10:30"),
    *("5/13/2024", "12.05.2024-15.05.2024", "8:00-16:00", "10/10", "24h", "100%", "00-950", "4-5"),
    *("12,50 zł", "1 299,00 zł", "1.299,99 €", "$1,000,000", "$1000000", "1 299 000 PLN", "250000 zł"),
    *("12.50 - 15.50", "8 10 9", "1,000,000", "3.14159"),
]


@pytest.mark.parametrize("number", NUMBERS)
def test_long_numbers_are_hidden_whole(number: str) -> None:
    assert masks.masked(f"call {number}, please") == "call [#], please"


@pytest.mark.parametrize("text", HARMLESS)
def test_years_dates_times_and_prices_stay(text: str) -> None:
    assert masks.masked(f"it was {text} then") == f"it was {text} then"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to eva.k+shop@mail.example.", "to [@]."),
        ("<ćma_1@żółw.example>", "<[@]>"),
        ("me@localhost, me@mail.example", "[@], [@]"),
        ("jan(at)mail.example", "[@]"),
        ("jan [małpa] mail.example", "[@]"),
        ("as @jan_k wrote", "as [@] wrote"),
        ("meet @ 6", "meet @ 6"),
        ("see https://shop.example/u?id=jan ok", "see [↗] ok"),
        ("WWW.shop.example/jan", "[↗]"),
    ],
)
def test_addresses_handles_and_links_are_hidden(text: str, shown: str) -> None:
    assert masks.masked(text) == shown


@given(st.text(alphabet="ab 019+-().,/@[]zł€\n", max_size=60))
def test_what_is_masked_holds_no_address_and_no_long_number_and_is_masked_already(text: str) -> None:
    shown = masks.masked(text)
    assert masks.masked(shown) == shown
    assert not re.search(r"\w@\w", shown)
    for run in re.findall(r"\d{6,}", shown):  # unless it is money
        assert re.search(rf"(zł|€)\s?{run}|{run}([.,]\d+|,-)?\s?(zł|€)", shown)


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 10_000 + "@", "a@" * 5_000, "1" * 10_000, "1 " * 5_000, "1.1.2000" * 1_250, "(at" * 3_300),
        *("x" * 10_000 + "(", "AA11" * 2_500, "http://" * 1_400),
    ],
)
def test_no_comment_takes_long(text: str) -> None:
    start = time.process_time()
    masks.masked(text)
    assert time.process_time() - start < 1


# -- quotes ------------------------------------------------------------------------

LONG = "The parcel was late. " * 10 + "Nobody answered 601 234 567 in time. " + "So we left. " * 20


def test_a_quote_holds_its_word_and_is_masked_and_short() -> None:
    told = masks.quote(LONG, "answered")
    assert "Nobody answered [#] in time." in told
    assert len(told) <= masks.LONGEST
    assert told.startswith("…")
    assert told.endswith("…")
    assert masks.quote("Short 601234567") == "Short [#]"


@given(st.text(alphabet="ab .", max_size=400), st.integers(20, 200))
def test_a_quote_is_never_longer_than_asked(text: str, longest: int) -> None:
    told = masks.quote(text, "ab", longest)
    assert len(told) <= longest
    assert told.strip("…") in text


def test_a_quote_of_one_endless_word_is_a_part_of_it() -> None:
    assert masks.quote("x" * 9_000, longest=20) == "x" * 18 + "…"
