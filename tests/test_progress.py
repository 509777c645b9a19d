"""The bar counts chapters and names those that run; where there is no terminal it stays silent."""

import io

import pytest
from rich.console import Console

from retention_kit import progress


@pytest.fixture
def drawn(monkeypatch):
    """What a bar on a terminal of 100 columns has drawn when it ends."""
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(progress, "Console", lambda **how: terminal)
    return screen


def test_the_bar_names_what_runs_and_counts_what_is_done(drawn):
    with progress.bar() as tell:
        for chapter in ("retention", "clv"):
            tell("acme", chapter, "waiting")
            tell("acme", chapter, "started")
        tell("acme", "retention", "done")
    assert "acme clv" in drawn.getvalue()
    assert "1/2" in drawn.getvalue()


def test_every_chapter_is_counted_once_however_it_ends(drawn):
    with progress.bar() as tell:
        for client in ("acme", "bolt"):
            for chapter in ("retention", "clv"):
                tell(client, chapter, "waiting")
        tell("acme", "retention", "kept")
        tell("acme", "clv", "kept")
        tell("acme", "report", "kept")
        tell("bolt", "retention", "started")
        tell("bolt", "retention", "failed")
        tell("bolt", "clv", "left")
        tell("bolt", "report", "failed")
    assert "4/4" in drawn.getvalue()
    assert "5/4" not in drawn.getvalue()


def test_ctrl_c_is_answered_also_where_there_is_no_bar(capsys):
    with progress.bar() as tell:
        tell("", "", "stopping")
    assert capsys.readouterr().err == (
        "Ctrl-C: the notebooks that run are finished, no other is begun. Press it again to end them.\n"
    )


def test_the_bar_is_silent_in_a_pipe(capsys):
    with progress.bar() as tell:
        tell("acme", "clv", "waiting")
        tell("acme", "clv", "started")
    assert capsys.readouterr() == ("", "")
