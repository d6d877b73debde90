# Every target does its own set-up; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
CREATE := $(UV) venv -q --python $(PYTHON) --allow-existing $(VENV)
PIP := $(UV) pip install -q --compile-bytecode --python $(BIN)/python
else
CREATE := $(PYTHON) -m venv $(VENV)
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
endif

.PHONY: help install runtime demo test test-slow lint bench lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(BIN)/python:
	$(CREATE)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements/runtime.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.development: requirements/development.txt $(VENV)/.runtime
	$(PIP) --require-hashes -r requirements/development.txt
	@touch $@

runtime: $(VENV)/.runtime  ## .venv with candlewick and what the demo needs
install: $(VENV)/.development  ## .venv with everything, editable

demo: $(VENV)/.runtime  ## load real and simulated candles, print bars with indicators
	@$(BIN)/candlewick demo

test: install  ## the default suite with its coverage gates
	@PYTHON=$(BIN)/python scripts/test

test-slow: install  ## the longer trials: kill -9, five million rows, long random histories, the laws on ten times as many examples
	$(BIN)/python -m pytest -m slow --timeout 3000
	$(BIN)/python -m pytest -n 2 tests/laws tests/answers tests/indicators tests/aggregation --hypothesis-profile deep --timeout 3000

lint: install  ## ruff, mypy and the import contracts
	@PYTHON=$(BIN)/python scripts/lint

bench: install  ## measure against the peers; writes bench/results
	$(BIN)/candlewick bench --json bench/results/latest.json

lock:  ## renew the hashed requirements (needs uv)
	scripts/lock

clean:  ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .coverage .coverage.* htmlcov
