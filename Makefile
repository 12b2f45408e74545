# Regulars. `make run` starts everything; `make help` lists the rest. Needs only Python >= 3.11, make and git.

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev services run test peers check bench torture stop lock messages

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin

# Half of a process's start is compiling: keep what is compiled, in .venv, whatever the machine's habit.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode
unexport PYTHONDONTWRITEBYTECODE

UV := $(BIN)/uv pip install --quiet --require-hashes

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

setup: .venv/installed ## make .venv and install what running needs
setup-dev: .venv/installed-dev ## the same, with what the tests need

services: .venv/installed ## start the embedded database and broker only, and leave them running
	@$(BIN)/python -m crm.local.servers

run: .venv/installed ## start everything: database, broker, web, worker, beat, gateway, phone simulator
	@exec $(BIN)/python -m crm.local.run

stop: .venv/installed ## stop what `make run` or `make services` started
	@$(BIN)/python -m crm.local.stop

check: .venv/installed-dev ## the gate: format, lint, types, imports, templates, migrations, deployment, house rules
	@exec $(BIN)/python -m crm.local.check

test: .venv/installed-dev ## the gate and all tests, on the embedded servers
	@exec $(BIN)/python -m crm.local.test

peers: .venv/installed-dev ## judge our protocols by Wireshark, Kannel and others, installed first when absent
	@exec $(BIN)/python -m crm.local.peers

bench: .venv/installed-dev ## measure the goals of docs/performance.md
	@exec $(BIN)/python -m crm.local.bench

torture: .venv/installed-dev ## the fault runs in full: 100,000 texts under 200 kills, no receipts, outages, restarts; hours
	@exec $(BIN)/python -m crm.local.torture

messages: .venv/installed-dev ## collect the texts to translate, and compile the catalogues
	@$(BIN)/python -m crm.local.messages --collect

lock: .venv/installed-dev ## compile the requirements with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		requirements-dev.in -o requirements-dev.txt
	@echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		-c requirements-dev.txt - -o requirements-bootstrap.txt

.venv/bootstrapped: requirements-bootstrap.txt
	@test -n "$(PYTHON)" || { echo "Regulars needs Python 3.11 or newer on the PATH." >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making .venv with $(PYTHON) ..."; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@touch $@

.venv/installed: .venv/bootstrapped requirements.txt
	@echo "Installing what running needs ..."
	@VIRTUAL_ENV=.venv $(UV) -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@echo "Installing what the tests need ..."
	@VIRTUAL_ENV=.venv $(UV) -r requirements.txt -r requirements-dev.txt
	@touch $@
