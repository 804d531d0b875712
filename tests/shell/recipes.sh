# shellcheck shell=bash
# The code blocks of documents, for tests that run them as they stand. Included by test scripts.

# recipe FILE NAME: the block behind the line "<!-- recipe: NAME -->".
recipe() {
  awk -v mark="<!-- recipe: $2 -->" '
    $0 == mark { wanted = 1; next }
    wanted && /^```/ { if (inside) exit; inside = 1; next }
    inside { print }' "$1"
}
