# Needs Python 3.11 or newer with venv, and a package registry that pip can reach. Everything else is set up in .venv, once.
# `make PYTHON=/path/to/python demo` chooses the interpreter.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
READY := .venv/.ready
QUIET := --quiet --disable-pip-version-check --no-input

NAMES := Name a subscription and a resource group that may be made and deleted: SUBSCRIPTION=… GROUP=…
LIVE = $(if $(YES),--yes) $(if $(OUTPUT),--output "$(OUTPUT)") $(if $(LOCATION),--location "$(LOCATION)") $(if $(FACTS),--facts "$(FACTS)")

.DEFAULT_GOAL := help
.PHONY: help demo test soak check bench live live-clean lock fmt schema docs site function wheels clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 16

demo: $(READY)  ## a whole rotation against a local Azure: no subscription, nothing leaves this machine
	@$(BIN)/rotator demo

# Where bytecode isn't kept, each process that a test starts would compile all of rotator again.
test: $(READY)  ## every test, of the matrices a sample
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -q --dist loadgroup -n $$($(BIN)/python -c 'import os; print(1 + (os.cpu_count() or 1))') $(ARGS)

soak: $(READY)  ## every test, the matrices whole; MINUTES=60 goes on with random stories and an attack from outside for an hour
	@$(BIN)/python -m tests.soak "$(MINUTES)" "$(SEED)"

check: $(READY)  ## format, lint, strict types, import contracts, documentation
	@$(BIN)/ruff format --check --quiet --output-format concise || { echo "Run make fmt." >&2; exit 1; }
	@$(BIN)/ruff check --quiet --output-format concise
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@test ! -e tests/house/test_docs.py || $(BIN)/python -m pytest -q tests/house/test_docs.py

bench: $(READY)  ## how fast, as ratios measured in one run
	@$(BIN)/python bench/run.py

live: $(READY)  ## the facts and the chain against the Azure of this shell: SUBSCRIPTION, and a GROUP that is made and deleted; costs money, and asks
	@test -n "$(SUBSCRIPTION)" && test -n "$(GROUP)" || { echo "$(NAMES)" >&2; exit 2; }
	@$(BIN)/python -m live play --subscription "$(SUBSCRIPTION)" --group "$(GROUP)" $(LIVE)

live-clean: $(READY)  ## what a killed make live left: SUBSCRIPTION and GROUP
	@test -n "$(SUBSCRIPTION)" && test -n "$(GROUP)" || { echo "$(NAMES)" >&2; exit 2; }
	@$(BIN)/python -m live clean --subscription "$(SUBSCRIPTION)" --group "$(GROUP)" $(if $(YES),--yes)

fmt: $(READY)  ## format, and fix what ruff can fix
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet

schema: $(READY)  ## write the JSON schemas in policies/ again
	@$(BIN)/rotator schema > .schema && mv .schema policies/policy.schema.json
	@$(BIN)/rotator schema --defaults > .schema && mv .schema policies/defaults.schema.json

docs: $(READY)  ## write the parts of the documentation that are made from the code again
	@$(BIN)/python -m tests.written

SITE := .venv/site
site: $(SITE)/.ready  ## the documentation as a site with a search: build/site/index.html
	@rm -rf build/site
	@PYTHONPATH=. $(SITE)/bin/python -m sphinx --quiet --fail-on-warning --keep-going -c site . build/site
	@rm -rf build/site/_sources build/site/.doctrees
	@echo "build/site/index.html is ready."

$(SITE)/.ready: site/requirements.lock $(READY)
	@$(BIN)/python -m venv $(SITE)
	@$(SITE)/bin/python -m pip install $(QUIET) --require-hashes -r site/requirements.lock
	@touch $@

lock: $(READY)  ## resolve the dependencies again; UPGRADE=--upgrade takes the newest
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-package local-azure --no-header --python-version 3.11 $(UPGRADE) \
		--all-extras --group dev pyproject.toml emulator/pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --extra functions --no-header --python-version 3.11 --constraint requirements.lock \
		pyproject.toml -o function/requirements.txt
	@echo hatchling | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --constraint requirements.lock \
		- -o requirements-build.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 $(UPGRADE) \
		--group pyproject.toml:site -o site/requirements.lock

function: $(READY)  ## the folder to deploy as an Azure Functions app: build/function
	@rm -rf build/function && mkdir -p build/function
	@cp -R function/. policies build/function/
	@$(BIN)/python -m pip install $(QUIET) --no-deps --no-build-isolation --no-compile --target build/function .
	@echo "build/function is ready: cd build/function, then func azure functionapp publish NAME --python --build remote"

wheels: $(READY)  ## the wheels of rotator and of the local Azure: dist/
	@$(BIN)/python -m pip wheel $(QUIET) --no-deps --no-build-isolation --wheel-dir dist . ./emulator

clean:  ## remove what was built, and .venv
	@rm -rf .venv build dist emulator/dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find rotator tests bench live function emulator -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml emulator/pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up .venv with the locked packages (a minute, the first time)." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install $(QUIET) --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install $(QUIET) --no-deps --no-build-isolation -e . -e ./emulator
	@touch $(READY)
