# shellcheck shell=bash
# Results of evaluate, compared but for what two runs differ in. Included by test scripts.

# plain_json FILE: without times, memory, the processor, and repetitions of them.
plain_json() {
  awk '/"(encoding_time|decoding_time)": \[/ { skip = 1 }
       /"(stages|speed_ratio|machine)": \{/ { skip = 1; depth = 0 }
       skip { depth += gsub(/[[{]/, "&") - gsub(/[]}]/, "&"); if (depth <= 0) skip = depth = 0; next }
       !/"(encoding_time|decoding_time|load_time)":/' "$1"
}

# plain_report FILE: numbers that are times, and what depends on them, become T.
plain_report() {
  sed -E -e 's/loaded in [0-9.]+ s/loaded in T s/' -e 's/^Peak memory .*/Peak memory T/' \
    -e '/^Seconds per picture/,/^$/s/ +[0-9]+\.[0-9]{4}| +-/ T/g' \
    -e 's/ +[0-9]+\.[0-9]{3} +[0-9]+\.[0-9]{3}$/ T T/' \
    -e 's/ +([0-9.]+x|-) +([0-9.]+x|-) +([0-9.]+x|-)$/ T T T/' "$1"
}

# same_results NAME ONE OTHER: JSON files.
same_results() {
  if [ -s "$2" ] && diff <(plain_json "$2") <(plain_json "$3") >difference.txt 2>&1; then pass "$1"; else
    fail "$1"
    head -n 20 difference.txt
  fi
  rm -f difference.txt
}

# same_report NAME ONE OTHER: what was printed.
same_report() {
  if [ -s "$2" ] && diff <(plain_report "$2") <(plain_report "$3") >difference.txt 2>&1; then pass "$1"; else
    fail "$1"
    head -n 20 difference.txt
  fi
  rm -f difference.txt
}

# make_pictures FOLDER COUNT: small ones of different sizes, the first large enough for MS-SSIM.
make_pictures() {
  local i
  mkdir -p "$1"
  make_ppm "$1/p1.ppm" 164 163
  for ((i = 2; i <= $2; ++i)); do make_ppm "$1/p$i.ppm" $((40 + 7 * i)) $((60 - 3 * i)); done
}
