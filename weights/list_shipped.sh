#!/usr/bin/env bash
# Lists every model file that ever stood in weights/ as Markdown, newest first: since when, its id, and
# the commit that brought it. Files that no commit has yet have none. Needs the whole git history.
# Usage: weights/list_shipped.sh, which writes the table of weights/SHIPPED.md anew
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

page=SHIPPED.md
names=(light-fp32 light-int8 light-int16 light-int8-entropy light-fp16)

id_of() { sha256sum | cut -c1-16; }

rows() {
  local name commit file id
  for name in "${names[@]}"; do
    file="$name.safetensors"
    while read -r commit; do
      git cat-file -e "$commit:./$file" 2>/dev/null || continue
      id="$(git show "$commit:./$file" | id_of)"
      git log -1 --format="| %cd | \`$file\` | \`$id\` | %h |" --date=format:'%Y-%m-%d %H:%M' "$commit"
    done < <(git log --format=%h -- "$file")
    if ! git diff --quiet HEAD -- "$file"; then
      printf "| %s | \`%s\` | \`%s\` | |\n" "$(date '+%F %H:%M')" "$file" "$(id_of <"$file")"
    fi
  done | sort -r
}

head="$(sed '/^| since /,$d' "$page")"
{
  printf '%s\n\n| since | file | id | commit |\n|---|---|---|---|\n' "$head"
  rows
} >"$page.tmp"
mv "$page.tmp" "$page"
