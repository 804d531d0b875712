#!/usr/bin/env python3
"""The transforms g_a and g_s of a model by Glint and by other runtimes, on one thread, all in turn.

  transforms.py [--fp32 MODEL] [--int8 MODEL] [--size 768x512] [--rounds 7] [--runtimes onnxruntime,openvino,pytorch]
                [--bench build/bin/bench_stages] [--target TARGET] [--json FILE]

  --fp32 MODEL    a Glint model file in FP32 (default: weights/light-fp32.safetensors); the others run its graphs
  --int8 MODEL    the same model quantised by Glint (default: weights/light-int8.safetensors where --fp32 is not given)

Python packages: numpy; onnx and onnxruntime, openvino, torch for the runtimes that are asked for. What is not
installed is named and left out. INT8 of ONNX Runtime and OpenVINO is ONNX Runtime's static quantisation of the
FP32 graph: bytes, weights by channel, ranges from noise (times do not depend on them); GDN stays in float, as
they have no integer operator for it. Transposed convolutions go to them both as they are and as convolutions of
3 x 3 with a pixel shuffle, and what is faster counts. Glint's times are those of stages inside whole codings, best
of the rounds, as for all others.
"""
import argparse
import json
import os
import sys
import tempfile
import time

import numpy as np

import graphs
from runs import ROOT, Best, Glint, cpu_name, need_program

STAGES = {"g_a": "encode/analysis", "g_s": "decode/synthesis"}


# ---- others ---------------------------------------------------------------------------------------------------

def sizes(graph, args):
    """Rows and columns of a graph's input, and the shape of its output."""
    width, height = (int(v) for v in args.size.split("x"))
    scale = graphs.scale_of(graph)
    if scale > 1:
        height, width = int(height / scale), int(width / scale)
    outputs = {node["output"]: node for node in graph.nodes}
    channels = channels_of(graph, graph.output, outputs)
    return height, width, (1, channels, int(height * scale), int(width * scale))


def channels_of(graph, name, made):
    if name in dict(graph.inputs):
        return dict(graph.inputs)[name]
    node = made[name]
    op = node["op"]
    if op in ("conv2d", "conv_transpose2d"):
        return graph.weight(node, "weight").shape[0 if op == "conv2d" else 1]
    channels = [channels_of(graph, x, made) for x in node["inputs"]]
    if op == "concat":
        return sum(channels)
    return channels[0] // node["factor"] ** 2 if op == "pixel_shuffle" else channels[0]


class Onnx:
    """The graphs as ONNX files: FP32, with transposed convolutions in both forms, and quantised."""

    def __init__(self, transforms, args, folder):
        import onnx
        self.files = {}         # (graph, precision, form) -> path
        for name, graph in transforms.items():
            height, width, output = sizes(graph, args)
            has_transposed = any(node["op"] == "conv_transpose2d" for node in graph.nodes)
            for form in ("transposed", "subpixel") if has_transposed else ("plain",):
                path = os.path.join(folder, f"{name}_{form}.onnx")
                onnx.save(graphs.OnnxBuilder(graph, form == "subpixel").build(height, width, output), path)
                self.files[name, "FP32", form] = path
            last = "subpixel" if has_transposed else "plain"
            if args.int8:
                self.files[name, "INT8", last] = self.quantised(self.files[name, "FP32", last], graph, height, width)

    @staticmethod
    def quantised(path, graph, height, width):
        from onnxruntime import quantization as q

        class Noise(q.CalibrationDataReader):
            def __init__(self):
                self.left = 2

            def get_next(self):
                self.left -= 1
                return noise(graph, height, width) if self.left >= 0 else None

        out = path.replace(".onnx", "_int8.onnx")
        q.quantize_static(path, out, Noise(), quant_format=q.QuantFormat.QDQ, per_channel=True,
                          activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
                          op_types_to_quantize=["Conv", "LeakyRelu", "Relu", "Add", "DepthToSpace"])
        return out


def noise(graph, height, width):
    random = np.random.default_rng(1)
    scale = 0.5 if graph.name == "g_a" else 8.0
    return {name: scale * random.standard_normal((1, channels, height, width), np.float32)
            for name, channels in graph.inputs}


class OnnxRuntime:
    name = "ONNX Runtime"

    def __init__(self, transforms, onnx_files):
        import onnxruntime
        self.version = onnxruntime.__version__
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.sessions = {key: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
                         for key, path in onnx_files.files.items()}

    def call(self, key, inputs):
        return self.sessions[key].run(None, inputs)[0]

    def keys(self):
        return list(self.sessions)


class OpenVino:
    name = "OpenVINO"

    def __init__(self, transforms, onnx_files):
        import openvino
        self.version = openvino.__version__.split("-")[0]
        core = openvino.Core()
        self.requests = {}
        for key, path in onnx_files.files.items():
            settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                        "INFERENCE_PRECISION_HINT": "f32"}
            self.requests[key] = core.compile_model(path, "CPU", settings).create_infer_request()

    def call(self, key, inputs):
        return next(iter(self.requests[key].infer(inputs).values()))

    def keys(self):
        return list(self.requests)


class PyTorch:
    name = "PyTorch"

    def __init__(self, transforms, onnx_files):
        import torch
        self.torch, self.version = torch, torch.__version__.split("+")[0]
        torch.set_num_threads(1)
        self.graphs = {(name, "FP32", "plain"): graphs.TorchGraph(graph) for name, graph in transforms.items()}

    def call(self, key, inputs):
        with self.torch.inference_mode():
            x = self.torch.from_numpy(next(iter(inputs.values()))).to(memory_format=self.torch.channels_last)
            return self.graphs[key].run(x).numpy()

    def keys(self):
        return list(self.graphs)


RUNTIMES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "pytorch": PyTorch}


def make_runtimes(transforms, args, folder):
    made, onnx_files = [], None
    for wanted in args.runtimes:
        try:
            if wanted != "pytorch" and onnx_files is None:
                onnx_files = Onnx(transforms, args, folder)
            made.append(RUNTIMES[wanted](transforms, onnx_files))
        except ImportError as e:
            print(f"left out: {wanted}: {e}", file=sys.stderr)
    return made


def check_alike(runtimes, inputs):
    """All compute the same in FP32, or their times say nothing."""
    for graph in STAGES:
        first = None
        for runtime in runtimes:
            for key in runtime.keys():
                if key[0] != graph or key[1] != "FP32":
                    continue
                out = np.array(runtime.call(key, inputs[graph]))
                first = out if first is None else first
                off = np.abs(out - first).max() / max(np.abs(first).max(), 1e-9)
                if out.shape != first.shape or not off < 1e-3:
                    sys.exit(f"{runtime.name}: {graph} as {key[2]} is {off:.1e} off the first runtime's")


# ---- table ----------------------------------------------------------------------------------------------------

def rows_of(best, runtimes, precisions):
    """[(name, precision, {graph: ms})], a runtime's faster form for each graph."""
    rows = [("Glint", precision, {graph: best.of(f"Glint {precision}", graph) for graph in STAGES})
            for precision in precisions]
    for runtime in runtimes:
        for precision in precisions:
            times = {}
            for graph in STAGES:
                forms = [best.of(f"{runtime.name} {precision} {key[2]}", graph)
                         for key in runtime.keys() if key[:2] == (graph, precision)]
                if forms:
                    times[graph] = min(forms)
            if times:
                rows.append((f"{runtime.name} {runtime.version}", precision, times))
    return rows


def print_table(rows):
    glint = {precision: times for name, precision, times in rows if name == "Glint"}
    print("| | | analysis, ms | synthesis, ms | times Glint: analysis | synthesis |")
    print("|---|---|---|---|---|---|")
    for name, precision, times in rows:
        cells = [f"{times[g]:.1f}" if g in times else "-" for g in STAGES]
        cells += [f"{times[g] / glint[precision][g]:.2f}x" if g in times else "-" for g in STAGES]
        print(f"| {name} | {precision} | " + " | ".join(cells) + " |")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--fp32")
    ap.add_argument("--int8")
    ap.add_argument("--size", default="768x512")
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--runtimes", default="onnxruntime,openvino,pytorch")
    ap.add_argument("--bench", default=os.path.join(ROOT, "build", "bin", "bench_stages"))
    ap.add_argument("--target")
    ap.add_argument("--json")
    a = ap.parse_args()
    a.runtimes = a.runtimes.split(",")
    if unknown := set(a.runtimes) - set(RUNTIMES):
        ap.error(f"--runtimes: {', '.join(sorted(unknown))}: not one of {', '.join(RUNTIMES)}")
    if not a.fp32:
        a.fp32 = os.path.join(ROOT, "weights", "light-fp32.safetensors")
        a.int8 = a.int8 or os.path.join(ROOT, "weights", "light-int8.safetensors")
    need_program(a.bench)
    for side in a.size.split("x"):
        if not side.isdigit() or int(side) % 64:
            ap.error("--size: WIDTHxHEIGHT, multiples of 64")

    transforms = {name: graphs.Graph(a.fp32, name) for name in STAGES}
    models = {"FP32": a.fp32, **({"INT8": a.int8} if a.int8 else {})}
    glint, best = Glint(a.bench, models, STAGES, ["--size", a.size], a.target), Best()
    with tempfile.TemporaryDirectory() as folder:
        runtimes = make_runtimes(transforms, a, folder)
        inputs = {name: noise(graph, *sizes(graph, a)[:2]) for name, graph in transforms.items()}
        check_alike(runtimes, inputs)
        for _ in range(a.rounds):
            glint.run(best)
            for runtime in runtimes:
                for key in runtime.keys():
                    began = time.perf_counter()
                    runtime.call(key, inputs[key[0]])
                    best.add(f"{runtime.name} {key[1]} {key[2]}", key[0], 1e3 * (time.perf_counter() - began))
    print(f"{os.path.basename(a.fp32)}, {a.size}, one thread of {cpu_name()}, Glint on {glint.target or 'its best target'}; "
          f"best of {a.rounds} rounds in turn.\n")
    rows = rows_of(best, runtimes, list(glint.models))
    print_table(rows)
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"model": a.fp32, "size": a.size, "cpu": cpu_name(), "target": glint.target,
                       "rows": [{"name": n, "precision": p, "ms": t} for n, p, t in rows],
                       "all_ms": {" ".join(k): v for k, v in best.spread.items()}}, f, indent=1)


if __name__ == "__main__":
    main()
