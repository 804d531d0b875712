#!/usr/bin/env bash
# Brings the table of weights/SHIPPED.md up to date: every model file that ever stood in weights/,
# newest first, with the commit that brought it. Rows come from the git history; those that the page
# has already stay, so a clone of part of the history will do. Files that no commit has yet have no
# commit there until this runs again.
# Usage: weights/list_shipped.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

page=SHIPPED.md
names=(light-fp32 light-int8 light-int16 light-int8-entropy light-fp16 light-msssim-fp32 light-msssim-int8)

id_of() { sha256sum | cut -c1-16; }

row() { printf "| %s | \`%s\` | \`%s\` | %s |\n" "$@"; }

rows() {
  local name commit file date
  grep -E '^\| 20.* [0-9a-f]{7} \|$' "$page" || true
  for name in "${names[@]}"; do
    file="$name.safetensors"
    while read -r commit date; do
      git cat-file -e "$commit:./$file" 2>/dev/null || continue
      row "$date" "$file" "$(git show "$commit:./$file" | id_of)" "$(git rev-parse --short=7 "$commit")"
    done < <(git log --format='%H %cd' --date=format:'%F %H:%M' -- "$file")
    git diff --quiet HEAD -- "$file" || row "$(date '+%F %H:%M')" "$file" "$(id_of <"$file")" ""
  done
}

{
  sed '/^| since /,$d' "$page"
  printf '| since | file | id | commit |\n|---|---|---|---|\n'
  rows | sort -ru
} >"$page.tmp"
mv "$page.tmp" "$page"
