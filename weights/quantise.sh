#!/usr/bin/env bash
# Makes the quantised models that come with Glint out of those in FP32, and their reports.
# Usage: weights/quantise.sh CALIBRATION_FOLDER OUT_FOLDER
#   CALIBRATION_FOLDER  pictures that are neither trained nor tested on
# Each model goes to OUT_FOLDER/NAME.safetensors, its report to OUT_FOLDER/NAME.log. Those that are there are not made again.
set -euo pipefail

usage="usage: weights/quantise.sh CALIBRATION_FOLDER OUT_FOLDER"
calibration="$(realpath "${1:?$usage}")"
mkdir -p "${2:?$usage}"
out="$(realpath "$2")"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
quantize="${QUANTIZE:-$root/build/bin/quantize}"

# make NAME ORIGINAL FLAGS...
make() {
  local name="$1" original="$2"
  shift 2
  if [ -e "$out/$name.safetensors" ]; then return; fi
  "$quantize" --model "$root/weights/$original.safetensors" --calibration "$calibration" \
    --out "$out/$name.safetensors" --log "$out/$name.log" "$@"
}

make light-fp16 light-fp32 --type FP16
make light-int16 light-fp32 --type INT16
make light-int8-entropy light-fp32 --type INT8 --scope entropy
make light-int8 light-fp32 --type INT8 --max-loss 0.5
make light-msssim-int8 light-msssim-fp32 --type INT8 --max-loss 0.5 --metric ms-ssim
