"""YAML read as a person means it, every mistake with its line."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import scratch, yamls
from retention_kit.exceptions import ParamsError


def load(text: str | bytes) -> yamls.Document:
    path = scratch.folder() / "acme.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return yamls.load(path)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *[(text, text) for text in ("no", "yes", "off", "True", "012", "12:30:00", "2024-07-01", "0x1F")],
        *[(text, text) for text in ("1_000", "0o7", ".inf", ".", "+", "e3", "-e3", "1,5", "=")],
        *[("true", True), ("false", False), ("~", None), ("null", None), ("", None)],
        *[("0", 0), ("-3", -3), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("1.50", 1.5)],
        *[("'1'", "1"), ('"no"', "no")],
    ],
)
def test_plain_values_without_surprises(written: str, read: object) -> None:
    value = load(f"key: {written}\n").values["key"]
    assert (value, type(value)) == (read, type(read))


def test_keys_are_words_whatever_they_look_like() -> None:
    assert load("2024: a\ntrue: b\n<<: c\n~: d\n").values == {"2024": "a", "true": "b", "<<": "c", "~": "d"}


# No digits in text: PyYAML writes the text 1e3 without quotes, which we read as the number it looks like.
_letters = st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_categories=["Cc", "Nd"])
_values = st.recursive(
    st.text(_letters) | st.booleans() | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc_", min_size=1), _values, min_size=1))
def test_what_pyyaml_writes_is_read_back(values: dict) -> None:
    # Aliases are not read, and PyYAML writes one for a list that stands twice.
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    text = yaml.dump(values, Dumper=Plain, allow_unicode=True)
    assert load(text).values == values


def test_lines_of_values_and_of_what_lies_below_them() -> None:
    document = load("client: a\ndata:\n  orders:\n    source: b.csv\nchapters:\n- nps\n- clv\n")
    assert document.where(("data", "orders", "source")) == "acme.yaml line 4"
    assert document.where(("data", "orders", "where")) == "acme.yaml line 3"
    assert document.where(("chapters", 1)) == "acme.yaml line 7"
    assert document.where(("title",)) == "acme.yaml"


def test_a_mark_of_utf8_is_no_part_of_the_first_key() -> None:
    assert load(b"\xef\xbb\xbfclient: a\n").values == {"client": "a"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "acme.yaml line 3: 'a' stands twice, first on line 1. Keep one."),
        ("a:\n  b: 1\n  b: 1\n", "acme.yaml line 3: 'b' stands twice, first on line 2. Keep one."),
        ("a: &x 1\n", "acme.yaml line 1: anchors and aliases (& and *) are not read. Write it out."),
        ("a: 1\nb: *x\n", "acme.yaml line 2: anchors and aliases (& and *) are not read. Write it out."),
        (
            "a: !!python/name:os.system x\n",
            "acme.yaml line 1: tags (!) are not read. Put the text in quotes.",
        ),
        ("a: !!int x\n", "acme.yaml line 1: tags (!) are not read. Put the text in quotes."),
        ("a: 1\n[b]: 2\n", "acme.yaml line 2: a key must be one word."),
        ("- a\n", "acme.yaml must hold keys and values, such as client: acme."),
        ("", "acme.yaml must hold keys and values, such as client: acme."),
        (
            "a: [1, 2\nb: 3\n",
            "acme.yaml line 2: not YAML: expected ',' or ']', but got ':'. Text with :, # or { in it "
            "needs quotes.",
        ),
        (
            "title: Acme: the shop\n",
            "acme.yaml line 1: not YAML: mapping values are not allowed here. "
            "Text with :, # or { in it needs quotes.",
        ),
        ("a: 1\nb: \x07\n", "acme.yaml line 2: a control character. Delete it."),
        ("a: " + "[" * 600, "acme.yaml is nested deeper than a client file can be."),
        ("title: Łódź\n".encode("cp1250"), "acme.yaml is not UTF-8. Save it as UTF-8."),
        ("#" * 1_000_001, "acme.yaml is larger than a client file can be (1,000,000 bytes)."),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_mistakes_are_named_with_their_line(text: str | bytes, message: str) -> None:
    with pytest.raises(ParamsError) as refused:
        load(text)
    assert str(refused.value) == message


def test_every_client_file_of_the_repository_is_read() -> None:
    files = sorted((Path(__file__).parents[1] / "params").rglob("*.yaml"))
    assert len(files) >= 6
    assert all(yamls.load(path).values for path in files)
