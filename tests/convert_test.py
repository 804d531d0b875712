#!/usr/bin/env python3
"""Models of CompressAI, converted by weights/convert_model.py, against what CompressAI's own classes compute.

  convert_test.py [--bin BIN_DIR] [--golden FILE.npz]

FILE.npz is made by weights/make_convert_golden.py; weights are drawn anew (compressai_models.py). With BIN_DIR the programs code the
pictures as well. Needs numpy only.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [TESTS, os.path.join(TESTS, "..", "weights")]
from checks import Checks, expect
from compressai_models import Draw, save, state_dict
from convert.ranges import padded
from convert.tables import default_scales, factorized_tables, gaussian_tables
from convert_context import check_context
from convert_programs import check_programs
from convert_refusals import check_refusals
from convert_units import check_units
from converter import convert, off
from reference_decoder import read_pnm
from reference_model import Model, run_graph

CLOSE = 1e-4


class Case:
    """A drawn model, its file, and what CompressAI says about it."""

    def __init__(self, number, about, golden, folder):
        self.about, self.picture = about, golden[f"picture.{about['seed']}"]
        self.golden = {name.split(".", 1)[1]: golden[name] for name in golden.files if name.startswith(f"{number}.")}
        self.name = f"{about['architecture']} {about['n']} {about['m']} seed {about['seed']}"
        self.checkpoint, self.path = (os.path.join(folder, f"{number}{suffix}") for suffix in (".pth", ".safetensors"))
        self.state = state_dict(*(about.get(key) for key in ("architecture", "n", "m", "seed", "groups")))
        save(self.checkpoint, self.state, wrap=lambda state: {"epoch": 3, "state_dict": state})

    def convert(self):
        made = convert(self.checkpoint, "--out", self.path, "--fraction-bits", "6")
        expect(made.returncode == 0, made.stderr)
        self.model = Model(self.path)

    def run(self, graph, x):
        return run_graph(self.model, graph, {self.model.doc["graphs"][graph]["inputs"][0]["name"]: x.astype(np.float32)})

    def median(self):
        return next(values[:, 0, 1] for key, values in self.state.items() if key.endswith("entropy_bottleneck.quantiles"))


def coded_values(case, psi):
    """(means, scales) of y: of every step where it codes, fed with what a decoder has by then of CompressAI's y-hat. Zeros where means are
    none. A serial step gets all of y-hat at once, and for one position once more what comes before it only."""
    y_hat, model = case.golden["y_hat"], case.model
    means, scales, known = np.zeros_like(y_hat), np.full_like(y_hat, np.nan), np.zeros_like(y_hat)
    even = np.add.outer(np.arange(y_hat.shape[0]), np.arange(y_hat.shape[1])) % 2 == 0
    for step in model.doc["coding"]["steps"]:
        source = step["distribution"]
        if source["kind"] == "fixed":
            continue
        (part,) = step["parts"]
        own, at = slice(*part["channels"]), {"all": np.full_like(even, True), "even": even, "odd": ~even}[part["positions"]]

        def outputs(y):
            inputs = {name: psi if place == "psi" else y[:, :, slice(*place)] for name, place in source["inputs"].items()}
            return run_graph(model, source["graph"], inputs)

        serial = step.get("order") == "wavefront"
        made = outputs(y_hat if serial else known)
        if serial:
            row, column = np.array(y_hat.shape[:2]) // 2
            before = np.arange(even.size).reshape(even.shape) < row * even.shape[1] + column
            expect((outputs(y_hat * before[:, :, None])[row, column] == made[row, column]).all(), "it reads what is not coded yet")
        for values, half in zip((scales, means), reversed(np.split(made, 2 if source["kind"] == "means_and_scales" else 1, 2))):
            values[:, :, own][at] = half[at]
        known[:, :, own][at] = y_hat[:, :, own][at]
    return means, scales


def stages(case):
    """(name, converted model's, CompressAI's), each stage fed with CompressAI's own input."""
    golden, shift = case.golden, case.median()
    y = case.run("g_a", padded(case.picture.astype(np.float32) / np.float32(255), case.model.doc["picture"]))
    rows, columns = (-(-size // 64) * 64 - size for size in case.picture.shape[:2])
    crop = np.s_[rows // 2:rows // 2 + case.picture.shape[0], columns // 2:columns // 2 + case.picture.shape[1]]
    if "z" not in golden:
        yield "y", y + shift, golden["y"]
        yield "x_hat", case.run("g_s", golden["symbols"])[crop], golden["x_hat"]
        return
    yield "y", y, golden["y"]
    yield "z", case.run("h_a", golden["y"]) + shift, golden["z"]
    psi = case.run("h_s", golden["symbols"])
    if "psi" in golden:
        yield "psi", psi, golden["psi"]
    means, scales = coded_values(case, golden.get("psi", psi))
    if "means" in golden:
        yield "means", means, golden["means"]
    yield "scales", scales, np.maximum(golden["scales"], 0) if "means" not in golden else golden["scales"]
    yield "x_hat", case.run("g_s", golden["y_hat"])[crop], golden["x_hat"]


def rows_of(model, name):
    """A set of tables as CompressAI's `_quantized_cdf`: rows with zeros behind."""
    tables = model.tables(model.doc["coding"]["tables"][name])
    rows = np.zeros((len(tables), max(len(cdf) for cdf, _ in tables)), np.int64)
    for row, (cdf, _) in zip(rows, tables):
        row[:len(cdf)] = cdf
    return rows


def check_digests(checks, wanted):
    """Tables of the sizes that trained models have, bit for bit."""
    def digest(parts):
        return hashlib.sha256(b"".join(np.asarray(part).astype("<i4").tobytes() for part in parts)).hexdigest()

    for channels, seed, hexadecimal in wanted["priors"]:
        with checks.check(f"tables of a prior of {channels} channels, seed {seed}: the bits of update()"):
            draw = Draw(seed)
            draw.prior(channels)
            value = lambda kind, count: [draw.state[f"entropy_bottleneck.{kind}.{i}"] for i in range(count)]
            prior = {"matrices": value("matrices", 5), "biases": value("biases", 5), "factors": value("factors", 4),
                     "quantiles": draw.state["entropy_bottleneck.quantiles"]}
            expect(digest(factorized_tables(prior)) == hexadecimal, "they differ")
    with checks.check("tables of 64 scales: the bits of update()"):
        expect(digest(gaussian_tables(default_scales())) == wanted["gaussian"], "they differ")


def check_stages(checks, case):
    with checks.check(f"{case.name}: converts"):
        case.convert()
    if not hasattr(case, "model"):
        return
    with checks.check(f"{case.name}: every stage as in CompressAI") as notes:
        for name, got, wanted in stages(case):
            error = off(got, wanted)
            expect(error <= CLOSE, f"{name} differs by {error:.2g} of its root mean square")
            notes.append(f"{name} {error:.1g}")
    with checks.check(f"{case.name}: tables as update() makes them") as notes:
        rows = rows_of(case.model, "z" if "z" in case.golden else "y")
        expect(rows.shape == case.golden["prior"].shape, f"shape {rows.shape}, not {case.golden['prior'].shape}")
        # What few channels leave beside whole vectors, PyTorch computes with another exp, so a rare count is one off.
        differ = np.abs(rows - case.golden["prior"])
        expect(differ.max() <= 1 and (differ.max(1) > 0).sum() <= 1, f"{(differ.max(1) > 0).sum()} rows differ by up to {differ.max()}")
        notes.append(f"{(differ.max(1) == 0).sum()} of {len(rows)} rows the same bits")
    if "scales" not in case.golden:
        return
    with checks.check(f"{case.name}: scales choose the tables"):
        index = np.digitize(case.golden["scales"], case.model.tensor("coding.gaussian.thresholds"))
        below = default_scales()[:-1] < np.maximum(case.golden["scales"], np.float32(0.11))[..., None]
        expect((index == below.sum(-1)).all(), "others than in CompressAI")


def check_coding(checks, case, folder, glint):
    """Real bytes and PSNR of the programs beside those of compress() and decompress()."""
    source, stream, back = (os.path.join(folder, name) for name in ("x.ppm", "x.glint", "back.ppm"))
    rows, columns, _ = case.picture.shape
    with open(source, "wb") as f:
        f.write(f"P6\n{columns} {rows}\n255\n".encode() + case.picture.tobytes())
    with checks.check(f"{case.name}: bytes and PSNR as of CompressAI") as notes:
        for command in (["encode", "--detail", "off", "--model", case.path, source, stream], ["decode", "--model", case.path, stream, back]):
            done = subprocess.run([glint, *command], capture_output=True, text=True)
            expect(done.returncode == 0, done.stderr)
        with open(back, "rb") as f:
            decoded = read_pnm(f.read())[0]
        psnr = 10 * np.log10(255 ** 2 / np.square(decoded - case.picture.astype(np.float64)).mean())
        size, about = os.path.getsize(stream), case.about
        levels = np.abs(decoded - np.clip(case.golden["x_hat"], 0, 1) * 255).mean() - 0.25      # which rounding to 8 bits costs
        notes += [f"{size} bytes, {about['bytes']} there", f"{psnr:.3f} dB, {about['psnr']:.3f} there", f"samples {levels:.2f} apart"]
        expect(abs(size - about["bytes"]) <= 0.005 * about["bytes"] + 64 and abs(psnr - about["psnr"]) <= 0.01, ", ".join(notes))
        expect(levels <= 0.25, ", ".join(notes))
    with checks.check(f"{case.name}: the reference decoder reads the stream"):
        done = subprocess.run([sys.executable, os.path.join(TESTS, "reference_decoder.py"), case.path, stream, back],
                              capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", help="folder of the programs")
    ap.add_argument("--golden", help="another file than that of the tests: nothing but its cases is checked")
    args = ap.parse_args()
    checks = Checks()
    golden = np.load(args.golden or os.path.join(TESTS, "data", "golden", "compressai.npz"))
    with tempfile.TemporaryDirectory() as folder:
        for number, about in enumerate(json.loads(golden["cases"].tobytes())):
            case = Case(number, about, golden, folder)
            check_stages(checks, case)
            if args.bin:
                check_coding(checks, case, folder, os.path.join(args.bin, "glint"))
        if not args.golden:
            check_digests(checks, json.loads(golden["tables"].tobytes()))
            check_units(checks, folder)
            check_context(checks, folder)
            check_refusals(checks, folder)
            if args.bin:
                check_programs(checks, folder, args.bin, convert)
    sys.exit(checks.end())


if __name__ == "__main__":
    main()
