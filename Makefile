# Everything a newcomer needs is `make demo` and `make test`; both set themselves up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Programs that come as packages, as Go where there is none, are found as a test or a figure looks for any other.
TOOLS := PATH="$(CURDIR)/$(BIN):$$PATH"
NAME ?=
# Test processes beside each other: most tests wait for a server more than they compute. Files are taken in the order of
# their names, and so the longest ones, acceptance tests, first: none of them is waited for at the end.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

.PHONY: demo test lint format bench promises flower clean help

help:
	@echo 'make demo       see the whole job on a small project'
	@echo 'make test       the tests of everything this machine has the tools for'
	@echo 'make lint       ruff, formatter, types, import layers'
	@echo 'make promises   the figures we promise, measured here [NAME=x] (MO_REPO, MO_CASES)'
	@echo 'make bench      the full campaigns'
	@echo 'make flower     Flower on MO_TESTPLAN_REDIS_URL, http://127.0.0.1:5555'

# One stamp an extra: installed once, and again when the project file or the pins change.
$(VENV)/.installed-%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.11 …'; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'installing into $(VENV) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	@touch $@

demo: $(VENV)/.installed-demo
	@$(BIN)/mo-testplan demo $(ARGS)

# What the hosts of tests start with as their Go build cache, unless somebody names another one.
$(VENV)/go-build: | $(VENV)/.installed-all
	@$(TOOLS) $(BIN)/python -m tests.warm $@

test: export MO_TESTPLAN_GOCACHE_SEED ?= $(CURDIR)/$(VENV)/go-build
test: $(VENV)/.installed-all $(if $(MO_TESTPLAN_GOCACHE_SEED),,| $(VENV)/go-build)
	@$(TOOLS) $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.installed-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

promises: $(VENV)/.installed-all
	@$(TOOLS) $(BIN)/python -m benchmarks.promises $(NAME)

bench: $(VENV)/.installed-all
	@$(TOOLS) $(BIN)/python -m benchmarks.full

flower: $(VENV)/.installed-flower
	@$(BIN)/python -m orchestrator flower $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
