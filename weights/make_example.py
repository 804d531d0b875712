#!/usr/bin/env python3
"""Makes the picture at the head of README.md: a part of a sample, the same through Glint, and as a JPEG of that size.

  make_example.py GLINT MODEL SAMPLE.png OUT.png [--lrd 7e-5] [--crop LEFT,TOP,SIDE]

The JPEG is the smallest of all qualities (Pillow, 4:2:0, optimised tables) that has at least as many bytes as the Glint file, or the largest there
is. Prints the line of README.md that shows the picture.
"""
import argparse
import io
import os
import subprocess
import tempfile

from PIL import Image, ImageDraw

GAP, LABEL = 10, 20


def through_glint(glint, model, sample, lrd):
    """(picture, bytes)"""
    with tempfile.TemporaryDirectory() as folder:
        stream, decoded = os.path.join(folder, "s.glint"), os.path.join(folder, "d.png")
        subprocess.run([glint, "encode", "--model", model, "--lrd", str(lrd), sample, stream], check=True)
        subprocess.run([glint, "decode", "--model", model, stream, decoded], check=True)
        return Image.open(decoded).convert("RGB"), os.path.getsize(stream)


def through_jpeg(image, size):
    """(picture, bytes)"""
    for quality in range(1, 101):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=quality, optimize=True, subsampling="4:2:0")
        if data.tell() >= size:
            break
    return Image.open(data).convert("RGB"), data.tell()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("glint")
    ap.add_argument("model")
    ap.add_argument("sample")
    ap.add_argument("out")
    ap.add_argument("--lrd", type=float, default=7e-5)
    ap.add_argument("--crop", default="40,110,300")
    a = ap.parse_args()
    original = Image.open(a.sample).convert("RGB")
    pixels = original.width * original.height
    ours, size = through_glint(a.glint, a.model, a.sample, a.lrd)
    jpeg, jpeg_size = through_jpeg(original, size)
    left, top, side = (int(v) for v in a.crop.split(","))
    page = Image.new("RGB", (3 * side + 2 * GAP, side + LABEL), "white")
    for i, (picture, label) in enumerate([(original, "original"), (ours, f"Glint, {8 * size / pixels:.2f} bpp"),
                                          (jpeg, f"JPEG, {8 * jpeg_size / pixels:.2f} bpp")]):
        page.paste(picture.crop((left, top, left + side, top + side)), (i * (side + GAP), 0))
        ImageDraw.Draw(page).text((i * (side + GAP) + 4, side + 5), label, fill="black")
    page.save(a.out, optimize=True)
    print(f"![A sample picture, the same through Glint at {8 * size / pixels:.2f} bits per pixel, and as JPEG of that size](docs/images/result.png)")


if __name__ == "__main__":
    main()
