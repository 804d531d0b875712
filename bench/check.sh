#!/usr/bin/env bash
# bench_codecs, bench_peers where it was built, and tables.py where there is Python.
# Usage: check.sh BIN_DIR. Prints one line per check and "N passed, N failed"; exits with 1 when one
# failed. Needs nothing else but a shell and coreutils. Called by ./run bench-check. It is not in
# tests/, whose scripts ./run test calls: that builds no benchmarks.
set -u -o pipefail

# shellcheck source=tests/shell/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tests/shell/checks.sh"
codecs=$bin/bench_codecs
peers=$bin/bench_peers

mkdir pictures empty
cp "$root/tools/samples/pebbles.png" pictures/
few=(--lrd "0.00008,0.0004" --model "$coding_model")

# ---- bench_codecs

exits "codecs: all that there are" 0 "$codecs" pictures "${few[@]}" --at 30,99 --json all.json --csv all.csv
said "codecs: pictures and machine" '^1 picture of pictures, .*one thread$'
said "codecs: Glint at a setting" '^light-int8 +0\.00008 +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$'
said "codecs: nothing at a PSNR that none has" '^light-int8 +(- +){3}|^light-int8 .* - +- +-$'
has_keys "codecs: JSON" all.json machine target threads models setting bpp psnr-rgb ms-ssim-rgb encode_mps decode_mps
names=$(grep -c '"name":' all.json)
check "codecs: a line of CSV for each setting" test "$(wc -l <all.csv)" -ge $((1 + 2 + 7 * (names - 1)))
check "codecs: as many CSV lines as settings" test "$(grep -c '^"' all.csv)" -eq \
  $(($(wc -l <all.csv) - 1))
exits "codecs: evaluate reads the curves" 0 "$evaluate" --gt_path pictures --model "$coding_model" \
  --lrd 0.00008,0.0004 --detail off --no-verify --curves all.json --out out
if [ "$names" -gt 1 ]; then
  said "codecs: evaluate compares" '^INT8 +(JPEG|WebP|AVIF) .* % '
  exits "codecs: BD-rates" 0 "$codecs" pictures --model "$coding_model" --detail off
  said "codecs: BD-rates: every other codec" '^light-int8 +(JPEG|WebP|AVIF).* [+-][0-9.]+ % +[0-9.]+ to [0-9.]+ '
fi
exits "codecs: two forms of Glint" 0 "$codecs" pictures/pebbles.png --model "$coding_model,$model" \
  --lrd 0.0004 --codecs jpeg --detail off --effort 1
said "codecs: the effort is in the name" '^light-fp32, effort 1 '
exits "codecs: help" 0 "$codecs" --help
said "codecs: help: what is timed" 'RGB samples in memory'

refuses "codecs: no folder" 'FOLDER is required' "$codecs"
refuses "codecs: a folder that is not there" 'absent' "$codecs" absent
refuses "codecs: a folder without pictures" 'empty: no PNG' "$codecs" empty
refuses "codecs: an unknown codec" 'gif' "$codecs" pictures --codecs gif
refuses "codecs: rates that are none" '--lrd' "$codecs" pictures --lrd fast
refuses "codecs: a rate that the model has not" 'lrd' "$codecs" pictures "${few[@]:2}" --lrd 7 --detail off
refuses "codecs: PSNRs that are none" '--at' "$codecs" pictures --at high
refuses "codecs: a model that is not there" 'absent' "$codecs" pictures --model absent.safetensors
refuses "codecs: JSON where there is no folder" 'absent/all.json' "$codecs" pictures --json absent/all.json
refuses "codecs: a rate of none" '--lrd|lrd 0' "$codecs" pictures --model "$coding_model" --lrd 0
refuses "codecs: JSON on standard output" '--json -: has to be a file' "$codecs" pictures --json -
refuses "codecs: one file for both" '--csv x: is the file of --json' "$codecs" pictures --json x --csv x
refuses "codecs: a picture as output" 'pebbles.png' "$codecs" pictures --csv pictures/pebbles.png
check "codecs: that picture is still there" cmp pictures/pebbles.png "$root/tools/samples/pebbles.png"
head -c 5000 pictures/pebbles.png >broken.png
refuses "codecs: a broken picture" 'broken.png' "$codecs" broken.png "${few[@]}" --codecs jpeg
mkdir mixed
cp pictures/pebbles.png broken.png mixed/
printf 'P6\n32 16\n255\n' >mixed/black.ppm
head -c 1536 /dev/zero >>mixed/black.ppm
exits "codecs: a broken picture and an exact one among others" 0 "$codecs" mixed "${few[@]}" \
  --codecs jpeg --detail on --at 99.9,200 --json mixed.json
said "codecs: two of three" '^2 pictures of mixed'
check "codecs: the broken one is named" grep -q 'broken.png.*(left out)' stderr.txt
refute "codecs: every number is one" grep -Eq 'nan|inf|null' mixed.json stdout.txt
refuses "codecs: unknown flag" 'has no flag --fast' "$codecs" pictures --fast

# ---- bench_peers

if [ -x "$peers" ]; then
  exits "peers: FP32" 0 "$peers" --model "$model" --size 64x64 --rounds 1 --json peers.json
  said "peers: a layer of both" '^g_a +a2 .* [0-9.]+ +[0-9.]+ +[0-9.]+ +[a-z0-9_]+:'
  said "peers: what oneDNN has not" '^g_a +ag1 +gdn +[0-9.]+ +- +- +none$'
  said "peers: the sum" '^all +\(sum\) +[0-9.]+ +[0-9.]+ +[0-9.]+ '
  has_keys "peers: JSON" peers.json machine target peer model size layers seconds peer_seconds
  exits "peers: bytes" 0 "$peers" --model "$coding_model" --size 64x64 --rounds 1
  refuses "peers: a size that does not fit" '--size 100x100' "$peers" --size 100x100
  refuses "peers: a size beyond its limit" 'up to 8192' "$peers" --size 64000x64000
  refuses "peers: a model of int16" 'FP32 or bytes are wanted' "$peers" --size 64x64 \
    --model "$root/weights/light-int16.safetensors"
  refuses "peers: unknown flag" 'has no flag --fast' "$peers" --fast
fi

# ---- tables.py

if command -v python3 >/dev/null; then
  exits "tables: kernels and stages" 0 python3 "$root/bench/tables.py" "$bin" --quick
  said "tables: the machine and its peaks" 'one thread\. Peaks in GOPS: FP32 FMA [0-9]+, '
  check "tables: a row for every kind of layer and every stage, with all its numbers" test \
    "$(grep -Ec '^\| [^|`-]+ \|( [0-9.]+(-[0-9.]+)? \|){5}$' stdout.txt)" -eq 17
  exits "tables: no such folder" 1 python3 "$root/bench/tables.py" absent --quick
fi

count
