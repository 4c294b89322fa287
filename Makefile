# The one entry for people. Everything is done by scripts/setup.sh (a machine's needs) and by TypeScript under
# scripts/ and e2e/, run by the Node that set-up brings.
SHELL := /bin/bash
NODE := node_modules/node/bin/node
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/node_modules/node/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup run up down test test-deep test-fresh bench build lint fmt generate generate-facts clean

help: ## Shows this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Installs what a Debian 12 machine lacks, and fills the cache
	@scripts/setup.sh

run: build ## Starts a cluster with Palisade, shows a tour, follows the events until Ctrl-C, and ends the cluster
	@$(NODE) e2e/cluster/run.ts

up: build ## Starts a two-node cluster with Palisade; its kubeconfig is .run/kubeconfig
	@$(NODE) e2e/cluster/up.ts

down: ## Ends what `make up` started
	@$(NODE) e2e/cluster/down.ts

test: ## Builds, lints and runs all tests, on real kernels and a real cluster
	@scripts/setup.sh || { echo "0 passed, 1 failed"; exit 1; }
	@$(NODE) scripts/test.ts

test-deep: ## The same with more and longer stress
	@scripts/setup.sh || { echo "0 passed, 1 failed"; exit 1; }
	@PALISADE_DEEP=1 $(NODE) scripts/test.ts

test-fresh: setup ## Runs `make test` in a minimal Debian 12 tree that has git and make only
	@$(NODE) e2e/fresh/test-fresh.ts

bench: build ## Measures the engine and the cluster
	@$(NODE) bench/bench.ts

build: setup ## Compiles TypeScript, the BPF engine and the loader
	@$(NODE) scripts/build.ts

lint: build ## Types, lint rules, import arrows, format, drift of generated files
	@$(NODE) scripts/test.ts --only lint

fmt: setup ## Formats TypeScript and Rust
	@oxfmt src e2e scripts bench vitest.config.ts
	@if [ -f Cargo.toml ]; then cargo fmt; fi

generate: setup ## Writes the generated files anew: CRDs, ABI mirrors, reference pages
	@$(NODE) scripts/generate.ts

generate-facts: build ## Boots the tested kernels and records them anew in facts/
	@$(NODE) e2e/kernels/record-kernels.ts

clean: ## Removes what builds have made here; the cache of downloads stays
	@rm -rf dist target .out
