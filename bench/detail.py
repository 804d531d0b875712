#!/usr/bin/env python3
"""Measures Glint at high quality: photographs beside other codecs, screens beside PNG.

  detail.py kodak FOLDER     bits per pixel at 30 to 42 dB and BD-rates, beside bench/codecs.json; FOLDER holds
                             Kodak's 24 pictures, or whatever the curves of --curves are of
  detail.py screens FOLDER   bytes of streams of at least --db dB beside those of the PNG files in FOLDER, such as
                             screens.py makes (run optipng -o2 on them: the comparison is with files as they are)
Flags:
  --flags "..."    more flags of `glint encode`, after the others
  --model FILE     default: weights/light-fp32.safetensors
  --lrd L,L,...    rates of kodak's ladder by lrd; default: 16 over its whole range; "none": no such ladder
  --targets D,...  dB of kodak's ladder by --target-psnr; default: 28,30,...,44; "none": no such ladder
  --db D           default 40; "none": no --target-psnr, for instance with --flags "--lossless"
  --curves FILE    default: bench/codecs.json
  --threads N      of glint, default 1
  --json FILE      bytes and PSNR of every stream
Environment: BIN, the folder of the programs (build/bin). Needs NumPy and Pillow.

PSNR is over the RGB samples of the decoded files, 8 bits. Bits at a quality are interpolated, the logarithm of bpp
over PSNR by PCHIP as in tools/evaluation/bd_rate.cc, in two ways: on the curve of each picture, then the mean; and on the curve
of the means, which is what codecs.json has. A picture's streams that another beats in both are left out of its curve,
those without loss as well. A picture whose least stream is better than asked counts with that stream; where a picture
does not reach a quality the table has a dash and how many do.
"""
import argparse
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GLINT = os.path.join(os.environ.get("BIN", os.path.join(ROOT, "build", "bin")), "glint")
QUALITIES = (30, 32, 34, 36, 38, 40, 42)
KINDS = (".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".pam")


class Curve:
    """The logarithm of the rate over PSNR: PCHIP through points (rate, PSNR), as tools/evaluation/bd_rate.cc has it."""

    def __init__(self, points):
        kept = []
        for rate, psnr in sorted((r, p) for r, p in points if math.isfinite(p)):
            if not kept or psnr > kept[-1][0]:
                kept.append((psnr, math.log(rate)))
        self.x, self.y = (np.array(column) for column in zip(*kept)) if kept else (np.zeros(0), np.zeros(0))
        if len(kept) > 1:
            self.slopes = self.find_slopes(np.diff(self.x), np.diff(self.y) / np.diff(self.x))

    @staticmethod
    def find_slopes(h, secant):
        if len(h) == 1:
            return np.repeat(secant, 2)
        before, after = h[1:] + 2 * h[:-1], 2 * h[1:] + h[:-1]
        inner = (before + after) / (after / secant[:-1] + before / secant[1:])
        ends = [max(0.0, ((2 * h[a] + h[b]) * secant[a] - h[a] * secant[b]) / (h[a] + h[b]))
                for a, b in ((0, 1), (-1, -2))]
        return np.concatenate([ends[:1], inner, ends[1:]])

    def log_rate(self, x):
        i = min(int(np.searchsorted(self.x, x, "right")), len(self.x) - 1) - 1
        h, t = self.x[i + 1] - self.x[i], x - self.x[i]
        secant, (s, e) = (self.y[i + 1] - self.y[i]) / h, self.slopes[i:i + 2]
        return self.y[i] + t * (s + t * ((3 * secant - 2 * s - e) / h + t * (s + e - 2 * secant) / (h * h)))

    def rate(self, psnr, least=False):
        """None where the curve does not reach; `least`: below the curve, its lowest rate."""
        if len(self.x) < 2 or psnr > self.x[-1] or (psnr < self.x[0] and not least):
            return None
        return math.exp(self.log_rate(max(psnr, self.x[0])))


def bd_rate(first, other, low, high):
    """(percent, from dB, to dB) of more bits that `other` takes; None where they share no quality."""
    if min(len(first.x), len(other.x)) < 2:
        return None
    low, high = max(low, first.x[0], other.x[0]), min(high, first.x[-1], other.x[-1])
    if low >= high:
        return None
    knots = np.unique(np.clip(np.concatenate([first.x, other.x, [low, high]]), low, high))
    total = 0.0
    for a, b in zip(knots, knots[1:]):            # two points of Gauss: exact for cubics
        for node in (-1, 1):
            x = (a + b) / 2 + node * (b - a) / 2 / math.sqrt(3)
            total += (other.log_rate(x) - first.log_rate(x)) * (b - a) / 2
    return 100 * math.expm1(total / (high - low)), low, high


def psnr_of(reference, decoded):
    with Image.open(reference) as a, Image.open(decoded) as b:
        one, other = (np.asarray(image.convert("RGB"), np.float64) for image in (a, b))
    if one.shape != other.shape:
        sys.exit(f"detail.py: {reference}: decoded to another size")
    error = np.mean((one - other) ** 2)
    return 10 * math.log10(255 ** 2 / error) if error else math.inf


def code(args, pictures, *rate):
    """{name: {"bytes", "bpp", "psnr"}} of those pictures that could be coded at this rate."""
    common = ["--model", args.model, "--threads", str(args.threads)]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in pictures.items():
            stream, decoded = os.path.join(folder, "a.glint"), os.path.join(folder, "a.ppm")
            done = subprocess.run([GLINT, "encode", *common, *rate, *shlex.split(args.flags), path, stream],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                if "cannot be reached" not in done.stderr:
                    sys.exit(f"detail.py: {done.stderr}")
                continue
            subprocess.run([GLINT, "decode", *common, "--no-alpha", "--strip", stream, decoded], check=True)
            size = os.path.getsize(stream)
            with Image.open(path) as image:
                pixels = image.width * image.height
            results[name] = {"bytes": size, "bpp": 8 * size / pixels, "psnr": psnr_of(path, decoded)}
            os.remove(stream)
            os.remove(decoded)
    return results


def ladders(args):
    """{name of the ladder: its steps as flags of glint}"""
    if args.lrd is None:
        info = subprocess.run([GLINT, "info", "--json", args.model], check=True, stdout=subprocess.PIPE)
        without = "off" in shlex.split(args.flags)
        limits = json.loads(info.stdout)["lrd" if without else "detail_lrd"]
        low, high = limits["min"], limits["max"]
        args.lrd = [low] + [float(f"{low * (high / low) ** (i / 15):.6g}") for i in range(1, 15)] + [high]
    steps = {"--target-psnr": args.targets, "--lrd": args.lrd}
    return {flag: [(flag, f"{value:.12f}".rstrip("0").rstrip(".")) for value in values]
            for flag, values in steps.items() if values}


def points_of(rows):
    return [(row["bpp"], row["psnr"]) for row in rows]


def mean_curve(steps, count):
    """Of the steps at which every picture could be coded."""
    whole = [list(step.values()) for step in steps if len(step) == count]
    return Curve([(np.mean([row["bpp"] for row in rows]), np.mean([row["psnr"] for row in rows])) for rows in whole])


def bits_cell(curves, quality):
    """The mean over the pictures' curves, or of how many there is one."""
    rates = [rate for curve in curves if (rate := curve.rate(quality, least=True)) is not None]
    return f"{np.mean(rates):.4f}" if len(rates) == len(curves) else f"- ({len(rates)} of {len(curves)})"


def cell(rate):
    return "-" if rate is None else f"{rate:.4f}"


def table(titles, rows):
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def read_codecs(path):
    with open(path, encoding="utf-8") as file:
        return {codec["name"]: Curve(zip(codec["results"]["bpp"], codec["results"]["psnr-rgb"]))
                for codec in json.load(file) if "psnr-rgb" in codec["results"]}


def kodak(args, pictures):
    results = {}
    for name, flags in ladders(args).items():
        results[name] = []
        for rate in flags:
            results[name].append(code(args, pictures, *rate))
            print(*rate, f"{len(results[name][-1])} of {len(pictures)} pictures", file=sys.stderr)
    codecs = read_codecs(args.curves)
    means = {name: mean_curve(steps, len(pictures)) for name, steps in results.items()}
    rows = []
    for name, steps in results.items():
        own = [Curve(points_of(step[picture] for step in steps if picture in step)) for picture in pictures]
        rows.append([f"Glint {name}, by picture"] + [bits_cell(own, quality) for quality in QUALITIES])
        rows.append([f"Glint {name}, of means"] + [cell(means[name].rate(quality)) for quality in QUALITIES])
    rows += [[name] + [cell(curve.rate(quality)) for quality in QUALITIES] for name, curve in codecs.items()]
    table(["bits per pixel at"] + [f"{quality} dB" for quality in QUALITIES], rows)
    rows = []
    for name, curve in codecs.items():
        found = [bd_rate(curve, mean, QUALITIES[0], QUALITIES[-1]) for mean in means.values()]
        rows.append([name] + [f"{bd[0]:+.2f} % ({bd[1]:.1f} to {bd[2]:.1f} dB)" if bd else "-" for bd in found])
    table(["BD-rate of Glint against"] + list(means), rows)
    return results


def screens(args, pictures):
    pictures = {name: path for name, path in pictures.items() if path.lower().endswith(".png")}
    if not pictures:
        sys.exit("detail.py: there is no PNG file in this folder")
    results = code(args, pictures, *(() if args.db is None else ("--target-psnr", f"{args.db:g}")))
    ratios, rows = {}, []
    for name, path in pictures.items():
        png, row = os.path.getsize(path), results.get(name)
        if row is None:
            rows.append([name, str(png), "not reached", "", ""])
            continue
        row["png"], ratios[name] = png, row["bytes"] / png
        rows.append([name, str(png), str(row["bytes"]), f"{ratios[name]:.3f}", f"{row['psnr']:.2f}"])
    table(["picture", "PNG, bytes", "Glint, bytes", "Glint / PNG", "PSNR, dB"], rows)
    missing = [name for name in pictures if name not in results]
    print(f"{len(results)} of {len(pictures)} pictures coded as asked")
    if missing:
        print("not: " + ", ".join(missing))
    if results:
        done = results.values()
        print(f"mean bytes: PNG {np.mean([row['png'] for row in done]):.0f}, Glint "
              f"{np.mean([row['bytes'] for row in done]):.0f}; geometric mean of Glint / PNG "
              f"{math.exp(np.mean(np.log(list(ratios.values())))):.3f}; larger than PNG: "
              f"{sum(ratio > 1 for ratio in ratios.values())}")
        worst = sorted(ratios, key=ratios.get)[:-6:-1]
        print("worst: " + ", ".join(f"{name} {ratios[name]:.3f}" for name in worst))
        least = min(results, key=lambda name: results[name]["psnr"])
        print(f"least PSNR: {least} {results[least]['psnr']:.2f} dB")
    return results


def numbers(text):
    return [] if text == "none" else [float(part) for part in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("what", choices=("kodak", "screens"))
    parser.add_argument("folder")
    parser.add_argument("--flags", default="")
    parser.add_argument("--model", default=os.path.join(ROOT, "weights", "light-fp32.safetensors"))
    parser.add_argument("--lrd", type=numbers)
    parser.add_argument("--targets", type=numbers, default=[float(value) for value in range(28, 45, 2)])
    parser.add_argument("--db", type=lambda text: None if text == "none" else float(text), default=40.0)
    parser.add_argument("--curves", default=os.path.join(ROOT, "bench", "codecs.json"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json")
    words = sys.argv[1:]
    if "--flags" in words[:-1]:                   # argparse takes no value that begins with a minus
        at = words.index("--flags")
        words[at:at + 2] = [f"--flags={words[at + 1]}"]
    return parser.parse_args(words)


def main():
    args = arguments()
    files = sorted(file for file in os.listdir(args.folder) if file.lower().endswith(KINDS) and file[0] != ".")
    pictures = {os.path.splitext(file)[0]: os.path.join(args.folder, file) for file in files}
    if not pictures:
        sys.exit(f"detail.py: {args.folder}: there is no picture in this folder")
    if len(pictures) < len(files):
        sys.exit(f"detail.py: {args.folder}: two pictures have the same name but for the ending")
    results = (kodak if args.what == "kodak" else screens)(args, pictures)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
