#!/usr/bin/env python3
"""TinyLIC of "Light Uniform PTQ", converted by weights/convert_model.py, against a definition of its own in PyTorch.

  tinylic_test.py [--bin BIN_DIR] [--golden FILE.npz]

FILE.npz is made by weights/make_tinylic_golden.py; weights are drawn anew (tinylic_model.py). With BIN_DIR the programs code the
picture as well. Needs numpy only.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [TESTS, os.path.join(TESTS, "..", "weights")]
from checks import Checks, expect
from compressai_models import save
from convert.ranges import padded
from converter import convert, off
from reference_decoder import rate_to_t, read_pnm
from reference_model import Model, run_graph
from tinylic_model import SMALL, WHOLE, state_dict

CLOSE = 1e-4
MEDIAN = "entropy_bottleneck.quantiles"


class Converted:
    """The drawn model, its file, and a picture."""

    def __init__(self, folder, golden):
        about = json.loads(golden["about"].tobytes())
        self.size, self.folder, self.golden, self.cases = WHOLE if about["whole"] else SMALL, folder, golden, about["cases"]
        self.state, self.picture = state_dict(self.size, about["seed"]), golden["picture"]
        self.path = os.path.join(folder, "tinylic.safetensors")
        checkpoint = os.path.join(folder, "tinylic.pth")
        save(checkpoint, self.state, wrap=lambda state: {"state_dict": state})
        made = convert(checkpoint, "--out", self.path, "--fraction-bits", "6")
        expect(made.returncode == 0, made.stderr)
        self.model = Model(self.path)

    def run(self, graph, t, **inputs):
        return run_graph(self.model, graph, {name: x.astype(np.float32) for name, x in inputs.items()}, t)


def stages(made, number, rate):
    """(name, converted model's, definition's), each stage fed with the definition's own input."""
    golden = lambda name: made.golden[f"{number}.{name}"]
    doc, t, shift = made.model.doc, rate_to_t(made.model.doc["rate"], rate), made.state[MEDIAN][:, 0, 1]
    x = padded(made.picture.astype(np.float32) / np.float32(255), doc["picture"])
    yield "y", made.run("g_a", t, x=x), golden("y")
    yield "z", made.run("h_a", t, y=golden("y")) + shift, golden("z")
    psi = made.run("h_s", t, z=golden("symbols"))
    yield "parameters", psi[:, :, :2 * made.size.m], golden("parameters")
    y_hat, odd = golden("y_hat"), np.add.outer(*map(np.arange, psi.shape[:2])) % 2 == 1
    for step in doc["coding"]["steps"][1:]:
        source, (part,) = step["distribution"], step["parts"]
        begin, end = part["channels"]
        where = odd if part["positions"] == "odd" else ~odd
        # What is not decoded yet is zero.
        seen = y_hat.copy()
        seen[:, :, begin if part["positions"] == "odd" else end:] = 0
        seen[~odd, begin:] = 0
        inputs = {name: psi if place == "psi" else seen[:, :, slice(*place)] for name, place in source["inputs"].items()}
        out = made.run(source["graph"], t, **inputs)[where]
        yield f"means of {source['graph']}", out[:, :end - begin], golden("means")[where, begin:end]
        yield f"scales of {source['graph']}", out[:, end - begin:], golden("scales")[where, begin:end]
    rows, columns = (-(-size // 64) * 64 - size for size in made.picture.shape[:2])
    crop = np.s_[rows // 2:rows // 2 + made.picture.shape[0], columns // 2:columns // 2 + made.picture.shape[1]]
    yield "x_hat", made.run("g_s", t, y_hat=y_hat)[crop], golden("x_hat")


def check_coding(checks, made, number, about, glint):
    """Real bytes and PSNR of the programs beside those of CompressAI's coder."""
    source, stream, back = (os.path.join(made.folder, name) for name in ("x.ppm", "x.glint", "back.ppm"))
    rows, columns, _ = made.picture.shape
    with open(source, "wb") as f:
        f.write(f"P6\n{columns} {rows}\n255\n".encode() + made.picture.tobytes())
    with checks.check(f"lrd {about['rate']}: bytes and PSNR as of the definition") as notes:
        for command in (["encode", "--detail", "off", "--lrd", str(about["rate"]), "--model", made.path, source, stream],
                        ["decode", "--model", made.path, stream, back]):
            done = subprocess.run([glint, *command], capture_output=True, text=True)
            expect(done.returncode == 0, done.stderr)
        with open(back, "rb") as f:
            decoded = read_pnm(f.read())[0]
        psnr = 10 * np.log10(255 ** 2 / np.square(decoded - made.picture.astype(np.float64)).mean())
        size = os.path.getsize(stream)
        levels = np.abs(decoded - np.clip(made.golden[f"{number}.x_hat"], 0, 1) * 255).mean() - 0.25      # which rounding costs
        notes += [f"{size} bytes, {about['bytes']} there", f"{psnr:.3f} dB, {about['psnr']:.3f} there", f"samples {levels:.2f} apart"]
        expect(abs(size - about["bytes"]) <= 0.005 * about["bytes"] + 64 and abs(psnr - about["psnr"]) <= 0.01, ", ".join(notes))
        expect(levels <= 0.4, ", ".join(notes))
    with checks.check(f"lrd {about['rate']}: the reference decoder reads the stream") as notes:
        done = subprocess.run([sys.executable, os.path.join(TESTS, "reference_decoder.py"), made.path, stream, back],
                              capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr + done.stdout)
        notes.append(done.stdout.strip())


def check_integers(checks, made, binaries):
    """Quantised: the second reader gives the same pixels, and PSNR is that of FP32."""
    at = lambda name: os.path.join(made.folder, name)
    pictures = at("pictures")
    os.makedirs(pictures)
    rows, columns, _ = made.picture.shape
    with open(os.path.join(pictures, "x.ppm"), "wb") as f:
        f.write(f"P6\n{columns} {rows}\n255\n".encode() + made.picture.tobytes())

    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        expect(done.returncode == 0, done.stdout + done.stderr)
        return done.stdout

    for name, flags in (("INT16", ("--type", "INT16")), ("INT8", ("--type", "INT8")), ("the seed's scheme", ("--scheme", "seed"))):
        with checks.check(f"{name}: the reference decoder gives the same pixels") as notes:
            run(os.path.join(binaries, "quantize"), *flags, "--model", made.path, "--out", at("int.safetensors"), "--calibration", pictures,
                "--held-out", pictures, "--no-built-in")
            run(os.path.join(binaries, "glint"), "encode", "--detail", "off", "--model", at("int.safetensors"), os.path.join(pictures, "x.ppm"),
                at("int.glint"))
            run(os.path.join(binaries, "glint"), "decode", "--model", at("int.safetensors"), at("int.glint"), at("int.ppm"))
            told = run(sys.executable, os.path.join(TESTS, "reference_decoder.py"), at("int.safetensors"), at("int.glint"), at("int.ppm"))
            expect(f" 0 of {made.picture.size} samples differ" in told, told)
            with open(at("int.ppm"), "rb") as f:
                decoded = read_pnm(f.read())[0]
            psnr = 10 * np.log10(255 ** 2 / np.square(decoded - made.picture.astype(np.float64)).mean())
            expect(abs(psnr - made.cases[0]["psnr"]) < 0.2, f"{psnr:.3f} dB")
            notes.append(f"{psnr:.3f} dB, {os.path.getsize(at('int.glint'))} bytes")


def old_style(state):
    """Keys of the prior as CompressAI had them before 1.2.7, which is what the published program pins."""
    names = {"matrices": "matrix", "biases": "bias", "factors": "factor"}

    def key_of(key):
        module, kind, number = (key.split(".") + ["", ""])[:3]
        return f"{module}._{names[kind]}{number}" if module == "entropy_bottleneck" and kind in names else key

    return {key_of(key): values for key, values in state.items()}


def check_forms(checks, made):
    path, out = os.path.join(made.folder, "form.pth"), os.path.join(made.folder, "form.safetensors")

    def converted(state, *flags):
        save(path, state)
        done = convert(path, "--out", out, "--name", "tinylic", *flags)
        expect(done.returncode == 0, done.stderr)
        return Model(out)

    def same(state):
        model = converted(state, "--fraction-bits", "6")
        names = [name for name in model.header if name != "__metadata__"]
        expect(sorted(names + ["__metadata__"]) == sorted(made.model.header), "other tensors")
        expect(all(np.array_equal(model.tensor(n), made.model.tensor(n)) for n in names), "other values")

    with checks.check("keys of both styles of the prior"):
        same(old_style(made.state))
    with checks.check("masked weights that training left, and no masks"):
        state = dict(made.state)
        for i in range(len(made.size.slices)):
            del state[f"sc_transforms.{i}.mask"]
            state[f"sc_transforms.{i}.weight"] = state[f"sc_transforms.{i}.weight"] * (np.add.outer(np.arange(5), np.arange(5)) % 2)
        same(state)
    with checks.check("gains that nothing calls may be there or not"):
        same({key: values for key, values in made.state.items() if not key.startswith("g_s_mr")})
    with checks.check("sizes follow from the shapes"):
        size = type(made.size)(8, 16, (2, 6, 8), (12, 8))
        size.blocks = {name: 1 + (name == "g_s2") for name in size.blocks}
        model = converted(state_dict(size, 3))
        parts = [step["parts"][0]["channels"] for step in model.doc["coding"]["steps"][1:]]
        expect(parts == [[0, 2], [0, 2], [2, 8], [2, 8], [8, 16], [8, 16]], str(parts))
    with checks.check("--pictures leaves room for twice the largest value at the highest rate"):
        folder = os.path.join(made.folder, "steep")
        os.makedirs(folder)
        with open(os.path.join(folder, "a.ppm"), "wb") as f:
            f.write(b"P6\n%d %d\n255\n" % made.picture.shape[1::-1] + made.picture.tobytes())
        steep = {**made.state, "g_a_scale3.fc2.weight": made.state["g_a_scale3.fc2.weight"] * np.float32(9)}
        model = converted(steep, "--pictures", folder)
        x = padded(made.picture.astype(np.float32) / np.float32(255), model.doc["picture"])
        at = [np.abs(run_graph(model, "g_a", {model.doc["graphs"]["g_a"]["inputs"][0]["name"]: x}, t)).max() for t in (0.0, 1.0)]
        bits = model.doc["latents"]["fraction_bits"]
        expect(2 * at[1] * 2 ** bits <= 32767 < 4 * at[1] * 2 ** bits or bits == 6, f"{bits} bits for {at}")
        expect(at[1] > 2 * at[0], "the rates do not differ enough to show anything")
    with checks.check("the rate is lrd itself, and --lambda-per-lrd is noted"):
        rate = converted(made.state, "--lambda-per-lrd", "2.5").doc["rate"]
        expect(rate["map"] == "linear" and rate["min"] < 0.00005 and rate["max"] > 0.0009 and rate["lambda_per_lrd"] == 2.5, str(rate))


def check_refusals(checks, made):
    path, out = os.path.join(made.folder, "bad.pth"), os.path.join(made.folder, "bad.safetensors")

    def refused(name, text, change, *flags):
        state = dict(made.state)
        change(state)
        with checks.check(f"refused: {name}") as notes:
            save(path, state)
            done = convert(path, "--out", out, *flags)
            expect(done.returncode == 2 and "Traceback" not in done.stderr and text in done.stderr and not os.path.exists(out),
                   f"exit code {done.returncode}: {done.stderr}")
            notes.append(done.stderr.strip().split(": ", 2)[-1][:110])

    put = lambda key, *shape: lambda state: state.__setitem__(key, np.ones(shape, np.float32))
    refused("a bias that is missing", "g_s2.blocks.1.mlp.fc1.bias", lambda s: s.pop("g_s2.blocks.1.mlp.fc1.bias"))
    refused("a block without gamma", "there are 0 keys g_s2.blocks.N.gamma", lambda s: s.pop("g_s2.blocks.0.gamma"))
    refused("a block that a gap cuts off", "left over", lambda s: s.pop("g_s2.blocks.1.gamma"))
    refused("a gain that is missing", "g_s_scale2.fc2.weight", lambda s: s.pop("g_s_scale2.fc2.weight"))
    refused("a slice that is missing", "is not g_a6's", lambda s: s.pop("sc_transforms.3.weight"))
    refused("a prior that is missing", "entropy_bottleneck.matrices.0", lambda s: [s.pop(k) for k in list(s) if ".matrices." in k])
    refused("a key without use", "left over that this architecture has no use for: g_s_other.weight", put("g_s_other.weight", 3))
    refused("a bias of another size", "h_s2.blocks.0.norm.bias has shape", put("h_s2.blocks.0.norm.bias", 5))
    refused("a kernel of even size", "kernel of 4", put("g_a2.weight", 24, 16, 4, 4))
    refused("branches of all channels", "channels in its convolutions", put("g_a1.blocks.0.token_mixer.dwconv_h.weight", 12, 1, 11, 1))
    refused("scales without means", "has 4 outputs, not 8", lambda s: s.update(
        {f"entropy_parameters.0.4.{role}": s[f"entropy_parameters.0.4.{role}"][:4] for role in ("weight", "bias")}))
    refused("a context with other outputs than the net wants", "outputs", put("cc_transforms.2.4.weight", 6, 16, 3, 3))
    refused("gains beyond float32", "not finite", lambda s: s.__setitem__("g_a_scale0.fc2.bias", np.full(16, 3e38, np.float32)))
    refused("a mask of anchors of the other colour", "let", put("sc_transforms.0.mask", 8, 4, 5, 5))
    refused("a spatial context with too few outputs", "outputs are the least", lambda s: s.update(
        {"sc_transforms.1.weight": np.ones((7, 4, 5, 5), np.float32), "sc_transforms.1.bias": np.ones(7, np.float32)}))
    refused("a quality", "--quality does not go with it", lambda s: None, "--quality", "3")
    refused("a lambda of one rate", "--lambda does not go with it", lambda s: None, "--lambda", "0.01")
    refused("another architecture", "", lambda s: None, "--architecture", "mbt2018-mean")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", help="folder of the programs")
    ap.add_argument("--golden", help="another file than that of the tests: nothing but its cases is checked")
    args = ap.parse_args()
    checks = Checks()
    golden = np.load(args.golden or os.path.join(TESTS, "data", "golden", "tinylic.npz"))
    with tempfile.TemporaryDirectory() as folder:
        made = None
        with checks.check("a checkpoint of TinyLIC is converted"):
            made = Converted(folder, golden)
        for number, about in enumerate(made.cases if made else ()):
            with checks.check(f"lrd {about['rate']}: every stage as in the definition") as notes:
                errors = [(name, off(got, wanted)) for name, got, wanted in stages(made, number, about["rate"])]
                for kind in ("y", "z", "parameters", "means", "scales", "x_hat"):
                    error, name = max((e, name) for name, e in errors if name.split()[0] == kind)
                    expect(error <= CLOSE, f"{name} differs by {error:.2g} of its root mean square")
                    notes.append(f"{kind} {error:.1g}")
            if args.bin:
                check_coding(checks, made, number, about, os.path.join(args.bin, "glint"))
        if made and not args.golden:
            check_forms(checks, made)
            if args.bin:
                check_integers(checks, made, args.bin)
            check_refusals(checks, made)
    sys.exit(checks.end())


if __name__ == "__main__":
    main()
