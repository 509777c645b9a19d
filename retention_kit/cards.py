"""Figure cards as HTML: label, big number, what has changed, interval in words, counts, definition.

HTML is put together by `Markup.format` alone, which escapes whatever is not markup already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from retention_kit import grids
from retention_kit.headlines import Headline
from retention_kit.sentences import Voice

_ARROWS = {"up": "▲", "down": "▼", "level": "="}


@dataclass(frozen=True)
class Change:
    """How a figure moved since the client's previous report, in words (`previous` makes it).

    `way` is "up", "down", "level" or "" where nothing can be compared; `tone` is "better" or "worse" only
    where that is claimed.
    """

    text: str
    way: str = ""
    tone: str = ""


def cards_html(
    headlines: Iterable[Headline],
    *,
    voice: Voice,
    definitions: bool = True,
    changes: Mapping[str, Change] | None = None,
) -> Markup:
    """The cards' markup, also for the summary, which leaves the definitions to the report's end.

    `changes` are those since the previous report, by headline: a page knows them, a notebook does not.
    """
    one_by_one = [_card(h, voice, definitions, (changes or {}).get(h.name)) for h in headlines]
    # In JupyterLab there is no style sheet of ours, so the row and the big number say it themselves.
    return Markup('<div class="cards" style="display:flex;flex-wrap:wrap">{}</div>').format(
        grids.join(one_by_one)
    )


def _card(headline: Headline, voice: Voice, definition: bool, change: Change | None) -> Markup:
    parts = [Markup('<p class="label">{}</p>').format(voice.label(headline.name))]
    if headline.period:
        parts.append(Markup('<p class="when">{}</p>').format(headline.period))
    big = "value" if headline.value is not None else "value unknown"
    shown = value(headline, voice)
    # The style sheet makes room for as many signs as there are, on whatever screen.
    html = '<p class="{}" style="font-size:2em;--signs:{}"><span>{}</span></p>'
    parts.append(Markup(html).format(big, len(shown), shown))
    if change:
        parts.append(change_html(change))
    if headline.low is not None:
        parts.append(Markup('<p class="range">{}</p>').format(bounds(headline, voice)))
    if headline.counts:
        parts.append(Markup('<p class="counts">{}</p>').format(counted(headline, voice)))
    if definition:
        parts.append(_definition(headline, voice))
    return Markup('<div class="card" style="margin:0.5em">{}</div>').format(grids.join(parts))


def change_html(change: Change) -> Markup:
    """A change as its arrow and its words; the words alone say all of it."""
    arrow = Markup('<span aria-hidden="true">{}</span> ').format(_ARROWS[change.way]) if change.way else ""
    return Markup('<p class="change {}">{}{}</p>').format(change.tone or "plain", arrow, change.text)


def _definition(headline: Headline, voice: Voice) -> Markup:
    lines = [voice.said(headline.definition)]
    if headline.good != "neither":
        lines.append(voice.say(f"exhibit.good_{headline.good}"))
    lines.append(voice.say("exhibit.as_of", as_of=headline.as_of))
    if headline.interval:
        lines.append(voice.word("interval", headline.interval))
    body = grids.join(Markup("<p>{}</p>").format(line) for line in lines)
    return Markup("<details><summary>{}</summary>{}</details>").format(voice.say("exhibit.definition"), body)


def value(headline: Headline, voice: Voice) -> str:
    """The headline's value in its unit, or the words for one that cannot be known."""
    if headline.value is None:
        return voice.say("exhibit.not_known")
    return voice.format(headline.value, grids.short(headline.unit))


def bounds(headline: Headline, voice: Voice) -> str:
    """The headline's interval in words, or nothing when it has none."""
    if headline.low is None:
        return ""
    low, high = voice.bounds(headline.low, headline.high, grids.short(headline.unit))
    return voice.say("exhibit.between", low=low, high=high)


def counted(headline: Headline, voice: Voice) -> str:
    """What the headline was counted from: Retained 324 · Customers 885."""
    said = []
    for name, count in headline.counts.items():
        unit = "count" if isinstance(count, int) else grids.named_unit(name, {}) or "number"
        said.append(f"{voice.word('column', name)}\N{NO-BREAK SPACE}{voice.format(count, unit)}")
    return " · ".join(said)
