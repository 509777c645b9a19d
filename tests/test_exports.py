"""The tables of a report: each a file and a sheet, lists of customers a file alone."""

import csv

import openpyxl
import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook, new_output

from retention_kit import exhibits, exports
from retention_kit.pages import Chapter
from retention_kit.sentences import Voice


def test_formulas_in_tables_are_text(tmp_path):
    frame = pd.DataFrame({"=plan": ["=cmd()", "+1", "-1", "@sum", "pro"], "customers": [-1, 2, 3, 4, 5]})
    table = exhibits.table(frame, name="plans", caption="Plans", voice=Voice(language="en", currency="EUR"))
    cell = new_code_cell(outputs=[new_output("display_data", data=table._repr_mimebundle_())])
    exports.write_tables([Chapter("churn", "Churn", new_notebook(cells=[cell]))], tmp_path / "tables")
    with (tmp_path / "tables" / "churn_plans.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert rows == [["'=plan", "customers"], ["'=cmd()", "-1"], ["'+1", "2"], ["'-1", "3"], ["'@sum", "4"],
                    ["pro", "5"]]  # fmt: skip


def test_a_workbook_has_every_table_but_lists_of_customers(tmp_path):
    voice = Voice(language="en", currency="EUR")
    frame = pd.DataFrame({"plan": ["pro"], "customers": [5]})
    people = pd.DataFrame({"customer_id": ["c-1"], "orders": [5]})
    shown = [
        exhibits.table(frame, name="plans", caption="Plans", voice=voice),
        exhibits.customer_table(people, name="at_risk", caption="Late", voice=voice, show=True),
    ]
    cells = [
        new_code_cell(outputs=[new_output("display_data", data=one._repr_mimebundle_())]) for one in shown
    ]
    chapters = [Chapter("churn", "Churn", new_notebook(cells=cells))]
    exports.write_tables(chapters, tmp_path / "tables")
    exports.write_workbook(chapters, tmp_path / "tables.xlsx", voice=voice, title="Acme", as_of="2024-03-01")
    assert sorted(path.name for path in tmp_path.glob("tables/*")) == ["at_risk.csv", "churn_plans.csv"]
    assert openpyxl.load_workbook(tmp_path / "tables.xlsx").sheetnames == ["Contents", "churn_plans"]
