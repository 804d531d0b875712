#!/usr/bin/env bash
# weights/convert_model.py against CompressAI's own numbers (tests/data/golden/compressai.npz), and against files that it must refuse.
# Usage: convert_test.sh BIN_DIR. Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs python3 with numpy; without it nothing is checked: the script says so and exits with 77, which ./run knows.
set -u -o pipefail

bin=$(cd "${1:?usage: convert_test.sh BIN_DIR}" && pwd)
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset GLINT_MODEL GLINT_TARGET

# shellcheck source=tests/shell/python.sh
. "$tests/shell/python.sh"
find_python "the converters"
exec "$python" "$tests/convert_test.py" --bin "$bin"
