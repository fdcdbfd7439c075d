# `make demo` and `make test` need only Python 3.11+ and make: they build .venv themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo local drill check test declared bench lint types docs lock clean
.DEFAULT_GOAL := help

help:  ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12
	@echo "To look after a deployed stack: $(BIN)/python -m operate --help"

.venv/.installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: set PYTHON=")'
	@echo "Building .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m local.install requirements-dev.txt
	@touch $@

setup: .venv/.installed  ## build .venv, as every target but help and clean does first where it is missing

demo: .venv/.installed  ## run the whole pipeline once, locally, on the files of samples/; V=1 shows all that came of it
	@$(BIN)/python -m local demo $(if $(V),--verbose)

local: .venv/.installed  ## keep the local cloud running until Ctrl-C
	@$(BIN)/python -m local up

check: lint types .venv/.installed  ## what to run before a commit: lint, types and the fast tests (a few minutes at most)
	@$(BIN)/python -m pytest $(WORKERS) -m "not slow"

test: .venv/.installed  ## every test, the end-to-end ones on the local cloud included (about 10 minutes on two cores)
	@$(BIN)/python -m pytest $(WORKERS)

# A process for each core and one more; tests that share a local cloud stay together: tests/workers.py.
WORKERS = --numprocesses logical --maxprocesses 6 --no-loadscope-reorder

declared: .venv/.installed  ## write anew what the program declares for the stages of the tests, to be reviewed
	@$(BIN)/python -m tests.declared

lint: .venv/.installed  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/.installed  ## mypy, strict
	@$(BIN)/mypy

drill: .venv/.installed  ## play faults on the local cloud (about 5 minutes); DRILL=burst plays one, DRILL=--list lists them
	@$(BIN)/python -m local drill $(DRILL)

bench: .venv/.installed  ## measure speed, memory, hostile input and cold start (about 20 minutes)
	@$(BIN)/python -m benchmarks

docs: .venv/.installed  ## write what docs and package take from the code
	@$(BIN)/python -m tools.docs

lock: .venv/.installed  ## pin every package anew, with hashes
	@$(BIN)/uv pip compile $(LOCK) --output-file requirements.txt requirements.in
	@$(BIN)/uv pip compile $(LOCK) --output-file requirements-dev.txt --constraints requirements.txt requirements-dev.in
	@$(BIN)/uv pip compile $(LOCK) --output-file tests/runtime/requirements.txt tests/runtime/requirements.in
	@$(BIN)/uv pip compile $(LOCK) --output-file lambda_src/requirements.txt --constraints requirements-dev.txt \
		$(RUNTIME_PACKAGES:%=--no-emit-package %) lambda_src/requirements.in

LOCK := --quiet --no-header --universal --python-version 3.11 --generate-hashes
# The Lambda runtime brings boto3 and its dependencies: the layer leaves them out.
RUNTIME_PACKAGES := boto3 botocore jmespath python-dateutil s3transfer six urllib3

clean:  ## remove what was built
	@rm -rf .venv package/.venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis
