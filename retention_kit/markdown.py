"""Markdown that cannot do anything but look like text."""

import re
from typing import Any

import mistune
from markupsafe import Markup


def markdown_html(markdown: str) -> Markup:
    """Markdown as HTML: HTML in it shows as text, pictures as their description, links as words.

    >>> print(markdown_html("a *b* <c>").strip())
    <p>a <em>b</em> &lt;c&gt;</p>
    """
    render = mistune.create_markdown(escape=True, renderer=_Plain(escape=True))
    return Markup(render(markdown))


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
