"""A month of many clients by one command: a report for each good one, a reason for each other, all apart."""

import os
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook

from retention_kit import accounts

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
GOOD, BROKEN = (90, 10) if SOAK else (7, 3)
SECRET = "hunter2-of-one-client"
CLIENT = """\
title: Client {mark}
as_of: 2024-07-01
notes: Only for {mark}.
options: {{nps: {{by: segment}}}}
data:
  responses: {{source: "{place}/{name}-answers.csv", columns: {{segment: segment}}}}
"""

#: What is wrong with a client, and what its line says; in a push the first three, in a soak all.
WAYS = [
    ("a key", lambda text: text.replace("title", "titel"), r"line 1: unknown key 'titel'"),
    ("a kernel that dies", None, "kernel|process"),
    ("a column", lambda text: text.replace("-answers", "-unscored"), r"responses is missing \['score'\]"),
    ("a file", lambda text: text.replace("-answers", "-nowhere"), "There is no file"),
    ("a key twice", lambda text: f"{text}as_of: 2024-08-01\n", "'as_of' stands twice"),
    ("an option", lambda text: text.replace("{by:", "{bye:"), "has no option 'bye'"),
    ("a secret", lambda text: text.replace("../data", "${NOWHERE_SET}"), "NOWHERE_SET"),
    ("a date", lambda text: text.replace("2024-07-01", "soon"), "soon"),
    ("a score", lambda text: text.replace("-answers", "-eleven"), "no whole number from 0 to 10"),
    ("no rows", lambda text: text.replace("-answers", "-empty"), "responses has no rows"),
]


def mark(name):
    """What stands in one client's data and words alone."""
    return f"only-{name}-{sum(map(ord, name)) * 7919 % 10_007}"


def write_data(folder, name):
    rows = [f"c{i}-{mark(name)},{score},seg-{mark(name)}" for i, score in enumerate([10, 9, 8, 3] * 3)]
    answers = "\n".join(["customer_id,score,segment", *rows, ""])
    kinds = {"answers": answers, "unscored": answers.replace("score", "points")}
    kinds |= {"eleven": answers.replace(",10,", ",11,"), "empty": answers.splitlines()[0] + "\n"}
    orders = [
        f"c{i}-{mark(name)},{name}{i}{month},2024-{month:02}-0{i + 1},{20 + i}"
        for i in range(6) for month in range(1, 2 + i)
    ]  # fmt: skip
    kinds["orders"] = "\n".join(["customer_id,order_id,ordered_at,amount", *orders, ""])
    for kind, text in kinds.items():
        (folder / f"{name}-{kind}.csv").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    """The folder, what the command printed, and the names of good and broken clients."""
    folder = tmp_path_factory.mktemp("batch")
    for place in ("params", "data", f"{SECRET}", "dying/params", "dying/notebooks"):
        (folder / place).mkdir(parents=True)
    dies = [
        new_code_cell("client = ''\nas_of = None\nby = None", metadata={"tags": ["parameters"]}),
        new_code_cell("import os; os._exit(9)"),
        new_code_cell("", metadata={"tags": ["sentinel"]}),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=dies, metadata=kernel), folder / "dying" / "notebooks" / "nps.ipynb")
    good = [f"good{n:02}" for n in range(GOOD)]
    broken = [f"bad{n:02}" for n in range(BROKEN)]
    for n, name in enumerate([*good, *broken]):
        write_data(folder / "data", name)
        text = CLIENT.format(mark=mark(name), name=name, place="../data")
        place = folder / "params"
        if name in broken:
            _, breaks, _ = WAYS[broken.index(name)]
            place = place if breaks else folder / "dying" / "params"
            text = breaks(text) if breaks else text.replace("../data", "../../data")
        elif n % 10 == 0:  # of every ten, one with more chapters, from a secret place
            write_data(folder / SECRET, name)
            more = f'  orders: {{source: "${{SECRET_PLACE}}/{name}-orders.csv"}}\n'
            text = text.replace("../data", "${SECRET_PLACE}") + more
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "retention_kit", "run", "params/*.yaml", "dying/params/*.yaml"],
        capture_output=True, text=True, cwd=folder, timeout=900, stdin=subprocess.DEVNULL,
        env=os.environ | {"SECRET_PLACE": str(folder / SECRET)},
    )  # fmt: skip
    return folder, done, good, broken


def test_each_good_client_has_a_report_each_other_a_reason_and_the_exit_code_is_1(batch):
    folder, done, good, broken = batch
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        *(f"outputs/{name}/2024-07-01/report.html" for name in good), "outputs/index.html",
    ]  # fmt: skip
    said = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert sorted(said) == sorted(broken)
    for name, (what, _, told) in zip(broken, WAYS, strict=False):
        assert re.search(told, said[name]), f"{what}: {said[name]}"
    assert "Traceback" not in done.stderr
    for name in good:
        assert (
            f"Client {mark(name)}" in (folder / "outputs" / name / "2024-07-01" / "report.html").read_text()
        )


def test_the_page_over_all_clients_has_every_one_with_its_reason(batch):
    folder, done, good, broken = batch
    page = BeautifulSoup((folder / "outputs" / "index.html").read_text("utf-8"), "html.parser")
    rows = {row.find(class_="id").text: row for row in page.find_all("tbody")}
    assert sorted(rows) == sorted([*good, *broken])
    assert sorted(name for name in rows if "failed" in rows[name].get("class", [])) == sorted(broken)
    said = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    for name in broken:
        assert said[name] in rows[name].find(class_="reason").text
    for name in good:
        assert rows[name].a["href"] == f"{name}/2024-07-01/report.html"


def contents(path):
    """What is in a file, that of a workbook unpacked."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        return b"".join(packed.read(name) for name in packed.namelist())


def test_nothing_of_one_client_is_in_anothers_files(batch):
    folder, _, good, broken = batch
    owns = 0
    for name in [*good, *broken]:
        for path in (folder / "outputs" / name).rglob("*"):
            if path.is_file():
                found = set(re.findall(rb"only-\w+-\d+", contents(path)))
                assert found <= {mark(name).encode()}, path
                owns += bool(found)
    assert owns > 5 * GOOD


def test_no_secret_no_path_no_traceback_and_no_customer_is_told(batch):
    folder, _, good, _ = batch
    outputs = folder / "outputs"
    assert [path for path in outputs.rglob("*") if path.is_file() and SECRET.encode() in contents(path)] == []
    for name in good:
        page = (outputs / name / "2024-07-01" / "report.html").read_text("utf-8")
        assert str(folder) not in page
        assert "site-packages" not in page
        assert "Traceback" not in page
        assert not re.search(rf"c\d+-{mark(name)}", page)
    # They are customers of the data: a list of whom to call holds them, outside of the page.
    assert [p for p in outputs.rglob("*.csv") if re.search(rb"c\d+-only", p.read_bytes())] or not SOAK


def test_no_run_left_anything_but_reports_and_reasons(batch):
    folder, _, good, broken = batch
    names = {path.name for path in (folder / "outputs").glob("*/*")}
    assert names == {"2024-07-01", "2024-07-01-failed", "unread-failed"} - (
        set() if broken else {"2024-07-01-failed"}
    )
    assert all(accounts.read(folder / "outputs" / name / "2024-07-01").done for name in good)
