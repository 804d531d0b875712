# `./run port NAME...`: builds the core of the library for another machine and checks the conformance set there, in
# an emulator where this machine cannot run it; for ARM of 64 bits the tests of kernels and engine too. Sourced by
# ./run; uses its functions.
# shellcheck shell=bash disable=SC2154  # root, jobs, passed, failed and the like are of ./run

readonly port_names=(aarch64 aarch64-clang armhf i686 s390x wasm32 windows)

# The tests that run in emulators, by their files: tests/NAME_test.cc. They are those of kernels, operators and engine,
# of what codes integers, the golden ones, and the drawn streams. What the others check depends little on
# instructions: files of strangers, memory, programs, the quantiser.
readonly port_tests=(
  conv detail_kernels exact_functions float16_sums gdn int_conv pointwise targets 'ops/*'
  executor float16_graph front gradient_graph gradient_operators graph_check integer_graph json model_file plan
  positions row_ring safetensors schedule sha256 strips thread_pool window
  binary_coder detail_section integer_codec rans
  golden golden_stream stream_property)
# Not these: 270 and 120 s in qemu, with the shipped models and pictures of 30,000 columns. The first case of their file
# has the same strips of a small model.
readonly port_slow_cases='strips: the same outputs with the shipped models,strips: wide pictures*'
readonly port_stream_cases=10 # a twentieth of what ./run test draws

# use_port NAME: sets what differs between ports.
use_port() {
  port_system=Linux port_emulator=() port_compilers=() port_libraries=(zlib1g-dev) port_ending=""
  port_builds_tests=OFF port_link=-static # one file that runs anywhere, without libraries of that machine
  port_debian="$(dpkg --print-architecture 2>/dev/null || true)" # of packages that are for any machine
  case "$1" in
    aarch64*) port_processor=aarch64 port_triplet=aarch64-linux-gnu port_debian=arm64
      port_builds_tests=ON port_libraries+=(libpng-dev doctest-dev)
      port_link="" # the tests put a malloc before the C library's
      export QEMU_LD_PREFIX="/usr/$port_triplet" ;;&
    aarch64) port_emulator=("qemu-aarch64-static -cpu cortex-a53" "qemu-aarch64-static -cpu max") ;;
    # GCC before 13.2 makes no kernels that multiply and add float16.
    aarch64-clang) port_compilers=(clang-19 clang++-19) port_emulator=("qemu-aarch64-static -cpu max") ;;
    armhf) port_processor=armv7l port_triplet=arm-linux-gnueabihf port_debian=armhf port_emulator=(qemu-arm-static) ;;
    i686) port_processor=i686 port_triplet=i686-linux-gnu port_debian=i386 port_emulator=(env) ;;
    s390x) port_processor=s390x port_triplet=s390x-linux-gnu port_debian=s390x port_emulator=(qemu-s390x-static) ;;
    wasm32) port_system=Emscripten port_processor=wasm32 port_triplet=wasm32-emscripten
      port_libraries=() port_emulator=(node) port_ending=.js ;;
    windows) port_system=Windows port_processor=AMD64 port_triplet=x86_64-w64-mingw32
      port_compilers=("$port_triplet-gcc-posix" "$port_triplet-g++-posix")
      port_libraries=(libz-mingw-w64-dev) port_emulator=(wine) port_ending=.exe ;;
    *) fail "port: there is no port '$1'; there are ${port_names[*]}" ;;
  esac
  if ((${#port_compilers[@]} == 0)); then port_compilers=("$port_triplet-gcc" "$port_triplet-g++"); fi
  port_packages=("$port_triplet-g++:g++-${port_triplet/_/-}") # its libraries too, for any compiler
  case "$1" in
    aarch64-clang) port_packages+=("${port_compilers[1]}:${port_compilers[0]}") ;;
    wasm32) port_packages=(emcc:emscripten node:nodejs)
      export NODE_PATH="${NODE_PATH:-/usr/share/nodejs}" ;; # where Emscripten's modules are, for any Node.js
    windows) port_packages=("${port_compilers[1]}:g++-mingw-w64-x86-64-posix") ;;
  esac
  case "${port_emulator[0]}" in
    qemu-*) port_packages+=("${port_emulator[0]%% *}:qemu-user-static") ;;
  esac
}

# unpack_port_packages FOLDER ARCHITECTURE PACKAGE...: the distribution's packages of another architecture, which the
# system itself does not get to know.
unpack_port_packages() {
  local folder="$1" architecture="$2" work package
  shift 2
  if [[ "$(cat "$folder/done" 2>/dev/null)" == "$*" ]]; then return; fi
  has apt-get || fail "port: libraries of other architectures come from Debian's packages, and there is no apt-get"
  make_temporary work
  mkdir -p "$work"/{state/lists/partial,cache/archives/partial,download} "$folder"
  local options=(-qq -o "Dir::State=$work/state" -o "Dir::Cache=$work/cache" -o Dir::State::status=/dev/null
    -o Acquire::Languages=none -o "APT::Architecture=$architecture" -o "APT::Architectures::=$architecture")
  if ((EUID == 0)); then options+=(-o APT::Sandbox::User=root); fi
  apt-get "${options[@]}" update >&2 || say "run: apt-get update reports errors; going on with the lists that there are"
  (cd "$work/download" && apt-get "${options[@]}" download "$@" >&2) ||
    fail "port: these packages of $architecture cannot be had: $*"
  for package in "$work"/download/*.deb; do dpkg -x "$package" "$folder"; done
  printf '%s\n' "$*" >"$folder/done"
}

# build_port_zlib PREFIX: zlib of the distribution's sources by Emscripten, for which no package has it; without what
# reads files. Its own CMake asks for files that Debian leaves out.
build_port_zlib() {
  local prefix="$1" folder archive
  if [[ -f "$prefix/lib/libz.a" ]]; then return; fi
  make_temporary folder
  archive="$(download_source_package "$folder/apt" zlib 1.2 "$(os_release VERSION_CODENAME)")" ||
    fail "port: the sources of zlib cannot be had from this distribution"
  mkdir -p "$folder/source" "$prefix"/{include,lib}
  tar -xf "$archive" -C "$folder/source" --strip-components=1
  (cd "$folder/source" && rm -f gz*.c && emcc -O3 -msimd128 -c ./*.c && emar rcs libz.a ./*.o) >&2 ||
    fail "port: zlib did not build"
  cp "$folder"/source/{zlib,zconf}.h "$prefix/include/"
  cp "$folder/source/libz.a" "$prefix/lib/"
}

# build_port NAME: glint_conformance for it, and glint_tests where it has them, in build-port-NAME.
build_port() {
  local name="$1" folder="$root/build-port-$1" cache roots toolchain targets=(glint_conformance)
  install_missing_commands "${port_packages[@]}"
  cache="$(cache_dir)/ports/$name"
  unpack_port_packages "$cache/sysroot" "$port_debian" "${port_libraries[@]}" nlohmann-json3-dev
  roots="$cache/sysroot;$cache/sysroot/usr;$cache/sysroot/usr/$port_triplet;$cache/highway"
  toolchain=("-DCMAKE_TOOLCHAIN_FILE=$root/packaging/ports/cross.cmake" "-DGLINT_PORT_SYSTEM=$port_system"
    "-DGLINT_PORT_PROCESSOR=$port_processor"
    "-DGLINT_PORT_C=${port_compilers[0]}" "-DGLINT_PORT_CXX=${port_compilers[1]}"
    "-DGLINT_PORT_TRIPLET=${port_triplet/i686/i386}" "-DGLINT_PORT_ROOTS=$roots")
  if [[ "$port_system" == Emscripten ]]; then
    build_port_zlib "$cache/sysroot/usr"
  else
    toolchain+=("-DCMAKE_EXE_LINKER_FLAGS=$port_link")
  fi
  if [[ ! -d "$cache/highway/lib/cmake/hwy" ]]; then
    fetch_highway
    build_highway "$highway_archive" "$cache/highway" "${toolchain[@]}"
  fi
  if [[ "$port_builds_tests" == ON ]]; then targets+=(glint_tests); fi
  local prefix="$highway_prefix"
  highway_prefix=""
  configure "$folder" -DCMAKE_BUILD_TYPE=Release "${toolchain[@]}" -DGLINT_INSTALL=OFF -DGLINT_JPEG=OFF \
    "-DGLINT_PICTURE_FILES=$port_builds_tests" "-DGLINT_BUILD_TESTS=$port_builds_tests" -DGLINT_BUILD_TOOLS=OFF \
    -DGLINT_BUILD_BENCH=OFF
  highway_prefix="$prefix"
  build_targets "$folder" "${targets[@]}"
}

# check_port NAME: the conformance set, and the tests where it has them, in each of its emulators.
check_port() {
  local folder="$root/build-port-$1/bin" emulator words filter
  filter="$(port_test_files)"
  for emulator in "${port_emulator[@]}"; do
    read -ra words <<<"$emulator"
    if ! has "${words[0]}"; then
      say "run: port $1 is built, and not run: there is no ${words[0]} here"
      skipped+=("port $1: no ${words[0]}")
      continue
    fi
    count_lines "$1, $emulator" "${words[@]}" "$folder/glint_conformance$port_ending" conformance
    if [[ "$port_builds_tests" == ON ]]; then
      printf 'running: tests, %s, %s\n' "$1" "$emulator"
      GLINT_STREAM_CASES="${GLINT_STREAM_CASES:-$port_stream_cases}" count_doctest "${words[@]}" \
        "$folder/glint_tests$port_ending" "-sf=$filter" "-tce=$port_slow_cases"
    fi
  done
}

# Prints the files of port_tests as doctest's filter wants them.
port_test_files() {
  local name filter=""
  for name in "${port_tests[@]}"; do
    compgen -G "$root/tests/${name}_test.cc" >/dev/null || fail "port: there are no tests/${name}_test.cc"
    filter+="*tests/${name}_test.cc,"
  done
  printf '%s\n' "${filter%,}"
}

run_ports() {
  local name names=("$@")
  if (($# == 0)); then names=("${port_names[@]}"); fi
  for name in "${names[@]}"; do use_port "$name"; done # wrong names before anything is built
  prepare
  for name in "${names[@]}"; do
    use_port "$name"
    build_port "$name"
    check_port "$name"
  done
  print_sum
}
