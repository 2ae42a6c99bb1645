# Everything a user or CI runs. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
# Compiled bytecode makes every later start two to three times faster.
export UV_COMPILE_BYTECODE = 1
export LANGSMITH_TRACING = false
PEERS_VENV := .venv-peers
PEERS_STAMP := $(PEERS_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check format bench bench-detect bench-rca bench-acts eval eval-hostile e2e-web golden e2e-slack e2e-litellm e2e-litellm-spike e2e-openai e2e-serve replicas chaos lock wheel-check clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv with everything in it

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: setup ## run the main job on a small synthetic organisation
	@$(BIN)/tokensleuth demo

test: setup ## run the tests, with branch coverage
	$(BIN)/python -m pytest -n 2 -q --cov --cov-report=term:skip-covered

lint: setup ## format check, ruff, mypy strict, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## everything CI checks

format: setup ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## measure ingest, investigate and start-up; writes evals/RESULTS.md
	$(BIN)/python -m evals.bench

bench-detect: $(PEERS_STAMP) ## compare the detector with its peers; writes evals/RESULTS.md
	OPENBLAS_NUM_THREADS=1 $(PEERS_VENV)/bin/python -m evals.detection

$(PEERS_STAMP): $(STAMP)
	@test -x $(PEERS_VENV)/bin/python || $(PYTHON) -m venv $(PEERS_VENV)
	$(UV) pip sync --quiet --python $(PEERS_VENV)/bin/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(PEERS_VENV)/bin/python --no-deps --editable .
	$(UV) pip install --quiet --python $(PEERS_VENV)/bin/python --constraint requirements.lock --group peers
	@touch $@

bench-rca: setup ## grade root causes against peers; writes evals/RESULTS.md
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m evals.rca

bench-acts: setup ## kills, races, forged requests, guard rails and answers under load; writes evals/RESULTS.md
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m evals.acting

eval: setup ## grade whole investigations on generated organisations; writes evals/RESULTS.md
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m evals

eval-hostile: setup ## obey every hostile text in every field; writes evals/out/hostile.json
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m evals.hostile --payloads

e2e-serve: setup ## the service with one key: usage flows, a spike is told, approved, done, verified
	$(BIN)/python -m evals.e2e_serve

replicas: setup ## two services on one PostgreSQL, the leader killed while it judges
	$(BIN)/python -m evals.replicas

e2e-slack: setup ## the service on a Slack emulator: alerts, clicks, pages and commands, each done once
	$(BIN)/python -m evals.slack_install
	$(BIN)/python -m evals.e2e_slack

e2e-litellm: setup ## every LiteLLM action and its undo at a real proxy, judged by calls through it
	$(BIN)/python -m evals.e2e_litellm

e2e-litellm-spike: setup ## a spike really made at a real proxy: found, told, limited there, and taken back
	$(BIN)/python -m evals.e2e_litellm_spike

e2e-openai: setup ## every OpenAI action and its undo against OpenAI's own schema, served by npm prism
	$(BIN)/python -m evals.e2e_openai

golden: setup ## rewrite tests/golden; review the difference
	$(BIN)/python tests/slack_cases.py
	$(BIN)/python -m tests.digest_cases

chaos: setup ## kill workers at every point and look for what was lost or doubled (KILLS=300)
	$(BIN)/python -m evals.chaos --kills $(or $(KILLS),30)

e2e-web: setup ## the inbox in a real Chromium without JavaScript: decide, race, look; SHOTS=DIR keeps pictures
	$(BIN)/python -m evals.e2e_web $(if $(SHOTS),--shots $(SHOTS))

wheel-check: setup ## build the wheel, install it alone in a fresh venv, run the demo from there
	.ci/wheel-check $(BIN)/python

lock: ## renew requirements.lock (needs uv)
	$(UV) pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --custom-compile-command "make lock" --quiet --output-file requirements.lock
	echo 'hatchling>=1.27' | $(UV) pip compile - --constraint requirements.lock --universal --generate-hashes \
	  --no-emit-index-url --no-annotate --python-version 3.11 --custom-compile-command "make lock" --quiet \
	  --output-file deploy/build.lock

clean: ## remove the venv and caches
	rm -rf $(VENV) $(PEERS_VENV) .mypy_cache .ruff_cache .pytest_cache dist
