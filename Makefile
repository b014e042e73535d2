# Everything works from a fresh checkout with make and Python 3.11 or newer. Paths are relative, so that the
# checkout may stand in a folder with a space in its name.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

PYTHON ?= python3
BIN := .venv/bin
ROUTER = $(BIN)/model-router $(if $(wildcard .env),--env-file .env)
# More processes than cores: tests wait more than they compute. A file's tests stay together, as its fixtures are.
TOGETHER = --numprocesses 3 --dist loadfile --no-loadscope-reorder
COMPILE = $(BIN)/uv --no-config pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links

.PHONY: help run test check bench bench-waiting bench-streams bench-routing bench-batch bench-faults bench-plan bench-limits doctor lock clean install install-dev install-clients golden python

help: ## List these targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: install ## Start everything on this machine and send one completion (options: UP=--no-probe)
	@exec $(ROUTER) up $(UP)

# Tests start hundreds of Python processes: each would compile the project again.
test: export PYTHONDONTWRITEBYTECODE =
test: ## Run lint, types and every test (options: PYTEST="-k name")
	@$(MAKE) -j 2 check install-clients
	@exec $(BIN)/python -m pytest $(or $(PYTEST),$(TOGETHER))

check: install-dev ## Run lint, types and the searches for known holes only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml api cli config routing sandbox workers
	@$(BIN)/python -m tests.support.audit requirements.lock

bench: install ## Compare with the provider alone and with a bare skeleton (options: BENCH=--help)
	@exec $(BIN)/python -m benchmarks.run $(BENCH)

bench-waiting: install ## 2,000 calls at once on a provider of 5 s, through the queue
	@exec $(BIN)/python -m benchmarks.waiting $(BENCH)

bench-streams: install ## Streams beside the provider alone and LiteLLM's proxy, which it installs apart (about 8 minutes)
	@exec $(BIN)/python -m benchmarks.streams $(BENCH)

bench-routing: install ## Providers fail, recover and change prices: Model Router beside others (about 8 minutes)
	@exec $(BIN)/python -m benchmarks.routing $(BENCH)

bench-batch: install ## A batch beside bare Celery and a plain script, and beside interactive calls (about 3 minutes)
	@exec $(BIN)/python -m benchmarks.batches $(BENCH)

bench-faults: install ## A batch of 50,000 lines while every part is killed (about 6 minutes)
	@exec $(BIN)/python -m benchmarks.faults $(BENCH)

bench-plan: install ## What planning a request costs, alone and as a share of its CPU
	@exec $(BIN)/python -m benchmarks.planning $(BENCH)

bench-limits: install ## What authentication, limits and a budget cost each request (half a minute)
	@exec $(BIN)/python -m benchmarks.limits $(BENCH)

golden: install-dev ## Write the golden files of tests/golden anew; look at what changed in them
	@$(BIN)/python -m tests.golden

doctor: install ## Say what is configured, reachable and missing
	@exec $(ROUTER) doctor

lock: install-dev ## Resolve the dependencies anew and write every lock file (npm: tests/sdk/node)
	@$(COMPILE) --extra build pyproject.toml -o requirements.lock
	@$(COMPILE) --all-extras -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(COMPILE) tests/sdk/clients/clients.in -o tests/sdk/clients/clients.lock
	@$(COMPILE) tests/sdk/clients/litellm.in -o tests/sdk/clients/litellm.lock
	@$(COMPILE) benchmarks/litellm/requirements.in -o benchmarks/litellm/requirements.lock

clean: ## Remove the environments and the caches; the data in .model-router stays
	@rm -rf .venv .venv-clients .venv-benchmarks tests/sdk/node/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

install: python
	@"$(PYTHON)" -m cli.install requirements.lock

install-dev: python
	@"$(PYTHON)" -m cli.install requirements-dev.lock

install-clients: install-dev
	@$(BIN)/python -m tests.support.client_environments

python:
	@command -v "$(PYTHON)" > /dev/null || { echo "$(PYTHON) is not found: install Python 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv), or set PYTHON" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$("$(PYTHON)" -V 2>&1) and 3.11 or newer is needed: install one and set PYTHON, as in: make run PYTHON=python3.13" >&2; exit 1; }
