#!/usr/bin/env bash
# Runs every fuzz target of build/fuzz for some seconds, as many at once as there are processors.
#   fuzz.sh SECONDS
# Seeds are read from fuzz/corpus/TARGET; what libFuzzer finds stays below build/fuzz: new inputs in found/, inputs that
# crash in artifacts/, the log of each target in TARGET.log.
set -euo pipefail
cd "$(dirname "$0")/.."

export seconds=$1
export ASAN_OPTIONS=detect_leaks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}

run_one() {
  local program=$1 name=${1##*/fuzz_}
  local log=build/fuzz/$name.log found=build/fuzz/found/$name artifacts=build/fuzz/artifacts/$name seeds=fuzz/corpus/$name
  mkdir -p "$found" "$artifacts"
  [[ -d $seeds ]] || seeds=
  if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$artifacts/" \
    -print_final_stats=1 "$found" $seeds >"$log" 2>&1; then
    echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
    return
  fi
  tail -n 60 "$log"
  echo "fuzz: $name FAILED: $log, input in $artifacts/"
  return 1
}
export -f run_one

mapfile -t targets < <(find build/fuzz/fuzz -maxdepth 1 -type f -executable -name 'fuzz_*' | sort)
((${#targets[@]})) || { echo "fuzz: no targets were built" >&2; exit 1; }
echo "fuzz: ${#targets[@]} targets, $seconds s each"
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_one {} || exit 1'
