#!/usr/bin/env bash
# How ./run and .ci/run count test scripts: one that could not run is no success. Usage: run_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs nothing but a shell and coreutils.
set -u -o pipefail
# shellcheck source=tests/shell/default_signals.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/default_signals.sh"
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

# counts NAME CI STATUS PATTERN SCRIPT...: ./run counts the scripts, with CI set to that; its exit code, and what matches in its output.
counts() {
  local name=$1 ci=$2 status=$3 pattern=$4 got=0
  shift 4
  CI=$ci count_scripts "$@" >output.txt 2>&1 || got=$?
  if [ "$got" -eq "$status" ] && grep -Eqx -- "$pattern" output.txt; then
    pass "$name"
  else
    fail "$name (exit $got, not $status; or nothing is /$pattern/)"
    sed 's/^/      | /' output.txt
  fi
}

# What ./run test does with its scripts, or ranges of test cases.
counter=count_script
count_scripts() (
  export JOBS=3
  # shellcheck source=/dev/null
  source "$root/run"
  side_by_side "$counter" "$@"
  print_sum
)

# What .ci/run does with a ./run that counts one script that passes, and the one named.
count_in_ci() {
  mkdir -p tree/.ci
  cp "$root/.ci/run" tree/.ci/
  # shellcheck disable=SC2016  # $1 is that script's
  printf '#!/usr/bin/env bash\nif [[ "$1" == test ]]; then source %q && count_script %q && count_script %q && print_sum; fi\n' \
    "$root/run" "$work/sound.sh" "$1" >tree/run
  chmod +x tree/run
  tree/.ci/run
}

# script NAME LINE...: a test script of these lines.
script() {
  local name=$1
  shift
  printf '%s\n' "$@" >"$work/$name.sh"
}

script sound 'echo "3 passed, 0 failed"'
script faulty 'echo "2 passed, 1 failed"' 'exit 1'
script silent 'true'
script broken 'exit 3'
script torn 'echo "3 passed, 0 failed"' 'exit 3'
script unable 'echo "SKIPPED  a tool is missing"' 'exit 77'
script empty 'echo "0 passed, 0 failed"'

for ci in "" true; do
  counts "a script that passes, CI='$ci'" "$ci" 0 "3 passed, 0 failed" "$work/sound.sh"
  counts "a script that fails, CI='$ci'" "$ci" 1 "2 passed, 1 failed" "$work/faulty.sh"
  counts "a script without a sum, CI='$ci'" "$ci" 0 "1 passed, 0 failed" "$work/silent.sh"
  counts "a script that breaks off, CI='$ci'" "$ci" 1 "0 passed, 1 failed" "$work/broken.sh"
  counts "a script that breaks off after its sum, CI='$ci'" "$ci" 1 "3 passed, 1 failed" "$work/torn.sh"
done

# Several at a time: all count, in their order, also beside one whose counting is killed.
# shellcheck disable=SC2016  # $PPID is that script's
script killed 'kill -9 $PPID'
script late 'sleep 0.3' 'echo "ok    late"' 'echo "1 passed, 1 failed"' 'exit 1'
all=("$work"/{late,sound,killed,silent,torn,unable,faulty,sound}.sh)
counts "several at a time" "" 1 "13 passed, 4 failed" "${all[@]}"
counts "... one was killed" "" 1 "FAILED: $work/killed.sh ended before it had counted" "${all[@]}"
counts "... one could not run" "" 1 "SKIPPED: $work/unable.sh could not run and checked nothing" "${all[@]}"
counts "... in CI that is a failure" true 1 "13 passed, 5 failed" "${all[@]}"
counts "more than there are places" "" 0 "24 passed, 0 failed" "$work"/{sound,sound,sound,sound,sound,sound,sound,sound}.sh
check "... each once" test "$(grep -c '^running: ' output.txt)" -eq 8
# One that is killed itself, as the last; and however the script ends that counts, so do they.
killed_itself() { kill -KILL "$BASHPID"; }
lasting() {
  echo "$BASHPID" >"$work/lasting"
  exec sleep 1000
}
counter=killed_itself
(count_scripts 1) >output.txt 2>&1
check "the last one is killed" grep -qx '0 passed, 1 failed' output.txt
# soon COMMAND...: it succeeds within five seconds.
soon() {
  local i
  for ((i = 0; i < 100; ++i)); do
    if "$@" 2>/dev/null; then return 0; fi
    sleep 0.05
  done
  return 1
}
ended() { ! kill -0 "$(cat lasting)"; }
for ending in HUP TERM; do
  rm -f lasting
  # shellcheck source=/dev/null
  (source "$root/run" && side_by_side lasting 1) >/dev/null 2>&1 &
  soon test -s lasting && kill "-$ending" $!
  check "$ending ends all" soon ended
  ended 2>/dev/null || kill "$(cat lasting)"
done
counter=count_script
(count_scripts "$work"/{late,sound,silent}.sh | grep '^running: ' | sed 's/.*[/]//' | tr '\n' ' ') >output.txt || true
check "they come in their order" test "$(cat output.txt)" = "late.sh sound.sh silent.sh "

# Ranges of test cases, of which doctest counts all as passed.
doctest() {
  printf '%s\n' '#!/bin/sh' "$1" "echo '[doctest] test cases: 7 | $((7 - $2)) passed | $2 failed | 0 skipped'" "exit $2" >program
  chmod +x program
}
counter=count_range
doctest 'printf "0.01 s: one\n2e-05 s: two\n"' 0
counts "a range of test cases" "" 0 "2 passed, 0 failed" "3 4 $work/program"
counts "two of them" "" 0 "4 passed, 0 failed" "1 2 $work/program" "3 4 $work/program"
counts "a range that was not all run" "" 1 "2 passed, 1 failed" "1 3 $work/program"
doctest 'printf "0.01 s: one\n2e-05 s: two\n"' 1
counts "one of the range fails" "" 1 "1 passed, 1 failed" "1 2 $work/program"
counts "a program that does not start" "" 1 "0 passed, 1 failed" "1 2 $work/gone"

# A python3 without numpy, whichever comes first in PATH.
mkdir no_numpy
echo 'raise ImportError("hidden by tests/run_test.sh")' >no_numpy/numpy.py
without_numpy() { PYTHONPATH=$work/no_numpy "$@"; }

counter=count_script
for unable in "$work/unable.sh" "$work/empty.sh" "$root/tests/bitstream_test.sh"; do
  name=$(basename "$unable")
  shown=${unable#"$root"/}
  without_numpy counts "$name cannot run: said" "" 0 "SKIPPED: $shown could not run and checked nothing" "$work/sound.sh" "$unable"
  without_numpy counts "$name cannot run: not counted" "" 0 "3 passed, 0 failed" "$work/sound.sh" "$unable"
  without_numpy counts "$name cannot run: a failure in CI" true 1 "FAILED: $shown could not run, and in CI every test must" "$work/sound.sh" "$unable"
  without_numpy counts "$name cannot run: counted in CI" true 1 "3 passed, 1 failed" "$work/sound.sh" "$unable"
done
counts "nothing could run" "" 1 "0 passed, 0 failed" "$work/unable.sh"

count_scripts() { count_in_ci "$@"; }
unset CI
counts ".ci/run, all sound" "" 0 "6 passed, 0 failed" "$work/sound.sh"
counts ".ci/run, a script could not run" "" 1 "3 passed, 1 failed" "$work/unable.sh"
without_numpy counts ".ci/run, no numpy" "" 1 "3 passed, 1 failed" "$root/tests/bitstream_test.sh"

# ./run test builds the programs, not the benchmarks.
if wanting=$(grep -l '[$]bin/bench_' "$root"/tests/*.sh); then
  fail "no test script wants a benchmark: $wanting"
else
  pass "no test script wants a benchmark"
fi
count
