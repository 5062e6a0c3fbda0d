# All files that these targets make are in .pilotlight/, which git ignores.

VENV := .pilotlight/venv
RUN  := $(VENV)/bin
DENO := $(RUN)/deno
NODE := PATH="$(CURDIR)/$(RUN):$$PATH"  # node and npm come with the dev tools

# The first Python that is new enough; make PYTHON=… chooses another.
SUITABLE := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for name in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$name -c '$(SUITABLE)' 2> /dev/null && echo $$name && break; done)
endif

export PYTHONPYCACHEPREFIX := $(CURDIR)/.pilotlight/cache/python
# Container images set this. Without a bytecode cache a worker takes three times as long to start.
unexport PYTHONDONTWRITEBYTECODE
export DENO_DIR := $(CURDIR)/.pilotlight/deno
export DENO_NO_UPDATE_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo up adopt image test test-fast check bridge worker flower status audit doctor user model migrate lock clean check-app app app-bundles chaos storm inflight bench bench-edge bench-sql bench-picture bench-app pictures install-production install-local install-dev install-app

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install-local ## A picture, a film, a painting of a photo, a failure, a purchase and its refund, on this machine
	@$(RUN)/python -m local.demo

up: install-local ## The whole system in the foreground, with the URL and key an app needs
	@$(RUN)/python -m local.up

adopt: install-production ## Copy migrations, functions and the client into your Expo app: INTO=../my-app
	@$(RUN)/python -m operate.adopt "$$INTO"

test: check check-app ## All checks and tests: formats, lint, types, tests
	@$(RUN)/pytest --numprocesses=auto

test-fast: check ## Formats, lint, types and the tests that start no process, in under a minute
	@$(RUN)/pytest -m 'not processes'

check: install-dev ## Formats, lint and types only
	@$(RUN)/ruff format --check --quiet
	@$(RUN)/ruff check --quiet
	@$(RUN)/mypy
	@cd supabase/functions && "$(CURDIR)/$(DENO)" check --quiet */index.ts && "$(CURDIR)/$(DENO)" lint --quiet

check-app: install-app ## Types, lint and unit tests of the Expo app
	@cd app && $(NODE) npm run --silent typecheck && $(NODE) npm run --silent lint && $(NODE) npm test --silent

app: install-app ## The app's web build against `make up`, on http://127.0.0.1:8081
	@settings=$$($(RUN)/python -m local.app) && eval "$$settings" && cd app && node --run export:web && exec node serve.mjs

# These bundles run on no phone. They prove that every import has its native part.
app-bundles: STAND_INS := EXPO_PUBLIC_SUPABASE_URL=http://supabase.invalid EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY=sb_publishable_stand_in
app-bundles: install-app ## The app's iOS and Android bundles, into .pilotlight/app/bundles
	@cd app && $(STAND_INS) $(NODE) npm run --silent bundles

bridge: install-production ## The bridge only, with the settings of .env
	@$(RUN)/python -m bridge

worker: install-production ## A worker only, with the settings of .env
	@PATH="$(CURDIR)/$(RUN):$$PATH"; exec $$(sed -n 's/^worker: //p' Procfile)

flower: install-local ## Flower on http://127.0.0.1:5555, with the settings of .env
	@$(RUN)/celery -A tasks flower --address=127.0.0.1

status: install-production ## The state of the system, from the database of .env; fails when something is wrong [ARGS=--json]
	@$(RUN)/python -m operate.status $(ARGS)

# make passes the variables in the environment of the shell, so that the shell runs no quote in them.
user: install-production ## The credits, purchases and jobs of one user: WHO=email|id [BLOCK=1|UNBLOCK=1]
	@$(RUN)/python -m operate.user "$$WHO" "$$BLOCK" "$$UNBLOCK"

doctor: install-production ## Check the settings of .env against every server they name; fails when something would not work
	@$(RUN)/python -m operate.doctor

audit: install-production ## Compare every balance with its ledger; fails when one differs
	@$(RUN)/python -m operate.audit

model: install-production ## A Replicate model's row as SQL to review: NAME=owner/name COST=credits [IMAGES=image,mask]
	@$(RUN)/python -m operate.model "$$NAME" "$$COST" "$$IMAGES"

migrate: install-production ## Apply supabase/migrations to the DATABASE_URL of .env
	@$(RUN)/python -m operate.migrate

# The targets below measure or attack. ARGS has options: make bench ARGS="--rounds 1 --burst 200", ARGS=--help
chaos: install-dev ## Kill, freeze and cut everything under load, then check every promise (takes 20 minutes)
	@$(RUN)/python -m tests.chaos --requests 5000 --faults 200 $(ARGS)

storm: install-dev ## 3,000 jobs at a misbehaving Replicate
	@$(RUN)/python -m tests.replicate.storm --jobs 3000 $(ARGS)

inflight: install-dev ## 10,000 predictions in flight with one bridge and one worker
	@$(RUN)/python -m tests.replicate.inflight --jobs 10000 $(ARGS)

bench: install-dev ## Pilotlight beside bare Celery and five queues: latency, bursts, idle, in flight (takes 15 minutes)
	@$(RUN)/python -m bench $(ARGS)

bench-edge: install-dev ## The gate, cold and warm, beside an empty function and the gates that people write
	@$(RUN)/python -m bench.edge $(ARGS)

bench-sql: install-dev ## Plans and times at a thousand and a million jobs
	@$(RUN)/python -m bench.sql $(ARGS)

image: install-dev ## Build the image of deploy/ without Docker and try it (Debian, root; needs buildah and mmdebstrap)
	@deploy/try_image.sh

bench-picture: install-dev ## A picture of 1 MB from the webhook to its row, beside a bare Celery task
	@$(RUN)/python -m bench.picture $(ARGS)

bench-app: install-app ## The app's first screen, and the time from the end of a job to its picture (needs Chromium)
	@$(RUN)/python -m bench.app $(ARGS)

pictures: install-app ## The pictures of the README, from the app and the demo as they are now (needs Chromium)
	@$(RUN)/python -m tests.app.pictures

lock: ## Resolve the versions in requirements/ again (needs uv)
	@uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml -o requirements/production.txt
	@uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml --extra media -c requirements/production.txt -o requirements/media.txt
	@uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml --group flower -c requirements/production.txt -o requirements/flower.txt
	@uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml --group local -c requirements/production.txt -o requirements/local.txt
	@uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml --group dev -c requirements/local.txt -o requirements/dev.txt
	@uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 --group bench -o requirements/bench.txt

clean: ## Stop the local stack and delete its data; installed packages stay
	@[ ! -x $(RUN)/python ] || $(RUN)/python -m local.pids .pilotlight/local < /dev/null
	@rm -rf .pilotlight/local .pilotlight/pictures .pilotlight/logs

install-production install-local install-dev: install-%:
	@[ -n "$(PYTHON)" ] || { echo "Pilotlight needs Python 3.11 or later: https://www.python.org/downloads/" >&2; exit 1; }
	@$(PYTHON) local/install.py $*

# A copy of the lock file that was installed last is compared. It is outside of node_modules, which
# npm ci replaces as a whole.
install-app: install-dev
	@cmp -s app/package-lock.json .pilotlight/app/installed.json || { echo "Installing the app's packages (once; it takes a minute or two)" \
	  && cd app && $(NODE) npm ci --no-audit --no-fund --loglevel=error && mkdir -p ../.pilotlight/app && cp package-lock.json ../.pilotlight/app/installed.json; }
