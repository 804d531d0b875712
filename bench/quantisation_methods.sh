#!/usr/bin/env bash
# What each method of `quantize` costs: makes a model with each, codes the pictures with all of them, and writes
# the tables of bench/RESULTS.md and README.md and the picture. Usage: bench/quantisation_methods.sh CALIBRATION_FOLDER PICTURE_FOLDER WORK_FOLDER
#   PICTURE_FOLDER  what they are compared on: Kodak for the published table
# Models that WORK_FOLDER has already are not made again.
set -euo pipefail

usage="usage: bench/quantisation_methods.sh CALIBRATION_FOLDER PICTURE_FOLDER WORK_FOLDER"
calibration="$(realpath "${1:?$usage}")"
pictures="$(realpath "${2:?$usage}")"
mkdir -p "${3:?$usage}"
work="$(realpath "$3")"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
bin="${BIN:-$root/build/bin}"
sample=("$calibration"/*.png) # `quantize` compares on it; here all of PICTURE_FOLDER is compared below
QUANTIZE="$bin/quantize" "$root/weights/quantise.sh" "$calibration" "$work" >"$work/light.out"
models=("$root/weights/light-fp32.safetensors" "$work"/light-{fp16,int16,int8-entropy}.safetensors)

make() {
  local name="$1"
  shift
  models+=("$work/$name.safetensors")
  if [ -e "$work/$name.safetensors" ]; then return; fi
  "$bin/quantize" --calibration "$calibration" --held-out "${sample[0]}" \
    --out "$work/$name.safetensors" --log "$work/$name.log" "$@" >"$work/$name.out"
}

bytes=(--type INT8 --splitting 0)
plain=("${bytes[@]}" --rounding nearest --smoothing 0 --no-bias-correction)
percentile=(--method percentile --percentile 99.999)
make seed-w8-q8.8 --type INT8 --scheme seed
make w8a16 --type INT8 --activations 16
make w8a8-max "${plain[@]}" --method max
make w8a8-mse "${plain[@]}" --method mse
make w8a8-percentile "${plain[@]}" "${percentile[@]}"
make w8a8-smooth "${bytes[@]}" "${percentile[@]}" --rounding nearest --no-bias-correction
make w8a8-bias "${bytes[@]}" "${percentile[@]}" --rounding nearest
make w8a8-gptq "${bytes[@]}" "${percentile[@]}"
make w8a8-tuned "${bytes[@]}" "${percentile[@]}" --tune
make w8a8-digits-8th --type INT8 "${percentile[@]}" --splitting 0.125
make w8a8-digits-tuned --type INT8 "${percentile[@]}" --splitting 0.125 --tune
make w8a8-digits-4th --type INT8 "${percentile[@]}" --splitting 0.25
make mix-bytes "${bytes[@]}" --max-loss 0.5 # the limit of light-int8
models+=("$work/light-int8.safetensors")

arguments=()
for model in "${models[@]}"; do arguments+=(--model "$model"); done
arguments+=(--gt_path "$pictures" --freq 1000)
"$bin/evaluate" "${arguments[@]}" --lrd 0.000033,0.00008,0.00017,0.00032,0.00055,0.0009 \
  --curves "$root/bench/codecs.json" --json "$work/comparison.json" >"$work/comparison.txt"
# Where the best target is a better one: the speed on AVX2 too. (An older one may be of another machine.)
rm -f "$work/avx2.json"
if grep -qE '"target": "(AVX3|AVX2_VNNI)' "$work/comparison.json"; then
  "$bin/evaluate" "${arguments[@]}" --target AVX2 --lrd 0.000283 --json "$work/avx2.json" >"$work/avx2.txt"
fi
"${PYTHON:-python3}" "$root/bench/plot_methods.py" "$work" "$root/bench/RESULTS.md" "$root/README.md" \
  "$root/docs/images/quantisation.svg"
