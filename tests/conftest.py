"""What all tests share: real data, a browser, a warm engine; hypothesis: repeatable in CI, long in a soak."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from hypothesis import settings

from retention_kit import browsers, spark
from retention_kit.engines import Engine
from retention_kit.exceptions import ReportError

settings.register_profile("default", deadline=None, max_examples=20)
settings.register_profile("ci", deadline=None, max_examples=20, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of public data sets that `realdata` tests read."""
    folder = os.environ.get("RETENTION_KIT_DATA")
    if not folder:
        pytest.skip("RETENTION_KIT_DATA is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """An installed Chromium, Chrome or Edge, driven by playwright."""
    sync_api = pytest.importorskip("playwright.sync_api")
    try:
        installed = browsers.find()
    except ReportError as error:
        pytest.skip(str(error))
    with sync_api.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=installed)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page offline and returns it, with all that went wrong as its `troubles`."""
    contexts = []

    def open_page(path: Path, width: int = 1280) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, offline=True))
        page = contexts[-1].new_page()
        page.troubles = []
        page.on("console", lambda message: page.troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: page.troubles.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: page.troubles.append(f"request: {request.url[:80]}"))
        page.goto(path.as_uri())
        # The page itself and what it holds are no requests for anything.
        page.troubles[:] = [
            told
            for told in page.troubles
            if not told.startswith((f"request: {path.as_uri()}"[:89], "request: data:"))
        ]
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def violations() -> Callable[[Any], list[str]]:
    """What axe finds on a page that keeps somebody from reading it, one line each."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def found(page: Any) -> list[str]:
        return [
            f"{rule['id']}: {node['html'][:120]}"
            for rule in axe.run(page).response["violations"]
            for node in rule["nodes"]
        ]

    return found


@pytest.fixture(scope="session")
def warm() -> Iterator[Engine]:
    """One warm process for all, for starting it costs much; papermill where there can be none."""
    with Engine("warm") as engine:
        yield engine


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL that was started for the tests, empty."""
    pytest.importorskip("psycopg")
    if servers.programs() is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    with servers.postgres() as address:
        yield address


@pytest.fixture(scope="session")
def spark_session() -> Iterator[Any]:
    """A small Spark of two cores, which compiles nothing and listens to nobody else."""
    pytest.importorskip("pyspark", reason="pyspark is not installed (make .venv/spark)")
    from pyspark.sql import SparkSession

    if shutil.which("java") is None:
        pytest.skip("no Java is installed (Debian: apt-get install default-jre-headless)")
    settings = spark._here() | {
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.log.level": "ERROR",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()
