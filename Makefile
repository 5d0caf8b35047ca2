# Reprise: `make book` and `make test` are the two commands; both need only Python >= 3.11 and make.

PYTHON ?= python3
VENV ?= .venv
PROFILE ?= quick
PAPERS ?=
ON ?= workflow/profiles/local
FAN_OUT ?=
PAPER ?=

SHELL := /bin/sh
STAMP := $(VENV)/.set-up
# Every command below finds this environment's programs first, and so do Snakemake's jobs.
export PATH := $(abspath $(VENV))/bin:$(PATH)
# The machine's own settings of Python and Jupyter stay outside.
export PYTHONNOUSERSITE := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1

RUNNER = python workflow/make_book.py --profile $(PROFILE) --papers '$(PAPERS)' --on $(ON) $(if $(FAN_OUT),--fan-out)
STAGES := lint unit notebooks workflow book

.PHONY: help setup book report readme notebooks test bench data lock clean $(STAGES:%=test-%)
.DEFAULT_GOAL := help

help:  ## show this list
	@echo 'usage: make TARGET [NAME=VALUE ...]'
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
	  while IFS='|' read -r target text; do printf '  %-11s %s\n' "$$target" "$$text"; done
	@echo
	@echo 'PROFILE=quick|standard|paper  which parameters; PAPERS=grda,rim  only these chapters'
	@echo 'PYTHON=python3.12             which Python the environment is made with'
	@echo 'FAN_OUT=1                     one job per (data set, seed); ON=workflow/profiles/slurm on a cluster'

setup: $(STAMP)  ## make the environment in .venv (again only when the lock or pyproject.toml changed)

$(STAMP): requirements.lock pyproject.toml workflow/install.py
	@command -v $(PYTHON) >/dev/null || { echo "set-up: no $(PYTHON) here; name a Python >= 3.11 with PYTHON=..."; exit 1; }
	@$(PYTHON) workflow/install.py $(VENV)
	@touch $@

book: $(STAMP)  ## run what changed and render the book; prints the path of its first page
	@$(RUNNER)

report: $(STAMP)  ## render the published runs, executing nothing
	@python workflow/make_book.py --published-only

readme: $(STAMP)  ## write the README's table of papers and its picture from the published records
	@python -m reprise.book.readme

notebooks: $(STAMP)  ## refresh the outputs stored in the notebooks, which nbval compares with (PAPERS=... for some)
	@python workflow/each_chapter.py --papers '$(PAPERS)' reprise refresh

data: $(STAMP)  ## fetch and check the real data of the written chapters (PAPERS=... for some)
	@python workflow/each_chapter.py --papers '$(PAPERS)' reprise data fetch

bench: $(STAMP)  ## time the fast implementations against the plain ones
	@for benchmark in benchmarks/*.py; do echo "== $$benchmark =="; python $$benchmark || exit 1; done

test: $(STAMP)  ## lint, types, unit tests, notebooks, workflow, the built book in a browser
	@failed=''; \
	for stage in $(STAGES); do \
	  printf '\n== %s ==\n' "$$stage"; \
	  $(MAKE) --no-print-directory test-$$stage || failed="$$failed $$stage"; \
	done; \
	echo; \
	for stage in $(STAGES); do \
	  case " $$failed " in *" $$stage "*) echo "$$stage: FAILED";; *) echo "$$stage: passed";; esac; \
	done; \
	test -z "$$failed"

# The stages can be called one by one: make test-unit
test-lint: $(STAMP)
	@status=0; \
	for command in 'ruff check .' 'ruff format --check .' 'mypy'; do \
	  echo "$$command"; $$command || status=1; \
	done; \
	exit $$status

# Two test processes on two cores: more threads each would only get in each other's way.
test-unit test-notebooks test-workflow: export OMP_NUM_THREADS := 1

test-unit: $(STAMP)
	pytest -n 2 --ignore tests/workflow -m 'not book and not browser'

test-notebooks: $(STAMP)
	pytest --nbval-lax --nbval-current-env --nbval-cell-timeout 300 --nbval-sanitize-with tests/notebooks/sanitise.cfg \
	  -n 2 --dist loadscope notebooks

test-workflow: $(STAMP)
	pytest -n 2 tests/workflow

test-book: $(STAMP)
	@python workflow/make_book.py --profile quick
	pytest --ignore tests/workflow -m 'book or browser' tests

lock: $(STAMP)  ## refresh requirements.lock and environment.yml from pyproject.toml
	python -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv==0.13.9
	build/lock/bin/uv pip compile --upgrade --quiet --output-file requirements.lock pyproject.toml
	python workflow/conda_environment.py > environment.yml

clean:  ## remove everything that was built (not .venv, not the data)
	rm -rf build .snakemake
