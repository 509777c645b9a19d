"""Cores are shared by those who work at a time, unless somebody has said otherwise."""

import os

import pytest

from retention_kit import cores, inspection, reports, session
from retention_kit.engines import Engine
from retention_kit.exceptions import DataError


def engine_threads() -> int:
    """Those of an engine that is opened anew."""
    engine = session._opened(":memory:")
    try:
        return engine.raw_sql("SELECT current_setting('threads')").fetchone()[0]
    finally:
        engine.disconnect()


@pytest.mark.parametrize(("here", "at_a_time", "each"), [(8, 2, "4"), (8, 3, "2"), (2, 2, "1"), (1, 4, "1")])
def test_each_of_several_has_its_share(
    here: int, at_a_time: int, each: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(cores.CORES, raising=False)
    monkeypatch.setattr(cores, "_here", lambda: here)
    with cores.shared(at_a_time):
        assert os.environ[cores.CORES] == each
        assert engine_threads() == int(each)
    assert cores.CORES not in os.environ


def test_one_alone_has_them_all_and_what_somebody_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cores.CORES, raising=False)
    with cores.shared(1):
        assert cores.told() is None
    monkeypatch.setenv(cores.CORES, "3")
    with cores.shared(2):
        assert (cores.told(), engine_threads()) == (3, 3)


def test_the_chapters_of_a_run_share_them(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.delenv(cores.CORES, raising=False)
    monkeypatch.setattr(cores, "_here", lambda: 8)
    seen = []
    monkeypatch.setattr(reports, "_take", lambda *given: seen.append(cores.told()))
    with Engine("papermill") as engine:
        for jobs in (1, 2, 4):
            reports.run(["demo"], jobs=jobs, out=tmp_path, engine=engine)
        assert seen == [None, 4, 2]
        alone = tmp_path / "alone.yaml"
        alone.write_text("as_of: 2024-07-01\ndata: demo\nchapters: [retention]\n")
        reports.run([alone], jobs=2, out=tmp_path, engine=engine)
    assert seen[3:] == [None]


def test_clients_that_are_checked_at_a_time_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cores.CORES, raising=False)
    monkeypatch.setattr(cores, "_here", lambda: 8)
    seen = []
    monkeypatch.setattr(inspection, "_tried", lambda client: [seen.append(cores.told())])
    monkeypatch.setattr(inspection, "_refuse_twins", lambda found: None)
    for clients, jobs in ((["demo"], 4), (["demo", "demo"], 4), (["demo", "demo"], 1)):
        inspection.check(clients, jobs=jobs)
    assert seen == [None, 4, 4, None, None]


@pytest.mark.parametrize("text", ["two", "0", "-1", "1.5", "²"])
def test_what_is_no_number_of_cores_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cores.CORES, text)
    with pytest.raises(DataError) as refused:
        cores.told()
    assert str(refused.value) == (
        f"RETENTION_KIT_CORES is {text!r}, which is no number of cores. Write it such as 2."
    )
