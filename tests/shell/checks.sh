# shellcheck shell=bash
# What the test scripts of the programs have in common: sourced with the folder of the programs as
# the first argument, it makes an empty working folder and goes there. Needs nothing but a shell and
# coreutils.

bin=$(cd "${1:?usage: SCRIPT BIN_DIR}" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
glint=$bin/glint
evaluate=$bin/evaluate
quantize=$bin/quantize
model=$root/weights/light-fp32.safetensors
coding_model=$root/weights/light-int8.safetensors # of encode without --model
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset GLINT_MODEL GLINT_TARGET

passed=0
failed=0

pass() {
  passed=$((passed + 1))
  echo "ok    $1"
}

fail() {
  failed=$((failed + 1))
  echo "FAIL  $1"
  sed 's/^/      | /' stdout.txt stderr.txt 2>/dev/null | head -20
}

# check NAME COMMAND...: the command succeeds. (Its output is not kept.)
check() {
  local name=$1
  shift
  if "$@" >/dev/null 2>&1; then pass "$name"; else fail "$name"; fi
}

refute() {
  local name=$1
  shift
  if "$@" >/dev/null 2>&1; then fail "$name"; else pass "$name"; fi
}

# exits NAME CODE COMMAND...: the exit code; output is left in stdout.txt and stderr.txt.
exits() {
  local name=$1 code=$2 got=0
  shift 2
  "$@" >stdout.txt 2>stderr.txt </dev/null || got=$?
  if [ "$got" -eq "$code" ]; then pass "$name"; else fail "$name (exit $got, not $code)"; fi
}

# refuses NAME PATTERN COMMAND...: exit 2, one line on standard error that matches, nothing on standard
# output, and no new file in the working folder.
refuses() {
  local name=$1 pattern=$2 before
  shift 2
  before=$(ls -A)
  exits "$name: exit 2" 2 "$@"
  if [ "$(wc -l <stderr.txt)" -eq 1 ] && grep -Eq -- "$pattern" stderr.txt; then
    pass "$name: says why"
  else
    fail "$name: says why (/$pattern/)"
  fi
  check "$name: nothing on standard output" test ! -s stdout.txt
  check "$name: no file left behind" test "$before" = "$(ls -A)"
}

# said NAME PATTERN: the last command's standard output matches.
said() {
  if grep -Eq -- "$2" stdout.txt; then pass "$1"; else fail "$1 (/$2/)"; fi
}

has_keys() {
  local name=$1 file=$2 key
  shift 2
  for key in "$@"; do
    check "$name: \"$key\"" grep -q "\"$key\":" "$file"
  done
}

# make_ppm FILE WIDTH HEIGHT: a colour picture with gradients and edges.
make_ppm() {
  awk -v w="$2" -v h="$3" 'BEGIN {
    printf "P3\n%d %d\n255\n", w, h
    for (y = 0; y < h; ++y) for (x = 0; x < w; ++x) {
      edge = (int(x / 23) + int(y / 17)) % 2 * 60
      printf "%d %d %d\n", 40 + edge + x * 90 / w, 60 + edge + y * 90 / h, 90 + (x + y) % 64
    }
  }' | ascii_to_binary_ppm >"$1"
}

# P3 to P6: the three numbers of each line become bytes.
ascii_to_binary_ppm() {
  local size depth
  read -r _ && read -r size && read -r depth
  printf 'P6\n%s\n%s\n' "$size" "$depth"
  # Octal escapes in one string: a printf per pixel would take seconds.
  printf '%b' "$(awk '{ printf "\\0%03o\\0%03o\\0%03o", $1, $2, $3 }')"
}

# toggle FILE OFFSET: flips the lowest bit of one byte.
toggle() {
  local byte
  byte=$(od -An -tu1 -j"$2" -N1 "$1")
  printf '%b' "\\0$(printf '%03o' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

size_of() { wc -c <"$1" | tr -d ' '; }

# count: prints the sum; the last command of a script.
count() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
