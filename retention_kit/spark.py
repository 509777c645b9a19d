"""Spark, for tables that one machine has outgrown: opened by its master's address, asked in its words."""

import contextlib
import os
import re
import shutil
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import sqlglot.expressions as sge
from ibis.backends import BaseBackend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.expr.operations import InMemoryTable

from retention_kit import scratch
from retention_kit.exceptions import DataError

_LOCAL = re.compile(r"spark://(local(?:\[(?:\d+|\*)\])?)")
_HOSTS = re.compile(r"spark://([^/@\s:,]+:\d+(?:,[^/@\s:,]+:\d+)*)")
_PATIENCE = 5  # seconds; Spark itself asks a silent master for minutes
_TABLES = "spark.sql.warehouse.dir"
_HERE = {  # on this machine alone nothing listens to the network, and nobody looks at its pages
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
}


class _Spelled(PySparkCompiler):
    r"""Spark reads the escapes \v and \f in a text as the letters v and f, and would trim finn to inn."""

    def visit_Strip(self, op: Any, *, arg: Any) -> Any:
        return self.f.trim(arg, self._text(" \t\n\r\v\f"))

    def visit_DefaultLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
        if dtype.is_string() and re.search("[\v\f]", value):
            return self._text(value)
        return super().visit_DefaultLiteral(op, value=value, dtype=dtype)

    def _text(self, value: str) -> sge.Expression:
        """A text whose vertical tabs and form feeds are written by their numbers."""
        parts = [part for part in re.split("([\v\f])", value) if part]
        return self.f.concat(*(self.f.anon.chr(ord(part)) if part in "\v\f" else part for part in parts))


def mend(backend: BaseBackend) -> None:
    """Have Ibis 12 write texts as Spark reads them, and hand small tables over with their nulls.

    By way of pandas, which Ibis takes, a column of whole numbers with one null in it arrives as nulls alone,
    and a missing text as the text NaN. Spark 4 takes Arrow.
    """
    if not isinstance(backend.compiler, _Spelled):
        backend.compiler = _Spelled()
        backend._register_in_memory_table = partial(_hand_over, backend)


def _hand_over(backend: BaseBackend, table: InMemoryTable) -> None:
    rows = backend._session.createDataFrame(table.data.to_pyarrow(table.schema))
    rows.createOrReplaceTempView(table.name)


def connected(url: str) -> BaseBackend:
    """The process's Spark session on the master that an address names.

    `spark://host:7077` is a cluster's master, `spark://local[2]` two cores of this machine. What else Spark
    is told (memory, catalogs, where tables are) stands in its own `spark-defaults.conf`.

    Raises
    ------
    DataError
        When the address is none, nobody answers there, Java is missing, or this process has another Spark.
    """
    local, hosts = _LOCAL.fullmatch(url), _HOSTS.fullmatch(url)
    if not local and not hosts:
        raise DataError(
            "spark://... names no master. Write spark://host:7077, or spark://local[2] for this machine."
        )
    if hosts and not any(map(_answers, hosts[1].split(","))):
        raise DataError(f"spark://... cannot be opened: nobody answers at {hosts[1]}. Check the address.")
    return ibis.pyspark.connect(_session(local[1] if local else url, _here() if local else {}))


def _here() -> dict[str, str]:
    """How Spark is told to keep to this machine, and to leave no folder where the user stands.

    It makes one for tables as soon as it is asked anything, and says nothing of it. Where its own settings
    say where tables are, they are there.
    """
    from pyspark.find_spark_home import _find_spark_home

    folder = os.environ.get("SPARK_CONF_DIR") or Path(_find_spark_home(), "conf")
    own = Path(folder, "spark-defaults.conf")
    if own.is_file() and _TABLES in own.read_text(encoding="utf-8"):
        return _HERE
    return _HERE | {_TABLES: str(scratch.folder() / "spark")}


def _answers(place: str) -> bool:
    host, _, port = place.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), _PATIENCE):
        return True
    return False


def _session(master: str, settings: dict[str, str]) -> Any:
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        other = running.sparkContext.master
        if other != master:
            raise DataError(
                f"This process has a Spark already, on {other}, and the source names {master}. "
                "Name that one, or stop it first."
            )
        return running
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java", path=str(Path(home) / "bin") if home else None) is None:
        where = " where JAVA_HOME points to" if home else ""
        raise DataError(
            f"spark://... needs Java 17 or 21, and there is none{where}. "
            "Install it (Debian: apt-get install default-jre-headless)."
        )
    builder = SparkSession.builder.master(master).appName("retention_kit")
    bar = str(sys.stderr.isatty()).lower()  # at a terminal Spark draws its own
    for key, value in (settings | {"spark.log.level": "ERROR", "spark.ui.showConsoleProgress": bar}).items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # of the way to Java and of Java itself, of no common class
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise DataError(
            f"spark://... cannot be opened: {reason.rstrip('.')}. Spark 4 needs Java 17 or 21."
        ) from None
