#!/usr/bin/env python3
"""Turns what bench/quantisation_methods.sh measured into a table and a picture.

  plot_methods.py WORK_FOLDER RESULTS.md PICTURE.svg

The table takes the place of what stands between the methods:begin and methods:end marks.
"""
import json
import math
import os
import re
import sys

WHAT = {
    "light-fp32": "FP32",
    "fp16": "FP16: weights in half",
    "int16": "INT16: W16A16, 31 bits shared",
    "entropy-w8a16": "W8A16, entropy networks only",
    "seed-w8-q8.8": "the seed's: W8 min-max, A16 Q8.8",
    "w8a16": "W8A16, gptq, smoothing, bias",
    "w8a8-max": "W8A8, min-max, nearest",
    "w8a8-mse": "W8A8, mse ranges, nearest",
    "w8a8-percentile": "W8A8, percentile 99.999, nearest",
    "w8a8-smooth": "+ smoothing",
    "w8a8-bias": "+ bias correction",
    "w8a8-gptq": "+ gptq",
    "w8a8-tuned": "+ task pass (R + lambda D)",
    "w8a8-digits-8th": "gptq and digits for an eighth",
    "w8a8-digits-tuned": "+ task pass",
    "w8a8-digits-4th": "gptq and digits for a quarter",
    "mix-1-bytes": "automatic mix without digits, --max-loss 1",
    "mix-1": "automatic mix, --max-loss 1 (light-int8)",
}


def percent(bd_rate):
    return bd_rate["percent"] if bd_rate and bd_rate.get("percent") is not None else math.nan


def width_speed(work, name):
    """What `quantize` says of the widths of the multiply-adds: the speed where bytes are fast."""
    path = os.path.join(work, name + ".log")
    if not os.path.exists(path):
        return 1.0
    return float(re.search(r"by their width: ([0-9.]+)", open(path).read()).group(1))


def load(work):
    comparison = json.load(open(os.path.join(work, "comparison.json")))["comparison"]["models"]
    rows = []
    for model in comparison:
        name = re.sub(r"\.safetensors$", "", model["label"])
        rows.append({"name": name, "psnr": percent(model["bd_rate_psnr"]), "ms_ssim": percent(model["bd_rate_ms_ssim"]),
                     "size": model["size_ratio"], "transforms": model["speed_ratio"]["transforms"],
                     "width": width_speed(work, name)})
    return rows


def table(rows):
    lines = ["| method | BD-rate, PSNR | BD-rate, MS-SSIM | file | multiply-adds by width | g_a + g_s, measured here |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {WHAT.get(row['name'], row['name'])} | {row['psnr']:+.2f} % | {row['ms_ssim']:+.2f} % | {row['size']:.2f}x "
                     f"| {row['width']:.2f}x | {row['transforms']:.2f}x |")
    return "\n".join(lines)


def picture(rows):
    """Loss (logarithmic) against speed by width; the frontier is what nothing beats in both."""
    left, right, top, bottom, width, height = 70, 20, 20, 50, 720, 430
    low, high = 0.02, 100.0
    x_of = lambda speed: left + (speed - 0.9) / 3.1 * (width - left - right)
    y_of = lambda loss: top + (1 - math.log(min(max(loss, low), high) / low) / math.log(high / low)) * (height - top - bottom)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for loss in (0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100):
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{y_of(loss):.1f}" y2="{y_of(loss):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{y_of(loss) + 4:.1f}" text-anchor="end">{loss:g} %</text>')
    for speed in (1, 1.5, 2, 2.5, 3, 3.5):
        out.append(f'<line x1="{x_of(speed):.1f}" x2="{x_of(speed):.1f}" y1="{top}" y2="{height - bottom}" stroke="#ddd"/>')
        out.append(f'<text x="{x_of(speed):.1f}" y="{height - bottom + 18}" text-anchor="middle">{speed:g}x</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">speed of g_a + g_s by the width of '
               'their multiply-adds, FP32 = 1</text>')
    out.append(f'<text x="16" y="{height / 2}" text-anchor="middle" transform="rotate(-90 16 {height / 2})">BD-rate loss (PSNR)</text>')
    points = [row for row in rows if not math.isnan(row["psnr"])]
    best = [row for row in points
            if not any(o["psnr"] <= row["psnr"] and o["width"] >= row["width"] and o is not row and
                       (o["psnr"] < row["psnr"] or o["width"] > row["width"]) for o in points)]
    line = " ".join(f"{x_of(row['width']):.1f},{y_of(row['psnr']):.1f}" for row in sorted(best, key=lambda row: row["width"]))
    out.append(f'<polyline points="{line}" fill="none" stroke="#07c" stroke-width="1.5"/>')
    for row in points:
        x, y = x_of(row["width"]), y_of(row["psnr"])
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{"#07c" if row in best else "#999"}"/>')
        end = x > width - 220
        out.append(f'<text x="{x + (-8 if end else 8):.1f}" y="{y + 4:.1f}" text-anchor="{"end" if end else "start"}">{row["name"]}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    work, results, svg = sys.argv[1:4]
    rows = load(work)
    page = open(results).read()
    head, rest = page.split("<!-- methods:begin -->")
    tail = rest.split("<!-- methods:end -->")[1]
    open(results, "w").write(f"{head}<!-- methods:begin -->\n{table(rows)}\n<!-- methods:end -->{tail}")
    open(svg, "w").write(picture(rows))


if __name__ == "__main__":
    main()
