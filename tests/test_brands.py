"""A logo is what it draws and nothing else; colours can be read; each mistake says what to do."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from pydantic import ValidationError

from retention_kit import brands
from retention_kit.brands import Brand

W3 = "http://www.w3.org"
SVG = f'<svg xmlns="{W3}/2000/svg" xmlns:xlink="{W3}/1999/xlink" viewBox="0 0 8 4">{{}}</svg>'
SHAPE = '<defs><linearGradient id="g"/></defs><path fill="url(#g)" d="M0 0h8v4z"/><use xlink:href="#g"/>'


def saved(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def picture(kind: str, size: tuple[int, int] = (40, 20), **how: object) -> bytes:
    mode = "RGB" if kind == "JPEG" else "RGBA"
    file = io.BytesIO()
    Image.new(mode, size, "#0b3d5c").save(file, kind, **how)
    return file.getvalue()


def content(uri: str, kind: str) -> bytes:
    start = f"data:image/{kind};base64,"
    assert uri.startswith(start)
    return base64.b64decode(uri.removeprefix(start))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pixels_are_written_anew_and_small(tmp_path: Path, kind: str) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "where it was made")
    how = {"pnginfo": told} if kind == "PNG" else {"comment": b"where it was made"}
    logo = saved(tmp_path, "logo.jpg", picture(kind, (3000, 1000), **how))
    drawn = content(brands.embedded(logo), kind.lower())
    image = Image.open(io.BytesIO(drawn))
    assert (image.size, image.format) == ((900, 300), kind)
    assert b"where it was made" in logo.read_bytes()
    assert b"where it was made" not in drawn


def test_of_an_svg_stays_what_draws(tmp_path: Path) -> None:
    notes = '<e:view xmlns:e="urn:editor" at="C:/home"/><g xmlns:e="urn:e" e:label="mine"/><!-- me@home -->'
    before = '<?xml-stylesheet href="//far"?><!DOCTYPE svg>'
    logo = saved(tmp_path, "logo.svg", before + SVG.format(SHAPE + notes))
    drawn = content(brands.embedded(logo), "svg+xml").decode()
    assert "M0 0h8v4z" in drawn
    assert "url(#g)" in drawn
    assert [left for left in ("editor", "mine", "me@home", "far", "DOCTYPE") if left in drawn] == []


@pytest.mark.parametrize(
    ("inside", "harm"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<foreignObject><b/></foreignObject>", "<foreignObject>"),
        ('<path onclick="alert(1)" d="M0 0"/>', "onclick"),
        ('<image href="https://far.example/x.png"/>', "a link to https://far.example/x.png"),
        ('<use xlink:href="data:image/svg+xml,x"/>', "a link to data:image/svg+xml,x"),
        ('<a href=" javascript:alert(1)"/>', "a link to  javascript:alert(1)"),
        ("<style>@import 'far.css';</style>", "a style that fetches something"),
        ('<path fill="url(//far.example/g)"/>', "fill='url(//far.example/g)'"),
        ('<path style="fill:u\\72l(//far.example)"/>', "style='fill:u\\\\72l(//far.example)'"),
        ('<set attributeName="href" to="javascript:x"/>', "<set>"),
    ],
)
def test_an_svg_that_does_more_than_draw_is_refused(tmp_path: Path, inside: str, harm: str) -> None:
    with pytest.raises(ValueError) as error:
        brands.embedded(saved(tmp_path, "logo.svg", SVG.format(inside)))
    assert str(error.value) == (
        f"logo.svg holds {harm}, and a logo may only draw; export it as plain SVG, or save it as PNG"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "logo.png",
            b"GIF89a",
            "logo.png is none of PNG, JPEG and SVG, whatever its name says; save it as one",
        ),
        ("logo.png", picture("PNG")[:60], "logo.png cannot be read as an image; save it again"),
        (
            "logo.png",
            b"\x89PNG" + b"x" * 5_000_000,
            "logo.png has 5.0 MB, and 5 are the most; save it smaller",
        ),
        (
            "logo.png",
            picture("PNG", (41_000, 1000)),
            "logo.png is 41000 by 1000 pixels; 900 wide is enough",
        ),
        (
            "logo.svg",
            b"<svg>",
            "logo.svg is not whole: no element found: line 1, column 5; export it again",
        ),
        (
            "logo.svg",
            b"<svg/>",
            "logo.svg does not say that it is SVG; export it as plain SVG, or save it as PNG",
        ),
        (
            "logo.svg",
            b'<!DOCTYPE svg [<!ENTITY a "aa">]><svg>&a;</svg>',
            "logo.svg defines entities; export it as plain SVG, or save it as PNG",
        ),
    ],
)
def test_what_is_no_logo_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(ValueError) as error:
        brands.embedded(saved(tmp_path, name, content))
    assert str(error.value) == message


def test_a_logo_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        brands.embedded(tmp_path / "logos" / "ours.svg")
    assert str(error.value) == "there is no file ours.svg in logos"


@pytest.mark.parametrize("colours", [(), ("#0b3d5c",), ("#03c", "#ffee00")])
def test_colours_that_can_be_read(colours: tuple) -> None:
    assert Brand(colours=colours).colours == colours


@pytest.mark.parametrize(
    ("colours", "message"),
    [
        (
            ["#ffcc00"],
            "#ffcc00 has a contrast of 1.5 with white, and text needs 4.5; put a darker one first, such as "
            "#8f7200 (the second one may be any: it is for lines and surfaces)",
        ),
        (None, 'write colours in quotes, such as ["#0b3d5c", "#e69f00"]'),
        (["#000", None], 'write colours in quotes, such as ["#0b3d5c", "#e69f00"]'),
        (["teal"], "'teal' is no colour; write one as \"#0b3d5c\""),
        (["#000", "#000;}</style>"], "'#000;}</style>' is no colour; write one as \"#0b3d5c\""),
        (["#000", "#111", "#222"], "these are 3; give one or two"),
    ],
)
def test_colours_that_cannot(colours: object, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        Brand(colours=colours)
    assert error.value.errors()[0]["msg"] == f"Value error, {message}"
