#!/usr/bin/env bash
# Picture files as they come, and the limit on memory, through the programs. Usage: picture_files_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs nothing but a shell and coreutils.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"
data=$root/tests/data

# warned NAME PATTERN: the last command wrote one line on standard error, and that is a warning.
warned() {
  if [ "$(wc -l <stderr.txt)" -eq 1 ] && grep -Eq -- "^[a-z]+: warning: .*$2" stderr.txt; then
    pass "$1"
  else
    fail "$1 (/$2/)"
  fi
}

# the_limit_named NAME COMMAND...: the last command named the memory that would do; the command
# succeeds with that, in bytes and as the flag that it proposed, and not with a byte less.
the_limit_named() {
  local name=$1 bytes flag
  shift
  bytes=$(sed -nE 's/.* needs .*\(([0-9]+) bytes\) of memory.*/\1/p' stderr.txt)
  flag=$(sed -nE 's/.*; --max-memory ([0-9]+[KM]) would do$/\1/p' stderr.txt)
  check "$name: names bytes and a flag" test -n "$bytes" -a -n "$flag"
  exits "$name: the bytes do" 0 "$@" --max-memory "$bytes"
  exits "$name: the flag does" 0 "$@" --max-memory "$flag"
  exits "$name: a byte less does not" 2 "$@" --max-memory "$((bytes - 1))"
  check "$name: and names the same" grep -q "($bytes bytes)" stderr.txt
}

# A PNG whose tEXt chunk has a wrong CRC: $1 is made of a PNG of the suite.
make_wrong_text() {
  cp "$data/pngsuite/ct1n0g04.png" "$1"
  chmod u+w "$1"
  toggle "$1" $(($(grep -abo tEXt "$1" | head -n 1 | cut -d: -f1) + 5))
}

test_warnings() {
  make_wrong_text crc.png
  exits "a wrong CRC in a text" 0 "$glint" encode crc.png crc.glint
  warned "... is a warning that names the file" 'crc.png: the CRC of its tEXt chunk is wrong'
  exits "... also for info" 0 "$glint" info crc.png
  said "... which shows it" '^warning +the CRC of its tEXt'
  exits "... and from a pipe" 0 bash -c "'$glint' encode - pipe.glint <crc.png"
  warned "... under its name" 'standard input: the CRC'
  check "... the same stream" cmp crc.glint pipe.glint
  cp crc.png damaged.png
  toggle damaged.png $(($(grep -abo IDAT damaged.png | head -n 1 | cut -d: -f1) + 8))
  refuses "a wrong CRC in the pixels" 'damaged.png: damaged PNG' "$glint" encode damaged.png x.glint
  exits "evaluate warns once, whatever the rates" 0 "$evaluate" --gt_path crc.png --lrd 0.0002,0.0004
  warned "... like that" 'crc.png: the CRC'
}

test_formats() {
  exits "info of a PNG" 0 "$glint" info "$data/pngsuite/basi3p04.png"
  said "... its format" '^format +PNG, palette, interlaced$'
  said "... its size" '^picture +32x32, RGB'
  exits "info --json of a picture" 0 "$glint" info --json small.ppm
  cp stdout.txt picture.json
  has_keys "info --json of a picture" picture.json kind format bytes bpp picture metadata warnings
  refuses "info --explain of a picture" 'explain' "$glint" info --explain small.ppm
  head -c 2000 small.ppm >half.ppm
  refuses "info of half a picture" 'half.ppm: the file ends too early' "$glint" info half.ppm
  printf 'RIFF\x24\0\0\0WEBPVP8 ' >a.webp
  exits "info of another kind" 0 "$glint" info a.webp
  said "... names it" '^format +WebP$'
  said "... and says what helps" 'dwebp'
  exits "info --json of another kind" 0 "$glint" info --json a.webp
  cp stdout.txt other.json
  has_keys "info --json of another kind" other.json kind format advice
  refuses "encode another kind" 'a.webp: WebP is not read: .*dwebp' "$glint" encode a.webp x.glint
  refuses "encode a stream" 'glint decode' "$glint" encode crc.glint x.glint
  head -c 3000 "$coding_model" | tail -c 2000 >unknown
  refuses "info of what nobody knows" 'unknown: no Glint stream, no model, and no picture' "$glint" info unknown
  head -c 3000 "$coding_model" >broken.safetensors
  refuses "info of a broken model" 'broken.safetensors: ' "$glint" info broken.safetensors
}

# tests/data/tiny.jpg: 40 x 30, 4:2:0, with EXIF (orientation 6) and a profile in two parts.
test_jpeg() {
  cp "$data/tiny.jpg" tiny.jpg
  chmod u+w tiny.jpg
  exits "info of a JPEG" 0 "$glint" info tiny.jpg
  if grep -q 'not read' stdout.txt; then
    said "JPEG is named in a build without libjpeg" '^format +JPEG$'
    refuses "... and refused" 'libjpeg' "$glint" encode tiny.jpg x.glint
    return
  fi
  said "... its format" '^format +JPEG, baseline, 4:2:0$'
  said "... its metadata" 'ICC profile \(40 bytes\), EXIF \(26 bytes\)'
  exits "encode a JPEG" 0 "$glint" encode tiny.jpg tiny.glint
  exits "... decode it" 0 "$glint" decode tiny.glint tiny.png
  exits "... info of the PNG" 0 "$glint" info tiny.png
  said "... not turned: that is left to EXIF" '^picture +40x30'
  said "... the metadata are kept" 'ICC profile \(40 bytes\), EXIF \(26 bytes\)'
  exits "... decode it to what holds no metadata" 0 "$glint" decode -v tiny.glint tiny.ppm
  check "... which is said" grep -q 'left out: colour profile (40 bytes), EXIF (26 bytes)' stderr.txt
  check "... with a warning that it is to be turned" grep -q 'warning: .*turned' stderr.txt
  check "... and one about colours" grep -q 'warning: tiny.glint: its colour profile is left out' stderr.txt
  exits "... unless none of it is asked for" 0 "$glint" decode --keep text tiny.glint tiny.ppm
  refute "... then without the one about colours" grep -q 'colour profile' stderr.txt
  head -c 500 tiny.jpg >cut.jpg
  refuses "a JPEG that is cut" 'cut.jpg: damaged JPEG: the file ends too early' "$glint" encode cut.jpg x.glint
  mkdir jpegs
  cp tiny.jpg jpegs/a.JPG
  cp tiny.jpg jpegs/b.jpeg
  exits "evaluate JPEGs of a folder" 0 "$evaluate" --gt_path jpegs
  said "... both" 'mean of 2'
  rm -r jpegs
}

test_memory() {
  local picture=$data/pngsuite/basi6a16.png
  exits "an interlaced picture beyond the limit" 2 "$glint" encode --threads 1 "$picture" x.glint --max-memory 400K
  the_limit_named "encode" "$glint" encode --threads 1 "$picture" x.glint
  exits "a stream beyond the limit" 2 "$glint" decode --threads 1 x.glint x.png --max-memory 300K
  the_limit_named "decode" "$glint" decode --threads 1 x.glint x.png
  exits "a picture to evaluate beyond the limit" 2 "$evaluate" --gt_path small.ppm --max-memory 900K
  the_limit_named "evaluate" "$evaluate" --gt_path small.ppm
  exits "pictures to quantize beyond the limit" 2 "$quantize" --type FP16 --calibration small.ppm --held-out small.ppm \
    --calibration-lrd 0.0002 --threads 1 --out x.safetensors --max-memory 900K
  the_limit_named "quantize" "$quantize" --type FP16 --calibration small.ppm --held-out small.ppm \
    --calibration-lrd 0.0002 --threads 1 --out x.safetensors
  rm x.glint x.png x.safetensors

  # 74 bytes that claim 16000 x 16000 pixels, interlaced.
  base64 -d >bomb.png <<'TEXT'
iVBORw0KGgoAAAANSUhEUgAAPoAAAD6ACAYAAAE2ee9IAAAAEUlEQVR42mNgGAWjYBQMdwAAA+gAAc5JTFgAAAAASUVORK5CYII=
TEXT
  refuses "a picture that its bytes cannot be" 'bomb.png: damaged PNG: 17 bytes .* 16000x16000' \
    "$glint" encode bomb.png x.glint
  refuses "... not even to be shown" 'bomb.png: damaged PNG: 17 bytes' "$glint" info bomb.png
  printf 'P6 100000 100000 255\nxx' >long.ppm
  refuses "a PPM that its bytes cannot be" 'long.ppm: the file ends too early: its 23 bytes cannot be' \
    "$glint" encode --max-pixels 100G long.ppm x.glint
}

# What can be read only once is read only once, however often its rows are needed.
test_pipes() {
  local flag
  mkfifo once
  for flag in --quality=30 --lossless --max-error=3 --target-size=2K; do
    "$glint" encode "$flag" small.ppm wanted.glint
    cat small.ppm >once &
    exits "encode $flag a FIFO" 0 timeout 60 "$glint" encode "$flag" once piped.glint
    wait $!
    check "... is that of the file" cmp wanted.glint piped.glint
    check "... so is that of a process" bash -c \
      "'$glint' encode $flag <(cat small.ppm) piped.glint && cmp wanted.glint piped.glint"
    check "... and of /dev/stdin" bash -c \
      "cat small.ppm | '$glint' encode $flag /dev/stdin piped.glint && cmp wanted.glint piped.glint"
  done
  rm once wanted.glint piped.glint
  refuses "a device that is no stream and has no end" '/dev/zero: ' timeout 60 "$glint" decode /dev/zero x.png
  refuses "... nor anything else" '/dev/zero: no Glint stream' timeout 60 "$glint" info /dev/zero
}

# What is no stored file is written as it comes, with nothing beside it and nothing replaced.
test_outputs() {
  local out
  "$glint" encode small.ppm once.glint
  "$glint" decode once.glint wanted.ppm
  ln -s /dev/stdout link
  ln -s "$PWD/link" link.ppm
  for out in /dev/stdout /dev/fd/1 /proc/self/fd/1 //dev/./stdout /proc/thread-self/fd/1 link link.ppm; do
    [ -e "$out" ] || continue
    check "decode to $out" bash -c "'$glint' decode once.glint $out --format ppm | cmp - wanted.ppm"
    check "... where that is a file" bash -c \
      "{ echo first; '$glint' decode once.glint $out --format ppm; echo last; } >framed &&
       { echo first; cat wanted.ppm; echo last; } | cmp - framed"
    check "encode to $out" bash -c "'$glint' encode small.ppm $out | cmp - once.glint"
  done
  check "decode to another descriptor" bash -c \
    "'$glint' decode once.glint /dev/fd/5 --format ppm 5>got.ppm && cmp got.ppm wanted.ppm"
  check "... to a process" bash -c \
    "'$glint' decode once.glint >(cat >got2.ppm) --format ppm; sleep 1; cmp got2.ppm wanted.ppm"
  refuses "... to one that is not open" '/dev/fd/77: cannot be written: ' \
    "$glint" decode once.glint /dev/fd/77 --format ppm
  mkfifo pipe pipe.ppm
  cat pipe >got.ppm &
  exits "decode to a FIFO" 0 timeout 60 "$glint" decode once.glint pipe --format ppm
  wait $!
  check "... gives the picture" cmp got.ppm wanted.ppm
  check "... which stays one" test -p pipe
  cat pipe.ppm >got.ppm &
  exits "an ending comes before --format" 0 timeout 60 "$glint" decode once.glint pipe.ppm --format pam
  wait $!
  check "... of a FIFO too" cmp got.ppm wanted.ppm
  exits "decode to a device" 0 "$glint" decode once.glint /dev/null
  refuses "a file without an ending" 'none: is not named .png' "$glint" decode once.glint none --format ppm
  "$evaluate" --gt_path small.ppm --json results.json >/dev/null
  exits "evaluate --json /dev/stdout" 0 "$evaluate" --gt_path small.ppm --json /dev/stdout
  check "... is nothing but JSON" test "$(head -c 1 stdout.txt)$(tail -n 1 stdout.txt)" = "{}"
  check "... with the tables elsewhere" grep -q '^mean of 1' stderr.txt
  check "... under another name, where that is a file" bash -c \
    "'$evaluate' --gt_path small.ppm --json //dev/stdout >both.json 2>tables.txt &&
     grep -q '^mean of 1' tables.txt && ! grep -q '^mean of 1' both.json && head -c 1 both.json | grep -q {"
  refuses "a model on standard output" 'a file of its own' "$quantize" --out /dev/stdout
  rm once.glint wanted.ppm framed got.ppm got2.ppm pipe pipe.ppm results.json link link.ppm both.json tables.txt
}

test_folders() {
  mkdir odd
  cp small.ppm odd/a.ppm
  echo "kept by macOS" >odd/._a.png
  echo "kept by macOS" >odd/._b.png
  cp small.ppm odd/.hidden.ppm
  echo "text" >odd/notes.txt
  mkfifo odd/pipe.png
  ln -s /dev/zero odd/device.png
  exits "a folder with odd files" 0 timeout 120 "$evaluate" --gt_path odd
  said "... says what macOS left" '2 files .*macOS.*: \._a\.png, \._b\.png$'
  said "... and what is hidden" '1 file .*hidden.*: \.hidden\.ppm$'
  said "... pipes" '1 file .*a pipe.*: pipe\.png$'
  said "... devices" '1 file .*a device.*: device\.png$'
  said "... the rest" '1 other file .*notes|1 other file'
  said "... and does the picture" 'mean of 1'
  refuses "a pipe alone" 'odd/pipe.png: is a pipe' timeout 120 "$evaluate" --gt_path odd/pipe.png
  refuses "an empty --gt_path" 'gt_path' "$evaluate" --gt_path ""
  refuses "an empty --calibration" 'calibration' "$quantize" --calibration "" --out x.safetensors

  echo "no picture" >odd/broken.png
  exits "quantize leaves out what it cannot read" 0 "$quantize" --type FP16 --calibration odd --held-out small.ppm \
    --calibration-lrd 0.0002 --out x.safetensors
  check "... with a word" grep -q '^quantize: odd/broken.png: no picture of a known kind (left out)$' stderr.txt
  check "... and warns of so few pictures" grep -q '^quantize: warning: calibration: 1 picture of ' stderr.txt
  said "... which it counts" '^Calibration: 1 picture from odd'
  rm odd/a.ppm x.safetensors
  refuses "quantize with nothing that can be read" 'no picture could be read' bash -c \
    "'$quantize' --calibration odd --out x.safetensors 2>&1 >/dev/null | tail -n 1 >&2; exit \${PIPESTATUS[0]}"
  rm -r odd
}

make_ppm small.ppm 150 100
test_warnings
test_formats
test_jpeg
test_memory
test_pipes
test_outputs
test_folders
count
