# `./run desktop-check`: installs the programs as /usr/local of a sandbox, and asks there the programs of desktops what
# they make of .glint files. Sourced by ./run; uses its functions.
# shellcheck shell=bash disable=SC2154  # root, jobs and the like are of ./run

# The types of files, ImageMagick, and the two services that make thumbnails for GNOME and Xfce.
readonly desktop_packages=(shared-mime-info xdg-utils libglib2.0-bin libfile-mimeinfo-perl libxml2-utils imagemagick
                           gir1.2-gnomedesktop-3.0 python3-gi tumbler dbus bubblewrap)

# in_desktop PREFIX HOME COMMAND...: where PREFIX is /usr/local, and HOME the home of a user who set nothing.
in_desktop() {
  local prefix="$1" home="$2"
  shift 2
  bwrap --bind / / --dev-bind /dev /dev --proc /proc --bind "$prefix" /usr/local --clearenv --setenv HOME "$home" \
    --setenv PATH /usr/local/bin:/usr/bin:/bin --setenv XDG_DATA_DIRS /usr/local/share:/usr/share \
    --setenv LC_ALL C.UTF-8 --setenv TMPDIR "$home" --chdir "$home" "$@"
}

install_desktop() {
  local prefix="$1" component
  for component in glint_tools glint_models; do
    cmake --install "$build_dir" --prefix "$prefix" --component "$component" || return 1
  done
  update-mime-database "$prefix/share/mime"
}

# ask_desktop PREFIX HOME: what services say when their bus goes is left out.
ask_desktop() {
  # shellcheck disable=SC2016  # $0 is of the inner shell
  in_desktop "$1" "$2" dbus-run-session -- sh -c 'exec /usr/bin/python3 "$0" "$1" 2>&1' \
    "$root/packaging/desktop/check.py" "$root" 2>/dev/null
}

check_desktop() {
  local package missing=() prefix home
  for package in "${desktop_packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  install_packages "${missing[@]}"
  prepare_release
  build_targets "$build_dir" glint_programs
  make_temporary prefix
  make_temporary home
  count_command "installed" install_desktop "$prefix"
  count_lines "desktop" ask_desktop "$prefix" "$home"
  print_sum
}
