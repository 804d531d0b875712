#!/usr/bin/env python3
"""The importer of ONNX graphs (weights/convert/onnx_*.py): every operator and pattern, whole codecs, and every refusal.

  onnx_test.py [--bin BIN_DIR]

With BIN_DIR the programs code with the codecs as well. Needs numpy only.
"""
import argparse
import contextlib
import hashlib
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [TESTS, os.path.join(TESTS, "..", "weights")]
import convert_model
import onnx_refusals
from checks import Checks, expect
from convert.onnx_emit import Emitter
from convert.onnx_graph import run_graph, source_of
from convert.onnx_reader import read_model
from convert.onnx_rules import Builder
from convert.writer import Refused
from onnx_cases import CASES, make
from onnx_codecs import CODECS, M
from onnx_numpy import evaluate
from reference_model import Model
from reference_model import run_graph as run_reference

CLOSE = 1e-5            # of float32 against float64, relative to the largest value
CODEC_CLOSE = 1e-4      # the same of a whole transform


def off(got, wanted):
    """The largest difference, in units of the largest value."""
    expect(got.shape == wanted.shape, f"shape {got.shape}, not {wanted.shape}")
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


# ---- one graph ------------------------------------------------------------------------------------------------

class Memory(Model):
    """A model of one graph that is in no file."""

    def __init__(self, graph, tensors):
        self.doc, self.tensor = {"graphs": {"g": graph}}, tensors.__getitem__


def imported(path, channels, tried=0, numeric_class="close"):
    """The Glint graph of an ONNX file's one output."""
    graph, builder = read_model(path), Builder()
    source = source_of(graph, builder, tried, channels)
    made, emitter = run_graph(graph, builder, source), Emitter()
    return Memory(emitter.graph(path, "g", numeric_class, source, "in", *made.values()), emitter.tensors)


def check_case(path, ops, channels, sizes, opset, build):
    """The operators that come out, the values, and that the size does not matter."""
    m = make(build, channels, sizes, opset)
    model = imported(m.write(path), channels)
    found = [node["op"] for node in model.doc["graphs"]["g"]["nodes"]]
    expect(sorted(found) == sorted(ops), f"operators {found}, not {ops}")
    for shape in [sizes] if sizes else [(16, 24), (8, 40)]:
        x = np.random.default_rng(5).normal(size=(1, channels, *shape)).astype(np.float32)
        wanted, = evaluate(m.nodes, m.constants, {"x": x}, m.outputs)
        error = off(run_reference(model, "g", {"in": np.ascontiguousarray(x[0].transpose(1, 2, 0))}), wanted[0].transpose(1, 2, 0))
        expect(error < CLOSE, f"off by {error}")
    again = imported(path, channels, 1)
    expect(json.dumps(again.doc) == json.dumps(model.doc), "another graph at another size")


# ---- whole codecs ---------------------------------------------------------------------------------------------

def program(args):
    """(exit code, what it says) of convert_model.py"""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            convert_model.main(args)
            code = 0
        except SystemExit as end:
            code = end.code or 0
    return code, out.getvalue()


def stages(codec, model, picture):
    """Yields (stage, what the model file makes, what ONNX says), [H][W][C], each stage fed with what ONNX said before."""
    def onnx(role, x):
        m = codec.makers[role]
        found = evaluate(m.nodes, m.constants, {next(iter(m.inputs)): x.transpose(2, 0, 1)[None]}, m.outputs)
        return [v[0].transpose(1, 2, 0) for v in found]

    def glint(graph, x):
        return run_reference(model, graph, {model.doc["graphs"][graph]["inputs"][0]["name"]: x.astype(np.float32)})

    limited = lambda x: np.clip(x, 0, 1)
    median = {name[0]: value for name, value in codec.tables.items() if name.endswith("_median")}
    y, *z = onnx("g_a", picture)
    if "y" in median:
        symbols = np.rint(y - median["y"])
        yield "y", glint("g_a", picture), y - median["y"]
        yield "x_hat", limited(glint("g_s", symbols)), limited(onnx("g_s", symbols + median["y"])[0])
        return
    yield "y", glint("g_a", picture), y
    z = z[0] if z else onnx("h_a", y)[0]
    yield "z", glint("h_a", y), z - median["z"]
    symbols = np.rint(z - median["z"])
    found = onnx("h_s", symbols + median["z"])
    if "parameters" in codec.makers:
        found = onnx("parameters", found[0])
    if len(found) == 1 and len(codec.order) == 2:
        found = np.split(found[0], 2, 2)
    got = glint("parameters", glint("h_s", symbols))
    got[:, :, -M:] = np.maximum(got[:, :, -M:], codec.bound)      # which the file does not have
    yield "means and scales", got, np.concatenate([found[i] for i in codec.order], 2)
    means = found[codec.order[0]] if len(codec.order) == 2 else 0
    y_hat = np.rint(y - means) + means
    yield "x_hat", limited(glint("g_s", y_hat)), limited(onnx("g_s", y_hat)[0])


def picture(rows, columns):
    """Shading, edges and grain, in 0..1."""
    y, x, c = np.mgrid[0:rows, 0:columns, 0:3]
    grain = np.random.default_rng(1).normal(0, 0.02, (rows, columns, 3))
    return np.clip(0.5 + 0.3 * np.sin(x / 9 + c) * np.cos(y / 7) + 0.15 * ((x // 5 + y // 4) % 2) + grain, 0, 1)


def converted(codec, name, folder):
    path = os.path.join(folder, f"{name}.safetensors")
    code, said = program([*codec.write(folder), "--out", path, "--licence", "none", "--quality", "3", "--fraction-bits", "5"])
    expect(code == 0, said)
    return path, Model(path)


def check_codec(name, folder, notes):
    codec = CODECS[name]()
    _, model = converted(codec, name, folder)
    for stage, got, wanted in stages(codec, model, picture(64, 128)):
        error = off(got, wanted)
        expect(error < CODEC_CLOSE, f"{stage} is off by {error}")
        notes.append(f"{stage} {error:.0e}")
    said = model.doc["provenance"]
    files = [f"{role}.onnx" for role in ("g_a", "h_a", "h_s", "parameters", "g_s") if role in codec.makers] + ["tables.npz"]
    sha = hashlib.sha256(b"".join(pathlib.Path(folder, f).read_bytes() for f in files)).hexdigest()
    wanted = {"source": ", ".join(files), "sha256": sha, "licence": "none", "quality": 3}
    expect({key: said.get(key) for key in wanted} == wanted, f"provenance {said}")


def check_programs(name, folder, programs, notes):
    """Both decoders read what `glint encode` makes."""
    path, _ = converted(CODECS[name](), name, folder)
    odd, stream, decoded = (os.path.join(folder, f"{name}.{suffix}") for suffix in ("in.ppm", "glint", "ppm"))
    with open(odd, "wb") as f:
        f.write(b"P6\n141 83\n255\n" + np.rint(picture(83, 141) * 255).astype("u1").tobytes())
    glint = os.path.join(programs, "glint")
    for command in ([glint, "info", path], [glint, "encode", "--model", path, odd, stream],
                    [glint, "decode", "--model", path, stream, decoded],
                    [sys.executable, os.path.join(TESTS, "reference_decoder.py"), path, stream, decoded]):
        made = subprocess.run(command, capture_output=True, text=True)
        expect(made.returncode == 0, f"{' '.join(command)}: {made.stdout}{made.stderr}")
    notes.append(f"{os.path.getsize(stream)} bytes")


# ---- refusals -------------------------------------------------------------------------------------------------

def check_refused(path, words, channels, numeric_class="close"):
    """`Refused` names the file and has these words."""
    try:
        imported(path, channels, 0, numeric_class)
    except Refused as reason:
        said = str(reason)
        missing = [w for w in (path, *words) if w not in said]
        expect(not missing and len(said) < 1000, f"{missing} not in: {said}")
        return
    expect(False, "it is taken")


def check_refused_file(folder, place, words, contents):
    os.makedirs(os.path.join(folder, "here"), exist_ok=True)
    path, data = os.path.join(folder, place), contents(folder)
    with open(path, "wb") as f:
        f.write(data)
    check_refused(path, words, 3)


def check_refused_codec(folder, words, of, change, flags):
    """Through the program: exit code 2, one line, no file."""
    codec = CODECS[of]()
    change(codec)
    code, said = program(flags([*codec.write(folder), "--out", os.path.join(folder, "refused.safetensors")]))
    missing = [w for w in words if w not in said]
    expect(code == 2 and not missing and said.count("\n") == 1, f"exit code {code}, {missing} not in: {said}")
    expect(not [f for f in os.listdir(folder) if f.startswith("refused.safetensors")], "a file is left")


def check_damaged(folder, notes, rounds=1500):
    """Files with bytes changed, left out and doubled are taken or refused, nothing else."""
    rng = random.Random(1)
    sources = [(make(build, channels, sizes, opset).data(), channels) for _, _, channels, sizes, opset, build in CASES]
    path, taken = os.path.join(folder, "damaged.onnx"), 0
    for _ in range(rounds):
        data, channels = rng.choice(sources)
        at, size, kind = rng.randrange(len(data)), rng.randrange(1, 20), rng.randrange(8)
        byte = bytes([rng.choice([0, 1, 2, 127, 128, 255, rng.randrange(256)])])
        data = {0: data[:at], 1: data[:at] + data[at + size:], 2: data[:at + size] + data[at:]}.get(kind, data[:at] + byte + data[at + 1:])
        with open(path, "wb") as f:
            f.write(data)
        with contextlib.suppress(Refused):
            imported(path, channels)
            taken += 1
    expect(0 < taken < rounds, f"{taken} of {rounds} are taken")
    notes.append(f"{taken} of {rounds} are taken")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", help="folder of the programs")
    programs, checks = ap.parse_args().bin, Checks()
    with tempfile.TemporaryDirectory() as folder:
        for name, *case in CASES:
            with checks.check(name):
                check_case(os.path.join(folder, "case.onnx"), *case)
        for name in CODECS:
            with checks.check(f"codec: {name}") as notes:
                check_codec(name, folder, notes)
            if programs:
                with checks.check(f"codec: {name}, with programs") as notes:
                    check_programs(name, folder, programs, notes)
        for name, words, numeric_class, m in onnx_refusals.GRAPHS:
            with checks.check(f"refused: {name}"):
                channels = onnx_refusals.CHANNELS.get(name, m.inputs["x"][1])
                check_refused(m.write(os.path.join(folder, "refused.onnx")), words, channels, numeric_class)
        for name, words, contents, place in onnx_refusals.FILES:
            with checks.check(f"refused file: {name}"):
                check_refused_file(folder, place, words, contents)
        for name, words, of, change, flags in onnx_refusals.CODECS:
            with checks.check(f"refused codec: {name}"):
                check_refused_codec(folder, words, of, change, flags)
        with checks.check("damaged files") as notes:
            check_damaged(folder, notes)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
