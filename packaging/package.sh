# `./run package [NAME...]`: what packages of Glint are held to and takes more than a minute to see. Sourced by ./run;
# uses its functions.
# shellcheck shell=bash disable=SC2154  # root, jobs and the like are of ./run

readonly package_names=(embedded)

# Kernels for one target, hardly optimised: speed is nothing that is looked at here.
readonly package_flags=(-DCMAKE_CXX_FLAGS=-DHWY_COMPILE_ONLY_STATIC "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG")

# A project in C alone without a build type has Glint as a part, and a target `hwy` already.
package_embedded() {
  local folder="$root/build-package/embedded"
  rm -rf "$folder"
  cmake -G Ninja -S "$root/tests/consumer/c_only" -B "$folder" "-DGLINT_TREE=$root" \
    "-DCMAKE_PREFIX_PATH=$highway_prefix" -DCMAKE_DISABLE_FIND_PACKAGE_hwy=ON "${package_flags[@]}" \
    >"$folder.log" 2>&1 || { cat "$folder.log" && return 1; }
  grep -Fx -e '-- Glint: no CMAKE_BUILD_TYPE: Release' "$folder.log" &&
    cmake --build "$folder" --parallel "$jobs" --target consumer_c_only &&
    ninja -C "$folder" -t commands consumer_c_only | grep -e 'kernels/conv.cc' | grep -e '-O1 -DNDEBUG' &&
    "$folder/consumer_c_only" "$root/weights/light-fp32.safetensors"
}

run_packages() {
  local name names=("$@")
  if (($# == 0)); then names=("${package_names[@]}"); fi
  for name in "${names[@]}"; do
    [[ " ${package_names[*]} " == *" $name "* ]] ||
      fail "package: there is no '$name'; there are ${package_names[*]}"
  done
  prepare
  mkdir -p "$root/build-package"
  for name in "${names[@]}"; do count_command "package: $name" "package_$name"; done
  print_sum
}
