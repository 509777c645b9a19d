"""Tables that stay in a database: opened by URL, asked where they are, so that only answers travel."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis
import ibis.expr.types as ir
import sqlglot
import sqlglot.expressions as sge
from ibis.backends import BaseBackend
from ibis.backends.sql.compilers.bigquery import BigQueryCompiler
from ibis.backends.sql.compilers.postgres import PostgresCompiler
from ibis.backends.sql.compilers.snowflake import SnowflakeCompiler
from sqlglot.errors import SqlglotError

from retention_kit import spark
from retention_kit.exceptions import DataError, did_you_mean
from retention_kit.opened import Source
from retention_kit.places import DATABASES

_FILES = ("duckdb", "sqlite")
_LOCAL_TIME = "timezone"  # DuckDB's and PostgreSQL's name of `spelled.local_time`
_LISTED = 20  # tables that a message names
_CHANGES = (sge.DML, sge.DDL, sge.Into, sge.Command)


class _Spelled(PostgresCompiler):
    """Ibis 12 writes CAST(TRUE AS BIGINT), which PostgreSQL refuses; by way of INTEGER it does not."""

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
        if op.arg.dtype.is_boolean() and to.is_numeric():
            arg = self.cast(arg, ibis.dtype("int32"))
        return super().visit_Cast(op, arg=arg, to=to)

    visit_TryCast = visit_Cast


class _SpelledForBigQuery(BigQueryCompiler):
    """Ibis 12 asks BigQuery for TIMESTAMP_ADD and UNIX_SECONDS of moments without a zone, which it refuses.

    Such a moment is a DATETIME there, and TIMESTAMP_ADD adds no months. The wall clock of a zone is
    another function.
    """

    def visit_TimestampAddSub(self, op: Any, *, left: Any, right: Any) -> Any:
        asked = super().visit_TimestampAddSub(op, left=left, right=right)
        if op.left.dtype.timezone is None:
            asked = self.f.anon[asked.name.replace("TIMESTAMP", "DATETIME")](left, right)
        return asked

    visit_TimestampAdd = visit_TimestampSub = visit_TimestampAddSub

    def visit_ExtractEpochSeconds(self, op: Any, *, arg: Any) -> Any:
        return self.f.unix_seconds(self.f.anon.TIMESTAMP(arg))

    def visit_ScalarUDF(self, op: Any, **given: Any) -> Any:
        if self.__sql_name__(op) == _LOCAL_TIME:
            return self.f.anon.DATETIME(given["moment"], given["zone"])
        return super().visit_ScalarUDF(op, **given)


class _SpelledForSnowflake(SnowflakeCompiler):
    """The wall clock of a zone is another function there."""

    def visit_ScalarUDF(self, op: Any, **given: Any) -> Any:
        if self.__sql_name__(op) == _LOCAL_TIME:
            there = self.f.anon.CONVERT_TIMEZONE(given["zone"], given["moment"])
            return self.cast(there, ibis.dtype("timestamp"))
        return super().visit_ScalarUDF(op, **given)


#: How databases are asked, where Ibis asks in words that they do not know.
COMPILERS = {"postgres": _Spelled, "bigquery": _SpelledForBigQuery, "snowflake": _SpelledForSnowflake}


def spelled(table: ir.Table) -> Source:
    """An Ibis table as a source; its database is asked in words that it knows from here on."""
    backends, _ = table._find_backends()
    for backend in backends:
        _spell(backend)
    place = backends[0].name if backends else ""
    return Source("the table", tuple(table.columns), lambda needed: table.select(*needed), place=place)


def _spell(backend: BaseBackend) -> None:
    compiler = COMPILERS.get(backend.name)
    if compiler is not None and not isinstance(backend.compiler, compiler):
        backend.compiler = compiler()
    elif backend.name == "pyspark":
        spark.mend(backend)


def opened(url: str, *, table: str | None, query: str | None) -> Source:
    """A table of a database, or what a query over its tables gives.

    Parameters
    ----------
    url : str
        Such as `postgres://user:${PASSWORD}@host/database`, `duckdb://file.ddb`, `sqlite://file.db`.
    table, query : str
        Which table (`schema.table` where it is not in the first), or a SELECT; one of them.

    Raises
    ------
    DataError
        When the driver is missing, the database cannot be reached, or it has no such table. The URL is
        never repeated, for it may hold a password.
    """
    scheme = url.partition("://")[0]
    if (table is None) == (query is None):
        raise DataError(
            f"A source {scheme}://... needs one of table= and query=: which rows of it are meant?"
        )
    backend = _connected(url)
    if query is not None:
        select = _one_select(query, backend)
        try:
            return _source(backend.sql(select), f"the query of {scheme}://")
        except Exception as error:  # each driver has errors of its own
            raise DataError(_one_line(url, error, "cannot be asked the query", "Check query=.")) from None
    name, _, schema = str(table).rpartition(".")[::-1]
    known = _tables(backend, url, schema)
    if name not in known:
        there = f" It has {known[:_LISTED]}{' and more' if len(known) > _LISTED else ''}."
        raise DataError(f"{scheme}://... has no table {table!r}.{did_you_mean(name, known)}{there}")
    return _source(backend.table(name, **({"database": schema} if schema else {})), f"table {table}")


def _connected(url: str) -> BaseBackend:
    scheme = url.partition("://")[0]
    backend, driver, extra = DATABASES[scheme]
    if _is_missing(driver):
        raise DataError(f"{scheme}://... needs {driver}. Type: pip install 'retention-kit[{extra}]'")
    try:
        if scheme in _FILES:
            path = Path(url.partition("://")[2]).expanduser()
            if not path.is_file():
                raise DataError(f"There is no file {path}. Check the path after {scheme}://.")
            how = {"read_only": True} if scheme == "duckdb" else {}
            return getattr(ibis, backend).connect(str(path), **how)
        found = spark.connected(url) if backend == "pyspark" else ibis.connect(url)
    except DataError:
        raise
    except Exception as error:  # each driver has errors of its own
        raise DataError(_one_line(url, error, "cannot be opened", "Check the address.")) from None
    _spell(found)
    return found


def _is_missing(driver: str) -> bool:
    try:
        return importlib.util.find_spec(driver) is None
    except ModuleNotFoundError:  # not even the package above it
        return True


def _one_line(url: str, error: Exception, what: str, do: str) -> str:
    """What went wrong without the password, which some drivers repeat."""
    reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    password = None if url.startswith("spark://") else urlsplit(url).password  # local[2] is no host
    reason = reason.replace(url, "...")
    if password:
        reason = reason.replace(password, "...")
    return f"{url.partition('://')[0]}://... {what}: {reason.rstrip('.')}. {do}"


def _tables(backend: BaseBackend, url: str, schema: str) -> list[str]:
    try:
        return sorted(backend.list_tables(**({"database": schema} if schema else {})))
    except Exception as error:  # where there is no such schema, some say so instead of listing nothing
        raise DataError(_one_line(url, error, "cannot list its tables", "Check table=.")) from None


def _one_select(query: str, backend: BaseBackend) -> str:
    try:
        parsed = sqlglot.parse(query, dialect=backend.dialect)
    except SqlglotError as error:
        raise DataError(f"query: it is no SQL: {str(error).splitlines()[0].rstrip('.')}.") from None
    if len(parsed) != 1 or not isinstance(parsed[0], sge.Query) or any(parsed[0].find_all(*_CHANGES)):
        raise DataError("query: it must be one SELECT. Rows are read, and nothing is changed.")
    return query


def _source(table: ir.Table, name: str) -> Source:
    return replace(spelled(table), name=name)
