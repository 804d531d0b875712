#!/usr/bin/env bash
# Shards, merges and resumed runs of evaluate, shards of glint, and the recipes for GNU parallel of
# docs/CLUSTERS.md as they stand. Usage: shards_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs nothing but a shell and coreutils; the recipes are run where GNU parallel is installed.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"
# shellcheck source=tests/shell/recipes.sh
. "$root/tests/shell/recipes.sh"
# shellcheck source=tests/shell/results.sh
. "$root/tests/shell/results.sh"

# run NAME CODE FLAG...: evaluate to NAME.json and NAME.txt.
run() {
  local name=$1 code=$2
  shift 2
  exits "$name: exit $code" "$code" "$evaluate" "$@" --json "$name.json"
  mv stdout.txt "$name.txt"
  mv stderr.txt "$name.err"
}

# shards OF CODE FLAG...: all of them, to 1.json and so on.
shards() {
  local of=$1 code=$2 i
  shift 2
  rm -f [0-9]*.json
  for ((i = 1; i <= of; ++i)); do
    "$evaluate" "$@" --shard "$i/$of" --json "$i.json" >"$i.txt" 2>"$i.err"
    codes[i]=$?
  done
}

# joined NAME CODE: the merge of the shards, the first last, is what NAME is.
joined() {
  local files=([0-9]*.json)
  exits "$1: merged" "$2" "$evaluate" --merge "${files[@]:1}" "${files[0]}" --json merged.json
  same_report "... the same report" "$1.txt" stdout.txt
  same_results "... and results" "$1.json" merged.json
  check "... and messages" cmp "$1.err" stderr.txt
}

test_shards() {
  local of code
  codes=()
  make_pictures photos 5
  make_flat photos/flat.ppm
  rates=(--model light-int8 --gt_path photos --lrd "0.0002,0.0008")
  run one 0 "${rates[@]}"
  check "a picture came back without loss" grep -q '"psnr-rgb": null' one.json
  check "one has no MS-SSIM" grep -q '"ms-ssim-rgb": null' one.json
  for of in 1 2 3 4 5; do
    shards "$of" 0 "${rates[@]}"
    joined one 0
  done
  check "a shard says what it is" grep -q '^Shard 2/5: 1 picture of these$' 2.txt
  shards 8 0 "${rates[@]}"
  check "a shard may have no picture" grep -q '^Shard 7/8: 0 pictures of these$' 7.txt
  check "... and is no failure" test "${codes[*]}" = "0 0 0 0 0 0 0 0"
  joined one 0
  cp 1.json first_of_8.json

  exits "curves of a merge" 0 "$evaluate" --merge [0-9].json --curves "$root/bench/codecs.json" --json curves.json
  said "... are compared" '^INT8 +AVIF'
  check "... are in its JSON" grep -q '"curves"' curves.json
  exits "a merge without JSON" 0 "$evaluate" --merge [0-9].json
  exits "a merge to standard output" 0 "$evaluate" --merge [0-9].json --json -
  check "... is JSON" test "$(head -c 1 stdout.txt)" = '{'

  run single 0 --model light-int8 --gt_path photos/p1.ppm
  shards 2 0 --model light-int8 --gt_path photos/p1.ppm
  joined single 0
}

test_compared() {
  compared=(--compare "INT16,INT8" --gt_path photos --lrd "0.0002,0.0005,0.0008" --freq 2)
  run compared 0 "${compared[@]}"
  shards 3 0 "${compared[@]}"
  joined compared 0
}

test_failures() {
  head -c 900 photos/p2.ppm >photos/broken.ppm
  run failed 1 "${rates[@]}"
  shards 3 0 "${rates[@]}"
  check "one of the shards fails" test "$(printf '%s\n' "${codes[@]:1:3}" | sort | tr -d '\n')" = 001
  joined failed 1
  mkdir bad
  cp photos/broken.ppm bad/a.ppm
  cp photos/broken.ppm bad/b.ppm
  shards 2 1 --model light-int8 --gt_path bad
  check "all of a shard may fail" test "${codes[*]:1:2}" = "1 1"
  exits "... not of the whole" 2 "$evaluate" --merge 1.json 2.json
  check "... as in one run" grep -q 'bad: no picture could be evaluated' stderr.txt
  rm -r bad photos/broken.ppm
}

# With a limit of the size of files in the place of a full disk; what is printed goes to pipes.
test_log_cut_off() {
  local many
  many=$(seq -s , 0.00003 0.00004 0.0012)
  limited() {
    { bash -c 'trap "" XFSZ && ulimit -f "$1" && shift && "$@"; echo $? >&3' - "$@" 2>&1 >/dev/null | cat >limited.txt; } \
      3>status.txt
  }
  limited 4 "$evaluate" --model light-int8 --gt_path photos --shard 2/2 --freq 99 --lrd "$many" --json - --out cut
  check "a log that was cut off: exit 2" test "$(cat status.txt)" = 2
  check "... names it" grep -q '^evaluate: cut/log/.*[.]log: File too large$' limited.txt
  rm -r cut
}

test_refusals() {
  local key
  shards 3 0 "${rates[@]}"
  refuses "a missing shard" '--merge: 1 shard missing: 2/3$' "$evaluate" --merge 1.json 3.json
  refuses "... and its JSON" '1 shard missing: 1/3$' "$evaluate" --merge 2.json 3.json --json x.json
  refuses "several missing" '--merge: 7 shards missing: 2/8, 3/8, .*8/8$' "$evaluate" --merge first_of_8.json
  cp 2.json again.json
  refuses "a doubled shard" 'again.json: shard 2/3 is there twice, also as 2.json' \
    "$evaluate" --merge 1.json 2.json again.json
  refuses "shards of another number" 'first_of_8.json: is shard 1/8, and 2.json is 2/3' \
    "$evaluate" --merge 2.json first_of_8.json
  refuses "what is no shard" 'one.json: is no result of evaluate --shard' "$evaluate" --merge 1.json one.json
  refuses "what is not JSON" 'photos/p1.ppm: is not JSON' "$evaluate" --merge 1.json photos/p1.ppm
  refuses "what is not there" 'gone.json: ' "$evaluate" --merge gone.json
  refuses "a result onto a shard" '2.json: would overwrite what is read' \
    "$evaluate" --merge 1.json 2.json 3.json --json 2.json
  refuses "a result onto a folder" 'photos: is a folder' "$evaluate" --merge 1.json 2.json 3.json --json photos
  refuses "curves that are none" 'curves: 1.txt: is not JSON' "$evaluate" --merge 1.json 2.json 3.json --curves 1.txt
  for key in lrd=0.1 gt_path=photos model=x out=x resume shard=1/2 threads=1 freq=1 no-verify; do
    refuses "--merge with --$key" "${key%=*}.*excludes|excludes.*${key%=*}" \
      "$evaluate" --merge 1.json --json x.json "--$key"
  done
  foreign "another model" 'models 1, members 1, id: "[0-9a-f]+", not "[0-9a-f]+"' --model light-int8-entropy \
    --gt_path photos --lrd 0.0002,0.0008
  foreign "another rate" 'rates 2, lrd: 0.0007, not 0.0008' --model light-int8 --gt_path photos --lrd 0.0002,0.0007
  foreign "fewer rates" 'rates: 1, not 2' --model light-int8 --gt_path photos --lrd 0.0002
  foreign "other details" 'detail: "off", not "auto"' "${rates[@]}" --detail off
  foreign "an effort" 'effort: 1, not 0' "${rates[@]}" --effort 1
  foreign "another limit" 'max_memory: [0-9]+, not [0-9]+' "${rates[@]}" --max-memory 3G
  sed 's/"version": "/&0./' 2.json >again.json
  refuses "another version" 'again.json: is of another run than 1.json: version: ' \
    "$evaluate" --merge 1.json again.json 3.json
  cp photos/p3.ppm kept.ppm
  make_ppm photos/p3.ppm 50 50
  foreign "another picture" 'pictures [0-9], bytes: [0-9]+, not [0-9]+' "${rates[@]}"
  mv kept.ppm photos/p3.ppm

  refuses "--shard without --json" 'shard requires --json' "$evaluate" --shard 1/2
  for key in 0/2 3/2 1/0 x 1/2/3 -1/2 1; do
    refuses "--shard '$key'" "shard: '$key' is not I/N" "$evaluate" --shard="$key" --json x.json
  done
}

# foreign NAME PATTERN FLAG...: shard 2 of a run with these flags does not belong to the others.
foreign() {
  local name=$1 pattern=$2
  shift 2
  rm -f again.json
  "$evaluate" "$@" --shard 2/3 --json again.json >/dev/null 2>&1
  refuses "$name" "again.json: is of another run than 1.json: $pattern" \
    "$evaluate" --merge 1.json again.json 3.json
}

# A shard's JSON cut anywhere: one message, and nothing worse.
test_cut_json() {
  local size bad=0 step
  size=$(size_of 2.json)
  step=$((size / 12))
  for ((at = 0; at < size - 3; at += step)); do
    head -c "$at" 2.json >cut.json
    "$evaluate" --merge 1.json cut.json 3.json >stdout.txt 2>stderr.txt
    [ $? -eq 2 ] && [ "$(wc -l <stderr.txt)" -eq 1 ] && [ ! -s stdout.txt ] || bad=$((bad + 1))
  done
  check "JSON that was cut is refused, wherever ($bad were not)" test "$bad" -eq 0
  sed 's/"bpp": [0-9.]*,/"bpp": "x",/' 2.json >cut.json
  refuses "a number that is none" 'cut.json: .*images 1, bpp is no number' "$evaluate" --merge 1.json cut.json 3.json
  sed 's/"picture": 1/"picture": 2/' 2.json >cut.json
  refuses "a picture of another shard" 'cut.json: .*not in its list' "$evaluate" --merge 1.json cut.json 3.json
  sed '/"run"/d' 2.json >cut.json
  refuses "no run" 'cut.json: ' "$evaluate" --merge 1.json cut.json 3.json
}

# killed LINES FLAG...: evaluate, killed by SIGKILL when its journal has so many lines.
killed() {
  local lines=$1 pid
  shift
  "$evaluate" "$@" >/dev/null 2>&1 &
  pid=$!
  until [ "$(wc -l <resumed.json.journal || echo 0)" -ge "$lines" ] || ! kill -0 $pid 2>/dev/null; do
    sleep 0.005
  done
  kill -KILL $pid
  wait $pid
} 2>/dev/null

test_resume() {
  local lines
  exits "one run with --resume" 0 "$evaluate" "${rates[@]}" --resume --json resumed.json
  same_report "... the same report" one.txt stdout.txt
  same_results "... and results" one.json resumed.json
  check "... no journal stays" test ! -e resumed.json.journal
  rm resumed.json
  for lines in 1 7; do
    killed "$lines" "${rates[@]}" --resume --json resumed.json --repeat 3
    check "killed: no JSON" test ! -e resumed.json
    check "... a journal" test "$(wc -l <resumed.json.journal)" -ge "$lines"
    cp resumed.json.journal before
    exits "... resumed" 0 "$evaluate" "${rates[@]}" --resume --json resumed.json --repeat 3
    same_report "... the same report" one.txt stdout.txt
    same_results "... and results" one.json resumed.json
    [ "$lines" -eq 1 ] || check "... goes on" \
      grep -q "^evaluate: resumed.json.journal: goes on after [0-9]* measurements\?$" stderr.txt
    check "... with the times of before" times_of before resumed.json
    rm -f resumed.json
  done

  killed 4 "${rates[@]}" --resume --json resumed.json --out out --repeat 3
  rm out/INT8/flat_lrd0.0002.png
  exits "resumed with --out" 0 "$evaluate" "${rates[@]}" --resume --json resumed.json --out out --repeat 3
  exits "whole with --out" 0 "$evaluate" "${rates[@]}" --json x.json --out whole
  check "... all files are there" diff -r out/INT8 whole/INT8
  rm -r out whole resumed.json x.json

  killed 3 "${rates[@]}" --resume --json resumed.json --shard 1/2
  exits "a shard resumed" 0 "$evaluate" "${rates[@]}" --resume --json resumed.json --shard 1/2
  "$evaluate" "${rates[@]}" --json other.json --shard 2/2 >/dev/null
  exits "... merged" 0 "$evaluate" --merge resumed.json other.json --json merged.json
  same_results "... is the same" one.json merged.json

  # A shard whose JSON is there.
  local first=(--model light-int8 --gt_path photos --lrd 0.0002 --resume --json other.json --shard 2/2)
  cp other.json before.json
  exits "a shard once more" 0 "$evaluate" "${rates[@]}" --resume --json other.json --shard 2/2
  check "... is not measured again" grep -q '^evaluate: other.json: goes on after 6 measurements$' stderr.txt
  check "... with the times of before" cmp <(image_times before.json) <(image_times other.json)
  exits "... merged" 0 "$evaluate" --merge resumed.json other.json --json merged.json
  same_results "... is the same" one.json merged.json
  exits "a shard of another rate" 0 "$evaluate" "${first[@]}"
  check "... is measured" test ! -s stderr.txt
  exits "... once more" 0 "$evaluate" "${first[@]}"
  check "... it is not" test -s stderr.txt
  touch photos/p1.ppm
  exits "a picture that was written since" 0 "$evaluate" "${first[@]}"
  check "... is measured" test ! -s stderr.txt
  rm before.json other.json resumed.json

  killed 4 "${rates[@]}" --resume --json resumed.json --repeat 3
  cp resumed.json.journal kept
  local again=("$evaluate" --resume --json resumed.json)
  { cat kept && echo 'no JSON'; } >resumed.json.journal
  refuses "a line that is no JSON" 'resumed.json.journal: line [0-9]+: is damaged: it is no JSON' \
    "${again[@]}" "${rates[@]}" --repeat 3
  cp kept resumed.json.journal
  refuses "a journal of other rates" 'resumed.json.journal: .*run, rates: 2, not 1' \
    "${again[@]}" --model light-int8 --gt_path photos --lrd 0.0002 --repeat 3
  refuses "... of another model" 'models 1, members 1, id: ' \
    "${again[@]}" --model light-int8-entropy --gt_path photos --lrd 0.0002,0.0008 --repeat 3
  refuses "... of other repetitions" 'repeat: 3, not 1' "${again[@]}" "${rates[@]}"
  refuses "... of the whole" 'shard: null, not "1/2"' "${again[@]}" "${rates[@]}" --repeat 3 --shard 1/2
  touch -d 2001-01-01 photos/p2.ppm
  refuses "... of a picture that changed" 'p2.ppm has changed since' "${again[@]}" "${rates[@]}" --repeat 3
  check "... it stays as it was" cmp kept resumed.json.journal
  exits "without --resume" 0 "$evaluate" "${rates[@]}" --json resumed.json
  check "... it is left alone, and named" \
    grep -q '^evaluate: warning: resumed.json.journal: of a run that did not end; --resume' stderr.txt
  check "... as it was" cmp kept resumed.json.journal
  echo '{}' >resumed.json.journal
  refuses "what is no journal" 'resumed.json.journal: is no journal of evaluate' "${again[@]}" "${rates[@]}"
  rm -f resumed.json.journal kept before
  refuses "--resume without --json" 'resume requires --json' "$evaluate" --resume
  refuses "--resume to standard output" 'resume: needs a file' "$evaluate" --resume --json - --gt_path photos
  mkdir resumed.json.journal
  refuses "a journal that is a folder" 'resumed.json.journal: Is a directory' "${again[@]}"
  rmdir resumed.json.journal
}

image_times() { grep -E '"(en|de)coding_time": [0-9]' "$1"; }

# times_of JOURNAL JSON: all times of the journal's whole lines are in the results.
times_of() {
  local time
  for time in $(head -n -0 "$1" | tail -n +2 | grep -o '"encoding_time":[0-9.e-]*' | sed 's/.*://'); do
    grep -q "\"encoding_time\": $time,\$" "$2" || return 1
  done
}

test_glint_shards() {
  local i
  exits "encode a folder" 0 "$glint" encode photos --out streams
  for i in 1 2 3 4; do
    exits "encode shard $i of 4" 0 "$glint" encode photos --out parts --shard "$i/4"
  done
  check "... are the whole" diff -r streams parts
  for i in 1 2; do
    exits "decode shard $i of 2" 0 "$glint" decode streams --out back --format ppm --shard "$i/2"
  done
  check "... all pictures" test "$(find back -name '*.ppm' | wc -l)" -eq "$(find photos -name '*.ppm' | wc -l)"
  exits "a shard without a picture" 0 "$glint" encode photos --out none --shard 99/99
  refuses "--shard of one picture" 'shard: is for many files' "$glint" encode photos/p1.ppm x.glint --shard 1/2
  refuses "a bad shard" "'2' is not I/N" "$glint" encode photos --out none --shard 2
  exits "its help" 0 "$glint" encode --help
  said "... has it" '^  --shard I/N '
  rm -rf streams parts back none
}

# recipe_runs NAME: it does, as it stands in the document.
recipe_runs() {
  recipe "$root/docs/CLUSTERS.md" "$1" >recipe.sh
  check "the document has the recipe for $1" test -s recipe.sh
  exits "... which runs" 0 bash -e recipe.sh
}

test_recipes() {
  if ! parallel --version 2>/dev/null | grep -q 'GNU parallel'; then
    echo "GNU parallel is missing: its recipes are not run"
    return
  fi
  local PATH=$bin:$work/stub:$PATH
  export PATH
  exits "one run for the recipes" 0 "$evaluate" --gt_path photos --lrd 0.0002,0.0008 --json one.json
  mv stdout.txt one.txt
  rm -f shard*
  recipe_runs cores
  same_report "... the same report" one.txt stdout.txt
  same_results "... and results" one.json all.json
  check "... no journal stays" test -z "$(compgen -G '*.journal')"
  recipe_runs encode
  check "... all streams" test "$(find streams -name '*.glint' | wc -l)" -eq "$(find photos -name '*.ppm' | wc -l)"

  # In the place of ssh and another machine a shell of this one, which begins as ssh's does: in the
  # home folder (parallel names a folder below that from there), and with its own name in SHELL
  # (parallel runs commands by that).
  rm -f shard* all.json
  mkdir stub
  # shellcheck disable=SC2016
  printf '%s\n' '#!/bin/bash' '[ "$1" != -l ] || shift 2' 'echo "$1" >>"$SSH_LOG"' 'shift' \
    '[ "$1" != -- ] || shift' 'export SHELL=/bin/bash' 'cd "${HOME:-/tmp}" && exec "$SHELL" -c "$*"' >stub/ssh
  chmod +x stub/ssh
  printf '%s\n' user@one two : >hosts
  exits "one run with all threads" 0 "$evaluate" --gt_path photos --lrd 0.0002,0.0008 --threads 0 --json one.json
  mv stdout.txt one.txt
  SSH_LOG=$work/ssh.log recipe_runs ssh
  same_report "... the same report" one.txt stdout.txt
  same_results "... and results" one.json all.json
  check "... on all machines" test "$(sort -u ssh.log | tr '\n' ' ')" = "one two "
}

make_flat() {
  { printf 'P6\n64 64\n255\n' && head -c 12288 /dev/zero | tr '\0' '@'; } >"$1"
}

test_shards
test_compared
test_failures
test_log_cut_off
test_refusals
test_cut_json
test_resume
test_glint_shards
test_recipes
count
