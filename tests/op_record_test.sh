#!/usr/bin/env bash
# A record of an operator (engine/op.h) with a field left out must not compile, with any compiler that is here.
# Usage: op_record_test.sh BIN_DIR. Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

fields=(name inputs weights matrix classes placement fusion derivative read check check_forms window sources plan)

# record FIELD: a program with a whole record but for this field.
record() {
  local field
  echo '#include "engine/op.h"'
  echo 'using namespace glint;'
  echo 'Result<std::unique_ptr<Step>> Plan(const PlanContext&, const Node&);'
  echo 'extern const Op record;'
  echo 'constinit const Op record = {'
  for field in "${fields[@]}"; do
    if [ "$field" = "$1" ]; then continue; fi
    case $field in
      name) echo '  .name = "record",' ;;
      inputs) echo '  .inputs = InputCount{1, 1},' ;;
      weights) echo '  .weights = kNoWeights,' ;;
      matrix) echo '  .matrix = kNoMatrix,' ;;
      classes) echo '  .classes = Classes::kCloseAndExact,' ;;
      placement) echo '  .placement = Placement::kMayOverwrite,' ;;
      fusion) echo '  .fusion = kNotFused,' ;;
      derivative) echo '  .derivative = kNoDerivative,' ;;
      read) echo '  .read = NoAttributes,' ;;
      check) echo '  .check = AsInput,' ;;
      check_forms) echo '  .check_forms = AnyForms,' ;;
      window) echo '  .window = Pointwise,' ;;
      sources) echo '  .sources = OneSource,' ;;
      plan) echo '  .plan = Plan,' ;;
    esac
  done
  echo '};'
}

compilers=0
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  compilers=$((compilers + 1))
  compile=("$compiler" -std=c++20 -fsyntax-only -I "$root" -x c++)
  record none >whole.cc
  check "$compiler takes a whole record" "${compile[@]}" whole.cc
  for field in "${fields[@]}"; do
    record "$field" >without.cc
    refute "$compiler refuses a record without $field" "${compile[@]}" without.cc
  done
  # A field that is there in part, or null.
  for part in 's/InputCount{1, 1}/InputCount{1}/' 's/InputCount{1, 1}/InputCount{2, 1}/' \
    's/kNoMatrix/MatrixRole("weight")/' 's/kNoMatrix/MatrixRole("weight", nullptr)/' \
    's/kNoMatrix/MatrixRole{}/' 's/kNotFused/Fusion{Slot::kActivation}/' \
    's/kNotFused/Fusion::Activation(nullptr)/' 's/kNotFused/Fusion::ChannelFactors()/' \
    's/kNoDerivative/Derivative{}/' 's/kNoDerivative/Derivative::Of(nullptr)/' \
    's/kNoDerivative/Derivative::Of(nullptr, nullptr)/' 's/kNoDerivative/Derivative::OfDigits(nullptr)/' \
    's/"record"/nullptr/' 's/NoAttributes/nullptr/' 's/= Plan,/= nullptr,/'; do
    sed "$part" whole.cc >part.cc
    refute "$compiler refuses what $part makes of a record" "${compile[@]}" part.cc
  done
done
if [ "$compilers" -eq 0 ]; then
  echo "no g++ or clang++ here"
  exit 77
fi
# Every field that there is, is tried.
check "the fields are those of the record" \
  test "$(grep -c '^  Required<' "$root/engine/op.h")" -eq "${#fields[@]}"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
