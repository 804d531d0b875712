#!/usr/bin/env bash
# docs/BITSTREAM.md against the codec: streams of small pictures through a decoder that was written from the document.
# Usage: bitstream_test.sh BIN_DIR. Prints one line per check and "N passed, N failed"; exits with 1 when one failed.
# Needs python3 with numpy; without it nothing is checked: the script says so and exits with 77, which ./run knows.
set -u -o pipefail

bin=$(cd "${1:?usage: bitstream_test.sh BIN_DIR}" && pwd)
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
glint=$bin/glint
fp32=$tests/../weights/light-fp32.safetensors
model=$fp32
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset GLINT_MODEL GLINT_TARGET

# shellcheck source=tests/shell/python.sh
. "$tests/shell/python.sh"
find_python "the second decoder"

passed=0
failed=0

pass() {
  passed=$((passed + 1))
  echo "ok    $1"
}

fail() {
  failed=$((failed + 1))
  echo "FAIL  $1"
  sed 's/^/      | /' output.txt
}

# agrees NAME PICTURE SUFFIX [FLAG...]: encodes; both decoders read the same latents and pixels.
agrees() {
  local name=$1 picture=$2 suffix=$3
  shift 3
  if "$glint" encode --model "$model" "$@" "$picture" stream.glint >output.txt 2>&1 &&
    "$glint" decode --model "$model" stream.glint "decoded.$suffix" >output.txt 2>&1 &&
    "$python" "$tests/reference_decoder.py" "$model" stream.glint "decoded.$suffix" >output.txt 2>&1; then
    pass "$name: $(tail -n 1 output.txt)"
  else
    fail "$name"
  fi
}

# agrees_in_settings NAME PICTURE SUFFIX [FLAG...]: the same stream and the same pixels with any threads and bands, and both
# decoders read them.
agrees_in_settings() {
  local name=$1 picture=$2 suffix=$3 setting
  shift 3
  agrees "$name" "$picture" "$suffix" --threads 1 "$@"
  for setting in "--threads 2 --band 33" "--threads 3" "--threads 4 --band 1" "--threads 1 --band 97"; do
    # shellcheck disable=SC2086  # several words are meant
    if "$glint" encode --model "$model" $setting "$@" "$picture" other.glint >output.txt 2>&1 &&
      cmp stream.glint other.glint >output.txt 2>&1 &&
      "$glint" decode --model "$model" $setting stream.glint "other.$suffix" >output.txt 2>&1 &&
      cmp "decoded.$suffix" "other.$suffix" >output.txt 2>&1; then
      pass "$name, $setting: the same stream and pixels"
    else
      fail "$name, $setting: the same stream and pixels"
    fi
  done
}

# make FILE WIDTH HEIGHT DEPTH MAXIMUM: a PAM with shading, edges and grain.
make() {
  "$python" - "$@" <<'PYTHON'
import sys
import numpy as np
path, (width, height, depth, top) = sys.argv[1], map(int, sys.argv[2:])
y, x, c = np.mgrid[0:height, 0:width, 0:depth]
rng = np.random.default_rng(1)
value = 0.5 + 0.3 * np.sin(x / 9 + c) * np.cos(y / 7) + 0.15 * ((x // 5 + y // 4) % 2) + rng.normal(0, 0.03, x.shape)
if path == "noise.pam":
    value = rng.integers(0, 2, x.shape)
if path.startswith("gray_as"):
    value[:, :, 1:3] = value[:, :, :1]
samples = np.rint(np.clip(value, 0, 1) * top).astype(">u2" if top > 255 else "u1")
kind = {1: "GRAYSCALE", 2: "GRAYSCALE_ALPHA", 3: "RGB", 4: "RGB_ALPHA"}[depth]
if top == 1:
    kind = kind.replace("GRAYSCALE", "BLACKANDWHITE")
with open(path, "wb") as f:
    f.write(f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\nMAXVAL {top}\nTUPLTYPE {kind}\nENDHDR\n".encode() + samples.tobytes())
PYTHON
}

make one.pam 1 1 3 255
make odd.pam 61 43 3 255
make noise.pam 64 64 3 255
make gray.pam 33 50 1 255
make bits.pam 40 17 1 1
make nibbles.pam 18 35 1 15
make alpha.pam 37 29 4 255
make gray_alpha.pam 20 31 2 255
make deep.pam 35 22 3 65535
make deep_alpha.pam 23 34 4 65535
make tall.pam 20 1100 3 255
make states.pam 272 176 3 255
make narrow.pam 20 2500 3 255
make broad.pam 150 2100 3 255
make gray_as_rgb.pam 41 30 3 255
make gray_as_rgba.pam 41 30 4 65535

agrees "one pixel" one.pam ppm
agrees "odd size" odd.pam ppm
agrees "lowest rate" odd.pam ppm --lrd 0.000015
agrees "highest rate" odd.pam ppm --lrd 0.0019
agrees "escapes" noise.pam ppm --lrd 0.0019
agrees "gray" gray.pam pgm
agrees "gray as RGB" gray_as_rgb.pam ppm
agrees "gray as RGB and alpha of 16 bits" gray_as_rgba.pam pam
agrees "1 bit" bits.pam pam
agrees "4 bits" nibbles.pam pam
agrees "alpha" alpha.pam pam
agrees "gray and alpha" gray_alpha.pam pam
agrees "16 bits" deep.pam ppm
agrees "16 bits and alpha" deep_alpha.pam pam
agrees "two segments" tall.pam ppm --lrd 0.0001
agrees "two states" states.pam ppm --lrd 0.0009

# same_metadata NAME KIND...: a PNG with these metadata; both decoders find the same.
same_metadata() {
  local name=$1
  shift
  if "$python" - "$@" >output.txt 2>&1 <<'PYTHON' && "$glint" encode --model "$model" metadata.png metadata.glint >output.txt 2>&1 &&
import random, struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rng = random.Random(1)
noise = bytes(rng.randrange(256) for _ in range(700))
saved = b"".join(b'<rdf:li stEvt:action="saved" stEvt:instanceID="xmp.iid:%d"/>' % i for i in range(200))
made = {"icc": chunk(b"iCCP", b"name\0\0" + zlib.compress(noise * 2)),
        "exif": chunk(b"eXIf", b"MM\0*" + bytes(20)), "long_exif": chunk(b"eXIf", b"MM\0*" + bytes(900)),
        "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + saved),
        "packed": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(noise)), "pixels": chunk(b"pHYs", bytes(9))}
with open("metadata.png", "wb") as f:
    f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) +
            b"".join(made[kind] for kind in sys.argv[1:]) + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b""))
PYTHON
    "$glint" decode --model "$model" metadata.glint metadata_again.png >output.txt 2>&1 &&
    "$python" "$tests/reference_decoder.py" --metadata metadata.glint metadata_again.png >output.txt 2>&1; then
    pass "$name: $(tail -n 1 output.txt)"
  else
    fail "$name"
  fi
}

same_metadata "metadata as they are" exif packed
same_metadata "metadata packed" icc long_exif pixels xmp
same_metadata "metadata, some of them packed" exif xmp packed

# Models of integers, the same samples: steps along the rate, digits, and steps of the picture.
for activations in 8 16 16-dynamic; do
  made=w8a$activations.safetensors
  if "$bin/quantize" --model "$fp32" --type INT8 --activations "$activations" --rounding nearest --calibration odd.pam \
    --calibration-lrd 0.00003,0.0004 --held-out odd.pam --out "$made" >output.txt 2>&1; then
    pass "quantize --activations $activations"
  else
    fail "quantize --activations $activations"
  fi
  model=$made
  agrees "activations $activations" odd.pam ppm
  agrees "activations $activations, two segments" tall.pam ppm --lrd 0.0001
done
for shipped in fp32 int16 int8 int8-entropy fp16; do
  model=$tests/../weights/light-$shipped.safetensors
  agrees_in_settings "light-$shipped, narrow, three segments" narrow.pam ppm --lrd 0.0003
  case $shipped in
    fp32 | int8) agrees_in_settings "light-$shipped, broad, three segments" broad.pam ppm --lrd 0.0001 ;;
  esac
  agrees "light-$shipped" odd.pam ppm --lrd 0.0007
done

# draw SEED: pictures that details are made for, of sizes and rates that are drawn: drawn0.pam to drawn3.pam. Prints a line
# for each: what it is, and its rate.
draw() {
  "$python" - "$tests" "$1" <<'PYTHON'
import sys
import numpy as np
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from reference_decoder import read_picture
rng = np.random.default_rng(int(sys.argv[2]))
photograph = read_picture(f"{sys.argv[1]}/../tools/samples/lake.png")[0][:, :, :3]

def crop(height, width):
    top, left = (rng.integers(0, whole - part + 1) for whole, part in zip(photograph.shape, (height, width)))
    return photograph[top:top + height, left:left + width]

def text(height, width):
    ink = rng.integers(0, 2, (-(-height // 3), -(-width // 2)))[:, :, None].repeat(3, 0).repeat(2, 1)[:height, :width]
    ink[rng.integers(0, 7)::7] = 0
    return np.where(ink, rng.integers(0, 128, 3), rng.integers(128, 256, 3))

def photograph_and_text(height, width):
    picture, split = crop(height, width).copy(), rng.integers(0, width + 1)
    picture[:, split:] = text(height, width)[:, split:]
    if rng.integers(0, 2):
        picture[64:] = picture[64:].mean(2, keepdims=True)
    return picture

def gray(height, width):
    return photograph_and_text(height, width)[:, :, 1:2]

def noise(height, width):
    return rng.integers(0, 256, (height, width, 3))

for i, kind in enumerate((text, photograph_and_text, gray, noise)):
    height, width = rng.integers(1, 110, 2)
    samples = kind(height, width).astype("u1")
    with open(f"drawn{i}.pam", "wb") as f:
        name = "GRAYSCALE" if samples.shape[2] == 1 else "RGB"
        f.write(f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {samples.shape[2]}\nMAXVAL 255\nTUPLTYPE {name}\nENDHDR\n".encode() + samples.tobytes())
    print(kind.__name__, f"{np.exp(rng.uniform(np.log(0.0001), np.log(0.0019))):.6f}")
PYTHON
}

# Details of drawn pictures, over a base that is exact and one that is not.
seed=${GLINT_SEED:-$RANDOM}
if draw "$seed" >drawn.txt 2>output.txt; then
  i=0
  while read -r kind lrd; do
    for drawn_model in int8 fp32; do
      model=$tests/../weights/light-$drawn_model.safetensors
      agrees "light-$drawn_model, $kind at lrd $lrd (GLINT_SEED=$seed)" "drawn$i.pam" pam --lrd "$lrd"
    done
    i=$((i + 1))
  done <drawn.txt
else
  fail "pictures are drawn (GLINT_SEED=$seed)"
fi

# The page's example: its bytes are a stream, of which the page says what the decoder says.
if "$python" - "$tests/../docs/BITSTREAM.md" >output.txt 2>&1 <<'PYTHON' &&
import re, sys
with open(sys.argv[1]) as f:
    example = f.read().split("<!-- example:begin -->\n```\n")[1].split("```\n<!-- example:end -->")[0]
with open("example.txt", "w") as f:
    f.write(example)
with open("example.glint", "wb") as f:
    f.write(b"".join(bytes.fromhex(line[8:44]) for line in example.splitlines() if re.match(r" *\d+  ", line[:8])))
PYTHON
  "$python" "$tests/reference_decoder.py" --explain "$fp32" example.glint >explained.txt 2>output.txt &&
  "$glint" decode --model "$fp32" example.glint example.ppm >output.txt 2>&1 &&
  diff example.txt explained.txt >output.txt; then
  pass "the example of docs/BITSTREAM.md"
else
  fail "the example of docs/BITSTREAM.md"
fi

# Both decoders read the conformance set as it says, and one that does not is found.
conforms() {
  local name=$1
  shift
  local summary
  summary=$("$python" "$tests/../conformance/check.py" "$@" 2>&1 | tee output.txt | tail -n 1)
  if [[ "$summary" =~ ^([0-9]+)\ passed,\ 0\ failed$ ]] && ((BASH_REMATCH[1] > 0)); then
    pass "conformance, $name: $summary"
  else
    fail "conformance, $name"
  fi
}
conforms "the library" "$glint" decode --model "{model}" "{stream}" "{picture}"
conforms "the second decoder" "$python" "$tests/reference_decoder.py" --write "{picture}" --latents "{latents}" "{model}" "{stream}"
printf 'P6\n1 1\n255\n\1\2\3' >pixel.pam
if "$python" "$tests/../conformance/check.py" env "STREAM={stream}" cp pixel.pam "{picture}" >output.txt 2>&1; then
  fail "conformance: a decoder that decodes nothing does not pass"
else
  pass "conformance: a decoder that decodes nothing does not pass"
fi

# A decoder that finds no fault with anything would agree as well.
printf '\1' | dd of=stream.glint bs=1 seek=200 conv=notrunc status=none
if "$python" "$tests/reference_decoder.py" "$model" stream.glint >output.txt 2>&1; then
  fail "a damaged stream is refused"
else
  pass "a damaged stream is refused: $(tail -n 1 output.txt)"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
