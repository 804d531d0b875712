# `./run demo`: the page of packaging/demo with the engine as WebAssembly, into build-demo/. `./run demo-check` looks
# at it in a browser. Sourced by ./run; uses its functions and those of port.sh.
# shellcheck shell=bash disable=SC2154  # root, jobs, passed, failed and the like are of ./run

readonly demo_dir="$root/build-demo"
readonly demo_most_bytes=$((9 << 20)) # engine and model together

build_demo() {
  local port_build="$root/build-port-wasm32" cache size
  prepare
  use_port wasm32
  build_port wasm32
  cache="$(cache_dir)/ports/wasm32"
  mkdir -p "$demo_dir"
  em++ -std=c++20 -O3 -msimd128 -fwasm-exceptions -Wall -Wextra -Wpedantic -Werror -I "$root/codec/include" \
    "$root/packaging/demo/engine.cc" "$port_build/libglint_core.a" "$cache/highway/lib/libhwy.a" \
    "$cache/sysroot/usr/lib/libz.a" -o "$demo_dir/engine.js" \
    -sMODULARIZE=1 -sEXPORT_NAME=createGlint -sENVIRONMENT=worker -sFILESYSTEM=0 -sALLOW_MEMORY_GROWTH=1 \
    -sMAXIMUM_MEMORY=4GB -sEXPORTED_FUNCTIONS=_malloc,_free -sEXPORTED_RUNTIME_METHODS=UTF8ToString ||
    fail "demo: the engine did not build"
  cp "$root"/packaging/demo/{index.html,style.css,page.js,worker.js,icon.svg} "$root/tools/page/theme.css" "$demo_dir/"
  cp "$root/weights/light-int8.safetensors" "$demo_dir/"
  cp "$root/tools/samples/lake.png" "$demo_dir/sample.png"
  size="$(cat "$demo_dir"/engine.{js,wasm} "$demo_dir/light-int8.safetensors" | wc -c)"
  say "run: engine and model have $size bytes"
  ((size <= demo_most_bytes)) || fail "demo: engine and model may have $demo_most_bytes bytes"
}

run_demo() {
  build_demo
  say "run: the page is $demo_dir/index.html; browsers want it from a server, such as
     python3 -m http.server --bind 127.0.0.1 --directory $demo_dir 8000
     and then http://127.0.0.1:8000/"
}

# check_demo [FOLDER]: pictures and streams are dropped into the page in Chromium; screenshots go to FOLDER.
check_demo() {
  build_demo
  install_missing_commands python3:python3 chromium:chromium
  count_lines "demo, Chromium" python3 "$root/packaging/demo/check.py" "$demo_dir" "$root" "${1:-$demo_dir/screenshots}"
  print_sum
}
