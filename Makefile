# Every target makes its own environment first: Python 3.11 or later, pip, make and Git are enough.
#
#   make test   runs all tests; `make test PYTEST="tests/x509 -k csr"` runs some
#   make check  is what CI runs: style, types, layers, pipelines, and the tests' branch coverage; the
#               tests run again only if something has changed since they passed
#   make bench  sizes: make bench ISSUE=1000 CRL=100000 PLAN="1000 20000" POLICY=10000 KMS=1000
#               STARTUP=20 VERIFY=100000 PUBLISH=10000
#
#   make fuzz   every parser, for long: make fuzz SECONDS=600
#   make reliability  faults, races and random histories, for hours: make reliability HISTORIES=2000

PYTHON ?=
JOBS ?= 2
PYTEST ?=
MIN_COVERAGE ?= 90

DEMO ?= --documents .
ISSUE ?= 1000
CRL ?= 100000
PLAN ?= 1000 20000
POLICY ?= 10000
KMS ?= 1000
STARTUP ?= 20
VERIFY ?= 100000
PUBLISH ?= 10000
SECONDS ?= 60
HISTORIES ?= 2000

BIN := .venv/bin
# What the outcome of the tests depends on.
SOURCES := src tests bench schemas ca policies requests issued docs tools .ci .github .gitlab \
	.gitlab-ci.yml .pre-commit-hooks.yaml action.yml Makefile README.md CHANGELOG.md CONTRIBUTING.md \
	pyproject.toml constraints.txt
# True where nothing has changed since all tests passed.
UNCHANGED = [ -f .venv/tested ] && [ -z "$$(find $(wildcard $(SOURCES)) \
	-name __pycache__ -prune -o -newer .venv/tested -print | head -n 1)" ]

export PYTHON

.PHONY: help demo test fuzz reliability check style types layers pipelines coverage bench schemas constraints golden pictures clean

help:
	@echo "make demo         the whole loop on this machine, with this repository's own documents"
	@echo "                  DEMO=--aws: with keys in KMS, of an AWS on this machine; no account is needed"
	@echo "make test         all tests; PYTEST=… for some"
	@echo "make fuzz         every parser fuzzed for SECONDS=60 each; make test does so for three"
	@echo "make reliability  faults, races, SIGKILL and HISTORIES=2000 random histories; hours"
	@echo "make check        what CI runs: ruff, mypy, import-linter, zizmor, schemas, tests with branch coverage"
	@echo "make bench        speed, each figure beside a peer's; ISSUE= CRL= PLAN= POLICY= KMS= STARTUP= VERIFY= PUBLISH="
	@echo "make golden       rewrite tests/golden/ with what the commands print now"
	@echo "make pictures     the pictures of README.md, with Chromium and pngquant of the system"
	@echo "make schemas      write schemas/ from the models"
	@echo "make constraints  pin what pyproject.toml names (on Python 3.11); UPGRADE=1 for newer releases"
	@echo "make clean        remove what these made"

.venv/dependencies: constraints.txt tools/environment
	@sh tools/environment dependencies
	@touch $@

.venv/installed: .venv/dependencies pyproject.toml
	@sh tools/environment project
	@touch $@

demo: .venv/installed
	@$(BIN)/python tests/components.py openssl
	@$(BIN)/gitca demo $(DEMO)

test: .venv/installed
	@$(BIN)/python tests/components.py
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report= $(PYTEST)
	@$(if $(PYTEST),:,touch .venv/tested)

# The figures of docs/reliability.md; `tests/mutations` breaks the recipe and has the tests notice.
reliability: .venv/installed
	@rm -f .venv/tally
	@RELIABILITY_TALLY=$(CURDIR)/.venv/tally RELIABILITY_HISTORIES=$(HISTORIES) \
		$(BIN)/python -m pytest -n $(JOBS) --long $(or $(PYTEST),tests/faults tests/mutations)
	@$(BIN)/python tests/faults/tally.py .venv/tally

fuzz: .venv/installed
	@FUZZ_SECONDS=$(SECONDS) $(BIN)/python -m pytest -n $(JOBS) -rP tests/fuzz/test_fuzz_coverage.py

golden: .venv/installed
	@$(BIN)/python -m pytest -n $(JOBS) --update-golden $(PYTEST)

check: style types layers pipelines coverage

style: .venv/installed
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check || { $(BIN)/ruff format --check; exit 1; }

types: .venv/installed
	@$(BIN)/mypy
	@$(BIN)/mypy --strict --python-version 3.11 tools/*.py

layers: .venv/installed
	@$(BIN)/lint-imports --no-cache > .venv/layers 2>&1 || { cat .venv/layers; exit 1; }

# This project's own; the tests judge in the same way what `gitca init` writes for every signer.
pipelines: .venv/installed
	@$(BIN)/zizmor --offline --quiet --no-progress --persona auditor --strict-collection --collect=all \
		.github action.yml .pre-commit-hooks.yaml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci \
		.gitlab-ci.yml

coverage: .venv/installed
	@$(UNCHANGED) || $(MAKE) --no-print-directory test PYTEST=
	@$(BIN)/coverage report --fail-under=$(MIN_COVERAGE)

bench: .venv/installed
	@$(BIN)/python tests/components.py openssl
	@$(BIN)/python bench/issue.py $(ISSUE)
	@$(BIN)/python bench/crl.py $(CRL)
	@$(BIN)/python bench/plan.py $(PLAN)
	@$(BIN)/python bench/policy.py $(POLICY)
	@$(BIN)/python bench/kms.py $(KMS)
	@$(BIN)/python bench/startup.py $(STARTUP)
	@$(BIN)/python bench/verify.py $(VERIFY)
	@$(BIN)/python bench/publish.py $(PUBLISH)

schemas: .venv/installed
	@$(BIN)/gitca schema --output schemas

pictures: .venv/installed
	@$(BIN)/python tools/pictures.py

# Compiled on the oldest Python that is supported; the hashes are those of every file of a release.
constraints: .venv/dependencies
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "constraints.txt is made on Python 3.11: make clean constraints PYTHON=python3.11"; exit 1; }
	@CUSTOM_COMPILE_COMMAND="make constraints" $(BIN)/python -m piptools compile --quiet \
		$(if $(UPGRADE),--upgrade) --generate-hashes --allow-unsafe --no-strip-extras --extra dev \
		--build-deps-for editable --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
		--output-file constraints.txt pyproject.toml

clean:
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache \
		.coverage .coverage.* htmlcov build dist
	@find src tests bench -name __pycache__ -type d -exec rm -rf {} +
