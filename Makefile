# What a developer types. Underneath are the CMake presets (CMakePresets.json) and Ninja.
SECONDS ?= 30
PYTHON := /usr/bin/python3
SOURCES = $(shell find src tests fuzz bench -name '*.h' -o -name '*.cc')

.DEFAULT_GOAL := help
.PHONY: help run lab build test lint asan tsan fuzz soak exact bench bench-save bench-compare bench-history bench-prove bench-peers lab-peers conformance perf-ci cache-sim ablation report pgo clean setup-build setup-lab setup-test setup-peers setup-report

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

run: build ## install what is missing, build, and serve on 127.0.0.1:1053
	exec build/release/peregrine serve

lab: setup-lab build ## a small Internet to try it without a network: a shell in it, or a command: ARGS="-- dig www.plain.example"
	@build/release/peregrine lab $(ARGS)

build: setup-build ## build/release/peregrine
	cmake --preset release
	cmake --build --preset release --target peregrine

test: setup-test ## every test; the last line is `N passed, N failed`
	@scripts/test.sh debug interop

lint: setup-test ## clang-format, clang-tidy and the arrows between the rooms
	clang-format-19 --dry-run -Werror $(SOURCES)
	scripts/check_arrows.py
	cmake --preset debug
	$(PYTHON) /usr/bin/run-clang-tidy-19 -quiet -p build/debug '^$(CURDIR)/src/'

asan: setup-test ## the C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/test.sh asan

tsan: setup-test ## the C++ tests under ThreadSanitizer
	@scripts/test.sh tsan

fuzz: setup-test ## every fuzz target for SECONDS=30 each
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzz_targets
	scripts/fuzz.sh $(SECONDS)

conformance: setup-test build ## scenarios of other resolvers, where ../shared/conformance has them
	tests/conformance/run.py

exact: setup-test ## instructions of each operation of the hit path, against bench/budgets.toml
	@scripts/exact.py

bench: setup-test build ## rate, CPU time and latency over loopback (minutes, two idle cores)
	bench/macro/measure.py

bench-save: setup-test ## builds the checkout as it is and keeps it as NAME, for bench-compare
	bench/compare/compare.py save "$(NAME)"

bench-compare: setup-test ## the checkout as it is against BASE, a kept NAME or any commit: faster, slower, or cannot tell (a minute beside the builds)
	bench/compare/compare.py against "$(BASE)"

bench-history: setup-test ## measures COMMITS="v1 v2 ..." by turns, and keeps what was found for the report
	bench/compare/compare.py history $(COMMITS)

perf-ci: setup-test ## what CI asks of a change's speed: the instruction budgets, and nothing slower than at BASE (where HEAD left main)
	@scripts/perf_ci.py --base "$(BASE)"

bench-prove: setup-test ## does bench-compare see a slowdown of 3 %, and nothing where there is none? (40 minutes)
	bench/compare/compare.py prove

bench-peers: setup-peers build ## beside Unbound, Knot Resolver, PowerDNS Recursor, dnsdist and BIND (ten minutes, two idle cores)
	bench/macro/peers.py --write

lab-peers: setup-peers build ## beside Unbound and Knot Resolver in `make lab`'s Internet: 10,000 answers compared, cold figures (five minutes)
	bench/macro/lab_peers.py differences
	bench/macro/lab_peers.py cold
	bench/macro/lab_peers.py far

cache-sim: setup-test ## miss ratios of the stores beside ideal caches (a minute; NAMES=10000000 for the full run)
	cmake --preset bench
	cmake --build --preset bench --target cache_sim
	build/bench/bench/cache_sim/cache_sim $(NAMES)

ablation: setup-test build ## what each flag is worth, off against on (minutes, two idle cores)
	scripts/ablation.py

report: setup-report $(if $(ALL),build) ## build/lab/report.html: all that was measured, on one page (ALL=1 measures what is lacking: half an hour, two idle cores)
	bench/report/report.py $(if $(ALL),--all)

pgo: setup-test ## build/pgo/peregrine: the release, guided by a profile of a server under load
	scripts/pgo.py

soak: setup-test ## the C++ tests with long runs (hours)
	@PEREGRINE_SOAK=1 TEST_TIMEOUT=14400 scripts/test.sh debug

clean: ## remove what was built
	rm -rf build

setup-build:
	@scripts/setup.sh build

setup-lab:
	@scripts/setup.sh lab

setup-test:
	@scripts/setup.sh test

setup-peers:
	@scripts/setup.sh peers

setup-report:
	@scripts/setup.sh report
