"""What reaches a page: cards, findings, sentences, figures, tables, checks.

Escaping lives here, in `cards` and in `grids`: HTML is put together by `Markup.format`
alone, which escapes whatever is not markup already, so a customer named
`<script>` is a customer. Each exhibit shows itself in JupyterLab and carries
its data beside its HTML, from which `pages` builds the summary and `reports`
writes the files.
"""

import base64
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from cycler import cycler
from markupsafe import Markup

from retention_kit import grids
from retention_kit.cards import cards_html, value
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.markdown import markdown_html
from retention_kit.phrases import Told
from retention_kit.sentences import Voice

if TYPE_CHECKING:  # a page is made of what was drawn, without what draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from retention_kit.tables import Loaded

MIME = "application/vnd.retention-kit.{}+json"

# Okabe and Ito's colours, told apart by colour-blind readers; black stays for text.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442")
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 10,
    "text.color": "#1f2933",
    "axes.labelcolor": "#52606d",
    "axes.edgecolor": "#9aa5b1",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.8,
    "xtick.color": "#52606d",
    "ytick.color": "#52606d",
    "ytick.left": False,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "figure.facecolor": "white",
}
_DPI = 144
_LONG = 20  # rows from which the data behind a figure stays closed in print


@dataclass(frozen=True)
class Exhibit:
    """Something to look at: HTML for pages and notebooks, text for terminals, data for files."""

    html: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": str(self.html), "text/plain": self.text, **self.data}

    def __repr__(self) -> str:
        return self.text


# -- words ---------------------------------------------------------------------


def finding(text: str) -> Exhibit:
    """A heading that states what was found; the summary repeats each chapter's first ones.

    A sentence of the catalogue stands below the heading that it brings along (`phrases.Told`); any other
    text is the heading itself.
    """
    told = {"heading": _filled(text, "A finding"), "text": text}
    html = Markup('<h2 class="finding">{heading}</h2>')
    if isinstance(text, Told):
        told |= {"heading": text.heading, "known": text.known}
        html += Markup('<p class="sentence">{text}</p>')
    return Exhibit(html.format(**told), text, {MIME.format("finding"): told})


def sentence(text: str) -> Exhibit:
    """A sentence that was made from measured values, as a paragraph. It is text, not markdown."""
    html = Markup('<p class="sentence">{}</p>').format(_filled(text, "A sentence"))
    return Exhibit(html, text, {MIME.format("sentence"): {"text": text}})


def notes(markdown: str) -> Exhibit:
    """The consultant's own words, in markdown that cannot do anything but look like text.

    HTML shows as text, pictures as their description, a link as its words with
    the address in print (a report reaches out for nothing), `$` is a dollar.
    """
    return Exhibit(Markup('<div class="notes">{}</div>').format(markdown_html(markdown)), markdown)


# -- cards ---------------------------------------------------------------------


def cards(*headlines: Headline, voice: Voice) -> Exhibit:
    """Figure cards: label, big number, interval in words, counts, and the definition to open."""
    if not headlines:
        raise ReportError("cards() needs at least one headline.")
    text = "\n".join(f"{voice.label(h.name)}: {value(h, voice)}" for h in headlines)
    said = [replace(h, definition=_own_definition(h, voice)) for h in headlines]
    # A notebook file sorts keys; pairs keep the order of the counts.
    told = [h.to_json() | {"counts": [list(pair) for pair in h.counts.items()]} for h in said]
    data = {MIME.format("headline"): {"headlines": told}}
    return Exhibit(cards_html(said, voice=voice), text, data)


def _own_definition(headline: Headline, voice: Voice) -> str:
    """The definition in the report's language; of a part of what a metric told, first which part it is."""
    if headline.name in voice.words("figure"):
        return voice.phrase(f"figure.{headline.name}", of=headline.definition)
    return voice.said(headline.definition)


# -- figures -------------------------------------------------------------------


def axes(*, width: float = 7.2, height: float = 3.6) -> "Axes":
    """An empty Axes in the house look, outside pyplot, so that nothing draws it a second time.

    Sizes are inches. Hand it to a plot: `plots.plot_churn_rates(rates, ax=exhibits.axes())`.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        drawn = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(drawn)
        ax = drawn.add_subplot()
    # Ticks and labels that a plot adds later are made outside the context: told here once.
    for way, left in (("x", 3), ("y", 0)):
        ax.tick_params(axis=way, length=left, labelsize=9, colors="#52606d", labelcolor="#52606d")
    return ax


def figure(
    ax: "Axes",
    *,
    name: str,
    alt: str,
    caption: str,
    frame: pd.DataFrame,
    voice: Voice,
    formats: Mapping[str, str] | None = None,
) -> Exhibit:
    """The picture that was drawn on `ax`, with its words for who cannot see it and the data behind it.

    Draws once and closes the figure. `frame` goes into the page to open and to
    `tables/<name>.csv`; `formats` as in `table`.

    Raises
    ------
    ReportError
        When `alt` or `caption` is blank: a picture without words says nothing to some readers.
    """
    _filled(alt, f"Figure {name!r}: alt, what the picture shows in words,")
    data = grids.table_data(frame, name, caption, voice, formats or {})
    png, (width, height) = _drawn(ax.figure.figure)
    rows = grids.scroll(grids.plain(frame, voice, formats or {}, caption=None), caption)
    in_print = "long" if len(frame) > _LONG else "short"
    html = Markup(
        '<figure class="chart"><div class="picture" role="group" aria-label="{}" tabindex="0">'
        '<img src="data:image/png;base64,{}" width="{}" height="{}" alt="{}"></div>'
        '<figcaption>{}</figcaption>'
        '<details class="{}"><summary>{}</summary>{}</details></figure>'
    ).format(
        caption, base64.b64encode(png).decode("ascii"), width, height, alt, caption,
        in_print, voice.say("exhibit.figure_data"), rows,
    )  # fmt: skip
    return Exhibit(html, f"{caption}\n{alt}", {MIME.format("table"): data})


def picture(png: str, *, alt: str) -> Markup:
    """A picture that a cell drew without us, from its base64, with words for who cannot see it."""
    return Markup('<figure class="bare"><img src="data:image/png;base64,{}" alt="{}"></figure>').format(
        png.replace("\n", ""), alt
    )


def _drawn(drawn: "Figure") -> tuple[bytes, tuple[int, int]]:
    """The figure as a small PNG, and its size on the page in pixels."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text
    from PIL import Image

    for words in drawn.findobj(Text):
        words.set_parse_math(False)  # a plan called "$5 or $9" is no formula
    drawn.set_dpi(_DPI)
    canvas, small = FigureCanvasAgg(drawn), io.BytesIO()
    with rc_context(STYLE):
        canvas.draw()  # `savefig` would lay out everything twice
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    # An octree is a fifth of the work of a median cut; level 9 would take 6 times as long for 3 % less.
    few = picture.quantize(128, method=Image.Quantize.FASTOCTREE)
    # The octree's white is 254, which shows as a grey box on a white page.
    few.putpalette([255 if shade > 252 else shade for shade in few.getpalette()])
    few.save(small, "PNG", compress_level=6)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(drawn)
    width, height = (round(inches * 100) for inches in drawn.get_size_inches())
    return small.getvalue(), (width, height)


# -- tables --------------------------------------------------------------------


def table(
    frame: pd.DataFrame,
    *,
    name: str,
    caption: str,
    voice: Voice,
    formats: Mapping[str, str] | None = None,
) -> Exhibit:
    """A frame as a plain table, every value in its column's unit.

    `formats` maps a column to a unit of `Voice.format`. Without it a `_rate` or
    `_share` is a share, whole numbers are counts, first days of months are
    months, and `low` and `high` are in the unit of the rate they belong to.
    """
    data = grids.table_data(frame, name, caption, voice, formats or {})
    html = grids.scroll(grids.plain(frame, voice, formats or {}, caption), caption)
    return Exhibit(html, f"{caption}\n{frame.to_string(index=False)}", {MIME.format("table"): data})


def customer_table(
    frame: pd.DataFrame,
    *,
    name: str,
    caption: str,
    voice: Voice,
    show: bool,
    formats: Mapping[str, str] | None = None,
) -> Exhibit:
    """A table of single customers: written to `tables/<name>.csv`, on the page only where `show` says so.

    A report goes to more people than the list of whom to call. Without `show` the page says how many
    are on the list and where it is.
    """
    told = grids.table_data(frame, name, caption, voice, formats or {})
    data = {MIME.format("table"): told | {"file": name}}
    if show:
        return replace(table(frame, name=name, caption=caption, voice=voice, formats=formats), data=data)
    words = voice.say("exhibit.customer_table", customers=len(frame), file=f"tables/{name}.csv")
    html = Markup('<p class="sentence">{}</p>').format(words)
    return Exhibit(html, words, data)


def heat_table(
    frame: pd.DataFrame,
    *,
    name: str,
    caption: str,
    voice: Voice,
    index: str = "cohort",
    columns: str = "age",
    values: str = "retention_rate",
    size: str | None = "customers",
    counts: str | None = "retained",
    unit: str = "share.0",
) -> Exhibit:
    """A long frame as a coloured triangle: one row an `index`, one column a `columns`.

    A missing cell is a gap, an observed nothing a coloured 0. The ramp runs from
    zero to the largest value, so equal colours mean equal values and small
    differences look small. A first column that is 1 by construction is left out:
    the size says it. Each cell's counts are in its title.
    """
    if frame.empty:
        return table(frame, name=name, caption=caption, voice=voice)
    data = grids.table_data(frame, name, caption, voice, {values: unit})
    html = grids.heat(
        frame,
        voice,
        caption,
        index=index,
        columns=columns,
        values=values,
        size=size,
        counts=counts,
        unit=unit,
    )
    text = frame.pivot(index=index, columns=columns, values=values).to_string()
    return Exhibit(grids.scroll(html, caption), f"{caption}\n{text}", {MIME.format("table"): data})


# -- data checks ---------------------------------------------------------------

_CHECK_UNITS = {"rule": "text", "rows": "count", "amount": "money", "example": "text"}


def data_checks(*loaded: "Loaded", voice: Voice) -> Exhibit:
    """How many rows were read, set aside and kept, and what the reader should know about the data."""
    checks = [_check_data(one, voice) for one in loaded]
    html = grids.join(checks_html(one, voice=voice) for one in checks)
    text = "\n\n".join(f"{one.kind}\n{one.checks.to_string(index=False)}" for one in loaded)
    return Exhibit(html, text, {MIME.format("checks"): {"checks": checks}})


def warnings(*loaded: "Loaded", voice: Voice) -> Exhibit | None:
    """What a reader must know of the data before the figures that rest on it; nothing where all is well."""
    found = [n for one in loaded for n in _notes(one, voice) if n["level"] == "warning"]
    if not found:
        return None
    html = Markup('<ul class="remarks">{}</ul>').format(grids.join(_note(note, voice) for note in found))
    texts = [note["text"] for note in found]
    return Exhibit(html, "\n".join(texts), {MIME.format("warnings"): {"warnings": texts}})


def _check_data(loaded: "Loaded", voice: Voice) -> dict[str, Any]:
    return {
        "kind": loaded.kind,
        "as_of": grids.json_value(loaded.as_of),
        "observed_from": grids.json_value(loaded.observed_from),
        "observed_until": grids.json_value(loaded.observed_until),
        "columns": [str(column) for column in loaded.checks.columns],
        "rows": grids.json_rows(loaded.checks),
        "notes": _notes(loaded, voice),
    }


def _notes(loaded: "Loaded", voice: Voice) -> list[dict[str, str]]:
    return [{"level": note.level, "text": str(voice.said(note.text))} for note in loaded.notes]


def checks_html(check: Mapping[str, Any], *, voice: Voice, used_in: str = "") -> Markup:
    """One table's account, from its data: pages print each once, whichever chapters read it."""
    kind = voice.word("kind", check["kind"])
    caption = voice.say("exhibit.checks_caption", kind=kind)
    rules = pd.DataFrame(check["rows"], columns=check["columns"]).dropna(axis="columns", how="all")
    rules["rule"] = [voice.word("rule", rule) for rule in rules["rule"]]
    parts = [Markup("<h3>{}</h3>").format(kind)]
    parts += [Markup("<p>{}</p>").format(line) for line in (used_in, _observed(check, voice)) if line]
    parts.append(grids.scroll(grids.plain(rules, voice, _CHECK_UNITS, caption), caption))
    if check["notes"]:
        items = [_note(note, voice) for note in check["notes"]]
        parts.append(Markup('<ul class="remarks">{}</ul>').format(grids.join(items)))
    return Markup('<section class="checks">{}</section>').format(grids.join(parts))


def _observed(check: Mapping[str, Any], voice: Voice) -> str:
    as_of, until = check["as_of"], check["observed_until"]
    if not as_of:
        return ""
    if until and until != as_of:
        return voice.say("exhibit.observed_until", until=until, as_of=as_of)
    return voice.say("exhibit.read_as_of", as_of=as_of)


def _note(note: Mapping[str, str], voice: Voice) -> Markup:
    level = voice.word("level", note["level"])
    return Markup('<li class="{}"><strong>{}</strong> {}</li>').format(note["level"], level, note["text"])


def _filled(text: str, what: str) -> str:
    if not text or not text.strip():
        raise ReportError(f"{what} is blank.")
    return text
