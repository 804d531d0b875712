#!/usr/bin/env bash
# Renews every file that depends on the weights of `light`.
# Usage: weights/refresh.sh CHECKPOINT CALIBRATION_FOLDER [KODAK_FOLDER [WORK_FOLDER]]
#   CHECKPOINT    a training checkpoint (`weights/training/train.py decay` writes decayed.pt)
#   CALIBRATION_FOLDER  pictures for weights/quantise.sh
#   KODAK_FOLDER  the 24 Kodak pictures as PNG: the results in README.md, weights/README.md, bench/RESULTS.md and
#                 docs/EVALUATE.md, and what --quality means, are measured anew, which takes an hour; without it they stay
#   WORK_FOLDER   keeps the models of all methods and the measurements, so that what broke off can go on; models
#                 that are there are not made again
# Needs python3-torch, python3-numpy and python3-pil, and what `./run build` needs.
set -euo pipefail

usage="usage: weights/refresh.sh CHECKPOINT CALIBRATION_FOLDER [KODAK_FOLDER [WORK_FOLDER]]"
checkpoint="$(realpath "${1:?$usage}")"
calibration="$(realpath "${2:?$usage}")"
kodak="${3:+$(realpath "$3")}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="${PYTHON:-/usr/bin/python3}"
export PYTHONDONTWRITEBYTECODE=1
if [ -n "${4:-}" ]; then
  mkdir -p "$4"
  work="$(realpath "$4")"
else
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
fi
cd "$root"

# insert FILE NAME: standard input takes the place of what stands between the NAME:begin and NAME:end marks of FILE.
insert() {
  "$python" -c '
import sys
path, name, text = sys.argv[1], sys.argv[2], sys.stdin.read()
begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
page = open(path).read()
head, rest = page.split(begin)
open(path, "w").write(f"{head}{begin}\n{text.rstrip()}\n{end}{rest.split(end)[1]}")' "$1" "$2"
}

model=weights/light-fp32.safetensors
"$python" weights/export.py "$checkpoint" "$model" --save-half weights/training/light-half.pt
"$python" weights/export.py weights/training/light-msssim-half.pt weights/light-msssim-fp32.safetensors --name light-msssim
"$python" weights/make_golden.py "$checkpoint" tests/data/golden
./run build
for name in light light-msssim; do
  build/bin/quantize --type KEEP --model "weights/$name-fp32.safetensors" --calibration "$calibration" \
    --out "$work/$name.safetensors"
  mv "$work/$name.safetensors" "weights/$name-fp32.safetensors"
done
weights/quantise.sh "$calibration" "$work/methods"
cp "$work"/methods/light-*.safetensors weights/
weights/list_shipped.sh
cmake --build build --target glint_tests
GLINT_WRITE_GOLDEN=light build/bin/glint_tests -tc='golden streams: decode*' # streams of conformance/

printf 'P6\n3 2\n255\n\377\0\0\0\377\0\0\0\377\377\377\377\0\0\0\377\377\0' >"$work/example.ppm"
build/bin/glint encode --model "$model" "$work/example.ppm" "$work/example.glint"
{
  echo '```'
  "$python" tests/reference_decoder.py --explain "$model" "$work/example.glint"
  echo '```'
} | insert docs/BITSTREAM.md example

"$python" weights/make_example.py build/bin/glint "$model" tools/samples/lake.png docs/images/result.png |
  insert README.md picture

if [ -n "$kodak" ]; then
  rates=0.000033,0.00008,0.00017,0.00032,0.00055,0.0009
  build/bin/evaluate --model "$model" --gt_path "$kodak" --lrd "$rates" --detail off --freq 1000 --json "$work/kodak.json"
  "$python" weights/training/evaluate_reference.py "$checkpoint" "$kodak" --lrd "$rates" --json "$work/reference.json"
  # table: the means as Markdown, with times. table REFERENCE.json: with PyTorch's figures instead; speed says nothing
  # about the model.
  table() {
    "$python" - "$work/kodak.json" "$@" <<'PYTHON'
import json
import sys
data = json.load(open(sys.argv[1]))
rows = data["results"]
columns = [("lrd", "{:.2g}", rows["lrd"]), ("bits per pixel", "{:.3f}", rows["bpp"]), ("PSNR, dB", "{:.2f}", rows["psnr-rgb"]),
           ("MS-SSIM", "{:.4f}", rows["ms-ssim-rgb"])]
where = "without details; bits of whole files"
if sys.argv[2:]:
    reference = json.load(open(sys.argv[2]))
    columns += [("PyTorch: bits per pixel", "{:.3f}", [row["bpp"] for row in reference]), ("PSNR, dB", "{:.2f}", [row["psnr-rgb"] for row in reference]),
                ("MS-SSIM", "{:.4f}", [row["ms-ssim-rgb"] for row in reference])]
    where += "; beside them those of PyTorch in float32, its bits estimated under the model's own distributions (`training/evaluate_reference.py`)"
else:
    columns += [("encoding, s", "{:.2f}", rows["encoding_time"]), ("decoding, s", "{:.2f}", rows["decoding_time"])]
    where += f"; seconds a picture on one thread of {data['machine']['cpu']} ({data['machine']['target']})"
print(f"Kodak, {len(data['images']) // len(rows['lrd'])} pictures, means; {data['model']['name']} {data['model']['type'].upper()} "
      f"({data['model']['id']}); {where}.\n")
print("| " + " | ".join(title for title, _, _ in columns) + " |\n" + "|---" * len(columns) + "|")
for row in zip(*(values for _, _, values in columns)):
    print("| " + " | ".join(form.format(value) for (_, form, _), value in zip(columns, row)) + " |")
PYTHON
  }
  table | insert README.md results
  table "$work/reference.json" | insert weights/README.md kodak
  "$python" bench/quality.py curve "$kodak"
  ./run build
  "$python" bench/quality.py table "$kodak"
  bench/quantisation_methods.sh "$calibration" "$kodak" "$work/methods"
fi
echo "refresh: done. Now: ./run test; what weights/README.md says about training, by hand"
