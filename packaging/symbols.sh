#!/usr/bin/env bash
# Prints what a shared library exports, one "NODE NAME" a line, C++ names as they are written; packaging/symbols.txt
# is that of libglint. Usage: symbols.sh LIBRARY
set -euo pipefail
# Of "0000000000012340 T glint_decode@@GLINT_1"; the nodes themselves are symbols too (A).
nm --dynamic --defined-only --with-symbol-versions --demangle "${1:?usage: symbols.sh LIBRARY}" |
  sed -nE '/^[0-9a-f]+ A /d; s/^[0-9a-f]+ [A-Za-z] ([^@]*)@@?(GLINT_[A-Z0-9_.]+)$/\2 \1/p; t; s/^[0-9a-f]+ [A-Za-z] (.*)$/- \1/p' |
  LC_ALL=C sort -u
