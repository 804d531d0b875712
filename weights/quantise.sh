#!/usr/bin/env bash
# Makes the quantised models that come with Glint out of weights/light-fp32.safetensors.
# Usage: weights/quantise.sh CALIBRATION_FOLDER [OUT_FOLDER]
#   CALIBRATION_FOLDER  pictures that are neither trained nor tested on
# Each model's report goes to OUT_FOLDER/NAME.log when OUT_FOLDER is given (else to weights/, without reports).
set -euo pipefail

calibration="$(realpath "${1:?usage: weights/quantise.sh CALIBRATION_FOLDER [OUT_FOLDER]}")"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
out="$root/weights"
if [ -n "${2:-}" ]; then
  mkdir -p "$2"
  out="$(realpath "$2")"
fi
quantize="${QUANTIZE:-$root/build/bin/quantize}"

make() {
  local name="$1" log=()
  shift
  if [ "$out" != "$root/weights" ]; then log=(--log "$out/$name.log"); fi
  "$quantize" --model "$root/weights/light-fp32.safetensors" --calibration "$calibration" \
    --out "$out/$name.safetensors" "${log[@]}" "$@"
}

make light-fp16 --type FP16
make light-int16 --type INT16
make light-int8-entropy --type INT8 --scope entropy
make light-int8 --type INT8 --max-loss 1
