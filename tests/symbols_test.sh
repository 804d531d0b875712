#!/usr/bin/env bash
# packaging/symbols.txt has the functions of glint.h, and no others of C. (What a shared library really exports:
# `./run package symbols`.)
# Usage: symbols_test.sh BIN_DIR. Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

# Declarations may have several lines.
sed 's|^#.*||' "$root/codec/include/glint/glint.h" | tr '\n' ' ' | grep -oE 'GLINT_API [^(;]*' |
  grep -oE 'glint_[a-z0-9_]+ *$' | tr -d ' ' | LC_ALL=C sort >header.txt
sed -n 's/^GLINT_[0-9]* //p' "$root/packaging/symbols.txt" | LC_ALL=C sort >listed.txt
check "there are functions" test "$(wc -l <header.txt)" -ge 50
diff header.txt listed.txt >stdout.txt
check "they are those of the list" cmp header.txt listed.txt
count
