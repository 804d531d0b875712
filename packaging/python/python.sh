# `./run python-test`: `pip install .` in a clean virtual environment, and the module's tests there. Sourced by ./run;
# uses its functions.
# shellcheck shell=bash disable=SC2154  # root, jobs, passed, failed and the like are of ./run

# What tests use where it can be had; without, they say what they leave out.
readonly python_optional=(pillow mypy "dask[distributed]")

# Sets python_folder to a folder of this machine's cache, and makes a clean virtual environment in it.
make_python_environment() {
  python_folder="$(cache_dir)/python"
  mkdir -p "$python_folder"
  python3 -m venv --clear "$python_folder/venv"
  python="$python_folder/venv/bin/python"
}

# Python with what compiling a module and a virtual environment take.
ensure_python() {
  install_missing_commands python3:python3
  if has_python_parts; then return; fi
  # Without them there is a message, and no failure.
  if can_install; then (install_packages python3-venv python3-dev) || true; fi
  has_python_parts
}

has_python_parts() {
  python3 -c 'import ensurepip, os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null
}

# The package index, or what stands in its place (PIP_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX).
has_package_index() {
  "$python" -m pip --disable-pip-version-check --retries 1 --timeout 15 download --quiet --no-deps \
    --dest "$python_folder/index" nanobind >"$python_folder/index.log" 2>&1
}

python_could_not_run() {
  say "run: python-test could not run: $1"
  printf 'SKIPPED: the Python module: %s\n0 passed, 0 failed\n' "$1"
}

pip_install() { "$python" -m pip --disable-pip-version-check install "$@"; }

# pip_compile COMMAND ARGUMENT...: pip's install or wheel, of Glint. The library is the one that ./run has built, for
# compiling it again takes more than nine minutes of a processor; with GLINT_PYTHON_WHOLE=yes pip compiles all of it.
pip_compile() (
  local library="$build_dir/libglint.a"
  if [[ "${GLINT_PYTHON_WHOLE:-no}" == yes ]]; then library=glint; fi
  if [[ -n "$highway_prefix" ]]; then export hwy_ROOT="$highway_prefix"; fi
  CMAKE_BUILD_PARALLEL_LEVEL="$jobs" "$python" -m pip --disable-pip-version-check "$@" \
    --config-settings=cmake.define.GLINT_PYTHON_LIBRARY="$library" \
    --config-settings=cmake.define.GLINT_WERROR="$werror"
)

# By the one command that a user types.
pip_install_glint() (
  pip_compile install --config-settings=build-dir="$root/build-python" "$root" &&
    cd "$python_folder" &&
    "$python" -c 'import glint; print(glint.__file__); glint.decode(glint.encode(memoryview(bytes(12)).cast("B", (2, 2, 3))))' |
    grep "^$python_folder/"
)

# The source distribution, which has no more than it takes, gives a wheel with the models and all licences.
build_from_sdist() (
  local folder="$python_folder/sdist"
  rm -rf "$folder" && mkdir "$folder" && pip_install scikit-build-core && cd "$root" &&
    "$python" -c 'import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])' "$folder" &&
    [[ "$(stat -c %s "$folder"/glint-*.tar.gz)" -lt $((32 << 20)) ]] &&
    pip_compile wheel --no-deps --wheel-dir "$folder" "$folder"/glint-*.tar.gz &&
    "$python" -m zipfile -l "$folder"/glint-*.whl >"$folder/list" &&
    [[ "$(grep -cE 'models/light-.*[.]safetensors|licenses/(LICENSE|.*(highway|nanobind|nlohmann-json|robin-map)[.]txt)' "$folder/list")" == 8 ]]
)

# pytest_count WORD: the number before it in pytest's last line.
pytest_count() {
  local count
  count="$(tail -n1 "$python_folder/pytest.log" | sed -nE "s/(^|.* )([0-9]+) $1.*/\2/p")"
  printf '%d\n' "${count:-0}"
}

# count_pytest ARGUMENT...: adds the counts of pytest's last line.
count_pytest() {
  local status=0 errors
  (cd "$python_folder" && GLINT_BIN="$build_dir/bin" PYTHONDONTWRITEBYTECODE=1 \
    "$python" -m pytest -q --no-header -rs -p no:cacheprovider "$@") 2>&1 | tee "$python_folder/pytest.log" || status=$?
  errors="$(($(pytest_count failed) + $(pytest_count error)))"
  if ((status != 0 && errors == 0)); then errors=1; fi
  passed=$((passed + $(pytest_count passed)))
  failed=$((failed + errors))
}

test_python() {
  local package
  prepare_release
  ensure_python || { python_could_not_run "Python's headers or its module ensurepip are missing"; return 0; }
  make_python_environment
  has_package_index ||
    { python_could_not_run "no package index can be reached ($(grep -m1 ERROR "$python_folder/index.log"))"; return 0; }
  build_targets "$build_dir" glint glint_program evaluate
  count_command "pip install . in a clean environment" pip_install_glint
  count_command "a wheel of the source distribution" build_from_sdist
  count_command "pytest can be had" pip_install pytest
  for package in "${python_optional[@]}"; do
    pip_install "$package" >"$python_folder/pip.log" 2>&1 || say "run: going on without $package"
  done
  if ((failed == 0)); then count_pytest "$root/packaging/python/tests" "$@"; fi
  print_sum
}
