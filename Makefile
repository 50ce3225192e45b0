# Everything runs in .venv, made from a hash-pinned lock. PYTHON names the interpreter to make it with (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps

export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false

.PHONY: nightly test soak ui adventureworks hvbp lint lock audit clean help

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

nightly: $(VENV)/runtime.stamp ## Run one night of the chosen company (SCORECARD_COMPANY; default: the sample chain)
	@$(BIN)/scorecard nightly

ui: $(VENV)/runtime.stamp ## Open Dagster's user interface on http://127.0.0.1:3000
	@$(BIN)/scorecard ui

adventureworks: DATA ?= ../shared/data/adventureworks
adventureworks: $(VENV)/runtime.stamp ## Run a night of AdventureWorks from DATA (default ../shared/data/adventureworks)
	@$(BIN)/scorecard map --company examples/adventureworks "$(DATA)"
	@$(BIN)/scorecard nightly --company examples/adventureworks

hvbp: DATA ?= ../shared/data/hvbp
hvbp: $(VENV)/runtime.stamp ## Score hospitals from DATA (default ../shared/data/hvbp), compare every published score
	@$(BIN)/scorecard map --company examples/hvbp "$(DATA)"
	@$(BIN)/scorecard nightly --company examples/hvbp
	@$(BIN)/scorecard compare --company examples/hvbp "$(DATA)"

test: $(VENV)/dev.stamp ## Run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile

soak: $(VENV)/dev.stamp ## Run the long tests, which kill and starve the pipeline for minutes to hours
	@$(BIN)/python -m pytest -m soak

lint: $(VENV)/dev.stamp ## Check form and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@SCORECARD_WAREHOUSE=:memory: $(BIN)/sqlfluff lint models tests/dbt
	@$(BIN)/sqlfluff lint --templater raw expectations/policy_rules

lock: $(VENV)/dev.stamp ## Resolve the dependencies anew and write both locks
	@$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --no-annotate --quiet --output-file requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --constraint requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --no-annotate --quiet --output-file requirements.lock

audit: $(VENV)/python.stamp ## Ask PyPI for known weaknesses of every pinned package; fails where it gets no answer
	@$(BIN)/python -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@$(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement requirements.lock

clean: ## Remove the environment and all that was computed; extracts stay
	rm -rf $(VENV) warehouse published examples/*/warehouse examples/*/published

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: name another with PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv does not work here: on Debian and Ubuntu install python3-venv"; exit 1; }
	@touch $@

$(VENV)/runtime.stamp: $(VENV)/python.stamp requirements.lock pyproject.toml
	@echo "installing the packages of requirements.lock into $(VENV)"
	@$(PIP_INSTALL) -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.lock
	@echo "installing the packages of requirements-dev.lock into $(VENV)"
	@$(PIP_INSTALL) -r requirements-dev.lock
	@touch $@
