"""Public data sets: got from a folder or a server on this machine, checked by sha256, never half kept."""

import functools
import gzip
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyreadr
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


def r_data(table: pd.DataFrame, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An R data file with this table at a mirror, and its sum as the one that is known."""
    [known] = downloads._all()["online_retail"]["files"]
    path = mirror / known["place"]
    path.parent.mkdir(parents=True)
    pyreadr.write_rdata(path, table, df_name="onlineretail", compress="gzip")
    told = known | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
    sets = downloads._all() | {"online_retail": {"files": [told]}}
    monkeypatch.setattr(downloads, "_all", lambda: sets)


@pytest.mark.realdata
def test_an_r_data_file_becomes_what_its_example_reads(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.read_parquet(data_folder / "online_retail" / "online_retail.parquet").head(20_000)
    table = table.astype({"CustomerID": "float64", "InvoiceDate": "datetime64[ns]"})
    r_data(table, tmp_path / "mirror", monkeypatch)
    [path] = downloads.fetch("online_retail", folder=tmp_path / "data", mirror=str(tmp_path / "mirror"))
    assert path == tmp_path / "data" / "online_retail" / "online_retail.parquet"
    made = pd.read_parquet(path)
    for name in ("InvoiceNo", "Country"):
        assert made[name].tolist() == table[name].tolist()
    for name in ("Quantity", "UnitPrice", "CustomerID", "InvoiceDate"):
        assert made[name].astype(table[name].dtype).equals(table[name]), name
    monkeypatch.setenv("RETENTION_KIT_DATA", str(tmp_path / "data"))
    client = params.read(EXAMPLES / "online_retail.yaml", as_of="2010-12-15")
    checks = tables.load(client, "orders").checks
    assert checks["rows"].iloc[0] == 20_000
    assert checks["rows"].iloc[-1] > 10_000
    written = path.stat().st_mtime_ns  # what is there is left alone
    assert downloads.fetch("online_retail", folder=tmp_path / "data") == [path]
    assert path.stat().st_mtime_ns == written


def test_without_its_reader_an_r_data_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    r_data(pd.DataFrame({"InvoiceNo": ["1"]}), tmp_path / "mirror", monkeypatch)
    monkeypatch.setitem(sys.modules, "pyreadr", None)
    with pytest.raises(DataError) as refused:
        downloads.fetch("online_retail", folder=tmp_path / "data", mirror=str(tmp_path / "mirror"))
    assert str(refused.value) == (
        "onlineretail.rda is an R data file. To read it type: pip install 'retention-kit[examples]'"
    )


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_fetched_or_says_why_not(example: Path) -> None:
    text = " ".join(example.read_text(encoding="utf-8").split())
    place = re.search(r"\$\{RETENTION_KIT_DATA\}/(\S+)", text)[1]
    places = {
        file.get("becomes", file["place"]) for told in downloads._all().values() for file in told["files"]
    }
    assert (place in places) == ("Type: retention-kit data fetch" in text)
    assert place in places or "Its sha256 is not known, so it is not fetched" in text


def test_a_set_without_a_sum_is_not_fetched_and_says_what_to_type(tmp_path: Path) -> None:
    """What it says to type puts the file where the example reads it."""
    with pytest.raises(DataError, match="its sha256 is not known, so it is not fetched") as refused:
        downloads.fetch("nps_garden_store", folder=tmp_path)
    (tmp_path / "nps.csv").write_text("id,nps\n1,9\n")
    typed = str(refused.value).partition("and type: ")[2]
    subprocess.run(
        ["sh", "-c", typed], cwd=tmp_path, env=os.environ | {"RETENTION_KIT_DATA": "data"}, check=True
    )
    place = re.search(r"\$\{RETENTION_KIT_DATA\}/(\S+)", (EXAMPLES / "garden_store.yaml").read_text())[1]
    assert gzip.decompress((tmp_path / "data" / place).read_bytes()) == b"id,nps\n1,9\n"


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
