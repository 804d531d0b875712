#!/usr/bin/env python3
"""Measures SSIMULACRA2 at several rates: Glint beside AVIF, JPEG XL and WebP, which it runs itself.

  ssimulacra2_table.py FOLDER [--model FILE] [--flags "..."] [--lrd L,...] [--codecs NAME,...] [--json FILE]

  --model FILE   default: weights/light-int8.safetensors
  --flags "..."  more flags of `glint encode`
  --lrd L,...    rates of Glint
  --codecs ...   of glint, avif, jxl, webp; default: all
Needs the Python packages ssimulacra2 (0.3.0 was used), NumPy, SciPy and Pillow, and avifenc, avifdec, cjxl, djxl,
cwebp, dwebp of the Debian packages libavif-bin, libjxl-tools and webp. Environment: BIN, the folder of `glint`.

A score is the mean over the pictures at one setting, its rate the mean of their bits per pixel. Bits at a score are
interpolated between settings as bench/detail.py does it for PSNR. 30 is said to be low quality, 50 medium, 70 high,
90 as good as the original.
"""
import argparse
import glob
import json
import os
import shlex
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image
from ssimulacra2 import compute_ssimulacra2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from detail import GLINT, ROOT, Curve, table

SCORES = (30, 40, 50, 60, 70, 80)
AVIF = "avifenc -s 6 -y 444 -d 8 --min 0 --max 63 -a end-usage=q -a tune=psnr -a".split()
NAMES = {"glint": "Glint", "avif": "AVIF 4:4:4", "jxl": "JPEG XL", "webp": "WebP 4:2:0"}
LADDERS = {"avif": (48, 42, 36, 30, 24, 18, 12), "jxl": (7, 5, 4, 3, 2, 1.4, 1), "webp": (10, 30, 50, 70, 85, 95)}


def commands(codec, step, args, picture, stream, decoded):
    """What encodes `picture` into `stream`, and what decodes that."""
    common = ["--model", args.model, "--threads", "1"]
    return {"glint": ([GLINT, "encode", *common, "--lrd", f"{step}", *shlex.split(args.flags), picture, stream],
                      [GLINT, "decode", *common, stream, decoded]),
            "avif": ([*AVIF, f"cq-level={step}", picture, stream], ["avifdec", stream, decoded]),
            "jxl": (["cjxl", "-e", "7", "-d", f"{step}", picture, stream], ["djxl", stream, decoded]),
            "webp": (["cwebp", "-m", "6", "-q", f"{step}", picture, "-o", stream],
                     ["dwebp", stream, "-o", decoded])}[codec]


def measure(codec, step, args, picture):
    """(bits per pixel, score)"""
    with tempfile.TemporaryDirectory() as folder:
        stream, decoded = (os.path.join(folder, name) for name in ("a." + codec, "a.png"))
        for command in commands(codec, step, args, os.path.abspath(picture), stream, decoded):
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                sys.exit(f"ssimulacra2_table.py: {shlex.join(command)}: {done.stderr}")
        with Image.open(picture) as image:
            pixels = image.width * image.height
        return 8 * os.path.getsize(stream) / pixels, compute_ssimulacra2(picture, decoded)


def curve(codec, steps, args, pictures):
    """[(bits per pixel, score), ...], means over the pictures, one for each step"""
    points = []
    for step in steps:
        rate, score = np.mean([measure(codec, step, args, picture) for picture in pictures], 0)
        points.append((float(rate), float(score)))
        print(f"{codec} {step}: {rate:.3f} bits per pixel, {score:.2f}", file=sys.stderr, flush=True)
    return points


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder")
    ap.add_argument("--model", default=os.path.join(ROOT, "weights", "light-int8.safetensors"))
    ap.add_argument("--flags", default="")
    ap.add_argument("--lrd", default="3.3e-5,8e-5,1.7e-4,4e-4,9e-4,2.5e-3")
    ap.add_argument("--codecs", default="glint,avif,jxl,webp")
    ap.add_argument("--json")
    args = ap.parse_args()
    codecs = args.codecs.split(",")
    if unknown := set(codecs) - set(NAMES):
        ap.error(f"--codecs: {', '.join(sorted(unknown))}: not one of {', '.join(NAMES)}")
    pictures = sorted(glob.glob(os.path.join(glob.escape(args.folder), "*.png")))
    if not pictures:
        sys.exit(f"ssimulacra2_table.py: {args.folder}: no PNG files")
    points = {codec: curve(codec, args.lrd.split(",") if codec == "glint" else LADDERS[codec], args, pictures)
              for codec in codecs}
    rows = []
    for codec, of_codec in points.items():
        rates = [Curve(of_codec).rate(score) for score in SCORES]
        rows.append([NAMES[codec]] + ["-" if rate is None else f"{rate:.3f}" for rate in rates])
    table(["bits per pixel at", *map(str, SCORES)], rows)
    if args.json:
        with open(args.json, "w") as out:
            json.dump(points, out, indent=1)


if __name__ == "__main__":
    main()
