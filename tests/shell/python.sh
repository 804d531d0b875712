# Python for the test scripts that run it. Included by tests/*_test.sh.
# shellcheck shell=bash

# find_python WHAT: sets `python` to a python3 with numpy. Where there is none, it says that WHAT is not checked and exits with 77,
# which ./run knows.
find_python() {
  export PYTHONDONTWRITEBYTECODE=1
  # A python3 of the user's own may come first in PATH and have no numpy.
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import numpy' 2>/dev/null; then return; fi
  done
  echo "SKIPPED  $1: python3 with numpy is missing (Debian, Ubuntu: python3-numpy)"
  exit 77
}
