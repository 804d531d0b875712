#!/usr/bin/env bash
# weights/convert_model.py on TinyLIC against a definition in PyTorch (tests/data/golden/tinylic.npz).
# Usage: tinylic_test.sh BIN_DIR. Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs python3 with numpy; without it nothing is checked: the script says so and exits with 77, which ./run knows.
set -u -o pipefail

bin=$(cd "${1:?usage: tinylic_test.sh BIN_DIR}" && pwd)
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset GLINT_MODEL GLINT_TARGET
export PYTHONDONTWRITEBYTECODE=1

# A python3 of the user's own may come first in PATH and have no numpy.
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import numpy' 2>/dev/null; then exec "$candidate" "$tests/tinylic_test.py" --bin "$bin"; fi
done
echo "SKIPPED  the converters: python3 with numpy is missing (Debian, Ubuntu: python3-numpy)"
exit 77
