# Each target does its own set-up, with nothing but python3 (3.11 or newer) and make. Plain `make` keeps it in .venv;
# with PYTHON=... it is in .venv-VERSION, so that each Python has its own.
PYTHON ?= python3
ifeq ($(PYTHON),python3)
VENV := .venv
else
VERSION := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())')
$(if $(VERSION),,$(error $(PYTHON) does not run here; name a Python that does, such as PYTHON=/usr/bin/python3.12))
VENV := .venv-$(VERSION)
endif
BIN := $(VENV)/bin
# What Headcount itself needs is installed; all that the tests and checks need is installed.
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
PIP := python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test quick check coverage wheel lowest bench bench-full pictures keys clean
help:
	@echo "make demo        the screen on a simulated busy server"
	@echo "make test        the tests; with another Python: make test PYTHON=python3.12"
	@echo "make check       lint, format, types and import contracts"
	@echo "make coverage    which branches of the core its tests take; fails below the floor"
	@echo "make wheel       build the wheel once, and try it as installed"
	@echo "make quick       a part of the tests: what another Python or library could break"
	@echo "make lowest      the same part, with the lowest versions that pyproject.toml allows"
	@echo "make bench       how fast it is, beside its peers: 100,000 users, some minutes"
	@echo "make bench-full  the same with a million users and more, an hour; writes docs/performance.md"
	@echo "make pictures    draw docs/screenshot.svg and docs/pictures again"
	@echo "make keys        write the README's table of keys again"

define new_venv
@$(PYTHON) -c 'import sys; sys.exit("Headcount needs Python 3.11 or newer; try make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
@$(PYTHON) -m venv $(VENV)
endef

$(INSTALLED): pyproject.toml
	@echo "Setting up $(VENV), once: a virtual environment with what Headcount needs, from the package index ..."
	$(new_venv)
	@$(BIN)/$(PIP) --editable .
	@touch $@

$(READY): pyproject.toml
	@echo "Setting up $(VENV), once: what Headcount, its tests and its checks need, from the package index ..."
	$(new_venv)
	@$(BIN)/$(PIP) --editable '.[dev]'
	@touch $(INSTALLED) $@

demo: $(INSTALLED)
	@$(BIN)/headcount demo

test: $(READY)
	$(BIN)/python -m pytest -n auto

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The tests of whatever a Python or a library does for us. Pictures of the screen are left out: they are those of one version.
QUICK := tests/core/prosody tests/core/sources/test_readers.py tests/core/test_clients.py tests/core/test_commands.py \
	tests/core/test_geo.py tests/core/test_zones.py tests/core/test_state.py tests/tui/test_render.py \
	tests/tui/test_screen_table.py tests/tui/test_trend.py

quick: $(READY)
	$(BIN)/python -m pytest -n auto $(QUICK)

# Two tests look at what a process has loaded or has open. Being measured adds to that, so `make test` alone has them;
# it alone has the slowest files too, which take hardly a branch that no other file takes.
BRANCHES_AT_LEAST := 90
coverage: $(READY)
	$(BIN)/python -m pytest -n auto tests/core --cov \
		--ignore tests/core/test_engine_process.py --ignore tests/core/test_geo_process.py \
		--ignore tests/core/test_demo_history.py --ignore tests/core/test_anonymity_attacked.py \
		--ignore tests/core/test_report_beside_engine.py --ignore tests/core/test_wrong_clock.py \
		--deselect tests/core/sources/test_watchers.py::TestLimits::test_as_the_kernel_has_them \
		--deselect tests/core/test_commands.py::test_what_only_tells_of_commands_loads_none_of_what_they_work_with
	@$(BIN)/coverage json --quiet -o - | $(BIN)/python .ci/branches.py $(BRANCHES_AT_LEAST)

# What an earlier build left behind must not get into the wheel.
wheel: $(READY)
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	rm -rf build
	$(BIN)/python .ci/wheel.py dist/headcount-*.whl

LOWEST := $(VENV)-lowest

$(LOWEST)/.ready: pyproject.toml .ci/lowest.py
	$(PYTHON) -m venv $(LOWEST)
	$(PYTHON) .ci/lowest.py >$(LOWEST)/constraints.txt
	$(LOWEST)/bin/$(PIP) --constraint $(LOWEST)/constraints.txt --editable '.[test]'
	touch $@

lowest: $(LOWEST)/.ready
	$(LOWEST)/bin/python -m pytest -n auto $(QUICK)

bench: $(READY)
	$(BIN)/python benchmarks/run.py --small

bench-full: $(READY)
	$(BIN)/python benchmarks/run.py --full

pictures: $(READY)
	$(BIN)/python docs/pictures.py

keys: $(READY)
	$(BIN)/python docs/keys.py

clean:
	rm -rf .venv .venv-* build dist
