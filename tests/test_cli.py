"""The command line: help that teaches, one line for a mistake, exit codes a script can trust."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def retention_kit(*words: str, cwd=None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "retention_kit", *words]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=300, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize(
    ("words", "taught"),
    [
        (["--help"], "Start with: retention-kit run params/demo.yaml"),
        (["run", "--help"], "A client that fails leaves the other clients"),
        (["check", "--help"], "without making a report"),
        (["new", "--help"], "--orders"),
        (
            ["init", "--help"],
            "Example: retention-kit init reports && cd reports && retention-kit run params/demo.yaml",
        ),
        (["explain", "--help"], "Example: retention-kit explain saas_playbook --churn 0.378 --month 2019-12"),
    ],
)
def test_help_teaches(words, taught):
    done = retention_kit(*words)
    assert done.returncode == 0
    assert taught in " ".join(done.stdout.split())


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['retention-kit', '--help']\n"
        "from retention_kit.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'ibis', 'duckdb', 'matplotlib', 'papermill', 'nbconvert', 'rich'}\n"
        "print('imported:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "imported: []"


def test_letters_that_a_pipe_does_not_know_stop_nothing(tmp_path):
    """On Windows a pipe speaks cp1252, which has no Ł; a client may have."""
    rows = "".join(f"Łukasz;2024-0{month}-05;10,5\n" for month in range(1, 6))
    (tmp_path / "orders.csv").write_text(f"Klient;Data;Kwota\n{rows}", encoding="utf-8")
    words = ["new", "acme", "--orders", "orders.csv", "--currency", "PLN", "--as-of", "2024-07-01"]
    done = subprocess.run(
        [sys.executable, "-m", "retention_kit", *words],
        env=os.environ | {"PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0"},
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "such as ?ukasz" in done.stdout.decode("cp1252")
    assert (tmp_path / "params" / "acme.yaml").is_file()


def test_a_client_that_is_not_there_is_one_line(tmp_path):
    done = retention_kit("run", "acme", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "acme: There is no client 'acme' in params/ or params/examples/. "
        "Type: retention-kit new CLIENT --orders export.csv\n"
    )


def test_a_project_is_made_and_says_what_to_type(tmp_path):
    done = retention_kit("init", "reports", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("reports is ready. Type: cd reports, then: retention-kit run params/demo.yaml\n")
    assert (tmp_path / "reports" / "params" / "demo.yaml").is_file()
    assert retention_kit("init", "reports", cwd=tmp_path).stderr == (
        "retention-kit: reports is not empty: it has .gitignore, README.md, codeframes and 3 more. "
        "Nothing was written; name a new folder.\n"
    )


def test_reports_are_printed_and_one_failure_is_exit_code_1(tmp_path):
    (tmp_path / "answers.csv").write_text("score\n10\n9\n3\n", encoding="utf-8")
    good = "as_of: 2024-07-01\ndata: {responses: {source: answers.csv}}\n"
    (tmp_path / "good.yaml").write_text(good, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(good.replace("answers", "nowhere"), encoding="utf-8")
    (tmp_path / "_defaults.yaml").write_text("language: en\n", encoding="utf-8")
    done = retention_kit("run", "*.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["outputs/good/2024-07-01/report.html", "outputs/index.html"]
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("bad: nps: There is no file ")
    assert (tmp_path / "outputs" / "good" / "2024-07-01" / "report.html").is_file()
    assert [path.name for path in (tmp_path / "outputs" / "bad").iterdir()] == ["2024-07-01-failed"]


def test_a_pdf_without_a_browser_is_one_line(tmp_path):
    (tmp_path / "good.yaml").write_text("as_of: 2024-07-01\ndata: demo\n", encoding="utf-8")
    command = [sys.executable, "-m", "retention_kit", "run", "good.yaml", "--pdf", "--engine", "papermill"]
    nowhere = {"PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, env=nowhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "retention-kit: A PDF needs Chromium, Chrome or Edge, and none is installed. "
        "Install one, or open report.html in any browser and print it.\n"
    )


SHOP = """\
as_of: 2024-07-01
explain:
  - {nps: 40}
  - {nps: 60}
data: {responses: {source: answers.csv}}
"""


@pytest.fixture
def shop(tmp_path):
    scores = [10] * 5 + [8] * 3 + [6] * 2
    (tmp_path / "answers.csv").write_text("score\n" + "\n".join(map(str, scores)), encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    return tmp_path


def test_a_figure_is_explained(shop):
    done = retention_kit("explain", "shop.yaml", "--nps", "60", cwd=shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "+60 is 8 who gave 8 or more, less 2 who gave 6 or less, of 10 answers. Ours is +30.0, 5 who gave 9 "
        "or more, less 2 who gave 6 or less, of 10 answers. Ours has promoters from 9 up and detractors "
        "from 6 down.",
        "",
        "= 8-10 less 0-6 / answers          6 of 10   +60.0",
        "  9-10 less 0-6 / answers (ours)   3 of 10   +30.0",
        "  9-10 less 0-6 / no passives       3 of 7   +42.9",
        "  9-10 less 0-5 / answers          5 of 10   +50.0",
        "  9-10 less 0-5 / no passives       5 of 5  +100.0",
        "  8-10 less 0-5 / answers          8 of 10   +80.0",
        "  8-10 less 0-5 / no passives       8 of 8  +100.0",
        "  mean score x 10                 86 of 10   +86.0",
    ]


def test_a_figure_is_explained_by_the_clients_own_scale(shop):
    own = "scale: 'lowest 0, highest 10, promoters_from 10, passives_from 8', out_of_range: set_aside"
    (shop / "shop.yaml").write_text(f"{SHOP}options: {{nps: {{{own}}}}}\n", encoding="utf-8")
    with (shop / "answers.csv").open("a", encoding="utf-8") as file:
        file.write("\n11\n")
    done = retention_kit("explain", "shop.yaml", "--nps", "30", cwd=shop)
    assert done.stdout.splitlines()[0] == (
        "+30 is 5 who gave 10 or more, less 2 who gave 7 or less, of 10 answers. Ours is the same."
    )


def test_a_client_who_counts_by_a_policy_is_told_whose_figure_is_called_ours(shop):
    own = "as_of: 2024-07-01\ncurrency: EUR\ndata: demo\noptions: {churn: {policy: stripe}}\n"
    (shop / "shop.yaml").write_text(own, encoding="utf-8")
    told = "This client's reports follow policy stripe; what is called ours below is the house's definition."
    done = retention_kit("explain", "shop.yaml", "--churn", "4.8 %", "--month", "2024-05", cwd=shop)
    assert done.stdout.splitlines()[0] == told, done.stderr
    assert told not in retention_kit("explain", "shop.yaml", "--nps", "60", cwd=shop).stdout


def test_the_figures_of_the_client_file_are_explained_where_none_is_said(shop):
    done = retention_kit("explain", "shop.yaml", cwd=shop)
    assert done.returncode == 0
    said = [line for line in done.stdout.splitlines() if "Ours is" in line]
    assert [line.split(" who")[0] for line in said] == [
        "No definition tried gives +40 (8 tried). The nearest is +42.9, 5",
        "+60 is 8",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--churn", "0.378"], "churn is of a month; add one such as month: 2019-12."),
        (["--nps", "many"], "nps 'many' is no number. Type one as 41 or 41.3."),
        (
            ["--churn", "37.8", "--month", "2019-12"],
            "churn '37.8' is no share such as 0.378. Type '37.8 %' if it is percent.",
        ),
        (["--retention", "0.3"], "shop has no orders. Name a source under data: orders: in its client file."),
    ],
)
def test_a_figure_that_cannot_be_explained_is_one_line(shop, words, message):
    done = retention_kit("explain", "shop.yaml", *words, cwd=shop)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"retention-kit: {message}\n")


def test_no_figure_at_all_is_one_line(shop):
    (shop / "shop.yaml").write_text(SHOP.replace("explain:\n  - {nps: 40}\n  - {nps: 60}\n", ""))
    done = retention_kit("explain", "shop.yaml", cwd=shop)
    assert (done.returncode, done.stderr) == (
        1,
        "retention-kit: shop has no figure to explain. Say one, such as --churn 0.378 --month 2019-12, or "
        "add a line explain: {churn: 0.378, month: 2019-12} to its client file.\n",
    )


@pytest.mark.realdata
def test_the_figures_of_real_clients_are_explained(data_folder, monkeypatch):
    monkeypatch.setenv("RETENTION_KIT_DATA", str(data_folder))
    here = Path(__file__).parents[1]
    churn = retention_kit("explain", "saas_playbook", "--churn", "0.378", "--month", "2019-12", cwd=here)
    assert churn.stdout.startswith(
        "37.8% in December 2019 is 17 of 45: customers lost over those at the start and"
    )
    back = retention_kit("explain", "online_retail", "--retention", "37.9 %", "--age", "11", cwd=here)
    assert back.stdout.startswith(
        "37.9% in month 11 is 494 of 1,302: customers active in month 11, by the calendar"
    )
