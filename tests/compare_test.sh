#!/usr/bin/env bash
# bench/compare.sh: what it concludes from programs whose times are known. Usage: compare_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs nothing but a shell, awk and coreutils.
set -u -o pipefail

# shellcheck source=tests/shell/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"
compare=$root/bench/compare.sh

# make NAME TIME NOISE: a benchmark that takes TIME ns by the clock, on a machine that becomes slower from run
# to run: 5 % each. NOISE: the share by which every third run takes longer still.
make() {
  cat >"$1" <<EOF
#!/bin/sh
runs=\$(cat runs 2>/dev/null || echo 0)
echo \$((runs + 1)) >runs
echo 'name,iterations,real_time,cpu_time,time_unit,bytes_per_second,label'
awk -v runs=\$runs 'BEGIN {
  slow = (1 + 0.05 * int(runs / 2)) * (runs % 3 == 1 ? 1 + $3 : 1)
  printf "\"conv/3x3,a\",100,%.6g,%.6g,ns,,\n", $2 * slow, 1000
  printf "\"conv/3x3,a\",100,%.6g,%.6g,ns,,\n", 9 * $2 * slow, 1000
  printf "\"conv/3x3,a_mean\",100,%.6g,%.6g,ns,,\n", 5, 5
  printf "\"only/$1\",100,%.6g,%.6g,ns,,\n", 5, 5
}'
EOF
  chmod +x "$1"
}

make before 2000 0
make quicker 1940 0
make equal 2000 0
make noisy 1960 0.3
make other 2000 0
sed -i 's/conv/gdn/' other
printf '#!/bin/sh\necho out of luck >&2\nexit 3\n' >broken
chmod +x broken

exits "3 % faster on a machine that slows down" 0 "$compare" ./before ./quicker
said "3 % faster: the ratio, the interval, the verdict" '^conv/3x3,a +.* 0\.970 +0\.9[0-9]+ to +0\.9[0-9]+  faster$'
exits "3 % slower" 0 "$compare" ./quicker ./before
said "3 % slower: the verdict" '^conv/3x3,a .* 1\.031 .*slower$'
exits "the same" 0 "$compare" --rounds 20 ./before ./equal
said "the same: no verdict" '^conv/3x3,a .* 1\.000 .*same within noise$'
exits "2 % among noise of 30 %" 0 "$compare" ./before ./noisy
said "2 % among noise of 30 %: no verdict" '^conv/3x3,a .*same within noise$'
exits "CPU time" 0 "$compare" --cpu ./before ./quicker
said "CPU time: the same" '^conv/3x3,a .* 1\.000 .*same within noise$'
refute "what only one of them has is no line" grep -q only stdout.txt
refute "means of repetitions are no line" grep -q _mean stdout.txt
exits "arguments reach the programs" 0 "$compare" --rounds 6 ./before ./equal --benchmark_filter=conv
exits "help" 0 "$compare" --help
said "help: says how it concludes" 'same within noise'

refuses "nothing in common" 'no benchmark in common' "$compare" --rounds 6 ./before ./other
refuses "a program that fails" '\./broken failed: out of luck' "$compare" ./before ./broken
refuses "no program" '\./absent: not a program' "$compare" ./before ./absent
refuses "one program" 'two programs are wanted' "$compare" ./before
refuses "too few rounds" '5 is not a number from 6 to 1000' "$compare" --rounds 5 ./before ./equal
refuses "rounds that are no number" 'six is not a number' "$compare" --rounds six ./before ./equal
refuses "unknown flag" 'unknown flag --fast' "$compare" --fast ./before ./equal

count
