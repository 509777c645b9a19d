"""Where a source lies, before anything of it is read."""

from pathlib import Path

import pytest

from retention_kit import places
from retention_kit.exceptions import DataError


def test_a_pattern_is_its_files_in_order_and_the_demo_company_has_none(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).touch()
    assert places.files(f"{tmp_path}/*.csv") == [tmp_path / "a.csv", tmp_path / "b.csv"]
    assert places.files(f"{tmp_path}/c.txt") == [tmp_path / "c.txt"]
    assert places.files("package://retention_kit/policies.yaml")[0].is_file()
    assert places.files("demo://orders") == []


def test_a_database_has_no_files_and_its_password_is_not_repeated() -> None:
    assert places.is_database("postgres://me:secret@host/shop")
    assert not places.is_database("postgres")
    with pytest.raises(DataError) as refused:
        places.files("postgres://me:secret@host/shop")
    assert str(refused.value) == "The rows of a database are no files."
    with pytest.raises(DataError) as refused:
        places.files("ftp://me:secret@host/shop.csv")
    assert str(refused.value) == (
        "An address (ftp://) is no source. Save it as a file, or name a database: postgres://, "
        "postgresql://, duckdb://, sqlite://, bigquery://, snowflake://, spark://."
    )
