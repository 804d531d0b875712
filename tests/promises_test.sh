#!/usr/bin/env bash
# Every test that docs/TESTING.md names exists.
# Usage: promises_test.sh BIN_DIR. Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/shell/checks.sh"

# In the second column of its tables, in backticks: "kind: name" of a case, or a script.
# shellcheck disable=SC2016 # backticks of Markdown
named() {
  grep '^|' "$root/docs/TESTING.md" | cut -d '|' -f 3 | grep -o '`[^`]*`' | tr -d '`' | grep -E ': |^(tests|packaging)/' | sort -u
}

# exists NAME: as a file, or among the test cases; * stands for anything.
exists() {
  if [[ $1 == tests/* || $1 == packaging/* ]]; then
    [[ -e $root/$1 ]]
    return
  fi
  local case
  while IFS= read -r case; do
    # shellcheck disable=SC2053 # a pattern
    if [[ $case == $1 ]]; then return; fi
  done <cases.txt
  return 1
}

"$bin/glint_tests" --list-test-cases >cases.txt
while IFS= read -r name; do
  check "$name" exists "$name"
done < <(named)
check "at least 20 are named" test "$passed" -ge 20

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
