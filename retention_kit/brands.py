"""Whose report it is: name, logo, two colours and who may read it, as a client file says them."""

import base64
import io
import re
import warnings
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

from pydantic import BaseModel, ConfigDict, Field, field_validator

from retention_kit import colours

_LARGEST = 5_000_000  # bytes of a logo file
_PIXELS = 40_000_000
_SHOWN = (900, 300)  # pixels that a logo is embedded with at most: three times what a page shows

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = re.compile(r"#|data:image/(png|jpeg);base64,", re.IGNORECASE)
_FETCHES = re.compile(r"url\((?!\s*['\"]?#)|@|\\", re.IGNORECASE)
_PLAINER = "export it as plain SVG, or save it as PNG"
# Elements that do something instead of drawing something.
_ACTS = {
    "script",
    "foreignObject",
    "iframe",
    "audio",
    "video",
    "animate",
    "animateTransform",
    "set",
    "handler",
}


class Brand(BaseModel):
    """The consultant's own look. Nothing of it is needed, and nothing of it needs a chapter run again.

    `colours` are one or two: the first for headings, links and lines, dark enough to be read on white;
    the second for lines and surfaces alone. `logo` is a file; once a client file is read, a data URI.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(max_length=100)] = ""
    logo: str = ""
    colours: tuple[str, ...] = ()
    confidentiality: Annotated[str, Field(max_length=200)] = ""

    @field_validator("colours", mode="before")
    @classmethod
    def _is_a_list_in_quotes(cls, given: Any) -> Any:
        """YAML takes what follows a bare # for a comment, so a colour without quotes is nothing at all."""
        listed = given if isinstance(given, (list, tuple)) else [given]
        if not all(isinstance(colour, str) and colour for colour in listed):
            raise ValueError('write colours in quotes, such as ["#0b3d5c", "#e69f00"]')
        return listed

    @field_validator("colours")
    @classmethod
    def _can_be_read(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(given) > 2:
            raise ValueError(f"these are {len(given)}; give one or two")
        for colour in given:
            if colours.rgb(colour) is None:
                raise ValueError(f'{colour!r} is no colour; write one as "#0b3d5c"')
        contrast = colours.on_white(colours.rgb(given[0])) if given else colours.READABLE
        if contrast < colours.READABLE:
            raise ValueError(
                f"{given[0]} has a contrast of {contrast:.1f} with white, and text needs 4.5; "
                f"put a darker one first, such as {colours.darkened(colours.rgb(given[0]))} "
                "(the second one may be any: it is for lines and surfaces)"
            )
        return given


def embedded(logo: Path) -> str:
    """A logo as a data URI: its pixels or lines alone, none of what else an image file can carry.

    Pixels are written anew, no larger than a page needs; of an SVG stays what draws.

    Raises
    ------
    ValueError
        When there is no such file, it is too large, it is none of PNG, JPEG and SVG by what is in it,
        or it is an SVG that would run something or fetch something.
    """
    if not logo.is_file():
        raise ValueError(f"there is no file {logo.name} in {logo.parent.name or logo.parent}")
    if logo.stat().st_size > _LARGEST:
        raise ValueError(
            f"{logo.name} has {logo.stat().st_size / 1e6:.1f} MB, and {_LARGEST / 1e6:g} are the most; "
            "save it smaller"
        )
    content = logo.read_bytes()
    if content.startswith((b"\x89PNG", b"\xff\xd8\xff")):
        kind, small = _pixels(logo.name, content)
    elif b"<svg" in content[:4096].replace(b"svg:svg", b"svg"):
        kind, small = "svg+xml", _drawing(logo.name, content)
    else:
        raise ValueError(f"{logo.name} is none of PNG, JPEG and SVG, whatever its name says; save it as one")
    return f"data:image/{kind};base64,{base64.b64encode(small).decode('ascii')}"


def _pixels(name: str, content: bytes) -> tuple[str, bytes]:
    from PIL import Image, ImageOps  # only where there is a logo

    small = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
        if image.width * image.height > _PIXELS:
            raise ValueError(f"{name} is {image.width} by {image.height} pixels; {_SHOWN[0]} wide is enough")
        kind = image.format.lower()
        image = ImageOps.exif_transpose(image).convert("RGB" if kind == "jpeg" else "RGBA")
        image.thumbnail(_SHOWN)
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(f"{name} cannot be read as an image; save it again") from None
    profile = image.info.get("icc_profile")  # all else that is told in the file stays behind
    image.info.clear()
    image.save(small, kind, optimize=True, quality=90, icc_profile=profile)
    return kind, small.getvalue()


def _drawing(name: str, content: bytes) -> bytes:
    if b"<!ENTITY" in content:
        raise ValueError(f"{name} defines entities; {_PLAINER}")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise ValueError(f"{name} is not whole: {error}; export it again") from None
    if root.tag != f"{_SVG}svg":
        raise ValueError(f"{name} does not say that it is SVG; {_PLAINER}")
    for element in list(root.iter()):  # what an editor keeps for itself
        for child in [child for child in element if not child.tag.startswith(_SVG)]:
            element.remove(child)
        for key in [key for key in element.attrib if key.startswith("{") and _name(key) != "href"]:
            del element.attrib[key]
    harm = next((harm for element in root.iter() if (harm := _harm(element))), None)
    if harm:
        raise ValueError(f"{name} holds {harm}, and a logo may only draw; {_PLAINER}")
    return ElementTree.tostring(root)


def _harm(element: ElementTree.Element) -> str:
    """What an element of an SVG would do besides drawing, in words; nothing for most."""
    tag = _name(element.tag)
    if tag in _ACTS:
        return f"<{tag}>"
    if tag == "style" and _FETCHES.search(element.text or ""):
        return "a style that fetches something"
    for key, value in element.attrib.items():
        attribute = _name(key).lower()
        if attribute.startswith("on"):
            return attribute
        if attribute == "href" and not _LINK.match(value.strip()):
            return f"a link to {value[:40]}"
        if (attribute == "style" or "(" in value) and _FETCHES.search(value):
            return f"{attribute}={value[:40]!r}"
    return ""


def _name(qualified: str) -> str:
    return qualified.rpartition("}")[2]
