"""Markdown that cannot do anything but look like text, and formulas as MathML made when the page is made."""

import html
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import mistune
from latex2mathml.converter import convert_to_element
from markupsafe import Markup

from retention_kit.exceptions import ReportError

# As pandoc tells a formula from two prices: no space inside the signs, no digit after the second one.
_INLINE = r"\$(?![\s$])(?P<inline_formula>(?:\\.|[^\\$\n])+?)(?<!\s)\$(?!\d)"
_DISPLAY = r"^ {0,3}\$\$\s*(?P<display_formula>[^$]+?)\s*\$\$[ \t]*$"

# What a formula may be made of. \href, \style and \class write attributes that are not here.
_TAGS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose"),
    *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover"),
    *("mtable", "mtr", "mtd"),
}
_ATTRIBUTES = {
    *("accent", "accentunder", "display", "displaystyle", "fence", "form", "mathvariant", "movablelimits"),
    *("columnalign", "columnlines", "columnspacing", "rowlines", "rowspacing", "linebreak", "linethickness"),
    *("depth", "height", "width", "lspace", "rspace", "voffset", "mathsize", "maxsize", "minsize"),
    *("notation", "scriptlevel", "separator", "stretchy"),
}
_PARTS = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}


def markdown_html(markdown: str) -> Markup:
    """Markdown as HTML: HTML in it shows as text, pictures as their description, links as words.

    `$` is a dollar.

    >>> print(markdown_html("a *b* <c> for $5 or $9").strip())
    <p>a <em>b</em> &lt;c&gt; for $5 or $9</p>
    """
    return Markup(mistune.create_markdown(escape=True, renderer=_Plain(escape=True))(markdown))


def prose_html(markdown: str) -> Markup:
    """A notebook's prose as HTML: markdown as in `markdown_html`, tables, and `$…$` and `$$…$$` as MathML.

    Two prices in a line are no formula.

    >>> print(prose_html("$x^2$, not $5 and $9").strip())
    <p><math><msup><mi>x</mi><mn>2</mn></msup></math>, not $5 and $9</p>
    """
    render = mistune.create_markdown(escape=True, renderer=_Prose(escape=True), plugins=["table", _formulas])
    return Markup(render(markdown))


def formula_html(latex: str, *, display: bool = False) -> Markup:
    """A LaTeX formula as MathML.

    Raises
    ------
    ReportError
        When the formula is empty, unfinished, or holds a command that MathML has no sign for.
    """
    try:
        math = convert_to_element(latex, display="block" if display else "inline")
    except Exception as error:  # the converter's many errors have no kind in common
        told = str(error) or type(error).__name__
        raise ReportError(f"The formula {latex!r} cannot be read: {told}. Mend it in its notebook.") from None
    return Markup("").join(_mathml(math, latex))


class _Plain(mistune.HTMLRenderer):
    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return super().heading(text, min(level + 2, 6))  # below the page's own h1 and h2

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if not re.match(r"(https?://|mailto:)", url, re.IGNORECASE):
            return text
        address = mistune.escape(url.removeprefix("mailto:"))
        return text if text in (address, url) else f"{text} ({address})"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return text  # made of what is inside, which is escaped already


class _Prose(_Plain):
    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return super().heading(text, level - 1)  # a notebook's heading is a section's


# -- formulas ------------------------------------------------------------------


def _formulas(md: mistune.Markdown) -> None:
    """A plugin of mistune's: formulas in a line and on lines of their own."""

    def inline(_: Any, found: re.Match, state: Any) -> int:
        state.append_token({"type": "formula", "raw": found["inline_formula"]})
        return found.end()

    def block(_: Any, found: re.Match, state: Any) -> int:
        state.append_token({"type": "formula", "raw": found["display_formula"], "attrs": {"display": True}})
        return found.end() + 1

    md.inline.register("formula", _INLINE, inline, before="link")
    md.block.register("formula", _DISPLAY, block, before="list")
    md.renderer.register("formula", lambda _, latex, **how: formula_html(latex, **how))


def _mathml(element: Element, latex: str) -> Iterator[Markup]:
    """An element as text, of known tags and attributes alone: the converter's own writer escapes nothing."""
    if element.tag not in _TAGS:
        raise ReportError(f"The formula {latex!r} needs <{element.tag}>, which no report shows.")
    kept = {
        name: value for name, value in element.attrib.items() if name in _ATTRIBUTES and value != "inline"
    }
    attributes = Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in kept.items())
    if len(element) != _PARTS.get(element.tag, len(element)):
        raise ReportError(f"The formula {latex!r} is unfinished. Mend it in its notebook.")
    if element.text == "&":
        raise ReportError(f"The formula {latex!r}: & stands outside of a matrix or cases.")
    text = html.unescape(element.text or "")
    if text.startswith("\\") and text[1:].isalpha():
        raise ReportError(f"The formula {latex!r}: {text} is not a command that a report knows.")
    # A row around one thing says nothing.
    hollow = element.tag == "mrow" and not attributes and len(element) == 1
    if not hollow:
        yield Markup("<{}{}>{}").format(Markup(element.tag), attributes, text)
    for child in element:
        yield from _mathml(child, latex)
    if not hollow:
        yield Markup("</{}>").format(Markup(element.tag))
