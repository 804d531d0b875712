#!/usr/bin/env bash
# End-to-end tests of what the programs do to files: many at once, what must not be overwritten, what
# signals leave. Usage: files_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs nothing but a shell and coreutils; `script` and `setpriv` where they are there.
set -u -o pipefail
# shellcheck source=tests/shell/default_signals.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/default_signals.sh"
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

# complained NAME PATTERN: the last command's standard error matches.
complained() {
  if grep -Eq -- "$2" stderr.txt; then pass "$1"; else fail "$1 (/$2/)"; fi
}

temporary_files() { find . -name '*.tmp'; }

files_in() { find "$1" -type f | wc -l; }

mode_of() { stat -c %a "$1"; }

# unprivileged COMMAND...: without root's right to write everywhere.
unprivileged() {
  if [ "$(id -u)" -eq 0 ]; then
    GLINT_MODEL=$PWD/readable.safetensors setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  else
    "$@"
  fi
}

test_overwriting() {
  cp small.ppm p.ppm
  ln -s p.ppm link.ppm
  ln p.ppm hard.ppm
  cp small.glint s.glint
  ln -s s.glint link.png
  ln s.glint hard.png
  refuses "encode onto the picture" 'p.ppm: would overwrite' "$glint" encode p.ppm p.ppm
  refuses "... by another way" 'would overwrite' "$glint" encode p.ppm ./p.ppm
  refuses "... through a symbolic link" 'link.ppm: would overwrite' "$glint" encode p.ppm link.ppm
  refuses "... from a symbolic link" 'p.ppm: would overwrite' "$glint" encode link.ppm p.ppm
  refuses "... through a hard link" 'hard.ppm: would overwrite.*p.ppm' "$glint" encode p.ppm hard.ppm
  refuses "... with --force" 'would overwrite' "$glint" encode --force p.ppm p.ppm
  refuses "... as standard input" 'would overwrite' bash -c "'$glint' encode - p.ppm <p.ppm"
  refuses "... as standard output" 'standard output: would overwrite' \
    bash -c "'$glint' encode p.ppm - >>p.ppm"
  check "the picture is as it was" cmp small.ppm p.ppm
  refuses "decode onto the stream" 'link.png: would overwrite' "$glint" decode s.glint link.png
  refuses "... through a hard link" 'hard.png: would overwrite' "$glint" decode s.glint hard.png
  check "the stream is as it was" cmp small.glint s.glint

  cp "$coding_model" model.safetensors
  refuses "encode onto the model" 'model.safetensors: would overwrite' \
    "$glint" encode --model model.safetensors p.ppm model.safetensors
  refuses "decode onto the model" 'model.png: would overwrite' bash -c \
    "ln model.safetensors model.png; '$glint' decode --model model.safetensors s.glint model.png; got=\$?
     rm model.png; exit \$got"
  check "the model is as it was" cmp "$coding_model" model.safetensors
  cp "$model" float.safetensors
  refuses "quantize onto the model" 'float.safetensors: would overwrite' \
    "$quantize" --type FP16 --model float.safetensors --calibration p.ppm --held-out p.ppm \
    --out float.safetensors
  refuses "quantize onto a picture" 'p.ppm: would overwrite' \
    "$quantize" --type FP16 --calibration p.ppm --held-out p.ppm --out p.ppm
  check "the model is as it was" cmp "$model" float.safetensors

  mkdir -p results/FP32
  exits "a picture where evaluate writes" 0 "$glint" decode small.glint results/FP32/p.png
  cp results/FP32/p.png before.png
  refuses "evaluate back onto its pictures" 'p.png: would overwrite' \
    "$evaluate" --type FP32 --gt_path results/FP32 --out results
  check "the picture is as it was" cmp before.png results/FP32/p.png
  refuses "evaluate --json onto a picture" 'p.ppm: would overwrite' \
    "$evaluate" --gt_path p.ppm --json p.ppm
  rm -r results before.png p.ppm link.ppm hard.ppm s.glint link.png hard.png ./*.safetensors
}

test_existing_output() {
  local name length
  echo old >kept.glint
  chmod 640 kept.glint
  exits "encode onto an old file" 0 "$glint" encode small.ppm kept.glint
  check "... which keeps its mode" test "$(mode_of kept.glint)" = 640
  echo old >kept.png
  chmod 604 kept.png
  exits "decode onto an old file" 0 "$glint" decode small.glint kept.png
  check "... which keeps its mode" test "$(mode_of kept.png)" = 604
  exits "a new file" 0 bash -c "umask 027; '$glint' encode small.ppm new.glint"
  check "... has the usual mode" test "$(mode_of new.glint)" = 640
  if [ "$(id -u)" -eq 0 ]; then
    chown 65534:65534 kept.glint
    exits "encode onto another's file" 0 "$glint" encode small.ppm kept.glint
    check "... whose it stays" test "$(stat -c %u:%g kept.glint)" = 65534:65534
    check "... and which keeps its mode" test "$(mode_of kept.glint)" = 640
  fi
  rm kept.glint kept.png new.glint

  # As long as names may be, and with the folder as long as paths may be.
  for length in 243 251 255; do
    name=$(printf '%0*d' $((length - 6)) 0).glint
    exits "encode to a name of $length bytes" 0 "$glint" encode small.ppm "$name"
    check "... is right" cmp small.glint "$name"
    rm -f "$name"
    name=$(printf '%0*d' $((length - 4)) 0).png
    exits "decode to a name of $length bytes" 0 "$glint" decode small.glint "$name"
    rm -f "$name"
  done
  refuses "a name of 256 bytes" 'File name too long' \
    "$glint" encode small.ppm "$(printf '%0250d' 0).glint"

  if [ "$(id -u)" -eq 0 ] && ! command -v setpriv >/dev/null; then return; fi
  chmod 755 . # mktemp makes it ours alone
  # The tree may lie where nobody else may look.
  cp "$coding_model" readable.safetensors
  chmod 644 readable.safetensors
  mkdir locked
  echo old >locked/x.glint
  echo old >protected.glint
  chmod 666 locked/x.glint
  chmod 444 protected.glint
  chmod 555 locked
  [ "$(id -u)" -ne 0 ] || chown -R 65534 locked protected.glint
  if unprivileged "$glint" --version >/dev/null 2>&1; then
    refuses "a writable file in a folder that is not" \
      'locked/x.glint: cannot be replaced: the folder .*locked takes no new files .*another folder' \
      unprivileged "$glint" encode small.ppm locked/x.glint
    refuses "a new file in such a folder" 'locked/y.glint: cannot be written: the folder .*locked' \
      unprivileged "$glint" encode small.ppm locked/y.glint
    mkdir open
    chmod 777 open
    mv protected.glint open
    refuses "a file that is protected from writing" 'protected.glint: .*protected' \
      unprivileged "$glint" encode small.ppm open/protected.glint
    check "... stays" grep -q old open/protected.glint
    rm -r open
  fi
  chmod 755 locked
  rm -rf locked protected.glint readable.safetensors
}

# A picture that takes seconds to decode: 12 million pixels.
make_large() {
  { printf 'P5\n4000 3000\n255\n' && head -c 12000000 /dev/zero; } >large.pgm
  "$glint" encode --lrd 0.0001 large.pgm large.glint
}

# await_temporary: until a file is being written, or half a minute has passed.
await_temporary() {
  local i
  for ((i = 0; i < 600; ++i)); do
    if [ -n "$(temporary_files)" ]; then return; fi
    sleep 0.05
  done
}

# ended_by SIGNAL: decode's exit status when the signal comes while it writes. Job control gives
# background jobs the usual actions for signals.
ended_by() {
  local status=0
  set -m
  (ulimit -c 0 && exec "$glint" decode --threads 1 large.glint large.png >stdout.txt 2>stderr.txt) &
  await_temporary
  kill -s "$1" $!
  wait $! || status=$?
  set +m
  echo "$status"
}

test_signals() {
  local signal number status
  make_large
  for signal in INT TERM HUP QUIT ALRM VTALRM PROF XCPU USR1 IO PWR RTMIN RTMAX; do
    # Some systems lack some.
    number=$(kill -l "$signal" 2>/dev/null) || continue
    status=$(ended_by "$signal" 2>/dev/null)
    check "SIG$signal ends decode by itself ($status)" test "$status" = $((128 + number))
    check "... leaving no temporary file" test -z "$(temporary_files)"
    check "... and no picture" test ! -e large.png
  done

  # A shell ends its loop only when the program died of SIGINT.
  cat >loop.sh <<SH
for i in 1 2 3; do
  "$glint" decode --threads 1 large.glint large.png
  echo "\$i" >>rounds.txt
done
SH
  set -m
  bash loop.sh >/dev/null 2>&1 &
  await_temporary
  kill -INT -- -$!
  wait $! 2>/dev/null
  set +m
  check "Ctrl-C ends a shell's loop" test ! -e rounds.txt
  check "... leaving no temporary file" test -z "$(temporary_files)"
  rm -f rounds.txt large.png

  # Without job control a shell starts background jobs with SIGINT ignored, and nohup does so with
  # SIGHUP.
  bash -c "'$glint' decode --threads 1 large.glint large.png & echo \$! >pid.txt; wait" &
  await_temporary
  kill -INT "$(cat pid.txt)"
  wait
  check "an ignored SIGINT stays ignored" test -s large.png
  rm -f large.png
  nohup "$glint" decode --threads 1 large.glint large.png >/dev/null 2>&1 &
  await_temporary
  kill -HUP $!
  wait
  check "an ignored SIGHUP stays ignored" test -s large.png
  rm -f large.png large.pgm large.glint pid.txt loop.sh

  # Waiting for input there is nothing to clean up: the first signal has to do.
  mkfifo nothing
  exec 9<>nothing
  set -m
  "$glint" encode - never.glint <nothing 2>/dev/null &
  sleep 1
  kill -INT $!
  sleep 1
  kill -KILL $! 2>/dev/null
  status=0
  wait $! 2>/dev/null || status=$?
  set +m
  exec 9>&-
  rm nothing
  check "SIGINT ends a program that waits for input ($status)" test "$status" -eq 130
}

test_terminal() {
  command -v script >/dev/null || return 0
  local command
  for command in "encode small.ppm -" "decode small.glint -" "encode small.ppm /dev/tty"; do
    script -qec "'$glint' $command" /dev/null >terminal.txt 2>/dev/null </dev/null
    check "glint $command at a terminal: exit 2" test $? -eq 2
    check "... says why" grep -q 'is a terminal.*--force' terminal.txt
    check "... in one line and nothing else" test "$(wc -l <terminal.txt)" -eq 1
  done
  script -qec "'$glint' encode --force small.ppm -" /dev/null >terminal.txt 2>/dev/null </dev/null
  check "--force writes to a terminal" env LC_ALL=C grep -aq GL terminal.txt
  script -qec "TERM=dumb '$evaluate' --gt_path small.ppm" /dev/null >terminal.txt 2>/dev/null </dev/null
  check "TERM=dumb: no status line" bash -c "! grep -q $'\x1b\|\[#\|\[\.\.' terminal.txt"
  script -qec "NO_COLOR=1 TERM=xterm '$evaluate' --gt_path small.ppm" /dev/null >terminal.txt \
    2>/dev/null </dev/null
  check "NO_COLOR: no escape codes" bash -c "! grep -q $'\x1b' terminal.txt"
  rm -f terminal.txt
}

# coded_late COMMAND FILE OUTPUT [FLAG...]: codes a copy of FILE into the folder two, where OUTPUT appears meanwhile. The
# copy is a pipe, which waits until it is opened to be read.
coded_late() {
  local command=$1 file=$2 output=$3 status=0
  local pipe=late.${file##*.}
  shift 3
  mkfifo "$pipe"
  { echo old >"two/$output" && cat "$file"; } >"$pipe" &
  "$glint" "$command" "$pipe" --out two "$@" || status=$?
  wait
  rm "$pipe"
  return "$status"
}

# stayed OUTPUT: coded_late left it as it was.
stayed() {
  complained "... which is said" "two/$1: is there already"
  check "... and stays" grep -q old "two/$1"
  check "... and nothing else" test -z "$(temporary_files)"
}

test_many() {
  local name
  mkdir -p pictures/inside/deeper pictures/.hidden
  cp small.ppm pictures/a.ppm
  make_ppm pictures/b.ppm 64 40
  cp pictures/b.ppm pictures/inside/c.ppm
  cp pictures/b.ppm pictures/inside/deeper/a.ppm
  cp pictures/b.ppm pictures/.hidden/d.ppm
  echo text >pictures/notes.txt

  exits "encode several files" 0 "$glint" encode small.ppm pictures/b.ppm --out one
  check "... as each alone" cmp small.glint one/small.glint
  check "... and no more" test "$(ls -A one)" = "$(printf 'b.glint\nsmall.glint')"
  complained "... sums up" '^glint: 2 of 2 pictures encoded into one: .*bytes'
  exits "encode a folder" 0 "$glint" encode pictures --out two
  check "... not those inside" test "$(ls -A two)" = "$(printf 'a.glint\nb.glint')"
  complained "... says what it left out" '1 other file left out'
  cp pictures/b.ppm pictures/._b.ppm
  exits "encode a folder with what macOS leaves" 0 "$glint" encode pictures --out two --force
  complained "... which is left out with a word" '^glint: pictures: 1 file .*macOS.*\._b.ppm'
  rm pictures/._b.ppm
  exits "encode folders inside" 0 "$glint" encode pictures --recursive --out three --jobs 3 -v
  check "... the same folders" cmp two/b.glint three/inside/deeper/a.glint
  check "... not hidden ones" test "$(files_in three)" -eq 4
  complained "... -v: a line for each" '^glint: three/inside/c.glint: 64x40'
  exits "decode folders" 0 "$glint" decode three -r --out pictures_again --jobs 2 --format ppm
  exits "decode one" 0 "$glint" decode small.glint alone.ppm
  check "... gives the same" cmp alone.ppm pictures_again/a.ppm
  check "... in the same folders" test -s pictures_again/inside/deeper/a.ppm
  exits "decode to PNG" 0 "$glint" decode one --out one
  check "... unless told otherwise" test -s one/small.png
  rm -r pictures_again alone.ppm one

  exits "existing files are not overwritten" 1 "$glint" encode pictures --out two
  complained "... which is said" 'two/a.glint: is there already .--force'
  complained "... and counted" '0 of 2 pictures encoded .*; 2 failed'
  echo old >two/a.glint
  exits "--force does" 0 "$glint" encode pictures --out two --force
  check "... overwrite" cmp small.glint two/a.glint
  # What appears while it is being coded stays too.
  exits "a file that appears meanwhile is not overwritten" 1 coded_late encode small.ppm late.glint
  stayed late.glint
  exits "... nor when decoding" 1 coded_late decode small.glint late.png
  stayed late.png
  exits "... but with --force" 0 coded_late decode small.glint late.png --force
  refute "... is" grep -q old two/late.png
  rm -r two three

  head -c 2000 small.ppm >pictures/broken.ppm
  exits "a broken picture among others: exit 1" 1 "$glint" encode pictures gone.ppm --out two --jobs 2
  complained "... is named" '^glint: pictures/broken.ppm: '
  complained "... as one that is not there" '^glint: gone.ppm: '
  complained "... and counted" '2 of 4 pictures encoded .*; 2 failed'
  check "... the others are there" test "$(files_in two)" -eq 2
  check "... and nothing else" test -z "$(temporary_files)"
  echo nonsense >two/broken.glint
  exits "a broken stream among others: exit 1" 1 "$glint" decode two --out again
  check "... the others are there" test "$(files_in again)" -eq 2
  rm -r two again pictures/broken.ppm

  # Named as evaluate names them.
  "$glint" decode small.glint pictures/a.png
  "$glint" decode small.glint pictures/a.ppm.png
  exits "pictures that differ in their ending alone" 0 "$glint" encode pictures --out two
  exits "... evaluated" 0 "$evaluate" --type INT8 --gt_path pictures --freq 1 --out evaluated
  check "... have the same names" test "$(ls two)" = "$(cd evaluated/INT8 && ls -- *.glint)"
  check "... one for each" test "$(files_in two)" -eq 4
  for name in two/*; do
    check "... with the same content: $name" cmp "$name" "evaluated/INT8/${name#two/}"
  done
  rm -r two evaluated pictures/a.png pictures/a.ppm.png
}

test_many_bad() {
  mkdir -p other empty_folder
  cp pictures/b.ppm other/a.ppm
  refuses "two that would have one name" 'a.ppm and .*a.ppm: both would become .*a.ppm.glint' \
    "$glint" encode pictures/a.ppm other/a.ppm --out two
  refuses "... of folders" 'both would become' "$glint" encode pictures other --out two
  refuses "one that is named twice" 'a.ppm: is named twice' \
    "$glint" encode pictures pictures/a.ppm --out two
  refuses "several without --out" 'out' "$glint" encode pictures/a.ppm pictures/b.ppm x.glint
  refuses "a folder without --out" 'pictures: .*--out' "$glint" encode pictures x.glint
  refuses "into a folder without --out" '--out other' "$glint" encode small.ppm other
  refuses "one without an output" '--out' "$glint" encode small.ppm
  refuses "--out onto a file" 'small.ppm' "$glint" encode pictures --out small.ppm
  refuses "--out without a name" 'out' "$glint" encode pictures --out ''
  refuses "--jobs for one" 'jobs' "$glint" encode --jobs 2 small.ppm x.glint
  refuses "no jobs" 'jobs' "$glint" encode --jobs 0 pictures --out two
  refuses "standard input into a folder" 'standard input' "$glint" encode - --out two
  refuses "a folder without pictures" 'empty_folder: ' "$glint" encode empty_folder --out two
  refuses "a folder without streams" 'pictures: ' "$glint" decode pictures --out two
  refuses "a bad rate for many" 'lrd' "$glint" encode pictures --lrd 7 --out two
  cp small.ppm other/picture.glint
  refuses "a folder back onto its own" 'picture.glint: would overwrite' \
    "$glint" encode other/picture.glint --out other --force

  # A share of the memory is too little for either alone, which then get all of it.
  local least=16777216
  until "$glint" encode --threads 1 --max-memory "$least" small.ppm x.glint 2>/dev/null; do
    least=$((least + 8388608))
  done
  exits "jobs that need all the memory" 0 \
    "$glint" encode small.ppm pictures/a.ppm --out two --jobs 2 --threads 1 --max-memory "$least"
  check "... are done one by one" test "$(files_in two)" -eq 2
  rm -r two other empty_folder x.glint

  # Too little address space for the stacks of all threads, and for many encoders at once. (With
  # sanitizers it is too little to begin.)
  if (ulimit -v 200000 && "$glint" encode --threads 1 small.ppm x.glint) >/dev/null 2>&1; then
    local i many=()
    for i in {1..60}; do
      cp small.ppm "many$i.ppm"
      many+=("many$i.ppm")
    done
    exits "more jobs than threads can be started" 0 \
      bash -c "ulimit -v 200000; exec \"\$@\"" - "$glint" encode "${many[@]}" --out two --jobs 60 --threads 1
    check "... are done by those there are" test "$(files_in two)" -eq 60
    rm -r two "${many[@]}"
  fi
  rm -f x.glint
}

test_names_of_flags() {
  exits "an output that begins with a dash" 0 "$glint" encode small.ppm -- -dash.glint
  check "... is written" cmp small.glint ./-dash.glint
  exits "an input too" 0 "$glint" decode -- -dash.glint -dash.png
  check "... and read" test -s ./-dash.png
  exits "many of them" 0 "$glint" decode --out two -- -dash.glint small.glint
  check "... are read" test -s two/-dash.png
  rm -r two ./-dash.glint ./-dash.png
  refuses "a name like a flag" 'no flag -dash.glint.*--' "$glint" encode small.ppm -dash.glint
  refuses "an unknown flag" 'no flag --nope ' "$glint" encode --nope small.ppm x.glint
  refuses "a flag nearly right" 'no flag --threds; did you mean --threads\?' \
    "$glint" encode small.ppm x.glint --threds 4
  refuses "a flag half said" 'no flag --max; did you mean --max-error or --max-pixels or --max-memory\?' \
    "$glint" encode --max=3 small.ppm x.glint
  refuses "a command nearly right" 'no command encoed; did you mean encode\?' "$glint" encoed a b
  refuses "a flag of evaluate" 'no flag --gtpath; did you mean --gt_path' "$evaluate" --gtpath x
  refuses "a flag of quantize" 'no flag --calibraton; did you mean --calibration\?' \
    "$quantize" --calibraton x
}

test_descriptions() {
  local program longest
  for program in "glint" "glint encode" "glint decode" "glint info" "evaluate" "quantize"; do
    exits "$program --help" 0 bash -c "'$bin'/$program --help"
    longest=$(awk '{ if (length($0) > n) n = length($0) } END { print n }' stdout.txt)
    check "... fits 80 columns ($longest)" test "$longest" -le 80
    said "... has examples" '^Examples:$'
    said "... has groups" '^Messages:$'
  done
  for program in glint evaluate quantize; do
    exits "$program: manual page" 0 "$bin/$program" --generate man
    said "... has a name" '^\.SH NAME$'
    said "... has every flag" '\\-\\-help'
    if command -v groff >/dev/null; then
      groff -man -ww -Tascii stdout.txt 2>&1 >/dev/null | grep -v 'cannot adjust line' >groff.txt
      check "... is sound" test ! -s groff.txt
    fi
    exits "$program: zsh" 0 "$bin/$program" --generate zsh
    said "... is a completion" "^#compdef $program\$"
    if command -v zsh >/dev/null; then check "... is sound" zsh -n stdout.txt; fi
    exits "$program: fish" 0 "$bin/$program" --generate fish
    said "... is a completion" "^complete -c $program .* -l help "
    if command -v fish >/dev/null; then check "... is sound" fish -n stdout.txt; fi
    exits "$program: bash" 0 "$bin/$program" --generate bash
    cp stdout.txt "$program.bash"
  done
  completes "a command" 'encode' glint en
  completes "all commands" $'encode\ndecode\ninfo' glint ''
  completes "a flag" '--format' glint decode --form
  completes "no flag of another command" '' glint encode --form
  completes "a value" $'png\nppm\npgm\npam' glint decode --format p
  completes "a value behind =" 'pam' glint decode --format = pa
  completes "a folder" 'pictures' glint encode small.ppm --out pic
  completes "a file" 'small.ppm' glint encode small.p
  completes "a type" 'INT16' quantize --type INT1
  rm -f ./*.bash groff.txt
}

# completes NAME WANTED WORD...: what bash offers for the last word.
completes() {
  local name=$1 wanted=$2 got
  shift 2
  got=$(bash -c "
    . ./$1.bash
    COMP_WORDS=(\"\$@\")
    COMP_CWORD=\$((\$# - 1))
    _$1
    printf '%s\n' \"\${COMPREPLY[@]}\"" bash "$@" 2>/dev/null)
  if [ "$got" = "$wanted" ]; then pass "bash completes $name"; else fail "bash completes $name ($got)"; fi
}

test_model_of_the_environment() {
  cp "$model" other.safetensors
  exits "GLINT_MODEL is another model" 0 env GLINT_MODEL=other.safetensors \
    "$glint" decode small.glint found.png
  check "... decode finds the right one" test -s found.png
  mkdir models
  cp "$model" models/light-fp32.safetensors
  exits "GLINT_MODEL is a folder without the right model" 0 env GLINT_MODEL=models \
    "$glint" decode small.glint found.png
  refuses "... encode needs its own" 'GLINT_MODEL=models: there is no light-int8.safetensors' \
    env GLINT_MODEL=models "$glint" encode small.ppm x.glint
  exits "... evaluate has its own" 0 env GLINT_MODEL=models "$evaluate" --gt_path small.ppm
  local middle
  middle=$(($(size_of other.safetensors) / 2))
  toggle other.safetensors $((middle - middle % 64)) # a weight: another model
  cp other.safetensors models/mine.safetensors
  exits "a model of one's own" 0 "$glint" encode --model other.safetensors small.ppm own.glint
  exits "... is found in a folder" 0 env GLINT_MODEL=models "$glint" decode own.glint found.png
  refuses "... or said to be missing" 'own.glint: the stream was made with model .*--model.*weights/SHIPPED.md' \
    "$glint" decode own.glint x.png
  refuses "... beside the one that is there" 'GLINT_MODEL=.*fp32.safetensors is [0-9a-f]{16}' \
    env GLINT_MODEL=models/light-fp32.safetensors "$glint" decode own.glint x.png
  # Too little memory to look into it, or to load it.
  local kib
  for kib in {16000..32000..2000}; do
    (ulimit -v "$kib" && "$glint" decode --threads 1 small.glint x.png) >stdout.txt 2>stderr.txt
    refute "... but not for want of memory ($kib KiB)" grep -q 'no other is it' stderr.txt
  done
  rm -f x.png
  refuses "GLINT_MODEL that is not there" 'gone' env GLINT_MODEL=gone "$glint" decode own.glint x.png
  rm -r models other.safetensors own.glint found.png
}

# dd leaves the pipe full and not waiting.
test_full_pipe() {
  local full=65536 command
  for command in "--help" "info small.glint" "info --json small.ppm"; do
    # shellcheck disable=SC2086
    "$glint" $command >expected.txt
    # shellcheck disable=SC2086
    {
      dd if=/dev/zero bs=$full count=1 oflag=nonblock 2>dd.txt
      "$glint" $command
    } | {
      sleep 0.3
      cat >all.txt
    }
    tail -c +$((full + 1)) all.txt >printed.txt
    check "a full pipe that does not wait: glint $command" cmp expected.txt printed.txt
  done
  # Nobody reads any more; and a file, which goes on where it is.
  mkfifo fifo
  head -c 1 fifo >all.txt &
  {
    dd if=/dev/zero bs=1 count=1 oflag=nonblock 2>dd.txt
    sleep 0.3
    timeout 20 "$glint" --help
    echo $? >exit.txt
  } >fifo
  wait $!
  check "... that nobody reads does not wait" test "$(cat exit.txt)" -ne 124
  {
    echo before
    dd if=/dev/zero bs=1 count=1 oflag=nonblock 2>dd.txt
    "$glint" --version
  } >all.txt
  check "a file that has the same flag is not begun anew" grep -aq before all.txt
  rm expected.txt all.txt printed.txt dd.txt exit.txt fifo
}

make_ppm small.ppm 150 100
exits "a stream to start with" 0 "$glint" encode small.ppm small.glint
test_overwriting
test_existing_output
test_signals
test_terminal
test_many
test_many_bad
test_names_of_flags
test_descriptions
test_model_of_the_environment
test_full_pipe
count
