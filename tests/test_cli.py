"""The command line: help that teaches, one line for a mistake, exit codes a script can trust."""

import subprocess
import sys

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


def test_a_client_that_is_not_there_is_one_line(tmp_path):
    done = retention_kit("run", "acme", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "acme: There is no client 'acme' in params/ or params/examples/. "
        "Type: retention-kit new CLIENT --orders export.csv\n"
    )


def test_reports_are_printed_and_one_failure_is_exit_code_1(tmp_path):
    (tmp_path / "answers.csv").write_text("score\n10\n9\n3\n", encoding="utf-8")
    good = "as_of: 2024-07-01\ndata: {responses: {source: answers.csv}}\n"
    (tmp_path / "good.yaml").write_text(good, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(good.replace("answers", "nowhere"), encoding="utf-8")
    (tmp_path / "_defaults.yaml").write_text("language: en\n", encoding="utf-8")
    done = retention_kit("run", "*.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["outputs/good/2024-07-01/report.html"]
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("bad: nps: There is no file ")
    assert (tmp_path / "outputs" / "good" / "2024-07-01" / "report.html").is_file()
    assert not (tmp_path / "outputs" / "bad").exists()
