"""What the programs make of converted models of one fixed rate: families, and rates that cannot be chosen. Part of convert_test.py."""
import json
import os
import shutil
import subprocess
import sys

import numpy as np

from checks import expect
from compressai_models import save, state_dict


class Programs:
    def __init__(self, folder, binaries):
        self.folder, self.binaries = os.path.join(folder, "programs"), os.path.abspath(binaries)
        os.makedirs(os.path.join(self.folder, "pictures"))

    def run(self, program, *arguments):
        return subprocess.run([os.path.join(self.binaries, program), *arguments], capture_output=True, text=True, cwd=self.folder)

    def runs(self, program, *arguments):
        done = self.run(program, *arguments)
        expect(done.returncode == 0, f"{program} {' '.join(arguments)}: exit code {done.returncode}, {done.stderr}")
        return done.stdout

    def refuses(self, wanted, program, *arguments):
        done = self.run(program, *arguments)
        expect(done.returncode == 2 and wanted in done.stderr, f"{program} {' '.join(arguments)}: exit code {done.returncode}, {done.stderr}")


def make_models(programs, convert):
    """mean-1, mean-2: two checkpoints, with their names; int-1, int-2: the same in INT16."""
    rng = np.random.default_rng(7)
    for i, (rows, columns) in enumerate(((70, 90), (61, 33))):
        ramp = np.add.outer(np.arange(rows), np.arange(columns))[:, :, None] + rng.integers(0, 40, (rows, columns, 3))
        with open(os.path.join(programs.folder, "pictures", f"p{i}.ppm"), "wb") as f:
            f.write(f"P6\n{columns} {rows}\n255\n".encode() + ramp.astype(np.uint8).tobytes())
    for seed in (1, 2):
        checkpoint = os.path.join(programs.folder, f"mean-{seed}.pth")
        save(checkpoint, state_dict("mbt2018-mean", 8, 12, seed))
        made = convert(checkpoint, "--out", os.path.join(programs.folder, f"mean-{seed}.safetensors"), "--lambda", "0.01")
        expect(made.returncode == 0, made.stderr)
        programs.runs("quantize", "--type", "INT16", "--model", f"mean-{seed}.safetensors", "--out", f"int-{seed}.safetensors",
                      "--calibration", "pictures", "--held-out", "pictures", "--no-built-in")


def without_times(value):
    """What evaluate writes, without what two runs differ in."""
    times = ("encoding_time", "decoding_time", "stages", "load_time", "machine", "speed_ratio")
    if isinstance(value, dict):
        return {key: without_times(inner) for key, inner in value.items() if key not in times}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def check_families(checks, programs):
    with checks.check("evaluate --family: a curve of two models"):
        report = programs.runs("evaluate", "--family", "mean-*.safetensors", "--gt_path", "pictures", "--json", "one.json", "--out", "out",
                               "--freq", "1")
        expect("mean-1" in report and "mean-2" in report and "lrd 0" not in report, report)
        with open(os.path.join(programs.folder, "one.json")) as f:
            result = json.load(f)
        expect(result["results"]["model"] == ["mean-1", "mean-2"] and result["results"]["lrd"] == [None, None], result["results"])
        expect(len(result["images"]) == 4 and result["model"]["family"] == ["mean-1.safetensors", "mean-2.safetensors"], result["model"])
        saved = sorted(os.listdir(os.path.join(programs.folder, "out", "FP32")))
        expect(saved == [f"p{p}_mean-{m}.{e}" for p in (0, 1) for m in (1, 2) for e in ("glint", "png")], saved)
    with checks.check("evaluate --family: two families are compared, the curve of one is read"):
        report = programs.runs("evaluate", "--family", "mean-*.safetensors", "--family", "int-*.safetensors", "--gt_path", "pictures",
                               "--json", "two.json", "--curves", "one.json")
        with open(os.path.join(programs.folder, "two.json")) as f:
            models = json.load(f)["comparison"]["models"]
        expect([model["label"] for model in models] == ["FP32", "INT16"] and 0.4 < models[1]["size_ratio"] < 0.9, models)
        expect("Compared with the curves" in report, report)
    with checks.check("evaluate --family: two shards are one run"):
        for shard in (1, 2):
            programs.runs("evaluate", "--family", "mean-*.safetensors", "--family", "int-*.safetensors", "--gt_path", "pictures",
                          "--shard", f"{shard}/2", "--json", f"shard{shard}.json")
        programs.runs("evaluate", "--merge", "shard2.json", "shard1.json", "--curves", "one.json", "--json", "merged.json")
        results = []
        for name in ("two.json", "merged.json"):
            with open(os.path.join(programs.folder, name)) as f:
                results.append(without_times(json.load(f)))
        expect(results[0] == results[1], results)
    with checks.check("evaluate --family: members of one name in two folders, and names with numbers"):
        for folder, seed in (("m-9", 1), ("m-10", 2)):
            os.mkdir(os.path.join(programs.folder, folder))
            shutil.copy(os.path.join(programs.folder, f"mean-{seed}.safetensors"), os.path.join(programs.folder, folder, "same.safetensors"))
        programs.runs("evaluate", "--family", "m-*/same.safetensors", "--gt_path", "pictures", "--json", "same.json", "--out", "same")
        with open(os.path.join(programs.folder, "same.json")) as f:
            result = json.load(f)
        expect(result["model"]["family"] == ["m-9/same.safetensors", "m-10/same.safetensors"], result["model"])
        expect(result["results"]["model"] == ["same", "same_2"], result["results"])
        expect(len(os.listdir(os.path.join(programs.folder, "same", "FP32"))) == 8, "streams and pictures")
    with checks.check("evaluate --family: what is refused"):
        family = ("evaluate", "--gt_path", "pictures", "--family")
        programs.refuses("names no file", *family, "nothing-*.safetensors")
        programs.refuses("names one file", *family, "mean-1*.safetensors")
        programs.refuses("has one fixed rate", *family, "mean-*.safetensors", "--lrd", "0.001")
        programs.refuses("has one fixed rate", *family, "mean-*.safetensors", "--quality", "50")
        programs.refuses("--model", *family, "mean-*.safetensors", "--model", "mean-1.safetensors")
        programs.refuses("members of different types", *family, "*-1.safetensors")
        for number in (3, 4):
            shutil.copy(os.path.join(programs.folder, "mean-1.safetensors"), os.path.join(programs.folder, f"mean-{number}.safetensors"))
        programs.refuses("the same model as another", *family, "mean-[13].safetensors")
        # Another name makes another model.
        with open(os.path.join(programs.folder, "mean-4.safetensors"), "r+b") as f:
            size = int.from_bytes(f.read(8), "little")
            header = f.read(size).replace(b"mean-1", b"mean-4")
            f.seek(8)
            f.write(header)
        programs.refuses("int-[12].safetensors has 2", *family, "mean-[124].safetensors", "--family", "int-[12].safetensors")


def check_fixed_rate(checks, programs):
    model = ("--model", "mean-1.safetensors")
    with checks.check("info says that a model has one fixed rate, and where it is from"):
        text = programs.runs("glint", "info", "mean-1.safetensors")
        expect("none: one fixed rate" in text and "mean-1.pth" in text, text)
        expect(json.loads(programs.runs("glint", "info", "--json", "mean-1.safetensors"))["lrd"] is None, "lrd in JSON")
        programs.runs("glint", "encode", *model, "pictures/p0.ppm", "p0.glint")
        text = programs.runs("glint", "info", "p0.glint")
        expect("the model has one fixed rate" in text, text)
    with checks.check("rates and targets are refused with a model of one fixed rate"):
        for flags in (("--lrd", "0.001"), ("--lrd", "0"), ("--quality", "40"), ("--target-size", "1K"), ("--target-bpp", "1"),
                      ("--target-psnr", "20")):
            programs.refuses("one fixed rate", "glint", "encode", "--detail", "off", *model, *flags, "pictures/p0.ppm", "none.glint")
        programs.refuses("one fixed rate", "evaluate", *model, "--detail", "off", "--gt_path", "pictures", "--lrd", "0.001")
    with checks.check("details give a model of one fixed rate a rate"):
        programs.runs("glint", "encode", *model, "--lrd", "0.001", "pictures/p0.ppm", "rate.glint")
    with checks.check("rates of quantize are refused with a model of one fixed rate"):
        for flag in ("--lrd", "--calibration-lrd"):
            programs.refuses("one fixed rate", "quantize", *model, "--calibration", "pictures", "--out", "none.safetensors", flag, "0.001")
        left = [name for name in os.listdir(programs.folder) if name.startswith("none")]
        expect(not left, f"{left} was written")


def check_saturation(checks, programs, convert):
    with checks.check("evaluate says how many latents were beyond the fixed point"):
        state = state_dict("mbt2018-mean", 8, 12, 1)
        state["g_a.6.weight"] = state["g_a.6.weight"] * np.float32(3000)
        checkpoint = os.path.join(programs.folder, "loud.pth")
        save(checkpoint, state)
        made = convert(checkpoint, "--out", os.path.join(programs.folder, "loud.safetensors"), "--fraction-bits", "6")
        expect(made.returncode == 0, made.stderr)
        report = programs.runs("evaluate", "--model", "loud.safetensors", "--gt_path", "pictures")
        expect("latents were beyond the range" in report, report)
        report = programs.runs("evaluate", "--model", "mean-1.safetensors", "--gt_path", "pictures")
        expect("latents were beyond the range" not in report, report)


def check_second_reader(checks, programs):
    """GDN of roots in integers: the pixels are the same ones."""
    with checks.check("the reference decoder gives the pixels of a model of integers"):
        programs.runs("glint", "encode", "--model", "int-1.safetensors", "pictures/p0.ppm", "int.glint")
        programs.runs("glint", "decode", "--model", "int-1.safetensors", "int.glint", "int.ppm")
        reader = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference_decoder.py")
        done = subprocess.run([sys.executable, reader, "int-1.safetensors", "int.glint", "int.ppm"], capture_output=True, text=True,
                              cwd=programs.folder)
        expect(done.returncode == 0 and " 0 of 18900 samples differ" in done.stdout, done.stdout + done.stderr)


def check_context_in_integers(checks, programs, convert):
    """Of every kind of context: the reference decoder gives the pixels of a model of integers."""
    reader = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference_decoder.py")
    for architecture, kind in (("mbt2018", "INT8"), ("cheng2020-attn", "INT16"), ("cheng2020-anchor-checkerboard", "INT8"),
                               ("elic2022-official", "INT8"), ("elic2022-chandelier", "INT16")):
        with checks.check(f"{architecture} in {kind}: the pixels of the reference decoder"):
            save(os.path.join(programs.folder, "context.pth"), state_dict(architecture, 8, 12, 6, [4, 2, 6]))
            made = convert(os.path.join(programs.folder, "context.pth"), "--out", os.path.join(programs.folder, "context.safetensors"))
            expect(made.returncode == 0, made.stderr)
            programs.runs("quantize", "--type", kind, "--model", "context.safetensors", "--out", "context-int.safetensors",
                          "--calibration", "pictures", "--held-out", "pictures", "--no-built-in")
            programs.runs("glint", "encode", "--model", "context-int.safetensors", "pictures/p0.ppm", "context.glint")
            programs.runs("glint", "decode", "--model", "context-int.safetensors", "context.glint", "context.ppm")
            done = subprocess.run([sys.executable, reader, "context-int.safetensors", "context.glint", "context.ppm"],
                                  capture_output=True, text=True, cwd=programs.folder)
            expect(done.returncode == 0 and " 0 of 18900 samples differ" in done.stdout, done.stdout + done.stderr)


def check_programs(checks, folder, binaries, convert):
    programs = Programs(folder, binaries)
    with checks.check("two checkpoints are converted and quantised"):
        make_models(programs, convert)
    check_families(checks, programs)
    check_fixed_rate(checks, programs)
    check_second_reader(checks, programs)
    check_saturation(checks, programs, convert)
    check_context_in_integers(checks, programs, convert)
