# shellcheck shell=bash
# Who starts the tests in the background may have had signals ignored, which programs inherit and no trap takes back:
# begins the script that sources this anew, with all signals as they are by default.
if [ -z "${GLINT_DEFAULT_SIGNALS:-}" ] && env --default-signal true 2>/dev/null; then
  export GLINT_DEFAULT_SIGNALS=1
  exec env --default-signal bash "$0" "$@"
fi
