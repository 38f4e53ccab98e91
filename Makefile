# Each target does its own set-up, in .venv, with nothing but python3 (3.11 or newer) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check bench bench-full pictures keys clean
help:
	@echo "make demo        the screen on a simulated busy server"
	@echo "make test        the tests"
	@echo "make check       lint, format, types and import contracts"
	@echo "make bench       how fast it is, beside its peers: 100,000 users, some minutes"
	@echo "make bench-full  the same with a million users and more, an hour; writes docs/performance.md"
	@echo "make pictures    draw docs/screenshot.svg and docs/pictures anew"
	@echo "make keys        write the README's table of keys anew"

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Headcount needs Python 3.11 or newer; try make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/headcount demo

test: $(READY)
	$(BIN)/python -m pytest -n auto

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python benchmarks/run.py --small

bench-full: $(READY)
	$(BIN)/python benchmarks/run.py --full

pictures: $(READY)
	$(BIN)/python docs/pictures.py

keys: $(READY)
	$(BIN)/python docs/keys.py

clean:
	rm -rf $(VENV) build dist
