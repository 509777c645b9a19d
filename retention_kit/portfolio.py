"""One page over all clients: which reports there are, which runs failed and why, what moved since before.

It is made anew from what the runs left behind, never added to, so it cannot disagree with them.
"""

import contextlib
import datetime as dt
import os
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from retention_kit import accounts, cards, catalogues, pages, previous
from retention_kit.accounts import Account
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.params import CHAPTERS
from retention_kit.previous import Previous
from retention_kit.sentences import Voice

INDEX = "index.html"


@dataclass(frozen=True)
class Standing:
    """Where a client stands: the newest good report, and the run after it that failed, where one did."""

    home: Path
    report: Account | None
    failed: Account | None
    figures: Mapping[str, Sequence[Headline]] = field(default_factory=dict, hash=False)
    before: Previous | None = None

    @property
    def newest(self) -> Account:
        return self.failed or self.report


@dataclass(frozen=True)
class Portfolio:
    """All clients, those that failed first; and what else lies in the folder, with why it is not read."""

    standings: Sequence[Standing]
    strange: Sequence[tuple[str, str]]


def write(out: Path) -> Path:
    """Make `<out>/index.html` anew; the old one is replaced in one step.

    What another run wrote in the meantime is noticed, and the page made again: whichever of them comes
    last knows of all.
    """
    while True:
        known = _state(out)
        _replace(out / INDEX, render(read(out), made=dt.datetime.now()))
        if _state(out) == known:
            return out / INDEX


def _state(out: Path) -> list[tuple[Path, int]]:
    """Which runs there are, and when each was written."""
    found = []
    for path in sorted(out.glob(f"[!.]*/[!.]*/{accounts.RUN}")):
        with contextlib.suppress(OSError):  # swapped for a newer one this very moment
            found.append((path, path.stat().st_mtime_ns))
    return found


def _replace(path: Path, text: str) -> None:
    staging = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        staging.write_text(text, encoding="utf-8")
        os.replace(staging, path)
    finally:
        staging.unlink(missing_ok=True)


# -- what there is ---------------------------------------------------------------


def read(out: Path) -> Portfolio:
    """What all runs under a folder left behind; what cannot be read is named, and the others stand."""
    standings, strange = [], []
    for home in accounts.folders(out):
        found, odd = _runs(home)
        strange += odd
        if found:
            standing, odd = _standing(home, found)
            standings.append(standing)
            strange += odd
        elif not odd:
            strange.append((home.name, ""))
    standings.sort(key=lambda one: (one.failed is None, one.newest.told["title"].casefold(), one.home.name))
    return Portfolio(standings, strange)


def _runs(home: Path) -> tuple[list[Account], list[tuple[str, str]]]:
    found, odd = [], []
    for folder in accounts.folders(home):
        try:
            found.append(accounts.read(folder))
        except ReportError as error:
            odd.append((f"{home.name}/{folder.name}", str(error)))
    return found, odd


def _standing(home: Path, found: Sequence[Account]) -> tuple[Standing, list[tuple[str, str]]]:
    """The newest report, and the newest run that failed, if no report is newer."""
    report = max((one for one in found if one.done), key=lambda one: one.moment, default=None)
    failures = [one for one in found if not one.done and (report is None or one.moment >= report.moment)]
    failed = max(failures, key=lambda one: one.moment, default=None)
    if report is None:
        return Standing(home, None, failed), []
    before = previous.find(home, report.as_of)
    try:
        return Standing(home, report, failed, report.figures, before), []
    except ReportError as error:
        return Standing(home, report, failed), [(f"{home.name}/{report.folder.name}", str(error))]


# -- the page --------------------------------------------------------------------


def render(found: Portfolio, *, made: dt.datetime) -> str:
    """The page as one HTML text: self-contained, no script, every value escaped."""
    voice = Voice(language=_language(found.standings))
    chapters = [c for c in CHAPTERS if any(c in each.newest.told["chapters"] for each in found.standings)]
    failures = sum(each.failed is not None for each in found.standings)
    return pages.template("portfolio.html.j2").render(
        lang=voice.language.replace("_", "-"),
        css=pages.css("report.css", "portfolio.css"),
        say=lambda key, **values: voice.say(f"index.{key}", **values),
        made=voice.format(made, "date"),
        clients=len(found.standings),
        reports=sum(each.report is not None for each in found.standings),
        failures=failures,
        chapters=[voice.word("chapter", chapter) for chapter in chapters],
        rows=[_row(each, chapters, voice) for each in found.standings],
        strange=[(name, reason or voice.say("index.no_run")) for name, reason in found.strange],
    )


def _language(standings: Sequence[Standing]) -> str:
    """The language of most clients that there is a catalogue for; English where as many have another."""
    told = Counter(str(each.newest.told.get("language", "en")).split("_")[0] for each in standings)
    known = {language: n for language, n in told.items() if language in catalogues.languages()}
    return max(known, key=lambda language: (known[language], language == "en"), default="en")


def _row(standing: Standing, chapters: Sequence[str], voice: Voice) -> dict[str, Any]:
    told, report = standing.newest.told, standing.report
    page = report.folder / "report.html" if report else None
    linked = page is not None and page.is_file()
    return {
        "title": told["title"],
        "client": told["client"],
        "failed": standing.failed is not None,
        "as_of": voice.format(told["as_of"], "day"),
        "compared": voice.format(standing.before.as_of, "day") if standing.before else "",
        "cells": [_cell(standing, chapter, voice) for chapter in chapters],
        "seconds": _seconds(told.get("seconds"), voice),
        "report": "/".join(map(quote, page.parts[-3:])) if linked else "",
        "report_as_of": voice.format(report.as_of, "day") if report else "",
        "reason": str(told.get("reason") or "") if standing.failed else "",
    }


def _cell(standing: Standing, chapter: str, voice: Voice) -> dict[str, Any]:
    """A chapter's first figure and its change; of a run that failed, how far the chapter came."""
    told = standing.newest.told["chapters"].get(chapter)
    if told is None:
        return {"state": "absent", "words": voice.say("index.absent")}
    if standing.failed:
        state = told.get("status") if told.get("status") in ("done", "failed") else "not_run"
        return {"state": state, "words": voice.say(f"index.{state}")}
    own = _own(standing.report, voice)
    known = [figure for figure in standing.figures.get(chapter, ()) if figure.value is not None]
    if not known or own is None:
        return {"state": "done", "words": voice.say("index.done")}
    figure = known[0]
    change = (
        previous.changes([figure], standing.before, voice=own, words="change.short")[figure.name]
        if standing.before
        else None
    )
    return {
        "state": "figure",
        "label": voice.label(figure.name),
        "value": cards.value(figure, own),
        "change": cards.change_html(change) if change else "",
    }


def _own(account: Account, voice: Voice) -> Voice | None:
    """The client's currency, and the client's own way to write numbers where it is of the page's language."""
    own = str(account.told.get("language"))
    language = own if own.split("_")[0] == voice.language else voice.language
    try:
        return Voice(language=language, currency=str(account.told.get("currency")))
    except ReportError:
        return None  # another version knew it, or another hand wrote it


def _seconds(told: Any, voice: Voice) -> str:
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return ""
    return voice.say("index.seconds", seconds=told)
