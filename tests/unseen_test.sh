#!/usr/bin/env bash
# What nobody sees, through the programs: alpha, colours under it, gray, metadata. Usage: unseen_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed. Needs a shell and coreutils.
set -u -o pipefail

bin=$(cd "${1:?usage: unseen_test.sh BIN_DIR}" && pwd)
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
glint=$bin/glint
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset GLINT_MODEL GLINT_TARGET

passed=0
failed=0

# check NAME COMMAND...: the command succeeds.
check() {
  local name=$1
  shift
  if "$@" >output.txt 2>&1 </dev/null; then
    passed=$((passed + 1))
    echo "ok    $name"
  else
    failed=$((failed + 1))
    echo "FAIL  $name"
    sed 's/^/      | /' output.txt | head -20
  fi
}

# says NAME PATTERN COMMAND...: the command succeeds, and a line of what it says matches.
says() {
  local name=$1 pattern=$2 got=0
  shift 2
  "$@" >said.txt 2>&1 </dev/null || got=$?
  check "$name: exit 0" test "$got" -eq 0
  check "$name: /$pattern/" grep -Eq -- "$pattern" said.txt
}

# refuses NAME PATTERN COMMAND...: exit code 2, and a line that matches.
refuses() {
  local name=$1 pattern=$2 got=0
  shift 2
  "$@" >said.txt 2>&1 </dev/null || got=$?
  check "$name: exit 2" test "$got" -eq 2
  check "$name: says why (/$pattern/)" grep -Eq -- "$pattern" said.txt
}

# make_pam FILE DEPTH KIND: 96x96; in 4 channels the left half is hidden. KIND is noise or black, of what is
# hidden, or opaque; or gray.
make_pam() {
  local tuple=RGB
  [ "$2" -eq 4 ] && tuple=RGB_ALPHA
  printf 'P7\nWIDTH 96\nHEIGHT 96\nDEPTH %d\nMAXVAL 255\nTUPLTYPE %s\nENDHDR\n' "$2" "$tuple" >"$1"
  printf '%b' "$(awk -v depth="$2" -v kind="$3" 'BEGIN {
    for (y = 0; y < 96; ++y) for (x = 0; x < 96; ++x) {
      a = (depth == 4 && kind != "opaque" && x < 48) ? 0 : 255
      r = 60 + x; g = kind == "gray" ? r : 90 + y; b = kind == "gray" ? r : 200 - x
      if (a == 0) { r = g = b = 0 }
      if (a == 0 && kind == "noise") { r = int(rand() * 256); g = int(rand() * 256); b = int(rand() * 256) }
      printf "\\0%03o\\0%03o\\0%03o", r, g, b
      if (depth == 4) printf "\\0%03o", a
    }
  }')" >>"$1"
}

size_of() { wc -c <"$1" | tr -d ' '; }
head_of() { head -c "$2" "$1" | tr '\n\0' ' .'; }

make_pam noise.pam 4 noise
make_pam black.pam 4 black
make_pam opaque.pam 4 opaque
make_pam plain.pam 3 opaque
make_pam gray.pam 3 gray

check "encode noise under alpha 0" "$glint" encode noise.pam noise.glint
check "encode black under alpha 0" "$glint" encode black.pam black.glint
check "what is hidden makes no difference" cmp noise.glint black.glint
check "encode --exact" "$glint" encode --exact noise.pam exact.glint
check "--exact keeps what is hidden" test "$(size_of exact.glint)" -gt $((2 * $(size_of noise.glint)))

says "encode -v an opaque alpha" 'left out: alpha' "$glint" encode -v opaque.pam opaque.glint
check "encode without alpha" "$glint" encode plain.pam plain.glint
check "an opaque alpha costs nothing" cmp opaque.glint plain.glint
check "an opaque alpha does not keep a picture from being PPM" "$glint" decode opaque.glint opaque.ppm
check "encode --exact an opaque alpha" "$glint" encode --exact opaque.pam opaque_exact.glint
refuses "--exact keeps an opaque alpha" 'have no alpha.*background' "$glint" decode opaque_exact.glint - --format ppm

refuses "alpha and PPM" 'have no alpha.*background' "$glint" decode noise.glint no.ppm
check "nothing is written" test ! -e no.ppm
check "--no-alpha" "$glint" decode --no-alpha noise.glint dropped.ppm
check "--no-alpha gives RGB" test "$(head_of dropped.ppm 11)" = "P6 96 96 25"
check "--background" "$glint" decode --background '#0a80ff' noise.glint blended.ppm
check "the hidden half is the background" test \
  "$(tail -c $((96 * 96 * 3)) blended.ppm | head -c 144 | od -An -v -tu1 -w3 | sort -u | tr -s ' ')" = " 10 128 255"
check "the background without #" "$glint" decode --background 0a80ff noise.glint again.ppm
check "is the same" cmp blended.ppm again.ppm
says "--background white, to standard output" '^P6$' "$glint" decode --background white noise.glint - --format ppm
refuses "a colour that is none" '--background.*purple' "$glint" decode --background purple noise.glint no.png
refuses "both at once" '--(background|no-alpha).*excludes' "$glint" decode --no-alpha --background white noise.glint no.png

"$glint" decode plain.glint whole.ppm
check "--crop" "$glint" decode --crop 30x20+40+50 plain.glint part.ppm
check "--crop gives as many pixels" test "$(head_of part.ppm 11)" = "P6 30 20 25"
check "--crop gives the whole picture's pixels" cmp <(tail -c $((30 * 20 * 3)) part.ppm) \
  <(for y in {50..69}; do tail -c $((96 * 96 * 3)) whole.ppm | tail -c +$(((y * 96 + 40) * 3 + 1)) | head -c 90; done)
refuses "a crop beyond the picture" 'plain.glint: a crop of 30 x 20 .* not within the picture of 96 x 96' \
  "$glint" decode --crop 30x20+70+50 plain.glint no.ppm
check "nothing is written of it" test ! -e no.ppm
check "--shrink" "$glint" decode --shrink 8 plain.glint small.ppm
check "--shrink gives an eighth of the rows and columns" test "$(head_of small.ppm 8)" = "P6 12 12"
check "--shrink and --crop" "$glint" decode --shrink 4 --crop 5x6+7+8 plain.glint part4.ppm
check "--crop is of the smaller picture" test "$(head_of part4.ppm 6)" = "P6 5 6"
refuses "a crop beyond the smaller picture" 'not within the picture of 12 x 12' \
  "$glint" decode --shrink 8 --crop 30x20 plain.glint no.ppm
refuses "to shrink by 3" '--shrink.*3' "$glint" decode --shrink 3 plain.glint no.ppm
small_model=$tests/../conformance/models/mini.safetensors
check "quantize --type KEEP" "$bin/quantize" --type KEEP --model "$small_model" --out shrinking.safetensors
check "... adds graphs" grep -q 'shrinks to *1/2' <("$glint" info shrinking.safetensors)
refuses "quantize --type KEEP with what is not looked at" 'max-loss: nothing is quantised' \
  "$bin/quantize" --type KEEP --model "$small_model" --max-loss 1 --out no.safetensors
refuses "a crop that is none" '--crop.*30,20' "$glint" decode --crop 30,20 plain.glint no.ppm
check "encode 16 bits" "$glint" encode "$tests/data/pngsuite/basn2c16.png" deep.glint
check "--deep" "$glint" decode --deep deep.glint deep.ppm
check "--deep gives 16 bits" grep -aqx 65535 <(head -n 3 deep.ppm)
check "without it there are 8" "$glint" decode deep.glint flat.ppm
check "... indeed" grep -aqx 255 <(head -n 3 flat.ppm)

check "encode gray as RGB" "$glint" encode gray.pam gray.glint
says "info of gray as RGB" 'RGB.*coded as gray' "$glint" info gray.glint
check "decode gray as RGB" "$glint" decode gray.glint gray.ppm
check "it comes back gray" test -z "$(tail -c $((96 * 96 * 3)) gray.ppm | od -An -v -tu1 -w3 | awk '$1 != $2 || $1 != $3')"

texts=$tests/data/pngsuite/ct1n0g04.png # gAMA and tEXt
check "encode a PNG with texts" "$glint" encode "$texts" all.glint
says "encode --strip -v" 'left out: colour profile \(4 bytes\), texts \([0-9]+ bytes\)$' \
  "$glint" encode -v --strip "$texts" none.glint
says "info of what is stripped" 'metadata +none' "$glint" info none.glint
says "encode --keep icc" 'left out: texts' "$glint" encode -v --keep icc,exif "$texts" icc.glint
says "info of it" 'metadata +gAMA \(4 bytes\)$' "$glint" info icc.glint
check "encode --keep text,icc" "$glint" encode -v --keep text,icc "$texts" text.glint
check "is the same as all here" cmp text.glint all.glint
says "decode --strip -v" 'left out: colour profile .*, texts' "$glint" decode -v --strip all.glint none.png
check "decode" "$glint" decode all.glint all.png
check "the stripped PNG has fewer bytes" test "$(size_of none.png)" -lt "$(size_of all.png)"
check "it is as if there had been no metadata" "$glint" decode none.glint never.png
check "byte for byte" cmp none.png never.png
refuses "a kind that is none" '--keep.*gps' "$glint" encode --keep icc,gps "$texts" no.glint
refuses "--strip and --keep" '--(strip|keep).*excludes' "$glint" encode --strip --keep icc "$texts" no.glint
check "nothing is written then" test ! -e no.glint

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
