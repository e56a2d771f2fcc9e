# Every target sets itself up: Python 3.11 or newer and make are all that must be there.

PYTHON ?= python3
UV ?= uv
# Half of the tests wait for something: see tests/support/scheduling.py.
WORKERS ?= 4
SHARED_OUT = --numprocesses $(WORKERS) --dist loadscope
SEED ?= 1
ORDERS ?= 200
DATABASE ?= sqlite
ROWS ?= 1000000
BIN := .venv/bin
READY := .venv/.matches-the-lock
COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header pyproject.toml

export PATH := $(CURDIR)/.venv/bin:$(PATH)
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
export ROWS
.PHONY: help run demo test test-slow test-all chaos bench bench-costs bench-checkouts bench-reconcile \
	bench-deaths check lock clean

help: ## List what can be done
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r target what; do \
		printf '  make %-15s %s\n' "$$target" "$$what"; done

run: $(READY) ## Start the whole service on this machine; Ctrl-C stops it
	@exec $(BIN)/python -m local_stack run --stop-with-parent $(ARGS)

demo: $(READY) ## Drive checkouts of every kind through a fresh stack and check each; GATEWAY=stripe
	@exec $(BIN)/python -m local_stack demo --stop-with-parent \
		$(if $(GATEWAY),--gateway $(GATEWAY)) $(ARGS)

test: $(READY) ## Run the tests, on SQLite and on a real PostgreSQL, with a real browser
	@$(BIN)/python -m tests.support.chromium
	@$(BIN)/python -m pytest $(SHARED_OUT) $(ARGS)

test-slow: $(READY) ## Run those that kill what they can, and play models, faults and mishaps
	@$(BIN)/python -m tests.support.chromium
	@$(BIN)/python -m pytest -m "slow and not long" $(SHARED_OUT) $(ARGS)

test-all: test test-slow ## Run every test there is, those that take many minutes as well
	@$(BIN)/python -m pytest -m long $(ARGS)

bench: ## Print every row of the table of speeds, also after one that misses its bar
	@$(MAKE) --keep-going bench-costs bench-checkouts bench-reconcile bench-deaths

bench-costs: $(READY) ## What a paid checkout costs at Temporal, counted in its history
	@$(BIN)/python -m pytest -q -s tests/workflows/test_cost.py $(ARGS)

bench-deaths: $(READY) ## How soon an order is back at work after its worker was killed
	@$(BIN)/python -m pytest -q -s -m slow tests/test_kill_points.py $(ARGS)

bench-checkouts: $(READY) ## Paid checkouts a second beside the same steps with nothing in them
	@$(BIN)/python -m benchmarks.checkouts $(ARGS)

bench-reconcile: $(READY) ## Reconcile a million rows beside DuckDB's bare join (ROWS=10000000)
	@$(BIN)/python -m benchmarks.reconcile $(ARGS)

chaos: $(READY) ## Play seeds of faults and kills: make chaos SEED="1 2" ORDERS=200
	@$(BIN)/python -m tests.chaos --seed $(SEED) --orders $(ORDERS) --database $(DATABASE) $(ARGS)

check: $(READY) ## Lint, format, types, architecture, compose file, Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/hadolint Dockerfile

lock: ## Pin anew, by hash, what pyproject.toml asks for (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	@$(UV) $(COMPILE) --group dev --output-file requirements.lock
	@$(UV) $(COMPILE) --constraint requirements.lock --output-file requirements.runtime.lock

clean: ## Remove the virtual environment, caches and the demo's state; var/run stays
	@rm -rf .venv var/demo var/demo.lock .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
		"Python 3.11 or newer is needed, and $(PYTHON) is not: make PYTHON=python3.11 ..." >&2; \
		exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	@echo "Installing requirements.lock into .venv, once"
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
