#!/usr/bin/env bash
# evaluate --html: its flags, and that the page has the numbers of --json. How it looks and works is seen by
# ./run page-check, in a browser. Usage: page_test.sh BIN_DIR. Prints one line per check and "N passed, N failed".
set -u -o pipefail

# shellcheck source=tests/shell/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

mkdir pictures
cp "$root/tools/samples/pebbles.png" pictures/a.png
cp "$root/tools/samples/lake.png" pictures/b.png
few=(--model "$coding_model" --no-verify)

# numbers PAGE JSON: the evaluation in the page is that of --json; without spaces, for one is indented.
numbers() {
  local result
  result=$(tr -d ' \n' <"$2")
  grep -o '"evaluation":.*</script>' "$1" | head -n 1 | tr -d ' \n' | grep -qF "\"evaluation\":$result}</script>"
}
pictures_in() { grep -c '^<script type="text/plain" id="picture-[0-9-]*">iVBOR' "$1"; }

exits "a page of a picture" 0 "$evaluate" --gt_path pictures/a.png "${few[@]}" --html one.html --json one.json
check "the page has the numbers of --json" numbers one.html one.json
check "the page has the picture, and what was decoded" test "$(pictures_in one.html)" -eq 2
check "the page is HTML from its first byte" cmp -s -n 15 one.html <(printf '<!doctype html>')
check "the page names the command" grep -q '"command":"evaluate --gt_path pictures/a.png' one.html
exits "a page with variables" 0 env GLINT_TARGET=SSE2 GLINT_MODEL="$root/weights/light-int8.safetensors" \
  "$evaluate" --gt_path pictures/a.png "${few[@]}" --html variables.html
check "which are in its command" grep -q '"command":"GLINT_MODEL=[^ "]*int8.safetensors GLINT_TARGET=SSE2 evaluate ' \
  variables.html
refute "the page asks for nothing from elsewhere" grep -qE '(src|href)="(https?:)?//' one.html

exits "pages of folders show what --freq says" 0 "$evaluate" --gt_path pictures "${few[@]}" --lrd 0.0001,0.0004 \
  --freq 2 --html two.html --json two.json
check "two rates: numbers" numbers two.html two.json
check "two rates of the first picture" test "$(pictures_in two.html)" -eq 3
exits "a small page" 0 "$evaluate" --gt_path pictures "${few[@]}" --freq 1 --html small.html --html-size 850K
check "has all pictures, or parts of them" test "$(pictures_in small.html)" -eq 4
check "and says so" grep -q '"shown_note":"Of 1 picture only a part is shown. "' small.html
exits "a tiny page" 0 "$evaluate" --gt_path pictures "${few[@]}" --freq 1 --html tiny.html --html-size 20K
check "has no pictures" test "$(pictures_in tiny.html)" -eq 0
check "and says that" grep -q '"shown_note":"2 pictures left out' tiny.html

# Grain that one model is above 15 dB with, and another below.
mkdir grain
for level in 43 44 45 46 47 48; do
  awk -v level="$level" 'BEGIN {
    printf "P3\n96 64\n255\n"
    for (state = i = 1; i <= 96 * 64 * 3; ++i) {
      state = state * 16807 % 2147483647
      print 128 + (state > 1073741823 ? level : -level)
    }
  }' >"grain/$level.ppm"
done
exits "poor results of a second model" 0 "$evaluate" --gt_path grain --model light-int8 --model light-msssim-int8 \
  --lrd 0.000015 --freq 100 --no-verify --html grain.html
shown_pictures() { grep -oE "^4[3-8][.]ppm " stdout.txt | sort -u | wc -l; }
check "... of pictures that the first model does not show" test "$(grep -oE "^4[4-8][.]ppm " stdout.txt | sort | uniq -u | wc -l)" -gt 0
check "each is on the page, of both models" test "$(pictures_in grain.html)" -eq $((3 * $(shown_pictures)))

exits "shards have pages" 0 "$evaluate" --gt_path pictures "${few[@]}" --freq 1 --shard 2/2 --json s2.json \
  --html s2.html
check "of their pictures" test "$(pictures_in s2.html)" -eq 2
exits "the other shard" 0 "$evaluate" --gt_path pictures "${few[@]}" --freq 1 --shard 1/2 --json s1.json
exits "a merged page" 0 "$evaluate" --merge s1.json s2.json --html merged.html --json merged.json
check "merged: numbers" numbers merged.html merged.json
check "merged: no pictures, and that is said" grep -q 'No pictures are in this page' merged.html

cp -r pictures shown
exits "a resumed run" 0 "$evaluate" --gt_path shown "${few[@]}" --freq 1 --json r.json --resume --html r.html
check "has all its pictures" test "$(pictures_in r.html)" -eq 4

# What fails costs neither the page nor the others.
mkdir broken
head -c 2000 pictures/b.png >broken/a.png
cp pictures/a.png broken/b.png
exits "the first picture is broken" 1 "$evaluate" --gt_path broken "${few[@]}" --freq 1 --html broken.html
check "there is a page all the same" test "$(pictures_in broken.html)" -eq 2
check "with layers" grep -q '"layers":\[{"name":' broken.html
exits "a shard without the broken one" 0 "$evaluate" --gt_path broken "${few[@]}" --shard 2/2 --json b2.json \
  --html b2.html
exits "a shard of nothing" 0 "$evaluate" --gt_path broken "${few[@]}" --shard 3/3 --json b3.json --html b3.html
check "has no points" grep -q '"psnr":\[\],"ms_ssim":\[\]' b3.html

# A picture that failed in the run that was ended: the journal has the page's pictures, which are made again, and the
# failure, which is not.
mkdir ended
cp pictures/a.png ended/a.png
cp pictures/b.png ended/b.png
ended=(--gt_path ended "${few[@]}" --lrd "0.0001,0.0004" --freq 1 --json ended.json --resume)
exits "a run that cannot write its page" 2 "$evaluate" "${ended[@]}" --html /dev/full
check "... leaves its journal" test "$(wc -l <ended.json.journal)" -eq 5
failure='{"picture":0,"rate":1,"images":[],"failure":{"source":"ended/a.png","message":"ended/a.png: gone","picture":0,"rate":1,"measured":[]}}'
sed -i '/"picture":0,"rate":1/d' ended.json.journal
echo "$failure" >>ended.json.journal
exits "... and goes on with it" 1 "$evaluate" "${ended[@]}" --html ended.html
check "the page has the other picture alone" test "$(pictures_in ended.html)" -eq 3
check "and its layers" grep -q 'pixels of b.png' ended.html

# One file for two things, under whichever name.
ln -s not_yet.json not_yet.html
refuses "the page links to the JSON" ': is the file of --json$' "$evaluate" --gt_path pictures --html not_yet.html \
  --json not_yet.json
refuses "the JSON links to the page" ': is the file of --json$' "$evaluate" --gt_path pictures --json not_yet.html \
  --html not_yet.json
refuses "the page is the folder" ': is the folder of --out$' "$evaluate" --gt_path pictures --html saved_here \
  --out saved_here
refuses "the JSON is the folder" ': is the folder of --out$' "$evaluate" --gt_path pictures --json saved_here \
  --out saved_here
refuses "a page of too long a name" 'File name too long$' "$evaluate" --gt_path pictures \
  --html "$(printf 'a%.0s' {1..300})"
ln -s one.json link.html
for page in ./one.json "$PWD/one.json" link.html; do
  refuses "the page is the JSON: ${page##*/}" ': is the file of --json$' "$evaluate" --gt_path pictures --html "$page" \
    --json one.json
done
refuses "the page is the journal" ': is the journal of --resume$' "$evaluate" --gt_path pictures --json j.json \
  --resume --html j.json.journal
mkdir -p saved/INT8
refuses "the page is a saved picture" ': is a file of --out as well$' "$evaluate" --gt_path pictures \
  --type INT8 --out saved --html saved/INT8/a.png
refuses "the JSON is a saved stream" ': is a file of --out as well$' "$evaluate" --gt_path pictures \
  --type INT8 --out saved --json saved/INT8/b.glint
check "the JSON is still there" numbers one.html one.json

# A journal that is none stays as it was.
printf 'important, and no line feed' >n.json.journal
cp n.json.journal kept
refuses "a file in the journal's place" ': is no journal of evaluate$' "$evaluate" --gt_path pictures "${few[@]}" \
  --json n.json --resume
check "it is still there" cmp -s n.json.journal kept

refuses "a page on standard output" '^evaluate: --html -: has to be a file$' "$evaluate" --gt_path pictures --html -
refuses "one file for both" '^evaluate: --html x: is the file of --json$' "$evaluate" --gt_path pictures --html x \
  --json x
refuses "a page in no folder" '^evaluate: --html no/page.html: there is no folder .*/no$' "$evaluate" \
  --gt_path pictures --html no/page.html
refuses "a page that is a folder" '^evaluate: --html pictures: ' "$evaluate" --gt_path pictures --html pictures
refuses "a size without a page" 'requires --html|--html' "$evaluate" --gt_path pictures --html-size 1M
refuses "a size that is none" '--html-size' "$evaluate" --gt_path pictures --html p.html --html-size much
refuses "a page over a picture" '^evaluate: ' "$evaluate" --gt_path pictures --html pictures/a.png
check "that picture is still there" cmp -s pictures/a.png shown/a.png
cp "$coding_model" model.safetensors
refuses "a page over a model" '^evaluate: ' "$evaluate" --gt_path pictures/a.png --model model.safetensors \
  --html model.safetensors
check "that model is still there" cmp -s "$coding_model" model.safetensors

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
