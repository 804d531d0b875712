"""Opens a Glint model file and runs its graphs, from docs/MODEL_FORMAT.md and docs/BITSTREAM.md alone: plain, slow, numpy only.

Used by reference_decoder.py. Tensors are arrays [rows, columns, channels] of float32.
"""
import hashlib
import json
import struct

import numpy as np


# ---- model file -----------------------------------------------------------------------------------------------

class Model:
    DTYPES = {"F32": "<f4", "F16": "<f2", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}

    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        self.id = hashlib.sha256(data).digest()[:8]
        size = struct.unpack_from("<Q", data)[0]
        self.header, self.data = json.loads(data[8:8 + size]), data[8 + size:]
        self.doc = json.loads(self.header["__metadata__"]["glint"])

    def tensor(self, name):
        entry = self.header[name]
        begin, end = entry["data_offsets"]
        return np.frombuffer(self.data[begin:end], self.DTYPES[entry["dtype"]]).reshape(entry["shape"])

    def tables(self, place):
        """[(cumulative counts, value of the first symbol)]"""
        cdf, start, low = (self.tensor(place[key]).tolist() for key in ("cdf", "cdf_start", "cdf_min"))
        return [(cdf[begin:end], first) for begin, end, first in zip(start, start[1:], low)]


# ---- graphs ---------------------------------------------------------------------------------------------------

def weighted_sum(bias, taps, exact):
    """bias + sum over taps (pixels [P,C], weights [C,O]). Exact: one float32 chain, product and sum rounded one after the other."""
    total = np.tile(bias, (taps[0][0].shape[0], 1))
    for pixels, weight in taps:
        if not exact:
            total += pixels @ weight
            continue
        for column, row in zip(np.ascontiguousarray(pixels.T), weight):
            total += column[:, None] * row[None, :]
    return total


def conv2d(x, weight, bias, node, exact):
    (height, width, channels), (outputs, _, k, _) = x.shape, weight.shape
    stride, pad = node["stride"], node["padding"]
    oh, ow = -(-height // stride), -(-width // stride)
    padded = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    taps = []
    for ky in range(k):
        for kx in range(k):
            if node.get("mask") == "checkerboard" and (ky + kx) % 2 == 0:
                continue
            seen = padded[ky:ky + (oh - 1) * stride + 1:stride, kx:kx + (ow - 1) * stride + 1:stride]
            taps.append((seen.reshape(oh * ow, channels), weight[:, :, ky, kx].T))
    return weighted_sum(bias, taps, exact).reshape(oh, ow, outputs)


def conv_transpose2d(x, weight, bias, node, exact):
    (height, width, channels), (_, outputs, k, _), pad = x.shape, weight.shape, node["padding"]
    padded = np.pad(x, ((2, 2), (2, 2), (0, 0)))
    out = np.empty((2 * height, 2 * width, outputs), np.float32)
    for py in (0, 1):
        for px in (0, 1):
            taps = []
            for ky in range(k):
                for kx in range(k):
                    if (py + pad - ky) % 2 or (px + pad - kx) % 2:
                        continue
                    r, c = 2 + (py + pad - ky) // 2, 2 + (px + pad - kx) // 2
                    taps.append((padded[r:r + height, c:c + width].reshape(-1, channels), weight[:, :, ky, kx]))
            out[py::2, px::2] = weighted_sum(bias, taps, exact).reshape(height, width, outputs)
    return out


def gain(model, node, t):
    w1, b1, w2, b2 = (model.tensor(node["weights"][role]).astype(np.float64)
                      for role in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"))
    return np.exp(b2 + w2 @ np.maximum(b1 + w1[:, 0] * t, 0)).astype(np.float32)


def gdn(model, node, x):
    beta, gamma = (model.tensor(node["weights"][role]).astype(np.float32) for role in ("beta", "gamma"))
    norm = beta + np.abs(x) @ gamma.T if node["form"] == "abs" else np.sqrt(beta + (x * x) @ gamma.T)
    return x * norm if node["inverse"] else x / norm


def keep(model, graph, name, x):
    """A tensor as the graph keeps it: halves are rounded and limited (integers are not read here)."""
    form = graph.get("tensors", {}).get(name, {})
    if form.get("type") != "f16":
        return x
    factor = model.tensor(form["factor"]) if "factor" in form else np.float32(1)
    most = np.float32(form.get("max", 65504))
    halves = np.clip(np.where(np.isnan(x), np.float32(0), x / factor), -most, most).astype(np.float16)
    return halves.astype(np.float32) * factor


def run_graph(model, name, inputs, t=0.0):
    """Tensors by input name -> the output. `t` is what gains depend on."""
    graph = model.doc["graphs"][name]
    values, waiting = {key: keep(model, graph, key, value) for key, value in inputs.items()}, list(graph["nodes"])
    while waiting:
        node = next(n for n in waiting if all(i in values for i in n["inputs"]))
        waiting.remove(node)
        x = [values[i] for i in node["inputs"]]
        op = node["op"]
        if op in ("conv2d", "conv_transpose2d"):
            weight = model.tensor(node["weights"]["weight"]).astype(np.float32)
            outputs = weight.shape[0 if op == "conv2d" else 1]
            bias = model.tensor(node["weights"]["bias"]) if "bias" in node["weights"] else np.zeros(outputs, np.float32)
            y = (conv2d if op == "conv2d" else conv_transpose2d)(x[0], weight, bias, node, graph["class"] == "exact")
        elif op in ("leaky_relu", "relu"):
            y = np.maximum(x[0], x[0] * np.float32(node.get("slope", 0)))
        else:
            y = {"add": lambda: x[0] + x[1], "concat": lambda: np.concatenate(x, 2), "gdn": lambda: gdn(model, node, x[0]),
                 "gain": lambda: x[0] * gain(model, node, t)}[op]()
        values[node["output"]] = keep(model, graph, node["output"], y)
    return values[graph["outputs"][0]]
