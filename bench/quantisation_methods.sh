#!/usr/bin/env bash
# What each method of `quantize` costs: makes a model with each, codes the pictures with all of them, and writes
# bench/RESULTS.md's table and picture. Usage: bench/quantisation_methods.sh CALIBRATION_FOLDER PICTURE_FOLDER WORK_FOLDER
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
models=("$root/weights/light-fp32.safetensors")

make() {
  local name="$1"
  shift
  models+=("$work/$name.safetensors")
  if [ -e "$work/$name.safetensors" ]; then return; fi
  "$bin/quantize" --calibration "$calibration" --held-out "${sample[0]}" \
    --out "$work/$name.safetensors" --log "$work/$name.log" "$@" >"$work/$name.out"
}

plain=(--rounding nearest --smoothing 0 --no-bias-correction)
make fp16 --type FP16
make int16 --type INT16
make entropy-w8a16 --type INT8 --scope entropy
make seed-w8-q8.8 --type INT8 --scheme seed
make w8a16 --type INT8 --activations 16
make w8a8-max --type INT8 --method max "${plain[@]}"
make w8a8-mse --type INT8 --method mse "${plain[@]}"
make w8a8-percentile --type INT8 --method percentile --percentile 99.999 "${plain[@]}"
make w8a8-smooth --type INT8 --method percentile --percentile 99.999 --rounding nearest --no-bias-correction
make w8a8-bias --type INT8 --method percentile --percentile 99.999 --rounding nearest
make w8a8-gptq --type INT8 --method percentile --percentile 99.999
make w8a8-tuned --type INT8 --method percentile --percentile 99.999 --tune
make mix-1 --type INT8 --max-loss 1

arguments=()
for model in "${models[@]}"; do arguments+=(--model "$model"); done
"$bin/evaluate" "${arguments[@]}" --gt_path "$pictures" --lrd 0.00005,0.000089,0.000159,0.000283,0.000505,0.0009 \
  --freq 1000 --json "$work/comparison.json" >"$work/comparison.txt"
"${PYTHON:-python3}" "$root/bench/plot_methods.py" "$work" "$root/bench/RESULTS.md" "$root/docs/images/quantisation.svg"
