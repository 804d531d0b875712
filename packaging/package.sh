# `./run package [NAME...]`: what packages of Glint are held to and takes more than a minute to see. Sourced by ./run;
# uses its functions.
# shellcheck shell=bash disable=SC2154  # root, jobs and the like are of ./run

readonly package_names=(embedded symbols same debian conan)

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

# shared NAME SOURCE TARGET...: builds them of the tree SOURCE with shared libraries, in build-package/NAME.
shared() {
  local folder="$root/build-package/$1" source="$2"
  shift 2
  cmake -G Ninja -S "$source" -B "$folder" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
    "-Dhwy_ROOT=$highway_prefix" -DGLINT_BUILD_TESTS=OFF -DGLINT_BUILD_BENCH=OFF "${package_flags[@]}" &&
    cmake --build "$folder" --parallel "$jobs" --target "$@"
}

# What the shared library exports is what packaging/symbols.txt says; the smaller one has all of the C interface but
# what is of picture files.
package_symbols() {
  shared shared "$root" glint glint_core &&
    "$root/packaging/symbols.sh" "$root/build-package/shared/libglint.so" >"$root/build-package/symbols.txt" &&
    diff "$root/packaging/symbols.txt" "$root/build-package/symbols.txt" &&
    "$root/packaging/symbols.sh" "$root/build-package/shared/libglint_core.so" |
    comm -13 "$root/packaging/symbols.txt" - | { ! grep .; }
}

# Two trees in folders of their own, each built there, are installed as the same bytes, which name neither folder.
package_same() {
  local folder="$root/build-package/same" tree name
  rm -rf "$folder"
  for name in one another-of-a-longer-name; do
    tree="$folder/$name"
    mkdir -p "$tree"
    copy_tree "$tree" &&
      shared "same/$name/build" "$tree" all &&
      DESTDIR="$tree/installed" cmake --install "$tree/build" || return 1
    # Models are copied as they are, and large.
    (cd "$tree/installed" && find . -type f ! -name '*.safetensors' -exec sha256sum {} + | sort -k 2) >"$tree.txt"
    if grep -rlF -e "$tree" -e "${highway_prefix:-$tree}" "$tree/installed"; then return 1; fi
  done
  test "$(wc -l <"$folder/one.txt")" -gt 20 && diff "$folder/one.txt" "$folder/another-of-a-longer-name.txt"
}

# copy_tree FOLDER: what git knows, as it is now.
copy_tree() { source_files '*' | tar -c -C "$root" -T - | tar -x -C "$1"; }

# in_chroot FOLDER COMMAND...
in_chroot() {
  local folder="$1"
  shift
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} ${DEB_BUILD_OPTIONS:+DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS"} \
    ${DEB_CXXFLAGS_APPEND:+DEB_CXXFLAGS_APPEND="$DEB_CXXFLAGS_APPEND"} chroot "$folder" "$@"
}

# The Debian source package is built in Debian 13, in a chroot that is kept, and lintian finds no error. The packages
# are left in build-package/debian.
package_debian() {
  local chroot mirror version package="$root/build-package/debian"
  ((EUID == 0)) || { say "run: package debian makes a chroot, which takes root" && return 1; }
  chroot="${GLINT_CHROOT:-$(cache_dir)/trixie}"
  mirror="${GLINT_DEBIAN_MIRROR:-$(apt_mirrors "$(os_release VERSION_CODENAME)" | head -n1)}"
  version="$(sed -nE '1 s/.*\((.*)-[^-]*\).*/\1/p' "$root/packaging/debian/changelog")"
  if [[ ! -e "$chroot/glint-is-complete" ]]; then
    install_missing_commands debootstrap:debootstrap
    debootstrap --variant=buildd trixie "$chroot" "$mirror" && touch "$chroot/glint-is-complete" || return 1
  fi
  local source="$chroot/glint/glint-$version"
  rm -rf "$chroot/glint" "$package"
  mkdir -p "$source" "$package"
  copy_tree "$source" &&
    tar -c -C "$chroot/glint" "glint-$version" | gzip -1 >"$chroot/glint/glint_$version.orig.tar.gz" &&
    cp -r "$source/packaging/debian" "$source/debian" &&
    in_chroot "$chroot" apt-get -qq update &&
    in_chroot "$chroot" sh -c "cd /glint/glint-$version && apt-get -y -qq --no-install-recommends build-dep . &&
      apt-get -y -qq --no-install-recommends install lintian && dpkg-buildpackage -us -uc -j$jobs" &&
    in_chroot "$chroot" sh -c "cd /glint && lintian --allow-root --fail-on error --display-info glint_*.changes" &&
    find "$chroot/glint" -maxdepth 1 -type f -exec cp -t "$package" {} +
}

# The Conan recipe makes a package, and a project in C links it. Libraries of the system stand for those of Conan Center,
# so that nothing but Conan itself is downloaded.
package_conan() {
  local folder="$root/build-package/conan" conan library
  conan="$folder/python/bin/conan"
  rm -rf "${folder:?}/home"
  mkdir -p "$folder"
  if [[ ! -x "$conan" ]]; then
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q conan || return 1
  fi
  cat >"$folder/profile" <<PROFILE
include(default)
[settings]
build_type=Release
compiler.cppstd=20
[conf]
tools.cmake.cmaketoolchain:generator=Ninja
tools.build:cxxflags=["-DHWY_COMPILE_ONLY_STATIC"]
PROFILE
  local -x CONAN_HOME="$folder/home" GLINT_HIGHWAY="$highway_prefix"
  "$conan" profile detect || return 1
  for library in highway/1.2.0 libjpeg-turbo/2.1.5 libpng/1.6.39 nlohmann_json/3.11.2 zlib/1.2.13; do
    "$conan" create "$root/packaging/conan/system" --name "${library%/*}" --version "${library#*/}" \
      --no-remote -pr:a "$folder/profile" || return 1
  done
  "$conan" create "$root/packaging/conan" --no-remote -pr:a "$folder/profile"
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
