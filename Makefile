# Needs nothing but python3 and make. Everything is installed into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TESTS  ?= tests
# Tests wait more than they compute: three at a time for each processor.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(3 * len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)))')
BENCH   ?= start list load jobs crowd requests hostile journal report stall soak

# The test processes share their compiled modules, also where the environment forbids to write them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo dev test thorough lowest lint format screenshots bench campaign kills build lock clean

help: ## List the targets (this text)
	@echo "Pitstop: make TARGET"
	@echo
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s%s\n", $$1, $$2 }'

# --- installation: a stamp file marks each step that is done, so that it runs once ---

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Pitstop needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another one: make PYTHON=/path/to/python3 ...")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments here: its venv or ensurepip module is missing."; \
		echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; } >&2
	@echo "Making $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# What the program runs on, and what turns the source tree into a package: the first two parts of constraints.txt.
$(VENV)/run: $(VENV)/made constraints.txt pyproject.toml
	@echo "Installing what Pitstop runs on"
	@sed '/^# --- develop ---/,$$d' constraints.txt > $(VENV)/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/develop: $(VENV)/run
	@echo "Installing what checks Pitstop"
	@sed '/^# --- devtools ---/,$$d' constraints.txt > $(VENV)/develop.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r $(VENV)/develop.txt
	@touch $@

$(VENV)/devtools: $(VENV)/develop
	@echo "Installing Textual's devtools"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r constraints.txt
	@touch $@

# --- use ---

demo: $(VENV)/run ## Open the console on a sandbox inside the program: no endpoint, no account (ARGS="--servers 5000")
	@$(BIN)/pitstop demo $(ARGS)

# --- work ---

dev: $(VENV)/devtools ## Open the sandbox console with Textual's devtools; .venv/bin/textual console elsewhere shows its log (ARGS as for demo)
	@$(BIN)/python -m tests.devtools $(ARGS)

test: $(VENV)/develop ## Run the tests in random order (TESTS=tests/model, WORKERS=2, SEED=7 for the order of an earlier run)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(SEED),--randomly-seed=$(SEED)) $(TESTS)

thorough: $(VENV)/develop ## Run the property tests with twenty times as many random examples
	$(BIN)/python -m pytest -n $(WORKERS) -m hypothesis --hypothesis-profile thorough $(TESTS)

lowest: $(VENV)/lowest/made ## Run the tests below the screen with the lowest versions that pyproject.toml allows
	$(VENV)/lowest/bin/python -m pytest -q -n $(WORKERS) -p no:cacheprovider tests/model tests/api tests/engine tests/headless

$(VENV)/lowest/made: $(VENV)/made .ci/lowest pyproject.toml
	@echo "Installing the lowest versions that pyproject.toml allows"
	@$(PYTHON) -m venv --clear $(VENV)/lowest
	@$(BIN)/python .ci/lowest > $(VENV)/lowest.txt
	@$(VENV)/lowest/bin/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/lowest.txt
	@touch $@

lint: $(VENV)/develop ## Check style, formatting, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture/test_imports.py tests/architecture/test_code.py

format: $(VENV)/develop ## Format the code and fix what can be fixed automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: $(VENV)/develop ## Redraw the pictures of the README, from the sandbox
	$(BIN)/python -m tests.screenshots

bench: $(VENV)/develop ## Run the benchmarks, each beside a reference (BENCH=start for one of: start list load jobs crowd requests hostile journal report stall soak)
	@for one in $(BENCH); do echo "== $$one =="; $(BIN)/python -m tests.benchmarks.$$one $(ARGS) || exit 1; done

campaign: $(VENV)/develop ## Run operations under faults and kill -9, and check each (ARGS="--runs 50 --seed 7")
	$(BIN)/python -m tests.campaign $(ARGS)

kills: $(VENV)/develop ## Kill one operation at each fsync, write, send and receive, and check each (ARGS="--every 10")
	$(BIN)/python -m tests.campaign.kills $(ARGS)

build: $(VENV)/develop ## Build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

lock: $(VENV)/made ## Rewrite constraints.txt from pyproject.toml
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	$(VENV)/lock/bin/python .ci/lock

clean: ## Remove everything that make created, .venv included
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis snapshot_report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
