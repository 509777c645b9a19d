"""Public data sets: got from a folder or a server on this machine, checked by sha256, never half kept."""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from retention_kit import downloads, params, tables
from retention_kit.cli import app
from retention_kit.exceptions import DataError, ParamsError

EXAMPLES = Path(__file__).parent.parent / "params" / "examples"
PLACE = "saas_mrr_playbook/subscription_periods.csv"


@pytest.fixture
def server(data_folder: Path) -> Iterator[str]:
    """The public data on a server of this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(data_folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def of_another(tmp_path: Path, content: bytes) -> Path:
    mirror = tmp_path / "mirror"
    (mirror / PLACE).parent.mkdir(parents=True)
    (mirror / PLACE).write_bytes(content)
    return mirror


@pytest.mark.realdata
def test_an_example_runs_on_what_was_fetched(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [path] = downloads.fetch("saas_mrr_playbook", folder=tmp_path / "data", mirror=server)
    assert path == tmp_path / "data" / PLACE
    monkeypatch.setenv("RETENTION_KIT_DATA", str(tmp_path / "data"))
    client = params.read(EXAMPLES / "saas_playbook.yaml")
    assert tables.load(client, "subscriptions").checks["rows"].iloc[0] == 121


@pytest.mark.realdata
def test_the_command_gets_a_set_from_a_folder_and_leaves_alone_what_is_there(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_KIT_DATA", str(tmp_path))
    said = ["data", "fetch", "saas_mrr_playbook"]
    first = CliRunner().invoke(app, [*said, "--mirror", str(data_folder)])
    assert first.output.splitlines() == [str(tmp_path / PLACE)]
    again = CliRunner().invoke(app, [*said, "--mirror", str(tmp_path / "nowhere")])
    assert again.output.splitlines() == [str(tmp_path / PLACE)]


def test_a_file_that_is_another_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    mirror = of_another(tmp_path, b"a" * 3809)
    with pytest.raises(DataError) as refused:
        downloads.fetch("saas_mrr_playbook", folder=tmp_path / "data", mirror=str(mirror))
    assert "is not the file that is known: its sha256 is " in str(refused.value)
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


def test_a_file_that_is_too_long_is_not_read_to_its_end(tmp_path: Path) -> None:
    mirror = of_another(tmp_path, b"a" * 4_000_000)
    with pytest.raises(DataError, match="is longer than the 3,809 bytes that are known of it"):
        downloads.fetch("saas_mrr_playbook", folder=tmp_path / "data", mirror=str(mirror))
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


def test_what_cannot_be_fetched_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETENTION_KIT_DATA", raising=False)
    with pytest.raises(ParamsError, match="Did you mean 'cdnow'"):
        downloads.fetch("cdnwo")
    with pytest.raises(ParamsError, match="Where to"):
        downloads.fetch("cdnow")
    with pytest.raises(DataError, match="cannot be had: "):
        downloads.fetch("cdnow", folder=tmp_path, mirror=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", downloads.names())
def test_every_set_says_where_it_is_how_long_and_what_its_sum_is(name: str) -> None:
    told = downloads._all()[name]
    assert told["title"] and told["licence"]
    for file in told["files"]:
        assert file["address"].startswith("https://")
        assert re.fullmatch("[0-9a-f]{64}", file["sha256"])
        assert file["bytes"] > 0
        assert file["place"].startswith(f"{name}/")


def test_an_example_says_how_its_data_are_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETENTION_KIT_DATA", raising=False)
    with pytest.raises(ParamsError, match="Type: retention-kit data fetch saas_mrr_playbook"):
        params.read(EXAMPLES / "saas_playbook.yaml")
