#!/usr/bin/env bash
# End-to-end tests of the programs glint and evaluate. Usage: tools_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs nothing but a shell and coreutils.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

test_help() {
  local program
  check "evaluate is what is installed as glint-evaluate" cmp "$evaluate" "$bin/glint-evaluate"
  check "quantize is what is installed as glint-quantize" cmp "$quantize" "$bin/glint-quantize"
  exits "it has that name then" 0 "$bin/glint-quantize" --help
  said "... in the usage" '^Usage: glint-quantize '
  said "... in examples" '^ +glint-quantize --type'
  refuses "... in messages" '^glint-evaluate: ' "$bin/glint-evaluate" --type FP64
  for program in man bash zsh fish; do
    exits "$program of glint-evaluate" 0 "$bin/glint-evaluate" --generate "$program"
    said "... is of that name" 'glint-evaluate'
    refute "... and of no other" grep -E '(^|[^-_])evaluate ' stdout.txt
  done
  for program in "$glint" "$evaluate"; do
    exits "${program##*/} --help" 0 "$program" --help
    said "${program##*/} --help explains" 'Exit code'
    exits "${program##*/} --version" 0 "$program" --version
    said "${program##*/} --version has a number" '[0-9]+\.[0-9]+\.[0-9]+'
  done
  for program in encode decode info; do
    exits "glint $program --help" 0 "$glint" "$program" --help
    said "glint $program --help has examples" "glint $program "
  done
  if [ -e /dev/full ]; then
    check "a full disk is noticed" bash -c "'$glint' --version >/dev/full 2>/dev/null; [ \$? -eq 2 ]"
  fi
}

test_round_trip() {
  local program
  exits "encode" 0 "$glint" encode small.ppm small.glint
  exits "decode to PPM" 0 "$glint" decode small.glint small_out.ppm
  check "decoded size" test "$(head -c 15 small_out.ppm | tr '\n' ' ')" = "$(head -c 15 small.ppm | tr '\n' ' ')"
  exits "decode to PNG" 0 "$glint" decode small.glint small_out.png
  exits "encode the PNG" 0 "$glint" encode small_out.png again.glint
  check "the stream is smaller than the picture" test "$(size_of small.glint)" -lt "$(($(size_of small.ppm) / 4))"

  check "standard input and output" bash -c "'$glint' encode - - <small.ppm >pipe.glint"
  check "... give the same stream" cmp small.glint pipe.glint
  check "decode from a pipe into a pipe" bash -c \
    "cat small.glint | '$glint' decode - - --format ppm | cat >pipe.ppm"
  check "... gives the same picture" cmp small_out.ppm pipe.ppm

  exits "a model that came with Glint by its name" 0 "$glint" encode --model light-msssim-int8 small.ppm named.glint
  exits "... its stream is decoded without one" 0 "$glint" decode named.glint named.ppm
  exits "... and with the name" 0 "$glint" decode --model light-msssim-int8 named.glint named2.ppm
  check "... to the same" cmp named.ppm named2.ppm
  exits "... info knows it too" 0 "$glint" info light-msssim-int8
  said "... and what it is" 'light-msssim'
  refuses "... an effort is for squared error" 'light-msssim-int8.*: it was tuned for another measure' \
    "$glint" encode --effort 3 --model light-msssim-int8 small.ppm x.glint
  refuses "an empty name" 'model.*is empty' "$glint" encode --model "" small.ppm x.glint
  refuses "... of a picture" 'FILES.*is empty' "$glint" encode "" x.glint
  refuses "... of a stream" 'FILES.*is empty' "$glint" decode small.glint ""
  refuses "... of what is asked about" 'FILE.*is empty' "$glint" info ""
  refuses "... of a folder" 'out.*is empty' "$glint" encode small.ppm --out ""
  refuses "... of results" 'json.*is empty' "$evaluate" --gt_path small.ppm --json ""
  refuses "... of curves" 'curves.*is empty' "$evaluate" --gt_path small.ppm --curves ""
  refuses "... of a folder of results" 'out.*is empty' "$evaluate" --gt_path small.ppm --out ""
  refuses "... of a report" 'log.*is empty' "$quantize" --log "" --out x.safetensors
  refuses "a layer in two precisions" 'h_s/hs3 is to be kept in two precisions' \
    "$quantize" --keep hs3=int8,h_s/hs3=int16 --out x.safetensors
  refuses "a mix that may lose nothing" 'max-loss: Value 0 not in range 0.000001 to 100' "$quantize" --max-loss 0 --out x.safetensors
  exits "... evaluate knows it too" 0 "$evaluate" --model light-fp32 --model light-msssim-int8 --gt_path small.ppm
  said "... by that name" '^light-msssim-int8 '
  for program in "$glint encode small.ppm x.glint" "$glint decode small.glint x.ppm" \
    "$evaluate --gt_path small.ppm" "$quantize --out x.safetensors"; do
    # shellcheck disable=SC2086
    refuses "a name that none has: ${program##*/}" \
      'light-msssim: there is no such file, .* are light-fp16, light-fp32, .*, light-msssim-int8$' \
      $program --model light-msssim
  done
  refuses "... info" 'light-msssim: there is no such file, .* light-int8, ' "$glint" info light-msssim
  refuses "... info of a file" 'light.png: cannot be opened' "$glint" info light.png
  refuses "a path that there is not" 'nowhere/light-int8: .*No such file' \
    "$glint" encode --model nowhere/light-int8 small.ppm x.glint
  cp "$model" light-msssim-int8
  exits "a file of that name comes first" 0 "$glint" encode --model light-msssim-int8 small.ppm x.glint
  refute "... and is another model" cmp -s named.glint x.glint
  rm light-msssim-int8 named.ppm named2.ppm named.glint x.glint

  exits "a higher rate" 0 "$glint" encode --lrd 0.0008 small.ppm high.glint
  exits "a lower rate" 0 "$glint" encode --lrd 0.0001 small.ppm low.glint
  check "... costs more bytes" test "$(size_of high.glint)" -gt "$(size_of low.glint)"

  exits "two threads, bands of 16 rows" 0 "$glint" encode --threads 2 --band 16 small.ppm banded.glint
  check "... change nothing" cmp small.glint banded.glint
  exits "decode so" 0 "$glint" decode --threads 2 --band 16 small.glint banded.ppm
  check "... changes nothing" cmp small_out.ppm banded.ppm
  exits "--verbose" 0 "$glint" encode -v small.ppm small.glint
  check "--verbose says what was done" grep -q bpp stderr.txt
  check "an existing file is replaced" cmp small.glint pipe.glint
}

# bytes_for FLAGS...: the size of small.ppm's stream with them.
bytes_for() {
  "$glint" encode "$@" small.ppm sized.glint && size_of sized.glint
  rm -f sized.glint
}

# lrd_of STREAM: of the model's part; of the whole, up to the model's default.
lrd_of() {
  "$glint" info "$1" | sed -n 's/^lrd *\([0-9.e-]*\).*/\1/p'
}

test_rate() {
  local least most want lrd
  least=$(bytes_for --quality 0)
  most=$(bytes_for --quality 100)
  # Up to the model's default rate `glint info` tells the lrd of both layers.
  exits "--quality" 0 "$glint" encode --quality 20 small.ppm x.glint
  check "... is between the ends" test "$least" -lt "$(size_of x.glint)" -a "$(size_of x.glint)" -lt "$most"
  lrd=$(lrd_of x.glint)
  exits "... is an lrd" 0 "$glint" encode --lrd "$lrd" small.ppm y.glint
  check "... with the same stream" cmp x.glint y.glint

  want=$(((least + most) / 2))
  exits "--target-size" 0 "$glint" encode --target-size "$want" -v small.ppm x.glint
  check "... is not larger" test "$(size_of x.glint)" -le "$want"
  check "... and near" test "$(size_of x.glint)" -ge "$((want - 16 < want * 99 / 100 ? want - 16 : want * 99 / 100))"
  lrd=$(sed -n 's/.* lrd \([0-9.e-]*\) after [1-8] probes\?,.*/\1/p' stderr.txt)
  exits "... -v says the lrd" 0 "$glint" encode --lrd "$lrd" small.ppm y.glint
  check "... with the same stream" cmp x.glint y.glint
  check "... of a pipe too" bash -c "'$glint' encode --target-size $want - - <small.ppm | cmp - x.glint"
  exits "... in KiB" 0 "$glint" encode --target-size 1G small.ppm x.glint
  check "... as large as it gets" test "$(size_of x.glint)" -eq "$most"
  exits "--target-bpp" 0 "$glint" encode --target-bpp 0.5 small.ppm x.glint
  check "... is not larger" test "$(($(size_of x.glint) * 16))" -le $((150 * 100))
  exits "--target-psnr" 0 "$glint" encode --target-psnr 29 -v small.ppm x.glint
  check "... is reached" grep -Eq 'PSNR 29\.0[0-5] dB' stderr.txt
  exits "evaluate" 0 "$evaluate" --model "$coding_model" --gt_path small.ppm \
    --lrd "$(lrd_of x.glint)"
  said "... has the same PSNR" ' 29\.0[0-5] '
  exits "evaluate --quality" 0 "$evaluate" --gt_path small.ppm --quality 0,100
  said "... the ends" '^lrd 0\.000015$'
  said "... both" '^lrd 0\.12037$'
  exits "... without details" 0 "$evaluate" --gt_path small.ppm --quality 0,100 --detail off
  said "... the model's ends" '^lrd 0\.0019$'
  rm x.glint y.glint

  refuses "a size that is too small" "small.ppm: 100 bytes cannot be reached: the least is $least bytes" \
    "$glint" encode --target-size 100 small.ppm x.glint
  refuses "too few bits" 'the least is .* bits per pixel, at lrd' "$glint" encode --target-bpp 0.001 small.ppm x.glint
  refuses "a PSNR that is too high" 'a PSNR of 90 dB cannot be reached: the highest is [0-9.]+ dB, at lrd' \
    "$glint" encode --target-psnr 90 small.ppm x.glint
  for want in 0 -1 nan 1e999 x 5,6 ''; do
    refuses "--target-size '$want'" 'target-size' "$glint" encode --target-size="$want" small.ppm x.glint
    refuses "--target-bpp '$want'" 'target-bpp' "$glint" encode --target-bpp="$want" small.ppm x.glint
    refuses "--target-psnr '$want'" 'target-psnr' "$glint" encode --target-psnr="$want" small.ppm x.glint
  done
  refuses "a quality above 100" 'quality.* 101' "$glint" encode --quality 101 small.ppm x.glint
  refuses "no quality" 'quality' "$glint" encode --quality nan small.ppm x.glint
  refuses "two rates" 'lrd.*quality|quality.*lrd' "$glint" encode --lrd 0.0004 --quality 5 small.ppm x.glint
  refuses "two targets" 'target-bpp.*target-size|target-size.*target-bpp' \
    "$glint" encode --target-size 900 --target-bpp 1 small.ppm x.glint
  refuses "a rate and a target" 'lrd.*target-psnr|target-psnr.*lrd' \
    "$glint" encode --target-psnr 30 --lrd 0.0004 small.ppm x.glint
  refuses "a quality and a target" 'quality.*target-psnr|target-psnr.*quality' \
    "$glint" encode --target-psnr 30 --quality 5 small.ppm x.glint
  refuses "evaluate: a quality above 100" 'quality' "$evaluate" --gt_path small.ppm --quality 50,101
  refuses "evaluate: the same quality twice" '50 is there twice' "$evaluate" --gt_path small.ppm --quality 50,50
  refuses "evaluate: two rates" 'lrd.*quality|quality.*lrd' "$evaluate" --gt_path small.ppm --quality 5 --lrd 0.0004
}

# section_of STREAM N: the offset in it of the middle of its N-th chunk of details.
section_of() {
  "$glint" info --json "$1" | tr -d ' \n' | grep -o '"type":"D","offset":[0-9]*,"bytes":[0-9]*' | sed -n "$2p" |
    sed 's/.*"offset":\([0-9]*\),"bytes":\([0-9]*\)/\1 \2/' | { read -r offset bytes && echo $((offset + bytes / 2)); }
}

test_detail() {
  local flag
  exits "--detail on" 0 "$glint" encode --detail on -v small.ppm on.glint
  check "... -v says what they did" grep -Eq \
    'on.glint: details: [0-9,]+ bytes, [0-9.]+ % of the stream; of 6 blocks [0-6] as transforms, [0-6] as pixels; ' stderr.txt
  exits "--detail off" 0 "$glint" encode --detail off -v small.ppm off.glint
  check "... -v says nothing of them" bash -c '! grep -q details stderr.txt'
  exits "info with details" 0 "$glint" info on.glint
  said "... has their bytes" '^details +[0-9.]+ [a-zKiB]+, [0-9.]+ % of the stream$'
  said "... whose lrd it is" "^lrd +[0-9.]+, of the model's part$"
  exits "info without details" 0 "$glint" info off.glint
  said "... says so" '^details +none$'
  exits "info --json" 0 "$glint" info --json on.glint
  said "... has them" '^  "detail": true,$'
  exits "... of the model" 0 "$glint" info --json "$coding_model"
  said "... their range" '^  "detail_lrd": \{$'
  exits "an lrd for details" 0 "$glint" encode --lrd 0.01 small.ppm high.glint
  check "... costs more bytes" test "$(size_of high.glint)" -gt "$(size_of on.glint)"
  exits "--no-detail" 0 "$glint" decode --no-detail -v on.glint preview.ppm
  check "... -v says so" grep -q 'left out: details' stderr.txt
  exits "decode without details" 0 "$glint" decode off.glint off.ppm
  exits "decode with details" 0 "$glint" decode on.glint on.ppm
  check "... another picture" bash -c '! cmp -s on.ppm preview.ppm'

  exits "--lossless" 0 "$glint" encode --lossless -v small.ppm exact.glint
  check "... -v says so" grep -q 'nothing is lost' stderr.txt
  exits "... decode" 0 "$glint" decode exact.glint exact.ppm
  check "... to the same picture" cmp exact.ppm small.ppm
  check "... of a pipe too" bash -c "'$glint' encode --lossless - - <small.ppm | cmp - exact.glint"
  exits "... with FP32" 0 "$glint" encode --lossless --model "$model" small.ppm x.glint
  exits "--max-error" 0 "$glint" encode --max-error 2 small.ppm near.glint
  exits "... decode" 0 "$glint" decode near.glint near.ppm
  exits "... of many" 0 "$glint" encode --max-error 2 -v --out near small.ppm
  check "... the same stream" cmp near/small.glint near.glint
  check "... -v says what details did" grep -q 'small.glint: details: ' stderr.txt
  rm -r near x.glint

  for flag in --lossless '--max-error 0'; do
    # shellcheck disable=SC2086
    {
      refuses "$flag and --lrd" 'max-error.*lrd|lossless.*lrd|lrd.*(max-error|lossless)' \
        "$glint" encode $flag --lrd 0.0004 small.ppm x.glint
      refuses "$flag and --quality" 'quality' "$glint" encode $flag --quality 5 small.ppm x.glint
      refuses "$flag and --target-size" 'target-size' "$glint" encode $flag --target-size 9K small.ppm x.glint
      refuses "$flag and --target-bpp" 'target-bpp' "$glint" encode $flag --target-bpp 9 small.ppm x.glint
      refuses "$flag and --target-psnr" 'target-psnr' "$glint" encode $flag --target-psnr 9 small.ppm x.glint
      refuses "$flag and --detail off" "^glint: ${flag%% *}: .* --detail off" \
        "$glint" encode $flag --detail off small.ppm x.glint
    }
  done
  refuses "--lossless and --max-error" 'max-error' "$glint" encode --lossless --max-error 1 small.ppm x.glint
  refuses "--max-error too large" 'max-error' "$glint" encode --max-error 128 small.ppm x.glint
  refuses "--max-error negative" 'max-error' "$glint" encode --max-error -1 small.ppm x.glint
  refuses "--detail unknown" 'detail' "$glint" encode --detail some small.ppm x.glint
  refuses "decode: two flags for details" 'detail' "$glint" decode --no-detail --skip-damaged-detail on.glint x.png
  printf 'P5\n2 2\n65535\n12345678' >deep.pgm
  refuses "--lossless of 16 bits" 'deep.pgm: .*16 bits' "$glint" encode --lossless deep.pgm x.glint
  exits "--max-error of 16 bits" 0 "$glint" encode --max-error 0 deep.pgm deep.glint

  make_ppm tall.ppm 20 1100
  exits "a tall picture" 0 "$glint" encode --detail on tall.ppm tall.glint
  exits "... decode" 0 "$glint" decode tall.glint tall_out.ppm
  toggle tall.glint "$(section_of tall.glint 2)"
  refuses "damaged details" 'tall.glint: details of rows 1024 to 1099 are damaged; --skip-damaged-detail ' \
    "$glint" decode tall.glint x.ppm
  exits "info of damaged details: exit 2" 2 "$glint" info tall.glint
  said "... says so" '^damaged +details of rows 1024 to 1099$'
  check "... says where" grep -q 'tall.glint: details of rows 1024 to 1099 are damaged' stderr.txt
  exits "--skip-damaged-detail" 0 "$glint" decode --skip-damaged-detail tall.glint partly.ppm
  check "... warns" grep -q 'warning: tall.glint: details of rows 1024 to 1099 are damaged and left out' stderr.txt
  check "... the other rows are right" cmp <(head -c 61000 partly.ppm) <(head -c 61000 tall_out.ppm)
  check "... those are not" bash -c '! cmp -s partly.ppm tall_out.ppm'
  exits "--no-detail" 0 "$glint" decode --no-detail tall.glint preview.ppm
  check "... needs none of them" test ! -s stderr.txt
  head -c "$(($(size_of tall.glint) / 2))" tall.glint >half.glint
  refuses "--skip-damaged-detail of half a stream" 'half.glint: ' \
    "$glint" decode --skip-damaged-detail half.glint x.ppm

  exits "evaluate with details" 0 "$evaluate" --gt_path small.ppm --json detail.json
  said "... says so" '^Details: auto$'
  said "... what they did" '^0\.0004 +6 +[0-6] +[0-6] +[0-6] '
  check "... in JSON" grep -q '^  "detail": "auto",$' detail.json
  has_keys "... in JSON" detail.json transform_blocks pixel_blocks plain_blocks base_psnr
  exits "evaluate --detail off" 0 "$evaluate" --gt_path small.ppm --detail off
  said "... says so" '^Details: off$'
  check "... no more of them" bash -c '! grep -q "had to repair" stdout.txt'
  exits "two models" 0 "$evaluate" --model "$model" --model "$coding_model" --gt_path small.ppm --lrd 0.0004
  said "... are compared without" '^Details: off, so that models compare$'
  exits "... or with" 0 "$evaluate" --model "$model" --model "$coding_model" --gt_path small.ppm --lrd 0.0004 --detail on
  said "... says so" '^Details: on$'
  said "... what they did" '^INT8 +6 +[0-6] +[0-6] +[0-6] '
  refuses "evaluate --detail unknown" 'detail' "$evaluate" --gt_path small.ppm --detail some
  rm -f tall* half.glint detail.json ./*.ppm.glint preview.ppm partly.ppm on.* off.* exact.* near.* high.glint deep.*
}

# fixed_rate MODEL: the default model of evaluate at one rate, of which the file does not say its lambda.
fixed_rate() {
  local rate='\\"rate\\":{[^}]*}' one='{\\"parameter\\":\\"none\\"}' length
  length=$(LC_ALL=C grep -ao "$rate" "$model" | wc -c)
  LC_ALL=C sed "s/$rate/\\\\\"rate\\\\\":$one$(printf '%*s' $((length - 34)) '')/" "$model" >"$1"
}

test_effort() {
  local lrd
  exits "--effort" 0 "$glint" encode --effort 2 -v small.ppm effort.glint
  check "... -v says what it took" grep -Eq 'effort.glint: .*, [0-9.]+ s, [0-9.]+ s of it effort, ' stderr.txt
  check "... another stream" bash -c '! cmp -s effort.glint small.glint'
  exits "... decode" 0 "$glint" decode effort.glint effort.ppm
  exits "two threads, bands of 16 rows" 0 "$glint" encode --effort 2 --threads 2 --band 16 small.ppm x.glint
  check "... change nothing" cmp effort.glint x.glint
  exits "... of many" 0 "$glint" encode --effort 2 --out many small.ppm
  check "... the same stream" cmp effort.glint many/small.glint
  exits "--effort 0" 0 "$glint" encode --effort 0 -v small.ppm x.glint
  check "... changes nothing" cmp small.glint x.glint
  check "... -v says nothing of it" bash -c '! grep -q effort stderr.txt'
  exits "... with a target" 0 "$glint" encode --effort 1 --target-bpp 0.9 -v small.ppm x.glint
  lrd=$(sed -n 's/.* lrd \([0-9.e-]*\) after [1-8] probes\?,.*/\1/p' stderr.txt)
  exits "... that lrd" 0 "$glint" encode --effort 1 --lrd "$lrd" small.ppm y.glint
  check "... with the same stream" cmp x.glint y.glint
  rm -r many x.glint y.glint

  refuses "--effort 10" 'effort.* 10' "$glint" encode --effort 10 small.ppm x.glint
  refuses "--effort -1" 'effort.* -1' "$glint" encode --effort=-1 small.ppm x.glint
  refuses "--effort 011" 'effort.* 011: not a whole number in decimal digits' \
    "$glint" encode --effort 011 small.ppm x.glint
  refuses "--threads 0x2" 'threads.* 0x2: not a whole' "$glint" encode --threads 0x2 small.ppm x.glint
  refuses "--quality of nothing" 'quality.*is empty' "$glint" encode --quality '' small.ppm x.glint
  refuses "--lrd of nothing" 'lrd.*is empty' "$glint" encode --lrd '' small.ppm x.glint
  refuses "--effort much" 'effort' "$glint" encode --effort much small.ppm x.glint
  refuses "--effort and --lossless" '(effort.*lossless|lossless.*effort)' \
    "$glint" encode --effort 1 --lossless small.ppm x.glint
  refuses "--effort and --max-error" '(effort.*max-error|max-error.*effort)' \
    "$glint" encode --effort 1 --max-error 2 small.ppm x.glint
  fixed_rate fixed.safetensors
  exits "a model that takes no effort" 0 "$glint" encode --model fixed.safetensors small.ppm x.glint
  rm x.glint
  refuses "... with one" '^glint: --effort 5: fixed.safetensors: it does not say for what lambda it was trained, ' \
    "$glint" encode --effort 5 --model fixed.safetensors small.ppm x.glint
  refuses "... of many" '^glint: --effort 5: fixed.safetensors: ' \
    "$glint" encode --effort 5 --model fixed.safetensors --out many small.ppm
  refuses "evaluate: a model that takes no effort" '^evaluate: --effort 5: fixed.safetensors: ' \
    "$evaluate" --effort 5 --model "$model" --model fixed.safetensors --gt_path small.ppm

  exits "evaluate --effort" 0 "$evaluate" --gt_path small.ppm --effort 1 --json effort.json
  said "... says so" '^Effort: 1$'
  said "... what it took" ' detail +effort +other +total$'
  check "... in JSON" grep -q '^  "effort": 1,$' effort.json
  check "... and its time" grep -Eq '^ +"effort": 0\.[0-9]+' effort.json
  exits "evaluate without" 0 "$evaluate" --gt_path small.ppm --json effort.json
  check "... says nothing of it" bash -c '! grep -iq effort stdout.txt'
  check "... in JSON" grep -q '^  "effort": 0,$' effort.json
  refuses "evaluate --effort 10" 'effort.* 10' "$evaluate" --gt_path small.ppm --effort 10
  rm effort.* fixed.safetensors
}

test_info() {
  exits "info of a stream" 0 "$glint" info small.glint
  said "... has the size" '150x100'
  exits "info --json of a stream" 0 "$glint" info --json small.glint
  cp stdout.txt stream.json
  has_keys "info --json of a stream" stream.json kind bytes bpp model_id lrd source output chunks
  exits "info of a stream in a pipe" 0 bash -c "'$glint' info - <small.glint"
  exits "info of a model" 0 "$glint" info "$model"
  said "... has the parameters" 'parameters'
  exits "info --json of a model" 0 "$glint" info --json "$coding_model"
  cp stdout.txt model.json
  has_keys "info --json of a model" model.json kind name form id bytes parameters lrd provenance
  check "the stream names the model" test \
    "$(sed -n 's/.*"model_id": "\([0-9a-f]\{16\}\)".*/\1/p' stream.json)" = \
    "$(sed -n 's/^  "id": "\([0-9a-f]\{16\}\)".*/\1/p' model.json)"
  exits "info --explain of a model" 0 "$glint" info --explain "$model"
  said "... has g_a" 'g_a'
  refuses "info --explain of a stream" 'explain' "$glint" info --explain small.glint
  exits "info of a picture" 0 "$glint" info small.ppm
  said "... has its format" '^format +PPM$'
}

test_bad_use() {
  refuses "no command" 'subcommand' "$glint"
  refuses "unknown command" '.' "$glint" frobnicate
  refuses "unknown flag" '.' "$glint" encode --nope small.ppm x.glint
  refuses "no output" '--out' "$glint" encode small.ppm
  refuses "lrd is no number" 'lrd' "$glint" encode --lrd abc small.ppm x.glint
  refuses "lrd out of range" 'lrd' "$glint" encode --lrd 7 small.ppm x.glint
  refuses "lrd nan" 'lrd' "$glint" encode --lrd nan small.ppm x.glint
  refuses "lrd zero" 'lrd' "$glint" encode --lrd 0 small.ppm x.glint
  refuses "negative threads" 'threads' "$glint" encode --threads -1 small.ppm x.glint
  refuses "unknown target" 'NO_SUCH' "$glint" encode --target NO_SUCH small.ppm x.glint
  refuses "unknown target in the environment" 'GLINT_TARGET=NO_SUCH' \
    env GLINT_TARGET=NO_SUCH "$glint" encode small.ppm x.glint
  refuses "size without a number" 'max-memory' "$glint" encode --max-memory much small.ppm x.glint
  refuses "too many pixels" 'small.ppm: ' "$glint" encode --max-pixels 1K small.ppm x.glint
  refuses "too many pixels to decode" 'small.glint: ' "$glint" decode --max-pixels 1K small.glint x.png
  refuses "too little memory" 'small.ppm: ' "$glint" encode --max-memory 64K small.ppm x.glint
  refuses "no such picture" 'missing.png: ' "$glint" encode missing.png x.glint
  refuses "no such stream" 'missing.glint: ' "$glint" decode missing.glint x.png
  refuses "no such model" 'missing.safetensors: ' \
    "$glint" encode --model missing.safetensors small.ppm x.glint
  refuses "a picture is no model" 'small.ppm: ' "$glint" encode --model small.ppm small.ppm x.glint
  refuses "a picture is no stream" 'small.ppm: ' "$glint" decode small.ppm x.png
  refuses "a stream is no picture" 'small.glint: ' "$glint" encode small.glint x.glint
  refuses "unknown kind of picture" 'x.jpg: ' "$glint" decode small.glint x.jpg
  refuses "no such folder" 'nowhere/x.glint: ' "$glint" encode small.ppm nowhere/x.glint
  refuses "no such folder for a picture" 'nowhere/x.png: ' "$glint" decode small.glint nowhere/x.png
  refuses "empty picture" 'empty: ' "$glint" encode empty x.glint
  refuses "empty stream" 'empty: ' "$glint" decode empty x.png
  refuses "empty input" 'standard input: ' bash -c "'$glint' decode - x.png </dev/null"
}

# Numbers are decimal, whatever the C library and CLI11 take besides.
test_numbers() {
  local text pattern
  for text in 0x20 +3 ' 30' nan inf 3,5; do
    pattern=${text/+/\\+}
    refuses "--quality '$text'" "^glint: --quality: $pattern: not a decimal number" \
      "$glint" encode --quality "$text" small.ppm x.glint
    refuses "--lrd '$text'" "^glint: --lrd: $pattern: not a decimal number" "$glint" encode --lrd "$text" small.ppm x.glint
    refuses "--target-psnr '$text'" "^glint: --target-psnr: '$pattern' is no" \
      "$glint" encode --target-psnr "$text" small.ppm x.glint
    refuses "quantize --lrd '$text'" "^quantize: --lrd: $pattern: not a decimal number" \
      "$quantize" --lrd "$text" --out x.safetensors
    refuses "--max-loss '$text'" "^quantize: --max-loss: $pattern: not a decimal number" \
      "$quantize" --max-loss "$text" --out x.safetensors
    refuses "--percentile '$text'" "^quantize: --percentile: $pattern: not a decimal number" \
      "$quantize" --percentile "$text" --out x.safetensors
    refuses "--smoothing '$text'" "^quantize: --smoothing $pattern: neither auto" \
      "$quantize" --smoothing "$text" --out x.safetensors
    [ "$text" = 3,5 ] && continue
    refuses "--calibration-lrd '$text'" "^quantize: --calibration-lrd $pattern: not a number" \
      "$quantize" --calibration-lrd "$text" --out x.safetensors
    refuses "evaluate --quality '$text'" "^evaluate: --quality $pattern: not a number" \
      "$evaluate" --quality "$text" --gt_path small.ppm
    refuses "evaluate --lrd '$text'" "^evaluate: --lrd $pattern: not a number" \
      "$evaluate" --lrd "$text" --gt_path small.ppm
  done
  refuses "quantize --lrd of nothing" 'lrd: .*is empty' "$quantize" --lrd '' --out x.safetensors
  refuses "--calibration-lrd of nothing" 'lrd: .*is empty' "$quantize" --calibration-lrd '' --out x.safetensors
}

test_damage() {
  local size
  size=$(size_of small.glint)
  head -c $((size / 2)) small.glint >half.glint
  refuses "half a stream" 'half.glint: ' "$glint" decode half.glint x.png
  head -c $((size - 1)) small.glint >shorter.glint
  refuses "a stream without its last byte" 'shorter.glint: ' "$glint" decode shorter.glint x.png
  cp small.glint flipped.glint
  toggle flipped.glint $((size * 2 / 3))
  refuses "a flipped bit" 'flipped.glint: ' "$glint" decode flipped.glint x.png
  head -c 20000 small.ppm >half.ppm
  refuses "half a picture" 'half.ppm: ' "$glint" encode half.ppm x.glint
  head -c "$(($(size_of small_out.png) - 20))" small_out.png >half.png
  refuses "a PNG without its end" 'half.png: ' "$glint" encode half.png x.glint
  head -c 100000 "$model" >half.safetensors
  refuses "half a model" 'half.safetensors: ' "$glint" encode --model half.safetensors small.ppm x.glint
  echo "precious" >precious.png
  exits "a bad stream onto a good file" 2 "$glint" decode flipped.glint precious.png
  check "... leaves the file alone" grep -q precious precious.png
}

test_wrong_model() {
  local file
  for file in "$root"/weights/light-*.safetensors; do
    check "weights/SHIPPED.md has the id of ${file##*/}" \
      grep -q "${file##*/}. | .$(sha256sum <"$file" | cut -c1-16). |" "$root/weights/SHIPPED.md"
  done
  local wanted given middle
  cp "$model" other.safetensors
  # The middle of the file is a weight; its lowest mantissa bit makes another model.
  middle=$(($(size_of "$model") / 2))
  toggle other.safetensors $((middle - middle % 64))
  wanted=$("$glint" info "$coding_model" | sed -n 's/^id *//p')
  given=$("$glint" info other.safetensors | sed -n 's/^id *//p')
  check "another model has another id" test -n "$given" -a "$given" != "$wanted"
  exits "encode with another model that came with Glint" 0 "$glint" encode --model "$model" small.ppm float.glint
  exits "... decode finds it by the stream" 0 "$glint" decode float.glint float.ppm
  refuses "wrong model" "$wanted.*$given|$given.*$wanted" \
    "$glint" decode --model other.safetensors small.glint x.png
  exits "GLINT_MODEL names a model" 0 \
    env GLINT_MODEL="$work/other.safetensors" "$glint" encode small.ppm other.glint
  exits "... which its streams want" 0 "$glint" info other.glint
  said "... by its id" "$given"
  exits "GLINT_MODEL may be a folder" 0 env GLINT_MODEL="$root/weights" "$glint" encode small.ppm x.glint
  check "... with the default model in it" cmp small.glint x.glint
  rm x.glint
  refuses "GLINT_MODEL that is not there" 'gone' \
    env GLINT_MODEL="$work/gone" "$glint" encode small.ppm x.glint
}

test_evaluate() {
  exits "evaluate the samples" 0 "$evaluate"
  said "... shows PSNR" 'PSNR'
  said "... shows means" 'mean of'
  said "... shows memory" 'Peak memory'
  check "... writes no control characters into a pipe" bash -c "! grep -q $'\x1b\|\r' stdout.txt stderr.txt"

  mkdir folder
  make_ppm folder/a.ppm 200 170
  cp small.ppm folder/b.ppm
  echo "not a picture" >folder/notes.txt
  exits "evaluate a folder at two rates" 0 "$evaluate" --type FP32 --gt_path folder \
    --lrd 0.0002,0.0008 --freq 1 --out out --json out.json --repeat 2
  said "... says that a picture is small" 'small'
  has_keys "evaluate --json" out.json name description results images model machine lrd psnr-rgb \
    ms-ssim-rgb bpp encoding_time decoding_time source width height bytes estimated_bpp stages \
    analysis hyper context entropy synthesis type id load_time cpu target threads peak_rss_mib
  check "... four images" test "$(grep -c '"source":' out.json)" -eq 4
  check "... no MS-SSIM for a small one" grep -q '"ms-ssim-rgb": null' out.json
  local name
  for name in a_lrd0.0002 a_lrd0.0008 b_lrd0.0002 b_lrd0.0008; do
    check "reconstruction $name.png" test -s "out/FP32/$name.png"
    exits "stream $name.glint decodes" 0 "$glint" decode "out/FP32/$name.glint" check.png
    check "... to the reconstruction" cmp check.png "out/FP32/$name.png"
    rm -f check.png
  done
  check "log" bash -c 'ls out/log | grep -Eq "^[0-9]{8}_[0-9]{6}(_[0-9]+)?\.log$"'
  check "log has times and levels" bash -c \
    'grep -Eq "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}, \[INFO \], .*mean of 2" out/log/*.log'

  exits "--freq saves every N-th" 0 "$evaluate" --gt_path folder --freq 2 --out every
  check "... the first" test -s every/FP32/a.png
  check "... not the second" test ! -e every/FP32/b.png
  exits "--no-verify" 0 "$evaluate" --gt_path small.ppm --no-verify
  exits "--help has it" 0 "$evaluate" --help
  said "... with what it leaves out" '--no-verify +Do not decode'
  exits "--json -" 0 "$evaluate" --gt_path small.ppm --json -
  check "... gives JSON and nothing else" test "$(head -c 1 stdout.txt)" = '{'
  rm -rf every out out.json
}

# reformed FORM FILE: the default model, but for its form (four letters, so that nothing moves).
reformed() {
  LC_ALL=C sed "s/\(form[^a-z]*\)fp32/\1$1/" "$model" >"$2"
}

test_compare() {
  # A copy of the program finds the models beside it.
  local program=moved/bin/evaluate models=moved/share/glint
  mkdir -p moved/bin "$models" one
  cp "$evaluate" "$program"
  ln -s "$model" "$root/tools/samples" "$models"
  reformed int8 "$models/light-int8.safetensors"
  reformed int8 "$models/light-int8-entropy.safetensors"
  cp folder/a.ppm one
  exits "compare two types" 0 "$program" --compare FP32,int8-entropy --gt_path one \
    --lrd 0.0001,0.0003,0.0008 --json two.json --out two
  said "... the first with itself" '^FP32 .* 100\.0 % +0\.00 % +[0-9.]+ to [0-9.]+ .* 1\.00x'
  said "... the other with the first" '^INT8-ENTROPY .* 0\.00 % +[0-9.]+ to [0-9.]+ .* [0-9.]+x'
  said "... says that 3 rates are few" '4 rates or more'
  said "... means of each" 'Means by rate, INT8-ENTROPY'
  check "... each has its folder" cmp two/FP32/a_lrd0.0003.png two/INT8-ENTROPY/a_lrd0.0003.png
  has_keys "... in JSON" two.json models comparison first label bd_rate_psnr bd_rate_ms_ssim percent \
    overlap_db speed_ratio size_ratio results images
  check "... two names" test "$(grep -c '"name": "glint-light-\(fp32\|int8-entropy\)"' two.json)" -eq 2
  exits "compare without --lrd" 0 "$program" --compare FP32,INT8 --gt_path one
  said "... says which rates" '^No --lrd: 6 rates .* 0.00005 to 0.0009$'
  exits "compare small pictures at one rate" 0 "$program" --compare INT8,INT8-ENTROPY \
    --gt_path small.ppm --lrd 0.0004
  said "... no curve" 'No BD-rate of INT8 over PSNR.*: needs at least 2 rates'
  exits "compare files of one form" 0 "$evaluate" --model "$model" --model other.safetensors \
    --gt_path small.ppm --lrd 0.0002,0.0008
  said "... by their names" '^light-fp32 .* 0\.00 %'
  said "... no MS-SSIM of small pictures" 'over MS-SSIM.*: no picture is large enough'
  exits "compare with curves" 0 "$evaluate" --gt_path one --lrd 0.0001,0.0003,0.0008 --detail off --curves two.json \
    --json curves.json
  said "... each of the file" '^FP32 +glint-light-(fp32|int8-entropy) .* 0\.00 % '
  has_keys "... in JSON" curves.json results curves label curve bd_rate_psnr bd_rate_ms_ssim
  exits "curves without --lrd" 0 "$evaluate" --gt_path small.ppm --curves "$root/bench/codecs.json"
  said "... says which rates" '^No --lrd: 6 rates .* 0.00005 to 0.0009$'
  said "... the codecs of bench" '^FP32 +AVIF 4:4:4 '
  exits "one type is no comparison" 0 "$program" --type INT8-ENTROPY --gt_path small.ppm
  said "... its label is what was asked for" '^INT8-ENTROPY: model light'

  head -c 3000 small_out.png >one/broken.png
  exits "compare with one broken picture: exit 1" 1 "$program" --compare FP32,INT8 --gt_path one \
    --lrd 0.0002,0.0008 --json some.json
  check "... said once" test "$(grep -c 'one/broken.png: ' stderr.txt)" -eq 1
  check "... in the JSON of both" test "$(grep -c '"message":' some.json)" -eq 2
  rm -r one two two.json some.json curves.json

  refuses "curves that are not there" 'curves: gone.json: ' "$evaluate" --curves gone.json
  refuses "curves of a picture" 'curves: small.ppm: is not JSON' "$evaluate" --curves small.ppm
  refuses "compare one type" 'compare INT8' "$program" --compare INT8
  refuses "compare a type with itself" 'INT8 is there twice' "$program" --compare FP32,INT8,int8
  refuses "compare what is no type" 'compare' "$program" --compare FP32,FP64
  refuses "compare nothing" 'compare' "$program" --compare FP32,
  refuses "--compare with --type" 'compare.*type|type.*compare' "$program" --compare FP32,INT8 --type FP32
  refuses "--compare with --model" 'compare.*model|model.*compare' \
    "$program" --compare FP32,INT8 --model "$model"
  refuses "--type with several models" 'type FP32' \
    "$evaluate" --type FP32 --model "$model" --model other.safetensors
  refuses "a second model that is not there" 'gone.safetensors: ' \
    "$evaluate" --model "$model" --model gone.safetensors --gt_path small.ppm --out y
  refuses "a rate that the models do not take" 'light-fp32.safetensors: --lrd 5' \
    "$program" --compare FP32,INT8 --gt_path small.ppm --lrd 0.0004,5 --json x.json
  reformed fp16 "$models/light-int8.safetensors"
  refuses "a file that is not of its name's type" 'light-int8.safetensors: .*FP16' \
    "$program" --compare FP32,INT8 --gt_path small.ppm --out y
  if [ ! -e "$root/weights/light-int16.safetensors" ]; then
    refuses "compare what was not shipped" 'light-int16.safetensors: ' "$evaluate" --compare FP32,INT16
  fi
  rm -r moved
}

test_evaluate_broken() {
  head -c 3000 small_out.png >folder/broken.png
  exits "a folder with one broken picture: exit 1" 1 "$evaluate" --gt_path folder --freq 1 --json some.json
  check "... names it" grep -q 'folder/broken.png: ' stderr.txt
  said "... does the rest" 'mean of 2'
  check "... in the JSON too" grep -q '"failures"' some.json
  rm some.json
  refuses "a broken picture alone" 'folder/broken.png: ' \
    "$evaluate" --gt_path folder/broken.png --json x.json
  refuses "no such picture to evaluate" 'missing: ' "$evaluate" --gt_path missing
  mkdir nothing
  refuses "a folder without pictures" 'nothing: ' "$evaluate" --gt_path nothing
  refuses "bad --type" 'type' "$evaluate" --type FP64
  refuses "bad --lrd" 'lrd' "$evaluate" --lrd 0.0004, --gt_path small.ppm
  refuses "the same --lrd twice" 'lrd' "$evaluate" --lrd 0.0004,0.0004 --gt_path small.ppm
  refuses "--lrd out of range" 'lrd' "$evaluate" --lrd 0.0004,5 --gt_path small.ppm --out y
  refuses "bad --freq" 'freq' "$evaluate" --freq 0
  refuses "bad --repeat" 'repeat' "$evaluate" --repeat 0
  refuses "bad --target" 'NO_SUCH' "$evaluate" --target NO_SUCH
  refuses "no such model to evaluate" 'missing.safetensors: ' "$evaluate" --model missing.safetensors
  refuses "--json into no folder" 'nowhere' "$evaluate" --gt_path small.ppm --json nowhere/x.json
  refuses "--out onto a file" 'small.ppm' "$evaluate" --gt_path small.ppm --out small.ppm
  if [ ! -e "$root/weights/light-int8.safetensors" ]; then
    refuses "a form that was not shipped" 'light-int8.safetensors: ' "$evaluate" --type INT8
  fi
  refuses "--type against --model" 'FP32' "$evaluate" --type INT8 --model "$model" --gt_path small.ppm
}

test_quantize() {
  local name
  mkdir calibration
  cp small.ppm calibration
  for name in int16 fp16; do
    exits "quantize to $name" 0 "$quantize" --type "$name" --calibration calibration --held-out small.ppm \
      --calibration-lrd 0.0001,0.0004 --out "$name.safetensors" --log "$name.log"
    said "... compares before and after" "^$(echo "$name" | tr '[:lower:]' '[:upper:]') +[0-9.]+ "
    check "... keeps the report" cmp stdout.txt "$name.log"
    exits "... the file codes" 0 "$glint" encode --model "$name.safetensors" small.ppm small.glint
    exits "... and decodes" 0 "$glint" decode --model "$name.safetensors" small.glint "$name.ppm"
    exits "... glint info knows it" 0 "$glint" info "$name.safetensors"
    said "... and its form" "light, $(echo "$name" | tr '[:lower:]' '[:upper:]')"
  done
  exits "quantize with every flag" 0 "$quantize" --type INT8 --scope transforms --keep g_a/a1=fp32,s0=int16 \
    --method percentile --percentile 99.9 --rounding nearest --smoothing 0.5 --splitting 0.25 --no-bias-correction \
    --calibration small.ppm --held-out small.ppm --lrd 0.0002 --calibration-lrd 0.0002 --threads 1 --out int8.safetensors
  said "... layers that are kept" '^g_a/a1 +FP32'
  said "... others" '^g_s/s0 +W16A16'
  exits "... the file explains itself" 0 "$glint" info --explain int8.safetensors
  said "... what has digits" 's3.digits +digits'
  said "... what reads them" 'deconv5x5/2 240>128'
  exits "... the file evaluates" 0 "$evaluate" --model int8.safetensors --gt_path small.ppm
  exits "quantize to dynamic ranges" 0 "$quantize" --type INT8 --activations 16-dynamic --rounding nearest \
    --calibration small.ppm --held-out small.ppm --calibration-lrd 0.0002 --out dynamic.safetensors
  said "... which the banner says" 'ranges dynamic'
  exits "... the file explains itself" 0 "$glint" info --explain dynamic.safetensors
  said "... where pictures are whole" 'g_s .close, whole picture'
  said "... which tensors are dynamic" 'a1.f32 > a1 dynamic'
  exits "... the file evaluates" 0 "$evaluate" --model dynamic.safetensors --gt_path small.ppm
  refuses "quantize what is quantised" 'quantised already' \
    "$quantize" --model int16.safetensors --calibration small.ppm --out again.safetensors
  refuses "quantize without pictures" 'nobody' "$quantize" --calibration nobody --out none.safetensors
  refuses "quantize an unknown layer" 'no layer nobody' \
    "$quantize" --keep nobody=fp32 --calibration small.ppm --out none.safetensors
  refuses "quantize: a bad precision" 'fp64' "$quantize" --keep a1=fp64 --calibration small.ppm --out none.safetensors
  refuses "quantize: a picture too small for MS-SSIM" \
    'small.ppm: 150x100 pixels are too few for MS-SSIM, which takes 161x161' \
    "$quantize" --type FP16 --metric ms-ssim --calibration small.ppm --held-out small.ppm --out none.safetensors
  make_ppm calibration/large.ppm 170 165
  exits "quantize: one of a folder" 0 "$quantize" --type FP16 --metric ms-ssim --calibration calibration \
    --held-out small.ppm --calibration-lrd 0.0002 --out large.safetensors
  check "... is left out" grep -q '^quantize: calibration/small.ppm: 150x100 pixels .* (left out)$' stderr.txt
  said "... the other is learned from" '1 picture'
  refuses "quantize: a bad share" '0..1' \
    "$quantize" --splitting 2 --calibration small.ppm --out none.safetensors
  refuses "quantize: no file to write" 'out' "$quantize" --calibration small.ppm
  refuses "quantize: no folder for the file" 'no folder' \
    "$quantize" --calibration small.ppm --out nowhere/none.safetensors
  refuses "quantize: a bad rate" 'lrd 7' "$quantize" --calibration-lrd 7 --calibration small.ppm --out none.safetensors
  refuses "quantize: a mix of what is no choice" 'max_loss' \
    "$quantize" --type INT16 --max-loss 1 --calibration small.ppm --out none.safetensors
  refuses "quantize: dynamic ranges of 16-bit weights" 'dynamic_ranges' \
    "$quantize" --type INT16 --activations 16-dynamic --calibration small.ppm --out none.safetensors
  rm -r calibration
}

make_ppm small.ppm 150 100
: >empty
test_help
test_round_trip
test_rate
test_detail
test_effort
test_info
test_bad_use
test_numbers
test_damage
test_wrong_model
test_evaluate
test_compare
test_evaluate_broken
test_quantize
count
