#!/usr/bin/env python3
"""Turns what bench/quantisation_methods.sh measured into a table and a picture.

  plot_methods.py WORK_FOLDER RESULTS.md README.md PICTURE.svg

The tables take the place of what stands between the marks methods, codecs (RESULTS.md) and shipped (README.md).
"""
import json
import math
import os
import re
import sys

WHAT = {
    "light-fp32": "FP32",
    "light-fp16": "FP16: weights in float16",
    "light-int16": "INT16: W16A16, 31 bits shared",
    "light-int8-entropy": "W8A16, entropy networks only",
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
    "mix-bytes": "automatic mix without digits, --max-loss 0.5",
    "light-int8": "automatic mix, --max-loss 0.5 (light-int8)",
}


TARGETS = {"AVX3": "AVX-512", "AVX3_DL": "AVX-512 VNNI", "AVX3_ZEN4": "AVX-512 VNNI", "AVX3_SPR": "AVX-512 VNNI and FP16",
           "AVX2_VNNI": "AVX-VNNI"}


def percent(bd_rate):
    # + 0.0: what rounds to zero gets no minus
    return round(bd_rate["percent"], 2) + 0.0 if bd_rate and bd_rate.get("percent") is not None else math.nan


def text_of(rate):
    """Where no quality is reached by both there is none."""
    return "apart" if math.isnan(rate) else f"{rate:+.2f} %"


def width_speed(work, name):
    """What `quantize` says of the widths of the multiply-adds: the speed where bytes are fast."""
    path = os.path.join(work, name + ".log")
    if not os.path.exists(path):
        return 1.0
    return float(re.search(r"by their width: ([0-9.]+)", open(path).read()).group(1))


def speeds(results):
    return {re.sub(r"\.safetensors$", "", model["label"]): model["speed_ratio"]["transforms"] for model in results["comparison"]["models"]}


def load(work):
    """(rows of the methods, names of the targets that they were timed on, rows of FP32 against other codecs)"""
    results = json.load(open(os.path.join(work, "comparison.json")))
    target = results["models"][0]["machine"]["target"]
    timed = {TARGETS.get(target, target): speeds(results)}
    again = os.path.join(work, "avx2.json")
    if os.path.exists(again):
        timed["AVX2"] = speeds(json.load(open(again)))
    rows = []
    for model in results["comparison"]["models"]:
        name = re.sub(r"\.safetensors$", "", model["label"])
        rows.append({"name": name, "psnr": percent(model["bd_rate_psnr"]), "ms_ssim": percent(model["bd_rate_ms_ssim"]),
                     "size": model["size_ratio"], "speeds": [speed[name] for speed in timed.values()],
                     "width": width_speed(work, name)})
    return rows, list(timed), [curve for curve in results["curves"] if curve["label"] == "light-fp32"]


def table(rows, targets):
    titles = ["method", "BD-rate, PSNR", "BD-rate, MS-SSIM", "file", "multiply-adds by width"] + [f"g_a + g_s, {target}" for target in targets]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for row in rows:
        cells = [WHAT.get(row["name"], row["name"]), text_of(row["psnr"]), text_of(row["ms_ssim"]), f"{row['size']:.2f}x",
                 f"{row['width']:.2f}x"] + [f"{speed:.2f}x" for speed in row["speeds"]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shipped_table(rows, targets):
    titles = ["model", "BD-rate, PSNR", "BD-rate, MS-SSIM", "file"] + [f"g_a + g_s, {target}" for target in targets]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for row in rows:
        if row["name"].startswith("light-") and row["name"] != "light-fp32":
            cells = [f"`{row['name']}`", text_of(row["psnr"]), text_of(row["ms_ssim"]), f"{row['size']:.2f}x"]
            lines.append("| " + " | ".join(cells + [f"{speed:.2f}x" for speed in row["speeds"]]) + " |")
    return "\n".join(lines)


def codecs_table(curves):
    def cell(rate):
        return "" if math.isnan(percent(rate)) else f"{percent(rate):+.1f} % ({rate['overlap_db'][0]:.1f} to {rate['overlap_db'][1]:.1f} dB)"
    return "\n".join(["| against | BD-rate, PSNR | BD-rate, MS-SSIM |", "|---|---|---|"] +
                     [f"| {c['curve']} | {cell(c['bd_rate_psnr'])} | {cell(c['bd_rate_ms_ssim'])} |" for c in curves])


def insert(path, name, text):
    page = open(path).read()
    head, rest = page.split(f"<!-- {name}:begin -->")
    tail = rest.split(f"<!-- {name}:end -->")[1]
    open(path, "w").write(f"{head}<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->{tail}")


def picture(rows, target):
    """Loss (logarithmic) against speed; the frontier is what nothing beats in both."""
    left, right, top, bottom, width, height = 70, 20, 20, 50, 720, 430
    low, high = 0.02, 300.0
    x_of = lambda speed: left + (speed - 0.9) / 3.1 * (width - left - right)
    y_of = lambda loss: top + (1 - math.log(min(max(loss, low), high) / low) / math.log(high / low)) * (height - top - bottom)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for loss in (0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 250):
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{y_of(loss):.1f}" y2="{y_of(loss):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{y_of(loss) + 4:.1f}" text-anchor="end">{loss:g} %</text>')
    for speed in (1, 1.5, 2, 2.5, 3, 3.5):
        out.append(f'<line x1="{x_of(speed):.1f}" x2="{x_of(speed):.1f}" y1="{top}" y2="{height - bottom}" stroke="#ddd"/>')
        out.append(f'<text x="{x_of(speed):.1f}" y="{height - bottom + 18}" text-anchor="middle">{speed:g}x</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">speed of g_a + g_s '
               f'on {target}, FP32 = 1</text>')
    out.append(f'<text x="16" y="{height / 2}" text-anchor="middle" transform="rotate(-90 16 {height / 2})">BD-rate loss (PSNR)</text>')
    speed_of = lambda row: row["speeds"][0]
    points = [row for row in rows if not math.isnan(row["psnr"])]
    # A measured speed is not known better than to a tenth.
    tenth = lambda row: round(speed_of(row), 1)
    best = [row for row in points
            if not any(o["psnr"] <= row["psnr"] and tenth(o) >= tenth(row) and (o["psnr"] < row["psnr"] or tenth(o) > tenth(row)) for o in points)]
    line = " ".join(f"{x_of(speed_of(row)):.1f},{y_of(row['psnr']):.1f}" for row in sorted(best, key=speed_of))
    out.append(f'<polyline points="{line}" fill="none" stroke="#07c" stroke-width="1.5"/>')
    taken = []  # boxes of names and of points: left, right, middle
    for row in points:
        taken.append((x_of(speed_of(row)) - 4, x_of(speed_of(row)) + 4, y_of(row["psnr"])))
    for row in sorted(points, key=lambda row: row["psnr"]):
        x, y = x_of(speed_of(row)), y_of(row["psnr"])
        # The place beside the point, left or right, that is nearest in height and free.
        long = 6.8 * len(row["name"])
        places = [(first, first + long, y + move) for move in sorted(range(-156, 157, 13), key=abs) for first in (x + 14, x - 14 - long)]
        free = [box for box in places if left < box[0] and box[1] < width and top < box[2] < height - bottom and
                not any(box[0] < o[1] and o[0] < box[1] and abs(box[2] - o[2]) < 12.5 for o in taken)]
        box = (free or places)[0]
        taken.append(box)
        edge = box[0] - 2 if box[0] > x else box[1] + 2
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{"#07c" if row in best else "#999"}"/>')
        out.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{edge:.1f}" y2="{box[2]:.1f}" stroke="#999" stroke-width="0.5"/>')
        out.append(f'<text x="{box[0]:.1f}" y="{box[2] + 4:.1f}" textLength="{long:.1f}">{row["name"]}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    work, results, readme, svg = sys.argv[1:5]
    rows, targets, curves = load(work)
    insert(results, "methods", table(rows, targets))
    insert(results, "codecs", codecs_table(curves))
    insert(readme, "shipped", shipped_table(rows, targets))
    open(svg, "w").write(picture(rows, targets[0]))


if __name__ == "__main__":
    main()
