"""The package as one file: what pip will find in it, byte by byte the same each time."""

import base64
import csv
import hashlib
import io
import tomllib
import zipfile
from pathlib import Path

import pytest

from retention_kit import wheels

CLONE = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return wheels.write(tmp_path_factory.mktemp("wheel"))


def test_its_name_says_it_runs_anywhere(wheel):
    from retention_kit import __version__

    assert wheel.name == f"retention_kit-{__version__}-py3-none-any.whl"


def test_the_record_lists_every_file_with_its_hash(wheel):
    with zipfile.ZipFile(wheel) as archive:
        record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        listed = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert [name for name, _, _ in listed] == archive.namelist()
        for name, digest, size in listed[:-1]:
            data = archive.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={found}", str(len(data)))
    assert listed[-1] == [record, "", ""]


def test_it_holds_all_that_the_package_needs_and_nothing_a_machine_left(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    modules = {f"retention_kit/{path.name}" for path in (CLONE / "retention_kit").glob("*.py")}
    assert modules < set(names)
    assert {
        "retention_kit/catalogue/en.yaml",
        "retention_kit/codeframes/pl.yaml",
        "retention_kit/nothing_to_say.yaml",
        "retention_kit/notebooks/retention.ipynb",
        "retention_kit/templates/report/report.css",
        "retention_kit/templates/project/gitignore",
        "retention_kit/templates/project/params/demo.yaml",
    } < set(names)
    assert not [name for name in names if "__pycache__" in name or "/." in name]


def test_the_build_puts_the_same_files_in_the_same_places():
    build = tomllib.loads((CLONE / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    forced = build["targets"]["wheel"]["force-include"]
    assert forced == {name: f"retention_kit/{place}" for name, place in wheels.TRAVELS.items()}


def test_the_same_package_makes_the_same_bytes(wheel, tmp_path):
    assert wheels.write(tmp_path).read_bytes() == wheel.read_bytes()


def test_a_copy_that_was_never_installed_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "_NAME", "retention-kit-elsewhere")
    with pytest.raises(wheels.ReportError) as error:
        wheels.write(tmp_path)
    assert str(error.value) == "The package is not installed. Type: pip install -e . in its folder."
