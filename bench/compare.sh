#!/usr/bin/env bash
# Two builds of a benchmark, pair by pair: which is faster, and by how much, if the machine lets it be said.
#
#   bench/compare.sh [--rounds N] [--cpu] BEFORE AFTER [ARGUMENTS OF THE PROGRAM...]
#
#   BEFORE, AFTER  programs on Google Benchmark (bench_kernels, bench_stages), of two builds
#   --rounds N     pairs that are run, 6 to 1000 (default 9)
#   --cpu          compares CPU time, not time by the clock
#
# In each round both run once, one after the other; which comes first changes from round to round. A ratio is
# the time of AFTER by that of BEFORE in the same round, so whatever slows down both falls out. Printed are the
# median of the ratios and an interval that holds the true median in 95 of 100 cases, whatever the noise is like
# (order statistics). "same within noise" means that the interval holds 1. So of twenty lines one is wrong by
# chance: run again what surprises.
# Example: bench/compare.sh old/build/bin/bench_kernels build/bin/bench_kernels --benchmark_filter=conv1x1
# Exit code: 0; 2 when a program fails or the two have no benchmark in common.
set -euo pipefail
export LC_ALL=C

usage() { sed -n '2,/^[^#]/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"; }
fail() {
  printf 'compare.sh: %s\n' "$*" >&2
  exit 2
}

rounds=9
column=3 # real_time
while (($#)); do
  case "$1" in
    --rounds)
      (($# > 1)) || fail "--rounds: how many?"
      rounds="$2"
      shift 2
      ;;
    --cpu)
      column=4
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*) fail "unknown flag $1" ;;
    *) break ;;
  esac
done
if ! [[ "$rounds" =~ ^[1-9][0-9]{0,3}$ ]] || ((rounds < 6 || rounds > 1000)); then
  fail "--rounds: $rounds is not a number from 6 to 1000"
fi
(($# >= 2)) || fail "two programs are wanted: compare.sh BEFORE AFTER"
before="$1"
after="$2"
shift 2
for program in "$before" "$after"; do
  [[ -f "$program" && -x "$program" ]] || fail "$program: not a program"
done

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# times SIDE ROUND PROGRAM ARGUMENTS...: adds lines "name<TAB>round<TAB>side<TAB>time" to the times.
times() {
  local side="$1" round="$2" program="$3"
  shift 3
  "$program" "$@" --benchmark_format=csv >"$work/csv" 2>"$work/messages" ||
    fail "$program failed: $(tail -n 3 "$work/messages")"
  # "name",iterations,real_time,cpu_time,unit,...; a name may have commas. Repetitions: the fastest.
  awk -v side="$side" -v round="$round" -v column="$column" '
    /^"/ {
      end = index(substr($0, 2), "\"")
      name = substr($0, 2, end - 1)
      if (split(substr($0, end + 3), field, ",") < 4) next
      time = field[column - 1]
      if (name ~ /_(mean|median|stddev|cv)$/ || time !~ /^[0-9.e+]+$/ || time <= 0) next
      if (!(name in best) || time < best[name]) best[name] = time
      unit[name] = field[4]
    }
    END { for (name in best) printf "%s\t%d\t%s\t%s\t%s\n", name, round, side, best[name], unit[name] }
  ' "$work/csv" >>"$work/times"
}

for ((round = 1; round <= rounds; ++round)); do
  if [[ -t 2 ]]; then printf '\rround %d of %d' "$round" "$rounds" >&2; fi
  if ((round % 2)); then
    times before "$round" "$before" "$@"
    times after "$round" "$after" "$@"
  else
    times after "$round" "$after" "$@"
    times before "$round" "$before" "$@"
  fi
done
if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi

awk -F '\t' -v rounds="$rounds" '
  { time[$1, $2, $3] = $4; names[$1] = $5 }
  # Sorts value[1..n].
  function sort(value, n,    i, j, v) {
    for (i = 2; i <= n; ++i) {
      v = value[i]
      for (j = i - 1; j >= 1 && value[j] > v; --j) value[j + 1] = value[j]
      value[j + 1] = v
    }
  }
  function median(value, n) { return n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2 }
  # The largest k for which fewer than k of n fair coins show heads in at most 2.5 of 100 cases: then
  # value[k] .. value[n + 1 - k] holds the median in 95 of 100.
  function outer(n,    k, chance, sum) {
    chance = exp(-n * log(2)) # of no heads
    sum = 0
    for (k = 0; k < n; ++k) {
      sum += chance
      if (sum > 0.025) break
      chance *= (n - k) / (k + 1)
    }
    return k
  }
  function line(name, before, after, ratio, n,    k, low, high, verdict) {
    sort(ratio, n)
    k = outer(n)
    if (k < 1) return
    low = ratio[k]
    high = ratio[n + 1 - k]
    verdict = low > 1 ? "slower" : high < 1 ? "faster" : "same within noise"
    printf "%-44s %12s %12s  %6.3f  %6.3f to %6.3f  %s\n", name, before, after, median(ratio, n), low, high, verdict
  }
  END {
    for (name in names) {
      n = 0
      for (r = 1; r <= rounds; ++r) {
        if ((name SUBSEP r SUBSEP "before") in time && (name SUBSEP r SUBSEP "after") in time) ++n
      }
      if (n == rounds) list[++count] = name
    }
    if (count == 0) exit 3
    sort(list, count)
    printf "%-44s %12s %12s  %6s  %16s\n", "", "before", "after", "ratio", "95 % of cases"
    for (i = 1; i <= count; ++i) {
      name = list[i]
      for (r = 1; r <= rounds; ++r) {
        b[r] = time[name, r, "before"]
        a[r] = time[name, r, "after"]
        ratio[r] = a[r] / b[r]
        logs[r] += log(ratio[r]) / count
      }
      sort(a, rounds)
      sort(b, rounds)
      line(name, sprintf("%.5g %s", median(b, rounds), names[name]), sprintf("%.5g %s", median(a, rounds), names[name]), ratio, rounds)
    }
    if (count > 1) {
      for (r = 1; r <= rounds; ++r) ratio[r] = exp(logs[r])
      line("all, geometric mean", "", "", ratio, rounds)
    }
  }
' "$work/times" || fail "the two have no benchmark in common (or a round lacks one)"
