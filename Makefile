# `make demo` and `make test` set everything up by themselves.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

# One more than cores, since tests also wait; a file's tests stay together with what they share.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
# Unit tests share next to nothing: each goes to whichever worker is free.
ONE_BY_ONE := --numprocesses $(WORKERS) --dist worksteal
SIDE_BY_SIDE := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# Hundreds of processes start from the same sources, which are compiled once for all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up test critical check format bench lock histories clean

help: ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 20

# A fitting Python is one that runs: a version manager's shim may exist for a version that does not.
$(VENV)/bin/python:
	@for name in $${PYTHON:-} python3.12 python3.11 python3; do \
	  if "$$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then \
	    echo "setting up $(VENV) with $$("$$name" --version)" >&2; exec "$$name" -m venv $(VENV); \
	  fi; \
	done; \
	echo "No Python 3.11 or 3.12 (with venv) was found. Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1

$(READY): requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing dependencies (about a minute the first time)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## Make the virtual environment with everything in it.

demo: $(READY) ## Trade on paper against a simulated OKX until Ctrl-C (ARGS="--cycles 3 --json").
	@exec $(BIN)/oxbot demo $(ARGS)

up: $(READY) ## Run servers, worker and API on real OKX prices (ARGS="--simulator").
	@exec $(BIN)/oxbot up $(ARGS)

test: $(READY) ## Run every check and every test (WORKERS=1, ARGS="-k pause").
	@$(MAKE) --no-print-directory --jobs 2 lint programs
	@$(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

critical: programs ## Run the tests of the paths that money depends on.
	@$(BIN)/pytest -m critical $(SIDE_BY_SIDE) $(ARGS)

.PHONY: programs
programs: $(READY)
	@$(BIN)/python -m tests.support.programs

.PHONY: lint
lint: $(READY) ## Check format, lint, types and imports.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary --num-workers auto
	@$(BIN)/lint-imports --no-logo

check: lint ## Run lint and the unit tests, with fewer examples of each property.
	@$(BIN)/pytest tests/unit --quiet --hypothesis-profile quick $(ONE_BY_ONE) $(ARGS)

format: $(READY) ## Format the code and mend what lint can.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY) ## Run the benchmarks; each prints one JSON line at its end.
	@for script in bench/*.py; do $(BIN)/python "$$script" --json $(ARGS); done

histories: $(READY) ## Record anew the histories that the replay tests hold the workflow against.
	@$(BIN)/python -m tests.histories.record

lock: $(READY) ## Resolve the dependencies anew into requirements.lock.
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --group dev --custom-compile-command "make lock" \
	  pyproject.toml --output-file requirements.lock

clean: ## Remove the virtual environment and all caches, but no data.
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
