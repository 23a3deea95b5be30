#!/usr/bin/env bash
# Builds and runs tests; the last line of the output is `N passed, N failed`.
#   test.sh debug interop    the C++ tests of preset debug, then those that drive the release binary from outside and those of the laboratory
#   test.sh asan             the C++ tests of preset asan
set -uo pipefail
cd "$(dirname "$0")/.."

preset=$1
interop=${2:-}
export ASAN_OPTIONS=detect_leaks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}

# A build that fails counts as one failed test, so that the last line is there whatever happens.
build() {
  cmake --preset "$1" >"build/configure-$1.log" 2>&1 || { cat "build/configure-$1.log" >&2; return 1; }
  cmake --build --preset "$@"
}
mkdir -p build
build "$preset" && { [[ -z $interop ]] || build release --target peregrine; } || { echo "0 passed, 1 failed"; exit 1; }

reports=("$PWD/build/$preset/ctest.xml")
[[ -z $interop ]] || reports+=("$PWD/build/release/interop.xml")
rm -f "${reports[@]}"

ctest --test-dir "build/$preset" -j "$(nproc)" --timeout "${TEST_TIMEOUT:-300}" --no-tests=error \
  --output-on-failure --progress --output-junit "${reports[0]}"
[[ -z $interop ]] ||
  /usr/bin/python3 -m pytest -p no:cacheprovider tests/interop tests/lab --junitxml "${reports[1]}"

exec /usr/bin/python3 scripts/tally.py "${reports[@]}"
