# Everything a developer or a curious person runs. Each target makes the virtual environments that
# it needs; a second run finds them made. Needs Python 3.11 or newer and make, nothing else; pictures
# for the documentation also need Node.js 18 or newer, and chromium.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test unit long faults chaos properties model-test systemd systemd-shell lint bench bench-limits bench-scale bench-start \
  pex pex-twice pex-try clean \
  synapse-requirements agents-requirements model-requirements
MAKEFLAGS += --no-print-directory

# The one place that pins uv. It installs everything else, as uv.lock says.
UV_VERSION := 0.13.8

# The first Python that is new enough and can make virtual environments; PYTHON=... chooses another.
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11 python3.14; do \
	if $$candidate -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then command -v $$candidate; break; fi; done)

UV := .venv-uv/bin/uv
# uv works inside this folder alone: no Python of its own, no environment that happens to be active.
export UV_PYTHON_DOWNLOADS := never
# Compiled once, here: where PYTHONDONTWRITEBYTECODE is set each start would compile everything anew.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

STEP := @tools/step

help: ## this list
	@echo 'make demo    the whole thing at work: a homeserver, an agent, the service, a conversation'
	@echo 'make test    every check: linters, types, floors, tests, coverage'
	@echo 'make lint    the linters, types and floors alone'
	@echo 'make unit    the tests alone; ARGS="-k name" are given to pytest,'
	@echo '             PEX=dist/lambda-matrix.pex has the scenarios run against that file'
	@echo 'make long    the tests that take minutes, which make test leaves out'
	@echo 'make faults  every fault once, and what became of the questions; CHAOS_SEED=17 for one'
	@echo 'make chaos   the same for long; SEEDS=200'
	@echo 'make properties  the property tests with thirty times as many examples; EFFORT=300 for more'
	@echo 'make model-test  the bundled agent with a real language model, alone'
	@echo 'make systemd     the PEX installed on throw-away Debian 12 and 13 hosts; needs root'
	@echo 'make systemd-shell   a shell on such a host; RELEASE=bookworm for Debian 12'
	@echo 'make bench   the service beside other bots on one homeserver'
	@echo 'make bench-limits   long answers under the default rate limits of a homeserver'
	@echo 'make bench-scale    one process with 1,000 rooms, whose making takes up to an hour, once'
	@echo 'make bench-start    how long the PEX takes to start, beside a plain environment'
	@echo 'make pex     one file to install: dist/lambda-matrix.pex, what it is made of, and its licences'
	@echo 'make pex-twice  the same as somebody else would build it: are the bytes the same?'
	@echo 'make pex-try    does it run under every Python that is here?'
	@echo 'make screenshots   docs/images anew: a person meets Lambda in a browser'
	@echo 'make clean   removes what these made'

# -- environments: each has a stamp, so that it is made once --------------------------------------

$(UV): Makefile
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer with its venv module is needed (Debian: apt install python3 python3-venv); name one with PYTHON=/path/to/python3.' >&2; exit 1; }
	$(STEP) 'preparing uv $(UV_VERSION)' $(SHELL) -c "'$(PYTHON)' -m venv --clear .venv-uv && .venv-uv/bin/python -m pip install --disable-pip-version-check uv==$(UV_VERSION)"
	@touch $@

# What the program needs to run. --inexact leaves the tools of development where they are.
.venv/.runtime: uv.lock pyproject.toml | $(UV)
	$(STEP) 'installing lambda-matrix' $(UV) sync --frozen --inexact --no-default-groups --python '$(PYTHON)'
	@touch $@

.venv/.dev: uv.lock pyproject.toml | $(UV)
	$(STEP) 'installing lambda-matrix and the tools of development' $(UV) sync --frozen --python '$(PYTHON)'
	@touch $@ .venv/.runtime

.venv-bench/.stamp: uv.lock pyproject.toml | $(UV)
	$(STEP) 'installing the bots to compare with' env UV_PROJECT_ENVIRONMENT=.venv-bench $(UV) sync --frozen --group bench --python '$(PYTHON)'
	@touch $@

# Synapse has an environment of its own: it is a homeserver to talk to, no dependency.
.venv-synapse/.stamp: tests/lab/synapse-requirements.txt | $(UV)
	$(STEP) 'preparing an environment for Synapse' $(UV) venv --allow-existing --python '$(PYTHON)' .venv-synapse
	$(STEP) 'installing Synapse, a homeserver' $(UV) pip sync --python .venv-synapse/bin/python --require-hashes --only-binary :all: $<
	@touch $@

synapse-requirements: | $(UV)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command 'make synapse-requirements' \
	  tests/lab/synapse-requirements.in -o tests/lab/synapse-requirements.txt

# Stock agents of other frameworks, to talk to as well.
.venv-agents/.stamp: tests/lab/agents-requirements.txt | $(UV)
	$(STEP) 'preparing an environment for stock agents' $(UV) venv --allow-existing --python '$(PYTHON)' .venv-agents
	$(STEP) 'installing deepagents, an agent' $(UV) pip sync --python .venv-agents/bin/python --require-hashes --only-binary :all: $<
	@touch $@

# A scripted model, where Node is; elsewhere its tests are skipped.
AIMOCK := tests/lab/aimock/node_modules/.stamp
$(AIMOCK): tests/lab/aimock/package-lock.json
	$(STEP) 'installing aimock, a scripted model' npm ci --prefix tests/lab/aimock --no-audit --no-fund
	@touch $@

# A real one, and llama.cpp to run it.
.venv-model/.stamp: tests/lab/model-requirements.txt | $(UV)
	$(STEP) 'preparing an environment for a model' $(UV) venv --allow-existing --python '$(PYTHON)' .venv-model
	$(STEP) 'installing SmolLM2 and llama.cpp' $(UV) pip sync --python .venv-model/bin/python --require-hashes --only-binary :all: $<
	@touch $@

model-requirements: | $(UV)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-deps \
	  --custom-compile-command 'make model-requirements' \
	  tests/lab/model-requirements.in -o tests/lab/model-requirements.txt

agents-requirements: | $(UV)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command 'make agents-requirements' \
	  tests/lab/agents-requirements.in -o tests/lab/agents-requirements.txt

# -- what people run ------------------------------------------------------------------------------

demo: .venv/.runtime .venv-synapse/.stamp
	@.venv/bin/lambda-matrix demo --synapse-python .venv-synapse/bin/python

test: lint unit

lint: .venv/.dev
	$(STEP) 'ruff check' .venv/bin/ruff check
	$(STEP) 'ruff format' .venv/bin/ruff format --check
	$(STEP) 'flake8-async' .venv/bin/flake8 lambda_matrix
	$(STEP) 'mypy' .venv/bin/mypy
	$(STEP) 'floors (import-linter)' .venv/bin/lint-imports --no-logo

# Each job has a homeserver of its own. CI has two cores. Of what computes a third job fills the time
# in which one waits; a conversation waits half of its time, for programs to start and for each other.
JOBS ?= 3
TALKS ?= 4
SIDE_BY_SIDE := --numprocesses $(JOBS) --dist worksteal
TALKS_SIDE_BY_SIDE := --numprocesses $(TALKS) --dist worksteal
# PEX=dist/lambda-matrix.pex has the scenarios talk with that file, not with this code.
ifneq ($(PEX),)
export SCENARIOS_PEX := $(PEX)
export PEX_ROOT := $(CURDIR)/build/pex/tested
endif
# Before many programs start at once, and each would compile all of it for itself.
.PHONY: compiled
compiled: .venv/.dev
	@.venv/bin/python -m compileall -q lambda_matrix tests

# The scenarios start programs by the hundred, which measured would take half as long again; what
# they run is measured in the tests of its own.
unit: compiled .venv-synapse/.stamp .venv-agents/.stamp $(if $(shell command -v npm),$(AIMOCK))
ifeq ($(ARGS),)
	@.venv/bin/coverage erase
	@.venv/bin/coverage run -m pytest $(SIDE_BY_SIDE) --ignore tests/scenarios --ignore tests/faults --ignore tests/systemd
	@$(if $(PEX),$(PEX) --version) # unpacks it, once for all that start it
	@.venv/bin/pytest $(TALKS_SIDE_BY_SIDE) tests/scenarios -m 'not long'
	@.venv/bin/pytest tests/faults -m 'not long'
	@.venv/bin/coverage combine --quiet
	@.venv/bin/coverage report
else
	@.venv/bin/pytest $(ARGS)
endif

# The tests that take minutes: CI goes through them, too.
long: compiled .venv-synapse/.stamp
	@.venv/bin/pytest $(TALKS_SIDE_BY_SIDE) tests/scenarios tests/faults -m long $(ARGS)

# What happens is drawn from a seed; a seed that fails says how it is replayed.
faults: compiled .venv-synapse/.stamp
	@CHAOS_FORM=faults .venv/bin/pytest tests/faults/test_faults.py $(ARGS)

SEEDS ?= 200
chaos: compiled .venv-synapse/.stamp
	@CHAOS_FORM=chaos CHAOS_SEEDS=$(SEEDS) .venv/bin/pytest tests/faults/test_faults.py $(ARGS)

# The same tests as in `make test`, but there they are few, and the same ones each time.
EFFORT ?= 30
properties: .venv/.dev
	@EFFORT=$(EFFORT) .venv/bin/pytest $(SIDE_BY_SIDE) -m hypothesis --timeout 3600 $(ARGS)

model-test: .venv/.dev .venv-model/.stamp
	@.venv/bin/pytest tests/reference/test_real_model.py $(ARGS)

# One host for each release, side by side.
systemd: .venv/.dev .venv-synapse/.stamp
	@.venv/bin/pytest --numprocesses 2 tests/systemd $(ARGS)

RELEASE ?= trixie
systemd-shell: .venv/.dev
	@.venv/bin/python -m tests.systemd.machine $(RELEASE)

bench: .venv-bench/.stamp .venv-synapse/.stamp
	@.venv-bench/bin/python bench/run.py --synapse-python .venv-synapse/bin/python $(ARGS)

bench-limits: .venv-bench/.stamp .venv-synapse/.stamp
	@.venv-bench/bin/python bench/limits.py --synapse-python .venv-synapse/bin/python $(ARGS)

# The populated homeserver stays in .bench-scale for the next run; rm -r it to have it made anew.
bench-scale: .venv-bench/.stamp .venv-synapse/.stamp
	@.venv-bench/bin/python bench/scale.py --synapse-python .venv-synapse/bin/python $(ARGS)

# Beside it stands an environment of the same wheels, and nothing else.
bench-start: pex .venv-bench/.stamp .venv-synapse/.stamp
	$(STEP) 'installing the same without a PEX' env UV_PROJECT_ENVIRONMENT=.venv-plain $(UV) sync --frozen --no-default-groups --no-editable --reinstall-package lambda-matrix --python '$(PYTHON)'
	@.venv-bench/bin/python bench/start.py --pex dist/lambda-matrix.pex --plain .venv-plain --synapse-python .venv-synapse/bin/python $(ARGS)

pex: | $(UV)
	@UV='$(CURDIR)/$(UV)' ./build_pex.sh dist/lambda-matrix.pex

pex-twice: pex
	@UV='$(CURDIR)/$(UV)' tools/build_twice.sh dist/lambda-matrix.pex

pex-try: pex
	@'$(PYTHON)' tools/try_pex.py dist/lambda-matrix.pex

# A Matrix client in a browser, from npm; the browser itself is Debian's.
HYDROGEN := tools/screenshots/node_modules/.stamp
$(HYDROGEN): tools/screenshots/package-lock.json
	@command -v npm >/dev/null || { echo 'Node.js with npm is needed (Debian: apt install nodejs npm chromium fonts-dejavu-core fonts-noto-color-emoji).' >&2; exit 1; }
	$(STEP) 'installing Hydrogen, a Matrix client' npm --prefix tools/screenshots ci --ignore-scripts
	@touch $@

screenshots: .venv/.runtime .venv-synapse/.stamp $(HYDROGEN)
	@.venv/bin/python tools/screenshots/take.py --synapse-python .venv-synapse/bin/python

clean:
	rm -rf tools/screenshots/node_modules
	rm -rf .venv .venv-uv .venv-plain .venv-bench .venv-pex .venv-synapse .venv-agents .venv-model \
	  tests/lab/aimock/node_modules .bench-scale .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov build dist
