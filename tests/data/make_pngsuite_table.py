#!/usr/bin/env python3
"""Writes tests/data/pngsuite.txt: what every file of PngSuite decodes to, found without libpng.

A small PNG decoder of its own (zlib and numpy); where Pillow keeps all bits, the two must agree.
A line: name width height channels alpha depth CRC-32 of the samples (interleaved; 16-bit ones big-endian),
or name "refused" and why. Samples are what glint::Picture promises: palettes as RGB, colour keys as alpha,
gray below 8 bits unscaled unless it has a colour key (then 8 bits).
"""
import os
import struct
import zlib

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


class Refused(Exception):
    pass


def chunks(data):
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise Refused("signature")
    at = 8
    while True:
        if at + 12 > len(data):
            raise Refused("truncated")
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        crc = data[at + 8 + size:at + 12 + size]
        if len(crc) < 4 or zlib.crc32(kind + body) != struct.unpack(">I", crc)[0]:
            raise Refused("CRC")
        yield kind, body
        if kind == b"IEND":
            return
        at += 12 + size


def unfilter(raw, width, height, bits):
    """Rows of bytes of one pass, and how much of raw they took."""
    stride, step = (width * bits + 7) // 8, max(1, bits // 8)
    rows, above, at = [], bytearray(stride), 0
    for _ in range(height):
        kind, row = raw[at], bytearray(raw[at + 1:at + 1 + stride])
        if kind > 4 or len(row) != stride:
            raise Refused("filter")
        for i in range(stride):
            a = row[i - step] if i >= step else 0
            b = above[i]
            c = above[i - step] if i >= step else 0
            if kind == 1:
                p = a
            elif kind == 2:
                p = b
            elif kind == 3:
                p = (a + b) // 2
            elif kind == 4:
                pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                p = a if pa <= pb and pa <= pc else b if pb <= pc else c
            else:
                p = 0
            row[i] = (row[i] + p) & 255
        rows.append(row)
        above = row
        at += 1 + stride
    return rows, at


def unpack(rows, width, samples, depth):
    out = np.zeros((len(rows), width, samples), np.int64)
    for y, row in enumerate(rows):
        bits = np.unpackbits(np.frombuffer(bytes(row), np.uint8))[:width * samples * depth]
        out[y] = (bits.reshape(width, samples, depth) << np.arange(depth - 1, -1, -1)).sum(2)
    return out


def decode(data):
    header, palette, key, packed = None, None, None, b""
    for kind, body in chunks(data):
        if header is None and kind != b"IHDR":
            raise Refused("no IHDR")
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"PLTE":
            palette = np.frombuffer(body, np.uint8).reshape(-1, 3).astype(np.int64)
        elif kind == b"tRNS":
            key = body
        elif kind == b"IDAT":
            packed += body
        elif not kind[0] & 32 and kind != b"IEND":
            raise Refused("unknown critical chunk")
    width, height, depth, color, _, _, interlaced = header
    if depth not in DEPTHS.get(color, ()):
        raise Refused(f"colour type {color} with depth {depth}")
    if not packed:
        raise Refused("no IDAT")
    raw, samples = zlib.decompress(packed), SAMPLES[color]
    out = np.zeros((height, width, samples), np.int64)
    for x0, y0, dx, dy in PASSES if interlaced else ((0, 0, 1, 1),):
        w, h = -(-(width - x0) // dx), -(-(height - y0) // dy)
        if w <= 0 or h <= 0:
            continue
        rows, used = unfilter(raw, w, h, samples * depth)
        out[y0::dy, x0::dx] = unpack(rows, w, samples, depth)
        raw = raw[used:]
    if color == 3:
        alpha = np.full(len(palette), 255, np.int64)
        if key is not None:
            alpha[:len(key)] = list(key)
            return np.dstack([palette[out[..., 0]], alpha[out[..., 0]]]), 8
        return palette[out[..., 0]], 8
    if key is not None:
        wanted = np.array(struct.unpack(f">{samples}H", key))
        opaque = (out != wanted).any(2, keepdims=True)
        if depth < 8:
            out, depth = out * (255 // (2 ** depth - 1)), 8
        return np.dstack([out, opaque * (2 ** depth - 1)]), depth
    return out, depth


def check_with_pillow(path, out, depth):
    image = Image.open(path)
    channels = out.shape[2]
    if depth == 16 and (image.mode not in ("I", "I;16") or channels != 1):
        return False  # Pillow cuts 16-bit colour to 8 bits
    if channels == 2 and "transparency" in image.info and path.endswith("4.png"):
        return False  # Pillow compares an unscaled key with scaled gray
    mode = {1: "I" if depth == 16 else "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    if mode == "LA":
        image = image.convert("RGBA")
        pillow = np.array(image)[..., [0, 3]]
    else:
        pillow = np.array(image if mode == "I" else image.convert(mode)).reshape(out.shape)
    scaled = out * (255 // (2 ** depth - 1)) if depth < 8 else out
    assert (pillow == scaled).all(), path
    return True


def main():
    folder, agreed = os.path.join(HERE, "pngsuite"), 0
    with open(os.path.join(HERE, "pngsuite.txt"), "w") as table:
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".png"):
                continue
            path = os.path.join(folder, name)
            try:
                out, depth = decode(open(path, "rb").read())
            except Refused as reason:
                print(name, "refused", reason, file=table)
                continue
            agreed += check_with_pillow(path, out, depth)
            h, w, c = out.shape
            crc = zlib.crc32(out.astype(">u2" if depth == 16 else "u1").tobytes())
            print(name, w, h, 1 if c < 3 else 3, 1 - c % 2, depth, f"{crc:08x}", file=table)
    print("Pillow agrees on", agreed)


if __name__ == "__main__":
    main()
