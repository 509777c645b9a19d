"""A batch of client files is checked client by client: mistakes are told in full, and stay where they are."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from retention_kit import inspection, params, projects
from retention_kit.cli import app
from retention_kit.inspection import Line

ORDERS = """customer_id,ordered_at,amount
a,2024-01-05,10.00
b,2024-01-20,20.00
a,2024-02-07,30.00
,2024-02-08,5.00
c,2024-02-30,5.00
b,2024-03-01,40.00
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "orders.csv").write_text(ORDERS)
    return tmp_path


def client(folder, name, text="data: {orders: {source: orders.csv}}", as_of="2024-03-01"):
    path = folder / f"{name}.yaml"
    path.write_text(f"as_of: {as_of}\n{text}\n")
    return path


def test_rows_by_hand(folder):
    """Six rows: one without a customer, 30 February, and one on as_of, which is not observed any more."""
    [line] = inspection.check([client(folder, "acme")])
    assert (line.client, line.table, line.as_of, line.problem) == ("acme", "orders", "2024-03-01", "")
    assert (line.rows_read, line.rows_kept) == (6, 3)
    assert line.set_aside == (("unreadable date", 1), ("no customer", 1), ("at or after as_of", 1))
    assert line.rows_read == line.rows_kept + sum(rows for _, rows in line.set_aside)


def test_every_table_of_the_demo_company():
    lines = inspection.check(["demo"])
    assert [line.table for line in lines] == list(params.KINDS)
    assert not any(line.problem for line in lines)


def test_as_of_overrides_the_files(folder):
    [line] = inspection.check([client(folder, "acme")], as_of="2024-04-01")
    assert (line.as_of, line.rows_kept) == ("2024-04-01", 4)


def test_a_problem_stays_with_its_client_and_table(folder):
    tables = "data:\n  orders: {source: orders.csv}\n  customers: {source: nobody.csv}"
    files = [client(folder, "one", tables), client(folder, "two", "dta: {}"), client(folder, "three")]
    lines = inspection.check(files, jobs=3)
    assert [(line.client, line.table, bool(line.problem)) for line in lines] == [
        ("one", "orders", False),
        ("one", "customers", True),
        ("two", "", True),
        ("three", "orders", False),
    ]
    assert lines[1].problem.startswith(f"There is no file {folder / 'nobody.csv'}.")
    assert lines[2].problem.startswith(
        "two.yaml line 2: unknown key 'dta'. Did you mean 'data'? Known keys: "
    )


def test_an_option_that_no_chapter_has_is_a_problem_of_the_file(folder):
    text = "data: {orders: {source: orders.csv}}\noptions: {retention: {bye: country}}"
    [line] = inspection.check([client(folder, "acme", text)])
    assert line.table == ""
    assert line.problem.startswith("The retention chapter has no option 'bye'. Did you mean 'by'? It has [")


def test_an_option_of_the_projects_own_chapter_is_none_too_many(tmp_path):
    """The package's nps chapter has no option `target`; the project's own may have one."""
    example = projects.init(tmp_path / "project")
    own = example.parent.parent / "notebooks" / "nps.ipynb"
    own.write_text(own.read_text("utf-8").replace("scale: str", "target: int = 50\\nscale: str"), "utf-8")
    text = "data: {responses: {source: 'demo://responses'}}\noptions: {nps: {target: 60}}"
    [line] = inspection.check([client(example.parent, "acme", text, as_of="2024-07-01")])
    assert line.problem == ""


def test_a_file_that_is_not_there_and_an_as_of_that_is_a_slip(folder):
    missing, slip = inspection.check([folder / "no.yaml", client(folder, "acme", as_of="2024-02-29")])
    assert (missing.client, missing.table) == ("no", "")
    assert missing.problem.startswith(f"There is no client file {folder / 'no.yaml'}.")
    assert slip.problem.startswith("as_of 2024-02-29 is the last day of a month")


def test_two_files_of_one_client_are_told_before_the_run_refuses_them(folder):
    files = [
        client(folder, "acme"),
        client(folder, "twin", "client: acme\ndata: {orders: {source: orders.csv}}"),
    ]
    first, second = inspection.check([*files])
    assert (first.table, first.problem) == ("orders", "")
    assert (second.client, second.table) == ("acme", "")
    assert second.problem == "twin.yaml and acme.yaml are both client 'acme'. Give one another id."


def test_no_secret_is_printed(folder, monkeypatch):
    monkeypatch.setenv("EXPORTS", str(folder / "hunter2"))
    [line] = inspection.check([client(folder, "acme", 'data: {orders: {source: "${EXPORTS}/orders.csv"}}')])
    assert line.problem.startswith("There is no file ${EXPORTS}/orders.csv.")


def dies_with_b(read):
    if read.client == "b":
        os._exit(9)
    return [Line(read.client, str(os.getpid()))]


def test_each_client_has_its_own_process_and_dies_alone(folder, monkeypatch):
    monkeypatch.setattr(inspection, "_tables", dies_with_b)
    a, b, c = inspection.check([client(folder, name) for name in "abc"], jobs=2)
    assert len({a.table, c.table, str(os.getpid())}) == 3
    assert b == Line("b", "", problem="the process that read its data died, most often for want of memory.")


def test_text_as_forty_clients_need_it():
    lines = [
        Line("acme", "orders", 1200, 1190, (("no customer", 10),), "2024-07-01"),
        Line("acme", "responses", 90, 90, (), "2024-07-01", ("responses: the last row is old.", "Look.")),
        Line("bolt", "", problem="bolt.yaml line 3: client is missing."),
    ]
    assert inspection.as_text(lines).splitlines() == [
        "client  table       read   kept  as of       state       set aside",
        "acme    orders     1,200  1,190  2024-07-01  ok          10 no customer",
        "acme    responses     90     90  2024-07-01  2 warnings",
        "bolt    (file)                               PROBLEM",
        "",
        "Warnings",
        "  acme responses: the last row is old.",
        "  acme responses: Look.",
        "",
        "Problems",
        "  bolt: bolt.yaml line 3: client is missing.",
        "",
        "2 clients: 1 ready, 1 with a problem.",
    ]


words = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=1, max_size=200)
line = st.builds(Line, words, words, warnings=st.tuples(words), problem=words)


@given(st.lists(line, min_size=1, max_size=5))
def test_nothing_is_cut_short_or_coloured(lines):
    text = inspection.as_text(lines)
    assert "\x1b" not in text
    for one in lines:
        assert one.problem in text
        assert one.warnings[0].removeprefix(f"{one.table}: ") in text


def test_command_ends_in_one_when_there_is_a_problem(folder):
    fine = CliRunner().invoke(app, ["check", str(client(folder, "acme"))])
    broken = CliRunner().invoke(app, ["check", str(client(folder, "bolt", "data: none"))])
    assert (fine.exit_code, broken.exit_code) == (0, 1)
    assert fine.output.endswith("1 client: 1 ready.\n")
    assert re.search(r"\n  bolt: bolt.yaml line 2: data: 'none' is neither demo nor", broken.output)
