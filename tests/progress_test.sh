#!/usr/bin/env bash
# What programs show at a terminal while they work for more than two seconds. Usage: progress_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs script (util-linux, bsdutils) for terminals; without it nothing is checked.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

if ! command -v script >/dev/null; then
  echo "SKIPPED  status lines: script is missing (Debian, Ubuntu: bsdutils)"
  exit 77
fi

# at_terminal WORDS COMMAND [each|SIGNAL]: runs it at a terminal of 120 columns; its status lines are the lines of
# lines.txt. At the first line with these words the command is stopped for more than two seconds, after which time
# left is told: so that what is shown does not depend on how fast the machine is. With "each" it is stopped at all
# others too, for longer than a line is left alone. Or it gets the signal there, once.
at_terminal() {
  local line rest=2.3 what=${3-once}
  rm -f pid
  while IFS= read -r -d $'\r' line || [ -n "$line" ]; do
    printf '%s\n' "$line"
    [[ $line == *"$1"* && $what != nothing ]] || continue
    case $what in
      once | each)
        kill -STOP "$(cat pid)" 2>/dev/null || continue
        sleep "$rest"
        kill -CONT "$(cat pid)"
        rest=0.15
        ;;
      *) kill "-$what" "$(cat pid)" ;;
    esac
    [ "$what" = each ] || what=nothing
    # In the background, or script would stop with it.
  done < <(TERM=xterm script -qefc "stty cols 120; $2 & echo \$! >pid; wait \$!" /dev/null </dev/null 2>/dev/null) >lines.txt
}

# shows NAME PATTERN
shows() {
  if grep -Eq -- "$2" lines.txt; then pass "$1"; else
    fail "$1 (/$2/)"
    grep '\[[#.]*\]' lines.txt | tail -n 5
  fi
}

bar='\[[#.]{30}\] [0-9]+ %'
left='[0-9]+ s left'
make_ppm small.ppm 60 50
make_ppm large.ppm 480 320
make_ppm calibration.ppm 120 100
mkdir photos
for i in 1 2 3; do cp small.ppm "photos/$i.ppm"; done

at_terminal "/6 [" "'$evaluate' --model light-int8 --model light-int16 --gt_path photos --lrd 0.0002,0.0008 --repeat 20"
shows "evaluate: a bar over all pictures and rates" "^[1-6]/6 $bar"
shows "... its rate and time left" "^[2-6]/6 $bar, [0-9.]+ (pictures/s|s a picture), $left, [1-3].ppm INT"
shows "... what it is at" 'INT16 (encoding|decoding|verifying) *$'
shows "... none is left at the end" '^Peak memory'

at_terminal "/4 [" "'$evaluate' --model light-int8 --gt_path photos --lrd 0.0002,0.0008 --repeat 20 --shard 1/2 --json x.json"
shows "a shard: of its own pictures" "^4/4 $bar"
rm x.json

at_terminal "/4 [" "'$glint' encode photos large.ppm --out streams --effort 9 --threads 1"
shows "glint, many files" "^encoding [1-4]/4 $bar, [0-9.]+ (pictures/s|s a picture), $left, "
at_terminal "encoding [" "'$glint' encode large.ppm large.glint --effort 9 --threads 1"
shows "glint, one file" "^encoding $bar, [0-9.]+ MP/s, $left"

at_terminal " mix [" "'$quantize' --scope entropy --max-loss 20 --no-built-in --rounding nearest --smoothing 0 --splitting 0 \
  --calibration calibration.ppm --held-out small.ppm --calibration-lrd 0.0004 --threads 1 --out x.safetensors" each
shows "quantize: what it tries" "^[0-9]+ s: measure $bar.*, [a-z0-9_]+/[a-z0-9.]+ in W8A(8|16)"
shows "... time left of a stage" "^[0-9]+ s: [a-z -]+ $bar, $left"
shows "... what it has found, and its limit" "^[0-9]+ s: [a-z -]+ $bar.*, loss -?[0-9.]+ of 20 %"

at_terminal "/3 [" "'$evaluate' --model light-int8 --gt_path photos --lrd 0.0002 --repeat 5000" TERM
check "a signal ends the line that it interrupts" test -z "$(grep -F -A 1 '/3 [' lines.txt | tail -n 1 | tr -d ' ')"

"$evaluate" --model light-int8 --gt_path photos --lrd 0.0002 --repeat 90 >stdout.txt 2>stderr.txt
check "nothing of that in pipes and files" bash -c "! grep -q '\[#\|\[\.\.' stdout.txt stderr.txt"
count
