# scenario-apply: set-up, tests and checks. The first target that needs .venv creates it from requirements.lock.
#
#   make demo    train the quickstart on the embedded Scenario: no account, no network
#   make help    the rest

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The newest Python that really runs and can make a venv: a version manager's stand-in may exist and still fail.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

# Tests and demo start the program hundreds of times. Images of Python often forbid to keep what was compiled.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := scenario_apply tests benchmarks manifests docs .ci

DEMO := build/demo
DEMO_SECONDS ?= 6
DEMO_RUN := SCENARIO_APPLY_LOCAL_TRAINING_SECONDS=$(DEMO_SECONDS) SCENARIO_APPLY_LOCAL_SEED=$(DEMO)/emulator-seed.json \
	$(BIN)/scenario-apply

.PHONY: help demo test azurite coverage test-newest test-lowest versions check format reference docs lock lock-action bench soak fuzz clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

$(STAMP): requirements.lock pyproject.toml
	@test -n '$(PYTHON)' || { echo 'No Python 3.11 or newer with venv was found. Name one: make PYTHON=/path/to/python3' >&2; exit 1; }
	@test -x $(BIN)/python || { echo 'making $(VENV) with $(PYTHON)'; $(PYTHON) -m venv $(VENV); }
	@echo 'installing requirements.lock into $(VENV): once, takes about a minute'
	@set -o pipefail; $(BIN)/python -u -m pip install --disable-pip-version-check --no-color --progress-bar off \
		--require-hashes -r requirements.lock | $(BIN)/python -u -c "$$COUNT_PACKAGES"
	@$(INSTALL_PACKAGE)
	@touch $@

# How far pip is: a line that is written over itself on a terminal, one for every tenth package elsewhere.
define COUNT_PACKAGES
import re, sys
done, live = 0, sys.stdout.isatty()
total = len(re.findall('(?m)^[^ #]+==', open('requirements.lock').read()))
for line in sys.stdin:
    found = re.match('(Collecting|Ignoring|Installing) ([^= :]+)', line)
    if found is None:
        continue
    at_end = found[1] == 'Installing'
    done += not at_end
    text = f'  installing {total} packages' if at_end else f'  {done} of {total} packages: {found[2]}'
    if live:
        print(f'\r{text:78.78}', end='')
    elif at_end or done % 10 == 0:
        print(text)
if live:
    print('\r' + ' ' * 78, end='\r')
endef
export COUNT_PACKAGES

# The package itself, on the dependencies that are already installed. uv, because the start-up script that an old pip
# writes costs a third more.
INSTALL_PACKAGE = $(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .

lock: $(STAMP) ## pin the newest allowed versions, for development, the docs and the GitHub Action
	@$(BIN)/uv pip compile -q --upgrade --extra dev $(LOCK_OPTIONS) pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --upgrade $(LOCK_OPTIONS) docs/requirements.in -o docs/requirements.lock
	@$(MAKE) -s lock-action

# What the Action installs: the package's own needs in the versions of requirements.lock, and nothing for development.
lock-action: $(STAMP)
	@mkdir -p build && sed -n 's/^\([a-z0-9][^ ]*==[^\\]*\).*/\1/p' requirements.lock > build/constraints.txt
	@$(BIN)/uv pip compile -q --extra heif --extra parquet --extra remote --extra postgres --no-annotate -c build/constraints.txt $(LOCK_OPTIONS) pyproject.toml \
		-o .github/action/requirements.txt

LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock'

demo: $(STAMP) ## train the quickstart on the embedded Scenario, draw samples, print the ids, apply again, write a report
	@rm -rf $(DEMO) && mkdir -p build && cp -R manifests/quickstart $(DEMO) && rm -rf $(DEMO)/.scenario $(DEMO)/state   # fresh, whatever was tried in the checkout
	@echo '$$ scenario-apply apply $(DEMO) --local --auto-approve'
	@$(DEMO_RUN) apply $(DEMO) --local --auto-approve --poll-interval 1
	@echo; echo '$$ scenario-apply output $(DEMO) --local'
	@$(DEMO_RUN) output $(DEMO) --local
	@echo; echo '$$ scenario-apply apply $(DEMO) --local --auto-approve --quiet   # again'
	@$(DEMO_RUN) apply $(DEMO) --local --auto-approve --quiet --poll-interval 1
	@echo; echo '$$ scenario-apply report $(DEMO) --local --out $(DEMO)/report.html'
	@$(DEMO_RUN) report $(DEMO) --local --out $(DEMO)/report.html
	@echo; echo 'Open the report, with the samples side by side, in a browser:'; echo '  $(CURDIR)/$(DEMO)/report.html'
	@echo; echo '$(DEMO) is a copy of manifests/quickstart. Change a caption there and plan again:'
	@echo '  $(BIN)/scenario-apply plan $(DEMO) --local'

# One more than there are cores: many tests wait for a program that they started.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

AZURITE := build/azurite

azurite: ## install Microsoft's Blob Storage emulator for the tests of az://, with npm; without npm they are skipped
	@if ! command -v npm >/dev/null; then \
		echo 'npm was not found: the tests of az:// are skipped' >&2; \
	elif ! cmp -s tests/azurite/package-lock.json $(AZURITE)/.installed; then \
		mkdir -p $(AZURITE) && cp tests/azurite/package*.json $(AZURITE)/ && \
		npm ci --prefix $(AZURITE) --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && \
		cp tests/azurite/package-lock.json $(AZURITE)/.installed || \
		echo 'Azurite could not be installed: the tests of az:// are skipped' >&2; \
	fi

test: $(STAMP) azurite ## run the tests
	@$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_OPTIONS)

coverage: $(STAMP) ## run the tests with branch coverage of everything but the emulator; fails below the floor
	@$(MAKE) -s test PYTEST_OPTIONS='--cov --cov-report=term:skip-covered'

# The tests that a version of a dependency can break. The crash, kill, soak and fuzz tests are about our own code, those
# of pages, workflows and hostile texts about our own files and words.
VERSION_TESTS := tests $(addprefix --ignore=tests/,soak fuzz docs ci hostile_text fleet/test_kill.py \
	$(addprefix apply/,test_crash.py test_crash_rarer.py test_kill.py test_other_machine.py test_store_lost.py))

test-newest: ## run the tests on the newest allowed versions, in .venv-newest
	@$(MAKE) -s versions VENV=.venv-newest VERSIONS='--upgrade -e .[dev]'

test-lowest: $(STAMP) ## run the tests on the lowest allowed versions of what the package needs, in .venv-lowest
	@mkdir -p build
	@$(BIN)/uv pip compile -q --resolution lowest-direct --python-version 3.11 --universal --extra heif --extra parquet --extra remote --extra postgres pyproject.toml -o build/lowest.txt
	@$(MAKE) -s versions VENV=.venv-lowest VERSIONS='-r build/lowest.txt'

versions: $(STAMP) azurite
	@$(BIN)/uv pip install -q --python $(BIN)/python $(VERSIONS)
	@$(BIN)/python -m pytest -n $(WORKERS) $(VERSION_TESTS)

check: $(STAMP) ## style, format and types
	@$(BIN)/ruff check $(wildcard $(CODE))
	@$(BIN)/ruff format --check $(wildcard $(CODE))
	@$(BIN)/mypy

format: $(STAMP) ## fix what ruff can fix
	@$(BIN)/ruff check --fix $(wildcard $(CODE))
	@$(BIN)/ruff format $(wildcard $(CODE))

DOCS := .venv-docs
DOCS_STAMP := $(DOCS)/.installed

# Packages of their own: nothing but this target needs them.
$(DOCS_STAMP): docs/requirements.lock $(STAMP)
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	@$(BIN)/uv pip install -q --python $(DOCS)/bin/python --require-hashes -r docs/requirements.lock
	@touch $@

reference: $(STAMP) ## write the generated reference pages and schemas
	@$(BIN)/python docs/generate.py

docs: reference $(DOCS_STAMP) ## the same, and build the documentation site in build/docs; broken links are errors
	@$(DOCS)/bin/python -m sphinx -q -n -W --keep-going -E -b html docs build/docs
	@echo 'build/docs/index.html'

bench: $(STAMP) ## the benchmarks, one after the other
	@set -e; for script in $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script; done

SOAK_SEEDS ?= 10

soak: $(STAMP) ## chaos and kills, seed by seed: SOAK_SEEDS of a manifest, and of a fleet
	@$(BIN)/python benchmarks/soak.py --seeds $(SOAK_SEEDS)
	@$(BIN)/python benchmarks/soak.py --seeds $(SOAK_SEEDS) --fleet

FUZZ_SECONDS ?= 20
FUZZ_TARGETS ?=

fuzz: $(STAMP) ## changed seeds into every reader; FUZZ_SECONDS for each, FUZZ_TARGETS='manifest plan' for some
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)

clean: ## remove the virtual environments, build and caches
	@rm -rf .venv .venv-docs .venv-newest .venv-lowest build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
