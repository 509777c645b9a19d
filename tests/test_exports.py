"""Tables leave a report as text that no spreadsheet runs."""

import csv

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
