#!/usr/bin/env python3
"""Measures what `--quality` means to `light`, on the 24 Kodak pictures.

  quality.py curve KODAK_FOLDER   writes codec/rate/quality_light.inc, with details; then build again
  quality.py alone KODAK_FOLDER   the same without details: codec/rate/quality_light_alone.inc
  quality.py table KODAK_FOLDER   writes the table of docs/EVALUATE.md, and fails where a step of PSNR is further
                                  than 15 % from the mean of the steps
Environment: BIN, the folder of the programs (build/bin).
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("BIN", os.path.join(ROOT, "build", "bin"))
MODELS = {name: os.path.join(ROOT, "weights", f"light-{name}.safetensors") for name in ("fp32", "int8")}
RATE = os.path.join(ROOT, "codec", "rate")
CURVES = {  # by command: the file, the model, flags, words
    "curve": ("quality_light.inc", "int8", [], "in INT8 and its details"),
    "alone": ("quality_light_alone.inc", "fp32", ["--detail", "off"], "in FP32 without details"),
}
PAGE = os.path.join(ROOT, "docs", "EVALUATE.md")
INTERVALS = 32
STEP = 10  # of quality, in the table
TOLERANCE = 0.15


def evaluate(model, kodak, flags):
    """The means over the pictures, one for each rate, by name."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        subprocess.run([os.path.join(BIN, "evaluate"), "--model", model, "--gt_path", kodak, "--freq", "1000",
                        "--threads", "0", "--no-verify", "--json", out, *flags], check=True, stdout=subprocess.DEVNULL)
        with open(out, encoding="utf-8") as file:
            return json.load(file)["results"]


def write_curve(command, kodak):
    name, form, flags, words = CURVES[command]
    low, high = evaluate(MODELS[form], kodak, [*flags, "--quality", "0,100"])["lrd"]
    lrds = [low] + [float(f"{low * (high / low) ** (i / INTERVALS):.6g}") for i in range(1, INTERVALS)] + [high]
    psnr = evaluate(MODELS[form], kodak, [*flags, "--lrd", ",".join(map(repr, lrds))])["psnr-rgb"]
    if any(b <= a for a, b in zip(psnr, psnr[1:])):
        sys.exit("quality.py: PSNR does not rise with every step of lrd: no curve can be made of it")
    shares = [100 * (value - psnr[0]) / (psnr[-1] - psnr[0]) for value in psnr]
    lines = [", ".join(f"{share:.2f}" for share in shares[i:i + 11]) for i in range(0, len(shares), 11)]
    with open(os.path.join(RATE, name), "w", encoding="utf-8") as file:
        file.write(f"// Made by bench/quality.py {command}: the mean PSNR of Kodak with light {words}, at\n"
                   f"// {len(shares)} rates from the lowest to the highest, at equal steps of log lrd, in per cent of the way\n"
                   "// from the least PSNR to the greatest.\n" + ",\n".join(lines) + "\n")


def write_table(kodak):
    qualities = list(range(0, 101, STEP))
    results = {name: evaluate(model, kodak, ["--quality", ",".join(map(str, qualities))])
               for name, model in MODELS.items()}
    titles = ["quality", "lrd"] + [f"{name.upper()}: {what}" for name in results for what in ("bits per pixel", "PSNR, dB")]
    rows = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for i, quality in enumerate(qualities):
        cells = [str(quality), f"{results['fp32']['lrd'][i]:.12f}".rstrip("0")]
        for result in results.values():
            cells += [f"{result['bpp'][i]:.3f}", f"{result['psnr-rgb'][i]:.2f}"]
        rows.append("| " + " | ".join(cells) + " |")
    with open(PAGE, encoding="utf-8") as file:
        head, rest = file.read().split("<!-- quality:begin -->")
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(f"{head}<!-- quality:begin -->\n" + "\n".join(rows) + "\n<!-- quality:end -->" +
                   rest.split("<!-- quality:end -->")[1])
    uneven = 0
    for name, result in results.items():
        psnr = result["psnr-rgb"]
        mean = (psnr[-1] - psnr[0]) / (len(psnr) - 1)
        worst = max(abs(b - a - mean) / mean for a, b in zip(psnr, psnr[1:]))
        print(f"{name}: steps of {mean:.3f} dB, at most {100 * worst:.1f} % from that")
        uneven = max(uneven, worst)
    if not uneven <= TOLERANCE:
        sys.exit(f"quality.py: a step is more than {100 * TOLERANCE:.0f} % from the mean")


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in (*CURVES, "table"):
        sys.exit(__doc__)
    command, kodak = sys.argv[1], os.path.abspath(sys.argv[2])
    if command == "table":
        write_table(kodak)
    else:
        write_curve(command, kodak)


if __name__ == "__main__":
    main()
