# scenario-apply: everything a newcomer needs. Each target makes its own .venv when there is none.
#
#   make demo    train the quickstart on the embedded Scenario: no account, no network
#   make help    the rest

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The newest Python that really runs and can make a venv: a version manager's stand-in may exist and still fail.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := scenario_apply tests benchmarks manifests

DEMO := build/demo
DEMO_SECONDS ?= 6
DEMO_RUN := SCENARIO_APPLY_LOCAL_TRAINING_SECONDS=$(DEMO_SECONDS) SCENARIO_APPLY_LOCAL_SEED=$(DEMO)/emulator-seed.json \
	$(BIN)/scenario-apply

.PHONY: help demo test check format bench fuzz clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

$(STAMP): pyproject.toml
	@test -n '$(PYTHON)' || { echo 'No Python 3.11 or newer with venv was found. Name one: make PYTHON=/path/to/python3' >&2; exit 1; }
	@test -x $(BIN)/python || { echo 'making $(VENV) with $(PYTHON)'; $(PYTHON) -m venv $(VENV); }
	@echo 'installing (once, and when pyproject.toml changes)'
	@$(BIN)/python -m pip install -q --disable-pip-version-check -U pip   # an old pip's start-up script costs a third more
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP) ## train the quickstart on the embedded Scenario, print the ids, apply again
	@rm -rf $(DEMO) && mkdir -p build && cp -R manifests/quickstart $(DEMO) && rm -rf $(DEMO)/.scenario $(DEMO)/state   # fresh, whatever was tried in the checkout
	@echo '$$ scenario-apply apply manifests/quickstart --local --auto-approve'
	@$(DEMO_RUN) apply $(DEMO) --local --auto-approve --poll-interval 0.5
	@echo; echo '$$ scenario-apply output manifests/quickstart --local'
	@$(DEMO_RUN) output $(DEMO) --local
	@echo; echo '$$ scenario-apply apply manifests/quickstart --local --auto-approve     # again: nothing to do'
	@$(DEMO_RUN) apply $(DEMO) --local --auto-approve --poll-interval 0.5
	@echo; echo 'All of it is in $(DEMO). Change a caption there and plan again:'
	@echo '  $(BIN)/scenario-apply plan $(DEMO) --local'

test: $(STAMP) ## run the tests
	@$(BIN)/python -m pytest -n auto

check: $(STAMP) ## style, format and types
	@$(BIN)/ruff check $(wildcard $(CODE))
	@$(BIN)/ruff format --check $(wildcard $(CODE))
	@$(BIN)/mypy

format: $(STAMP) ## fix what ruff can fix
	@$(BIN)/ruff check --fix $(wildcard $(CODE))
	@$(BIN)/ruff format $(wildcard $(CODE))

bench: $(STAMP) ## the benchmarks, one after the other
	@set -e; for script in $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script; done

FUZZ_SECONDS ?= 20
FUZZ_TARGETS ?=

fuzz: $(STAMP) ## changed seeds into every reader; FUZZ_SECONDS for each, FUZZ_TARGETS='manifest plan' for some
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)

clean: ## remove .venv, build and caches
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
