#!/usr/bin/env bash
# What desktops get (packaging/desktop): thumbnails, the MIME type's signature, the commands of ImageMagick's
# delegates. Usage: desktop_test.sh BIN_DIR
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs nothing but a shell, coreutils and gzip. `./run desktop-check` asks the desktops' own programs.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"
desktop=$root/packaging/desktop
export PATH="$bin:$PATH"

# thumbnail SIZE STREAM PICTURE: what the thumbnailer entry says, expanded as file managers do.
thumbnail() {
  local words word command=()
  read -ra words < <(sed -n 's/^Exec=//p' "$desktop/glint.thumbnailer")
  for word in "${words[@]}"; do
    case $word in
      %s) command+=("$1") ;;
      %i) command+=("$2") ;;
      %o) command+=("$3") ;;
      *) command+=("$word") ;;
    esac
  done
  "${command[@]}"
}

# shows NAME PICTURE PATTERN: it is a PNG, and what `glint info` says of it matches.
shows() {
  exits "$1: can be read" 0 "$glint" info "$2"
  said "$1: is a PNG" '^format +PNG$'
  said "$1: $3" "^picture +$3"
}

# crc32: that of standard input, low byte first.
crc32() { gzip -c | tail -c 8 | head -c 4; }

# chunk LETTER LENGTH: one of a stream; the payload, below 128 bytes, is standard input.
chunk() {
  { printf '%s%b' "$1" "\\x$(printf %x "$2")"; cat; } >chunk
  cat chunk
  crc32 <chunk
}

# header_of SIDE MODEL: a stream of its first chunk and its last, of a picture of 8-bit RGB; SIDE is LEB128, in escapes
# of printf.
header_of() {
  local length=$((14 + 2 * ${#1} / 4))
  printf '\xd3GL\r\n\x1a\n'
  { printf '\x01\x0b%b%b' "$1" "$1"; printf '%b' "$2"; printf '\x17\xb7\xd1\x38'; } | chunk H "$length"
  chunk E 0 </dev/null
}

test_sizes() {
  local name
  make_ppm wide.ppm 700 20
  make_ppm tall.ppm 20 700
  make_ppm one.ppm 1 1
  { printf 'P5\n300 200\n255\n'; head -c 60000 "$root/weights/light-int8.safetensors"; } >gray.pgm
  for name in wide.ppm tall.ppm one.ppm gray.pgm; do "$glint" encode "$name" "${name%.*}.glint"; done
  "$glint" encode "$root/tools/samples/pebbles.png" alpha.glint
  "$glint" encode "$root/tests/data/pngsuite/basi6a16.png" deep.glint
  "$glint" encode "$root/tests/data/pngsuite/basn0g01.png" bits.glint
  for name in wide tall one gray alpha deep bits; do
    exits "thumbnail of $name" 0 thumbnail 128 "$name.glint" "$name.thumb"
  done
  shows "wide" wide.thumb '128x4, RGB, 8 bits'
  shows "tall" tall.thumb '4x128, RGB, 8 bits'
  shows "one pixel is not enlarged" one.thumb '1x1, RGB, 8 bits'
  shows "gray" gray.thumb '128x85, gray, 8 bits'
  shows "alpha" alpha.thumb '128x96, RGB with alpha, 8 bits'
  shows "16 bits" deep.thumb '32x32, RGB with alpha, 8 bits'
  shows "1 bit" bits.thumb '32x32, gray, 8 bits'
  exits "another size" 0 thumbnail 1024 wide.glint wide.thumb
  shows "another size" wide.thumb '700x20, RGB, 8 bits'
  exits "the smallest size" 0 thumbnail 1 wide.glint wide.thumb
  shows "the smallest size" wide.thumb '1x1, RGB, 8 bits'
}

# turned_png FILE ORIENTATION: a sample with EXIF behind its first chunk.
turned_png() {
  local sample=$root/tools/samples/lake.png
  printf 'eXIfMM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%b\0\0\0\0\0\0' "\\x0$2" >exif
  {
    head -c 33 "$sample"
    printf '\0\0\0\x1a'
    cat exif
    crc32 <exif | od -An -v -tx1 | awk '{ printf "%s%s%s%s", "\\x" $4, "\\x" $3, "\\x" $2, "\\x" $1 }' >crc
    printf '%b' "$(cat crc)"
    tail -c +34 "$sample"
  } >"$1"
}

test_turned() {
  turned_png turned.png 6
  "$glint" encode turned.png turned.glint
  exits "a turned picture" 0 thumbnail 128 turned.glint turned.thumb
  shows "a turned picture" turned.thumb '85x128, RGB'
}

test_names() {
  local name
  for name in "a b" -dash $'new\nline' "quo'te\"\$x;" "%i %o"; do
    cp wide.glint "./$name.glint"
    exits "file '$name'" 0 thumbnail 64 "$name.glint" "$name.out"
    check "... has its thumbnail" test -s "./$name.out"
  done
  cp wide.glint kept.glint
  exits "onto the stream" 2 thumbnail 64 kept.glint ./kept.glint
  check "... which stays" cmp wide.glint kept.glint
}

test_hostile() {
  local model huge='\xff\xff\xff\xff\x07' large='\x90\x4e' small='\x40'
  model=$(sha256sum "$coding_model" | sed -E 's/^(.{16}).*/\1/; s/../\\x&/g')
  header_of "$huge" "$model" >huge.glint
  header_of "$large" "$model" >large.glint
  header_of "$small" "$model" >empty.glint
  header_of "$small" '\0\0\0\0\0\0\0\0' >unknown.glint
  head -c 300 alpha.glint >cut.glint
  cp alpha.glint damaged.glint
  toggle damaged.glint 400
  : >nothing.glint
  cp "$root/README.md" text.glint
  ulimit -v 2000000
  refuses "2^31 - 1 rows and columns" 'huge.glint: .*pixels' thumbnail 128 huge.glint x.thumb
  refuses "10000 rows and columns" 'large.glint: .*pixels' thumbnail 128 large.glint x.thumb
  refuses "no segment" 'empty.glint: ' thumbnail 128 empty.glint x.thumb
  refuses "a model that is not there" 'unknown.glint: ' thumbnail 128 unknown.glint x.thumb
  refuses "a cut stream" 'cut.glint: ' thumbnail 128 cut.glint x.thumb
  refuses "a damaged stream" 'damaged.glint: ' thumbnail 128 damaged.glint x.thumb
  refuses "an empty file" 'nothing.glint: ' thumbnail 128 nothing.glint x.thumb
  refuses "a text" 'text.glint: ' thumbnail 128 text.glint x.thumb
  refuses "a folder" 'directory' thumbnail 128 "$root/docs" x.thumb
  refuses "size 0" 'size' thumbnail 0 wide.glint x.thumb
  refuses "no folder for it" 'nowhere/x: No such file' thumbnail 128 wide.glint nowhere/x
  echo old >x.thumb
  exits "a failure" 2 thumbnail 128 cut.glint x.thumb
  check "... leaves an old file" grep -qx old x.thumb
}

test_mime() {
  local type value
  type=$(sed -nE 's/.*<mime-type type="([^"]*)".*/\1/p' "$desktop/glint.xml")
  value=$(sed -nE 's/.* offset="0" value="([^"]*)".*/\1/p' "$desktop/glint.xml")
  printf '%b' "$value" >signature
  head -c "$(size_of signature)" wide.glint >start
  check "the MIME type's signature has 7 bytes" test "$(size_of signature)" -eq 7
  check "... which streams begin with" cmp signature start
  check "the thumbnailer is of that type" grep -qxF "MimeType=$type;" "$desktop/glint.thumbnailer"
}

# delegate ATTRIBUTE INPUT OUTPUT QUALITY: runs the command of ImageMagick's delegate that has it.
delegate() {
  local command
  command=$(sed -nE "s/.*<delegate $1 command=\"([^\"]*)\".*/\1/p" "$desktop/delegates.xml" |
    sed -e 's/&quot;/"/g; s/&gt;/>/g; s/&amp;/\&/g' -e "s/%i/$2/; s/%o/$3/; s/%Q/$4/g")
  sh -c "${command:?}"
}

test_delegates() {
  local encode='decode="png" encode="glint"'
  cp "$root/tools/samples/pebbles.png" in
  exits "ImageMagick's delegate encodes" 0 delegate "$encode" in out 92
  check "... 92 as Glint does by itself" cmp out alpha.glint
  exits "... with a quality" 0 delegate "$encode" in out 10
  "$glint" encode --quality 10 in quality.glint
  check "... that is Glint's" cmp out quality.glint
  exits "ImageMagick's delegate decodes" 0 delegate 'decode="glint"' out again 92
  "$glint" decode out again.png
  check "... as Glint does" cmp again again.png
}

test_sizes
test_turned
test_names
test_mime
test_delegates
test_hostile
count
