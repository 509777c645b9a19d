"""Codeframes: what a pattern finds, what a file may say, and no pattern that takes for ever."""

import json
import time
from pathlib import Path

import pandas as pd
import pytest

from retention_kit import catalogues, codeframes, params
from retention_kit.exceptions import ParamsError


def file(folder: Path, text: str) -> Path:
    path = folder / "acme.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def found(folder: Path, pattern: str, *written: str) -> list[bool]:
    frame = codeframes.read(file(folder, f"theme:\n  patterns: [{json.dumps(pattern)}]\n"))
    return frame.coded(pd.Series(written))[:, 0].tolist()


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("dostaw", ["Dostawa!", "zła DOSTAWA", "dostawca", "(dostawą)"], ["niedostawa", "dost awa"]),
        ("przesyłk", ["przesylka", "PRZESYŁKĘ"], ["przesyt"]),
        ("on time", ["never on time.", "on-time", "on\ntime", "on times"], ["on the time", "time on"]),
        ("=late", ["late", "so late!", "late"], ["later", "plate", "lately"]),
        ("=not good", ["not good", "was not goodish"], ["nothing good"]),
        ("e-mail", ["my e-mail", "E mails"], ["email"]),
        ("/wait(ed|ing)? (a|two) (day|week)s?/", ["I waited two weeks"], ["waits two weeks"]),
        (r"/\bnigdy (wiecej|juz)\b/", ["Nigdy więcej!", "nigdy już"], ["nigdy"]),
        ("дос", ["Доставка"], ["недоставка"]),
    ],
)
def test_what_a_pattern_finds(tmp_path: Path, pattern: str, yes: list[str], no: list[str]) -> None:
    assert found(tmp_path, pattern, *yes, *no) == [True] * len(yes) + [False] * len(no)


def test_signs_of_expressions_mean_nothing_in_a_plain_pattern(tmp_path: Path) -> None:
    assert found(tmp_path, "a.b c++", "a b c", "axb c", "a.b (c++)") == [True, False, True]


@pytest.mark.parametrize(
    "pattern", ["/(a+)+$/", "/(a|a)*b/", "/(.*)(.*)(.*)(.*)x/", "/^(([a-z])+.)+[A-Z]([a-z])+$/"]
)
def test_no_expression_takes_for_ever(tmp_path: Path, pattern: str) -> None:
    start = time.process_time()
    found(tmp_path, pattern, "a" * 10_000 + "!", "ab " * 3_000)
    assert time.process_time() - start < 2


def test_patterns_of_all_languages_count_and_titles_are_the_reports(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        "delivery:\n  title: {en: Delivery, pl: Dostawa}\n  patterns: {en: [deliver], pl: [dostaw]}\n"
        "price: {title: Cena, patterns: [cena]}\nstaff: {patterns: [staff]}\n",
    )
    polish = codeframes.read(path, language="pl_PL")
    assert [theme.title for theme in polish.themes] == ["Dostawa", "Cena", "staff"]
    assert codeframes.read(path, language="de").themes[0].title == "Delivery"
    assert polish.name == "acme"
    coded = polish.coded(pd.Series(["Delivery was dear", "dostawa i cena", "nothing"]))
    assert coded.tolist() == [[True, False, False], [True, True, False], [False, False, False]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "delivery: [deliver]",
            "acme.yaml line 1: theme 'delivery' needs patterns, such as patterns: [deliver, parcel].",
        ),
        (
            "uncoded: {patterns: [x]}",
            "acme.yaml line 1: 'uncoded' is the rest that has no theme. Give it another name.",
        ),
        (
            "a:\n  patterns: [x]\n  titel: A",
            "acme.yaml line 3: unknown key 'titel'. Did you mean 'title'? Known keys: title, patterns.",
        ),
        (
            "a:\n  patterns: [24]",
            "acme.yaml line 2: patterns of theme 'a' are no list of texts. "
            "Write patterns: [deliver, parcel], or a list for each language; put numbers in quotes.",
        ),
        (
            "a:\n  patterns: deliver",
            "acme.yaml line 2: patterns of theme 'a' are no list of texts. "
            "Write patterns: [deliver, parcel], or a list for each language; put numbers in quotes.",
        ),
        (
            "a:\n  patterns:\n    en:\n      - good\n      - /(/",
            "acme.yaml line 5: pattern '/(/' of theme 'a' is no regular expression: missing ): (.",
        ),
        (
            "a:\n  patterns:\n    - '/(?=x)/'",
            "acme.yaml line 3: pattern '/(?=x)/' of theme 'a' is no regular expression: "
            "invalid perl operator: (?=.",
        ),
        (
            "a:\n  patterns: ['!!']",
            "acme.yaml line 2: pattern '!!' of theme 'a' has no letter to be found by. "
            "Write the beginning of a word, or =word.",
        ),
        ("{}", "acme.yaml has no themes. Copy one of ours: en, pl."),
    ],
)
def test_what_a_file_may_not_say(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        codeframes.read(file(tmp_path, text))
    assert str(error.value) == message


def test_a_pattern_that_is_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"is longer than 200 signs\. Write several\.$"):
        codeframes.read(file(tmp_path, f"a: {{patterns: [{'x' * 201}]}}"))


def test_no_file_is_one_line() -> None:
    with pytest.raises(ParamsError) as error:
        codeframes.read("codeframes/acme.yaml")
    assert str(error.value) == (
        "codeframe: there is no file acme.yaml. Give its path from the client file's folder, "
        "or one of ['en', 'pl']."
    )


# -- ours ----------------------------------------------------------------------------


def test_the_starters_name_the_same_themes_in_every_language() -> None:
    frames = {name: codeframes.read(name) for name in codeframes.starters()}
    assert {tuple(theme.name for theme in frame.themes) for frame in frames.values()} == {
        tuple(theme.name for theme in frames["en"].themes)
    }
    for language in catalogues.languages():
        titles = {tuple(t.title for t in codeframes.read(name, language=language).themes) for name in frames}
        assert len(titles) == 1


@pytest.mark.parametrize(
    ("language", "written", "theme"),
    [
        ("en", "The parcel came late", "delivery"),
        ("en", "It got more and more expensive", "price"),
        ("en", "Nobody answered my e-mail", "contact"),
        ("pl", "Paczka dotarła po terminie", "delivery"),
        ("pl", "przesylka bardzo spozniona", "delivery"),
        ("pl", "Ceny wzrosły, a obsługa bez zmian", "price"),
        ("pl", "Bardzo miła pani na kasie", "service"),
        ("pl", "Reklamację odrzucono", "returns"),
        ("pl", "Nie mogę się zalogować", "website"),
        ("pl", "Zrezygnowałam z abonamentu", "membership"),
    ],
)
def test_the_starters_find_what_people_write(language: str, written: str, theme: str) -> None:
    frame = codeframes.read(language)
    coded = frame.coded(pd.Series([written]))[0]
    assert theme in [each.name for each, has in zip(frame.themes, coded, strict=True) if has]


@pytest.mark.parametrize("written", ["Cenię to sobie", "late Latein center droga do domu", "milion kont"])
def test_the_polish_starter_leaves_words_alone_that_only_look_alike(written: str) -> None:
    assert not codeframes.read("pl").coded(pd.Series([written])).any()


# -- of a client ---------------------------------------------------------------------

CLIENT = "client: acme\nas_of: 2024-07-01\ndata: demo\n"


def of(folder: Path, more: str) -> codeframes.Codeframe:
    (folder / "params").mkdir(exist_ok=True)
    (folder / "params" / "acme.yaml").write_text(CLIENT + more, encoding="utf-8")
    return codeframes.of(params.read(folder / "params" / "acme.yaml"))


def test_a_client_names_a_language_or_a_file_of_its_own(tmp_path: Path) -> None:
    assert of(tmp_path, "").name == "en"
    assert of(tmp_path, "language: pl").themes[0].title == "Dostawa"
    both = of(tmp_path, "language: pl\ncodeframe: en")
    assert (both.name, both.themes[0].title) == ("en", "Dostawa")
    file(tmp_path, "own: {patterns: [own]}")
    assert of(tmp_path, "codeframe: ../acme.yaml").themes[0].name == "own"
    with pytest.raises(ParamsError, match=r"codeframe: there is no file lost\.yaml"):
        of(tmp_path, "codeframe: lost.yaml")
