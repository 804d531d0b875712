#!/usr/bin/env python3
"""Whole codings by CompressAI and by Glint of one model, one thread, all in turn.

  codings.py [--architecture mbt2018-mean] [--n 128] [--m 192] [--picture FILE] [--rounds 3]
             [--programs build/bin] [--json FILE]

Weights are drawn (draw_model.py), for times hardly depend on them. CompressAI runs compress() and decompress() on
PyTorch, Glint codes inside of bench_stages; neither starts a program or touches a file meanwhile. INT8 is `quantize
--type INT8` on the samples. Bits and quality of both are shown, for what differs there is not the same work.

  --picture FILE  sides of multiples of 64 (default: 768x512 out of tools/samples/lake.png)

Python packages: numpy, pillow, torch, compressai 1.2.7 or newer.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import compressai
import numpy as np
import torch
from PIL import Image

from runs import ROOT, Best, Glint, checked, cpu_name, need_program

sys.path[:0] = [os.path.join(ROOT, "weights"), os.path.join(ROOT, "tests")]
import compressai_models
from make_convert_golden import network

STAGES = {"encoding": "encode/whole", "decoding": "decode/whole"}


def make_picture(wanted, folder):
    """(path of a PNG, its samples)"""
    picture = Image.open(wanted or os.path.join(ROOT, "tools", "samples", "lake.png")).convert("RGB")
    if not wanted:
        picture = picture.crop((0, 0, 768, 512))
    if picture.width % 64 or picture.height % 64:
        sys.exit(f"{wanted}: {picture.width}x{picture.height}, where the sides are to be multiples of 64")
    path = os.path.join(folder, "picture.png")
    picture.save(path)
    return path, np.asarray(picture)


def make_models(a, folder):
    """{precision: path}, of the weights that network() has."""
    fp32, int8 = os.path.join(folder, "fp32.safetensors"), os.path.join(folder, "int8.safetensors")
    draw = os.path.join(os.path.dirname(os.path.abspath(__file__)), "draw_model.py")
    checked([sys.executable, draw, a.architecture, str(a.n), str(a.m), fp32])
    checked([os.path.join(a.programs, "quantize"), "--type", "INT8", "--model", fp32, "--out", int8])
    return {"FP32": fp32, "INT8": int8}


def psnr_of(samples, other):
    return float(10 * np.log10(255 ** 2 / np.mean((samples.astype(float) - other) ** 2)))


class CompressAi:
    def __init__(self, a, samples):
        torch.set_num_threads(1)
        self.net = network(a.architecture, a.n, a.m, 1)
        self.x = torch.from_numpy(samples.copy()).permute(2, 0, 1)[None].float() / 255

    @torch.no_grad()
    def run(self, best):
        """(bytes, samples)"""
        began = time.perf_counter()
        out = self.net.compress(self.x)
        coded = time.perf_counter()
        back = self.net.decompress(**out)["x_hat"]
        best.add("CompressAI", "decoding", 1e3 * (time.perf_counter() - coded))
        best.add("CompressAI", "encoding", 1e3 * (coded - began))
        size = sum(len(s) for strings in out["strings"] for s in flat(strings))
        return size, torch.round(back[0].permute(1, 2, 0).clamp(0, 1) * 255).numpy()


def flat(strings):
    """Strings in lists, or in lists of lists."""
    for s in strings:
        yield from [s] if isinstance(s, bytes) else flat(s)


def glint_coded(a, model, path, folder):
    """(bytes, samples), without details, which CompressAI has not."""
    glint, stream, back = (os.path.join(a.programs, "glint"), os.path.join(folder, "s.glint"),
                           os.path.join(folder, "back.png"))
    subprocess.run([glint, "encode", "--detail", "off", "--model", model, path, stream], check=True)
    subprocess.run([glint, "decode", "--model", model, stream, back], check=True)
    return os.path.getsize(stream), np.asarray(Image.open(back))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--architecture", default="mbt2018-mean", choices=compressai_models.ARCHITECTURES)
    ap.add_argument("--n", type=int, default=128)
    ap.add_argument("--m", type=int, default=192)
    ap.add_argument("--picture")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--programs", default=os.path.join(ROOT, "build", "bin"))
    ap.add_argument("--json")
    a = ap.parse_args()
    if a.rounds < 1:
        ap.error("--rounds: at least 1")
    bench = os.path.join(a.programs, "bench_stages")
    for program in ("bench_stages", "glint", "quantize"):
        need_program(os.path.join(a.programs, program))
    best = Best()
    with tempfile.TemporaryDirectory() as folder:
        path, samples = make_picture(a.picture, folder)
        models = make_models(a, folder)
        peer = CompressAi(a, samples)
        glint = Glint(bench, models, STAGES, ["--picture", path])
        for _ in range(a.rounds):
            coded = {"CompressAI": peer.run(best)}
            glint.run(best)
        for precision, model in models.items():
            coded[f"Glint {precision}"] = glint_coded(a, model, path, folder)
    pixels = samples.shape[0] * samples.shape[1]
    print(f"{a.architecture}, N {a.n}, M {a.m}, {samples.shape[1]}x{samples.shape[0]}, one thread of {cpu_name()}, Glint on "
          f"{glint.target}, CompressAI {compressai.__version__} on PyTorch {re.sub('[+].*', '', torch.__version__)}; "
          f"best of {a.rounds} rounds in turn.\n")
    print("| | encoding, s | decoding, s | times CompressAI: encoding | decoding | bpp | PSNR |\n|---|---|---|---|---|---|---|")
    rows = []
    for name, (size, back) in coded.items():
        seconds = [best.of(name, part) / 1e3 for part in STAGES]
        times = [best.of("CompressAI", part) / best.of(name, part) for part in STAGES]
        rows.append({"name": name, "seconds": seconds, "bpp": 8 * size / pixels, "psnr": psnr_of(samples, back)})
        print(f"| {name} | {seconds[0]:.3f} | {seconds[1]:.3f} | {times[0]:.1f}x | {times[1]:.1f}x | {rows[-1]['bpp']:.3f} | "
              f"{rows[-1]['psnr']:.2f} dB |")
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"architecture": a.architecture, "n": a.n, "m": a.m, "cpu": cpu_name(), "target": glint.target,
                       "rows": rows}, f, indent=1)


if __name__ == "__main__":
    main()
