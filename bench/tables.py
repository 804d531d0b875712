#!/usr/bin/env python3
"""The tables of docs/PERFORMANCE.md for this machine: kernels, and stages of whole codings.

Usage: tables.py BIN_DIR [--target NAME] [--quick]

Runs bench_kernels and bench_stages of BIN_DIR, one thread, and prints Markdown. Each number is the
best of several repetitions in random order, so other work on the machine matters little; where
several layers share a row, it is the range over them, and of stages over three runs. --quick: one
short repetition, to try the script; its numbers mean nothing.
Needs Python 3.9, and nothing else.
"""

import argparse
import json
import re
import subprocess
import sys

KERNELS = (
    ("5x5/2, 32 to 128 inputs", r"conv/(light/(a[234]|ha[23])|mbt2018/g_a\.6)"),
    ("5x5/2, 3 inputs", r"conv/(light/a1|mbt2018/g_a\.0)"),
    ("3x3, 32 to 192 inputs", r"conv/(light/(ar[0-9]\.b|ha1|hs3|c10)|mbt2018/h_s\.4)"),
    ("transposed 5x5/2, 4x4/2", r"deconv/(light/(s[123]|hs[12])|mbt2018/(g_s\.[02]|h_s\.[02]))"),
    ("transposed, 3 outputs", r"deconv/(light/s0|mbt2018/g_s\.6)"),
    ("1x1, 96 to 384 inputs", r"conv1x1/light/(ar3\.a|ar4\.[ac]|p.*)"),
    ("1x1, 32 and 64 inputs", r"conv1x1/light/(ar2\.[ac]|ar3\.c)"),
    ("checkerboard 5x5", r"checkerboard/.*"),
    ("GDN of 32 channels", r"gdn/light/ag1"),
    ("GDN of 64 channels", r"gdn/light/ag2"),
    ("GDN of 128 channels", r"gdn/(light/(ag3|sg3)|mbt2018/.*)"),
)
STAGES = (
    ("analysis", ("encode/analysis",)),
    ("synthesis", ("decode/synthesis",)),
    ("context", ("encode/context", "decode/context")),
    ("hyper", ("encode/hyper", "decode/hyper")),
    ("whole encoding", ("encode/whole",)),
    ("whole decoding", ("decode/whole",)),
)


def run(program, arguments):
    command = [program, "--benchmark_format=json", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        sys.exit(f"tables.py: {program}: {error.strerror}")
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def span(values, digits=0):
    """"81", or "80-85"; a dash where there are none."""
    if not values:
        return "-"
    low, high = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low}-{high}"


def row(cells):
    print("| " + " | ".join(cells) + " |")


def head(cells):
    row(cells)
    row(["---"] * len(cells))


def best(report, counters):
    """The greatest value of each counter, by name without its repetition."""
    found = {}
    for entry in report["benchmarks"]:
        if entry.get("run_type") != "iteration":
            continue
        values = found.setdefault(re.sub(r"/(iterations|manual_time).*", "", entry["run_name"]), {})
        for counter in counters:
            if counter in entry:
                values[counter] = max(values.get(counter, 0), entry[counter])
    return found


def print_kernels(report):
    context = report["context"]
    peaks = ", ".join(f"{name} {float(context[f'peak_{key}_gops']):.0f}" for name, key in (
        ("FP32 FMA", "fp32"), ("FP32 multiply and add", "fp32_exact"), ("int16", "int16"),
        ("uint8 x int8", "int8")))
    print(f"{context.get('cpu', 'CPU')}, {context['target']}, one thread. Peaks in GOPS: {peaks}.\n")
    values = best(report, ("GOPS", "peak_percent"))
    head(["`bench_kernels`", "FP32, % of peak", "int16, % of peak", "int8, % of peak",
          "int16 / FP32", "int8 / FP32"])
    for title, pattern in KERNELS:
        layers = sorted({name.rsplit("/", 1)[0] for name in values
                         if re.fullmatch(pattern + "/fp32", name)})
        cells = [title]
        for kind in ("fp32", "int16", "int8"):
            cells.append(span([values[f"{layer}/{kind}"]["peak_percent"] for layer in layers]))
        for kind in ("int16", "int8"):
            cells.append(span([values[f"{layer}/{kind}"]["GOPS"] / values[f"{layer}/fp32"]["GOPS"]
                               for layer in layers], 2))
        row(cells)


def print_stages(reports, models):
    """`reports`: of several runs. The ratios are those within one run, whose codings alternate."""
    runs = [best(report, ("GOPS", "peak_percent", "x_FP32")) for report in reports]
    others = [model for model in models if model not in ("FP32", "INT16")]
    head(["`bench_stages`, 768x512, `light`", "FP32, % of peak", "int16, % of peak",
          "speed against FP32: int16", *others])
    for title, stages in STAGES:
        def values(model, counter, stages=stages):
            names = [f"{stage}/{model}" for stage in stages]
            return [run[name][counter] for run in runs for name in names if counter in run.get(name, {})]
        row([title, span(values("FP32", "peak_percent")), span(values("INT16", "peak_percent")),
             *(span(values(model, "x_FP32"), 2) for model in ("INT16", *others))])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin_dir")
    parser.add_argument("--target", help="SIMD target; the best here by default")
    parser.add_argument("--quick", action="store_true", help="short, for tests of the script")
    flags = parser.parse_args()
    target = ["--target", flags.target] if flags.target else []
    timing = ["--benchmark_min_time=0.001"] if flags.quick else [
        "--benchmark_min_time=0.01", "--benchmark_repetitions=6",
        "--benchmark_enable_random_interleaving=true"]
    layers = "|".join(f"({pattern})" for _, pattern in KERNELS)
    print_kernels(run(f"{flags.bin_dir}/bench_kernels",
                      [f"--benchmark_filter=^({layers})/(fp32|int16|int8)$", *timing, *target]))
    print()
    models = ["FP32", "INT16", "INT8", "FP16"]
    rounds = "1" if flags.quick else "7"
    stages = ["--type", ",".join(models), "--rounds", rounds, *target]
    print_stages([run(f"{flags.bin_dir}/bench_stages", stages)
                  for _ in range(1 if flags.quick else 3)], models)


if __name__ == "__main__":
    main()
