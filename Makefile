# People and CI run the same targets. `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help setup demo test simulate chaos check bench docs lock clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MEMBERS := libs/common services/enrolment services/matching services/scheduling services/notifications deploy/local deploy/native
STAMP  := $(VENV)/.made
ARGS   ?=
SEEDS  ?= 1000
FIRST  ?= 0
SEED   ?=

help:  ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP)  ## Make the environment (.venv) from requirements.lock

$(STAMP): requirements.lock $(wildcard $(addsuffix /pyproject.toml,$(MEMBERS)))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Amont needs Python 3.11 or later; $(PYTHON) is older. Try: make setup PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked packages into $(VENV) ..."
	@grep -A2000 '^uv==' requirements.lock | awk 'NR==1 || /^ /{print; next} {exit}' > $(VENV)/uv.lock.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock.txt
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --system-certs --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --system-certs --quiet --no-deps --no-build-isolation $(addprefix -e ./,$(MEMBERS))
	@echo "Compiling the matching engine ..."
	@$(BIN)/python -m amont.matching.domain.engine
	@touch $@

demo: setup  ## Play a programme with made-up people; ARGS=--no-serve ends without the page
	@$(BIN)/amont demo $(ARGS)

test: setup  ## Every test that this machine can run; ARGS='-k pairs' narrows
	@$(BIN)/python -m pytest $(ARGS)

simulate: setup  ## Play the house under seeded storms: SEEDS=10000 FIRST=0; one again: SEED=748 ARGS=--trace
	@$(BIN)/python -m amont.common.testing.simulation $(if $(SEED),--seed $(SEED) $(ARGS),--seeds $(SEEDS) --first $(FIRST))

chaos: setup  ## Kill, freeze and cut four services and real servers off; ARGS='--seed 7 --outage-seconds 60'
	@$(BIN)/python -m tests.chaos $(ARGS)

check: setup  ## Format, lint, types, walls between rooms, compatibility of the contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/amont contracts compatible

bench: setup  ## Measure: each figure is a ratio against a named baseline in the same run; ARGS=staff_events
	$(BIN)/python -m tests.bench $(ARGS)

docs: setup  ## Write what is generated (JSON Schemas, topics, metrics)
	$(BIN)/amont contracts write

lock: setup  ## Resolve again and write requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip compile --system-certs --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links $(foreach m,common enrolment matching scheduling notifications local native,--no-emit-package amont-$(m)) \
	  --group dev $(addsuffix /pyproject.toml,$(MEMBERS)) -o requirements.lock $(ARGS)

clean:  ## Remove the environment and what runs left behind
	rm -rf $(VENV) .demo .native .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
