# The verbs of this project. `make chat` and `make test` need nothing done before them.

PY := .venv/bin/python
CHECKPOINT ?= ../shared/models/medquad-29m
CALIBRATION ?= ../shared/data/medquad_train.jsonl.gz
MODEL := models/medquad-29m-Q4_K_M.gguf
CUT := models/medquad-29m-cut-IQ4_XS.gguf
BOARD ?= pi5

.PHONY: help setup chat dev test lint types bench models bundle prove-arm64 screenshot clean

help:        # What can be done
	@awk -F ':.*# ' '/^[a-z0-9-]+:.*# / {printf "make %-12s %s\n", $$1, $$2}' Makefile

setup:       # Make .venv with all that the chat needs
	@sh deploy/setup.sh chat

chat: setup  # Chat with the model in models/
	@.venv/bin/bedside

dev:         # Make .venv with the converter and the tests too
	@sh deploy/setup.sh dev

test: dev    # Run every test
	@$(PY) -m pytest

lint: dev    # Style, and the doors between the rooms
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports

types: dev   # Types, strictly
	@.venv/bin/mypy

bench: dev   # The first rows of the README's table (half an hour; leave the machine alone)
	@$(PY) -m tests.bench

models: dev  # Make the shipped models again from $(CHECKPOINT), whole and cut, and their entries
	@.venv/bin/bedside-convert convert $(CHECKPOINT) $(MODEL) --type Q4_K_M --force
	@.venv/bin/bedside-convert make $(CHECKPOINT) $(CUT) --type IQ4_XS --text $(CALIBRATION) \
		--neurons 0.1667 --score second-order --restore-tokens 65536 --force
	@$(PY) -m converter.catalogue models/catalog.toml

bundle: dev  # What sets up a board offline: BOARD=pi5|orin-nano MODEL=x.gguf [KEY=path] [OUT=folder]
	@sh deploy/bundle/packages.sh bundle
	@$(PY) -m deploy.bundle make --board "$(BOARD)" --model "$(MODEL)" $(if $(KEY),--key "$(KEY)") \
		$(if $(OUT),--out "$(OUT)") $(if $(REFERENCE),--reference "$(REFERENCE)")

prove-arm64: dev  # The bundle on an emulated Cortex-A76 without a network (as root, some 20 minutes)
	@sh deploy/bundle/packages.sh prove
	@$(PY) -m deploy.prove

screenshot: setup  # The README's picture of the chat
	@$(PY) -m tests.screenshot app/ui/screenshot.svg

clean:       # Remove .venv and what the tools left
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache snapshot_report.html
	@find app converter deploy tests -name __pycache__ -type d -prune -exec rm -rf {} +
