# make demo    makes .venv, installs the locked packages, writes the two reports of params/*.yaml
# make test    makes .venv if needed, runs the whole suite
# make lab     JupyterLab with the notebooks
# make check   lint, layers, tests: before each commit
# make fix     what a machine can mend: formatting, imports, notebook outputs
# make bench   speed against named peers, into outputs/bench.md; half an hour on a quiet machine
# make soak    the long runs: fuzzing, how often bounds hold the truth, all examples
# make lock    resolve the dependencies anew

# Every chapter is a process of its own: without bytecode each would compile all packages anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
LOCK = $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 \
       --no-emit-index-url --no-emit-find-links --no-header

.PHONY: demo test lab check lint fix bench soak lock
.DEFAULT_GOAL := demo

demo: .venv/installed
	$(BIN)/retention-kit run params/*.yaml

test: .venv/installed
	$(BIN)/pytest -n auto --dist loadfile

lab: .venv/lab
	$(BIN)/jupyter lab notebooks

check: lint test

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify notebooks/*.ipynb

fix: .venv/installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/nbstripout notebooks/*.ipynb

bench: .venv/installed
	$(BIN)/python -m benchmarks

soak: .venv/installed
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -n auto --dist loadfile
	$(BIN)/python -m benchmarks.coverage
	$(BIN)/python -m benchmarks.score_coverage
	$(BIN)/retention-kit run params/*.yaml $(if $(RETENTION_KIT_DATA),params/examples/*.yaml)

lock: .venv/bin/uv
	$(LOCK) pyproject.toml --group dev -o requirements.lock
	$(LOCK) pyproject.toml --extra examples -c requirements.lock -o requirements-examples.lock
	$(LOCK) pyproject.toml --extra lab -c requirements.lock -o requirements-lab.lock
	$(LOCK) pyproject.toml --extra spark -c requirements.lock -o requirements-spark.lock

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# uv installs what the locks name, checks every hash, and removes what they do not name.
.venv/installed: .venv/bin/uv pyproject.toml requirements.lock requirements-examples.lock
	$(UV) pip sync --quiet requirements.lock requirements-examples.lock
	$(UV) pip install --quiet --no-deps --editable .
	touch $@

.venv/lab: .venv/installed requirements-lab.lock
	$(UV) pip install --quiet --require-hashes -r requirements-lab.lock
	touch $@

# Spark is 430 MB, and without Java 17 it is nothing: its tests are skipped by name where it is not installed.
.venv/spark: .venv/installed requirements-spark.lock
	$(UV) pip install --quiet --require-hashes -r requirements-spark.lock
	touch $@
