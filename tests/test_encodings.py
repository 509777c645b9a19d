"""Encodings: the bytes that exports are written in, told apart and made UTF-8."""

import codecs
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import encodings, scratch
from retention_kit.exceptions import DataError


def decode(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text that the engine will read, and what was said of it."""
    decoded = encodings.as_utf8(io.BytesIO(content), encoding, name="a.csv", folder=scratch.folder())
    return (decoded.path.read_bytes() if decoded.path else content).decode("utf-8"), decoded.words


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "klient;kwota\nŁukasz Żółć;1 234,50\nKraków, Gdańsk\n"),
        ("cp1250", "zákazník\nJiří Dvořák\nTomáš Němec\n"),
        ("cp1250", "vevő\nőrült\nűrhajó\n"),
        ("cp1250", "Łukasz\n"),
        ("cp1251", "клиент;сумма\nИван Петров;10\n"),
        ("cp1252", "prénom\nHélène\nFrançois, garçon\n"),
        ("cp1252", "Kunde\nMüller\nGroß\n"),
        ("cp1252", "cliente\n¿Señor Núñez?\n"),
        ("cp1252", "kund\nÅsa Öberg\n"),
        ("cp1252", "customer,price (£)\na,£12.50\n"),
        ("cp1252", "customer,price\na,12 €\n"),
    ],
)
def test_the_language_of_the_lines_tells_the_encoding(encoding: str, text: str) -> None:
    lines = sum(not line.isascii() for line in text.splitlines())
    count = "1 line is not UTF-8 and was" if lines == 1 else f"{lines} lines are not UTF-8 and were"
    assert decode(text.encode(encoding)) == (text, f"a.csv: {count} read as {encoding}")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_what_is_utf8_stays_as_it_is(text: str) -> None:
    # Two letters in front, so that a text such as "ÿþ" is not taken for a mark of UTF-16.
    assert decode(f"id{text}".encode()) == (f"id{text}", "")


def test_a_file_glued_from_two_exports_keeps_both_right() -> None:
    glued = "Zoë\n".encode() + "Hélène\n".encode("cp1252") + "Chloë\n".encode()
    assert decode(glued) == ("Zoë\nHélène\nChloë\n", "a.csv mixes encodings: lines read as cp1252: 2.")


def test_a_foreign_name_in_a_line_makes_no_other_encoding_of_it() -> None:
    text = "Łucja\nŻaneta\nZoë;kiedyś\n"  # in cp1252 that would be Zoë;kiedyœ, all of it French letters
    told = "a.csv: 3 lines are not UTF-8 and were read as cp1250"
    assert decode(text.encode("cp1250")) == (text, told)


def test_lines_that_read_alike_in_two_encodings_are_no_mixture() -> None:
    # In cp1250 è is č and ñ is ń.
    text = "zu spät, José\n" * 9 + "José Núñez\nHélène Dupré\nGroß\nNuñez\nspät, José Raúl\n"
    told = "a.csv: 14 lines are not UTF-8 and were read as cp1252"
    assert decode(text.encode("cp1252")) == (text, told)


def test_a_word_half_latin_and_half_cyrillic_is_none() -> None:
    lines = [("Мария Иванова", "cp1251")] * 3 + [("Łukasz Żółć", "cp1250"), ("Élodie Gagné", "cp1252")]
    content = b"".join(f"{name}\n".encode(encoding) for name, encoding in lines)
    assert decode(content)[0].splitlines() == [name for name, _ in lines]


def test_a_byte_that_the_encoding_lacks_is_some_letter_and_no_row_is_lost() -> None:
    # 0x81 is nothing in cp1252; cp850 writes ü so.
    text, words = decode(b"Caf\xe9 M\x81ller\nplain\n", "cp1252")
    assert text == "Café M\x81ller\nplain\n"
    assert words == "a.csv: 1 line is not UTF-8 and was read as cp1252"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_with_and_without_a_mark(encoding: str) -> None:
    named = "utf-16" if encoding == "utf-16" else encoding
    assert decode("imię\nŁucja\n".encode(encoding)) == ("imię\nŁucja\n", f"a.csv: encoding {named}")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "iso-8859-2", "shift-jis"])
def test_an_encoding_that_is_given_is_used(encoding: str) -> None:
    text = "id\n日本\n" if encoding == "shift-jis" else "id\nŁódź\n"
    assert decode(text.encode(encoding), encoding)[0] == text


def test_utf8_given_for_what_is_not_is_guessed_and_said() -> None:
    assert decode("Żółć\n".encode("cp1250"), "utf-8") == (
        "Żółć\n",
        "a.csv: 1 line is not UTF-8 and was read as cp1250",
    )


def test_an_encoding_that_changed_nothing_is_not_mentioned() -> None:
    assert decode(b"plain\n", "cp1250") == ("plain\n", "")


def test_a_mark_before_utf8_is_left_to_the_engine() -> None:
    content = codecs.BOM_UTF8 + "id\nŁ\n".encode()
    assert encodings.as_utf8(io.BytesIO(content), None, name="a.csv", folder=Path()).path is None


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"", None, "a.csv is empty. Export it again, or give another file."),
        (
            b"id\n",
            "klingon",
            "a.csv: 'klingon' is no encoding. Say encoding='utf-8', 'utf-16', 'cp1250', 'cp1251' or "
            "'cp1252'.",
        ),
        (
            b"id\n",
            "base64",
            "a.csv: 'base64' is no encoding. Say encoding='utf-8', 'utf-16', 'cp1250', 'cp1251' or 'cp1252'.",
        ),
        (
            b"id\n\n",
            "utf-32",
            "a.csv is not utf-32 throughout, or is cut off. Export it again, or say encoding=.",
        ),
    ],
)
def test_what_cannot_be_decoded_is_refused(content: bytes, encoding: str | None, message: str) -> None:
    with pytest.raises(DataError) as refused:
        decode(content, encoding)
    assert str(refused.value) == message
