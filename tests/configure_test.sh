#!/usr/bin/env bash
# What CMake makes of options, and of what is missing; nothing is compiled.
# Usage: configure_test.sh BIN_DIR, in the folder of a build, whose Highway it takes.
# Prints one line per check and "N passed, N failed"; exits with 1 when one failed, with 77 without that Highway.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

highway=$(sed -nE 's/^hwy_DIR:[A-Z]+=(.*hwy)$/\1/p' "$bin/../CMakeCache.txt" 2>/dev/null)
if [[ -z $highway ]]; then
  echo "SKIPPED  the build beside $bin has no Highway of its own"
  exit 77
fi

# configures NAME CODE ARGUMENT...: a new configuration of the library alone, or what the arguments add.
configures() {
  local name=$1 code=$2
  shift 2
  rm -f tree/CMakeCache.txt
  exits "$name" "$code" cmake -G Ninja -S "$root" -B tree -DGLINT_BUILD_TESTS=OFF -DGLINT_BUILD_TOOLS=OFF \
    -DGLINT_BUILD_BENCH=OFF "$@"
}

# without PACKAGE...: CMake does not find them.
without() {
  local package
  for package in "$@"; do printf -- '-DCMAKE_DISABLE_FIND_PACKAGE_%s=ON\n' "$package"; done
}

configures "no build type" 0 -Dhwy_DIR="$highway"
said "... it says that it takes Release" '^-- Glint: no CMAKE_BUILD_TYPE: Release$'
check "... and does" grep -q -- ' -O3 -DNDEBUG' tree/build.ninja
configures "a build type is kept" 0 -Dhwy_DIR="$highway" -DCMAKE_BUILD_TYPE=Debug
refute "... not a word of it" grep 'CMAKE_BUILD_TYPE' stdout.txt
refute "... and no other" grep -q -- ' -O3' tree/build.ninja

configures "no Highway" 1 "$(without hwy)"
check "... it says what to do" grep -q 'GLINT_FETCH_HIGHWAY=ON' stderr.txt
refute "... nothing was downloaded" test -e tree/_deps
# One that would be noticed.
mkdir -p home/.cache/glint/highway-1.2.0/lib/cmake/hwy
echo 'message(FATAL_ERROR "this one was looked at")' >home/.cache/glint/highway-1.2.0/lib/cmake/hwy/hwy-config.cmake
cp home/.cache/glint/highway-1.2.0/lib/cmake/hwy/hwy-config{,-version}.cmake
HOME=$PWD/home XDG_CACHE_HOME='' configures "a Highway in the user's cache, but told of another" 0 -Dhwy_DIR="$highway"
HOME=$PWD/home XDG_CACHE_HOME='' cmake -S "$root" -B tree -UHWY_DIR -Uhwy_DIR >stdout.txt 2>&1
refute "... nor when told of none" grep 'looked at' stdout.txt

mapfile -t nothing < <(without CLI11)
configures "tests without CLI11" 0 -Dhwy_DIR="$highway" "${nothing[@]}" -DGLINT_BUILD_TESTS=ON
check "... there are some" grep -q 'tests/conv_test.cc' tree/compile_commands.json
refute "... none is of the programs" grep -E 'tests/tools_|/tools/' tree/compile_commands.json
mapfile -t nothing < <(without PNG JPEG CLI11)
configures "no PNG, no JPEG" 0 -Dhwy_DIR="$highway" "${nothing[@]}" -DGLINT_PICTURE_FILES=OFF
refute "... where picture files are left out" grep -E 'picture_files/' tree/compile_commands.json
mapfile -t nothing < <(without JPEG)
configures "no JPEG" 0 -Dhwy_DIR="$highway" "${nothing[@]}" -DGLINT_JPEG=OFF
check "... PNG is there" grep -q 'png_reader.cc' tree/compile_commands.json
refute "... JPEG is not" grep -q 'jpeg_reader.cc' tree/compile_commands.json
configures "a Python module beside a shared library" 1 -Dhwy_DIR="$highway" -DGLINT_PYTHON=ON -DBUILD_SHARED_LIBS=ON
check "... it says why" grep -q 'the module has the library inside' stderr.txt
configures "a Python module without picture files" 1 -Dhwy_DIR="$highway" -DGLINT_PYTHON=ON -DGLINT_PICTURE_FILES=OFF
check "... it says why" grep -q 'the module reads picture files' stderr.txt
count
