"""Opens a Glint model file and runs its graphs, from docs/MODEL_FORMAT.md and docs/BITSTREAM.md alone: plain, slow, numpy only.

Used by reference_decoder.py. Tensors are arrays [rows, columns, channels] of float32.
"""
import hashlib
import json
import math
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
            if node.get("mask") == "causal" and (ky, kx) >= (k // 2, k // 2):
                continue
            seen = padded[ky:ky + (oh - 1) * stride + 1:stride, kx:kx + (ow - 1) * stride + 1:stride]
            taps.append((seen.reshape(oh * ow, channels), weight[:, :, ky, kx].T))
    return weighted_sum(bias, taps, exact).reshape(oh, ow, outputs)


def depthwise_conv2d(x, weight, bias, node):
    """The chain of class exact; in class close that is as good as any order."""
    (height, width, _), (_, _, kh, kw), stride = x.shape, weight.shape, node["stride"]
    oh, ow = -(-height // stride), -(-width // stride)
    padded = np.pad(x, ((kh // 2, kh // 2), (kw // 2, kw // 2), (0, 0)))
    total = np.tile(bias, (oh, ow, 1))
    for ky in range(kh):
        for kx in range(kw):
            total += weight[:, 0, ky, kx] * padded[ky:ky + (oh - 1) * stride + 1:stride, kx:kx + (ow - 1) * stride + 1:stride]
    return total


def conv_transpose2d(x, weight, bias, node, exact):
    (height, width, channels), (_, outputs, k, _), pad = x.shape, weight.shape, node["padding"]
    padded = np.pad(x, ((2, 2), (2, 2), (0, 0)))
    out = np.empty((2 * height, 2 * width, outputs), x.dtype)
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


def gdn(node, x, norm):
    return x * norm if node["inverse"] else x / norm


def gdn_norm(model, node, x):
    beta, gamma = (model.tensor(node["weights"][role]).astype(np.float32) for role in ("beta", "gamma"))
    return beta + np.abs(x) @ gamma.T if node["form"] == "abs" else np.sqrt(beta + (x * x) @ gamma.T)


def exp(a):
    """Of float32 from -87 to 0."""
    f = np.float32
    k = np.rint(a * f(float.fromhex("0x1.715476p+0")))
    r = (a - k * f(float.fromhex("0x1.62ep-1"))) - k * f(float.fromhex("0x1.0bfbe8p-15"))
    s = np.full_like(a, f(1 / 5040))
    for c in (1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1, 1):
        s = s * r + f(c)
    return np.ldexp(s, k.astype(np.int32))


def sigmoid(x):
    f = np.float32
    x = np.where(np.isnan(x), f(0), x)
    e = exp(-np.minimum(np.abs(x), f(87)))
    return np.where(x < 0, e, f(1)) / (f(1) + e)


def gelu(x):
    f = np.float32
    x = np.where(np.isnan(x), f(0), x)
    a = np.minimum(np.abs(x), f(12))
    t = f(1) / (f(1) + a * f(0.3))
    s = np.full_like(x, float.fromhex("0x1.2d0038p-5"))
    for c in ("-0x1.4b2244p-3", "0x1.b691d8p-3", "-0x1.f326cep-5", "0x1.0f4014p-3", "0x1.945896p-4", "0x1.ef68ap-4", "0x1.e9f2bcp-4"):
        s = s * t + f(float.fromhex(c))
    return np.maximum(x, f(0)) - a * (exp(a * a * f(-0.5)) * (s * t))


def pixel_shuffle(x, factor, order):
    height, width, channels = x.shape
    if order == "crd":
        parts = x.reshape(height, width, -1, factor, factor).transpose(0, 3, 1, 4, 2)
    else:
        parts = x.reshape(height, width, factor, factor, -1).transpose(0, 2, 1, 3, 4)
    return parts.reshape(height * factor, width * factor, channels // factor**2)


def total(v):
    """Of the channels, in sixteen parts."""
    parts = np.zeros(v.shape[:2] + (16,), np.float32)
    for c in range(0, v.shape[2], 16):
        parts[:, :, :v.shape[2] - c] += v[:, :, c:c + 16]
    for half in (8, 4, 2, 1):
        parts = parts[:, :, :half] + parts[:, :, half:]
    return parts


def layer_norm(model, node, x):
    channels = np.float32(x.shape[2])
    d = x - total(x) / channels
    root = np.sqrt(total(d * d) / channels + np.float32(node["epsilon"]))
    return d / root * model.tensor(node["weights"]["weight"]) + model.tensor(node["weights"]["bias"])


def affine(model, node, x):
    if "factor" in node["weights"]:
        x = x * model.tensor(node["weights"]["factor"])
    return x + model.tensor(node["weights"]["shift"]) if "shift" in node["weights"] else x


def pixel_unshuffle(x, factor):
    x = np.pad(x, ((0, -x.shape[0] % factor), (0, -x.shape[1] % factor), (0, 0)))
    height, width, channels = x.shape
    parts = x.reshape(height // factor, factor, width // factor, factor, channels).transpose(0, 2, 4, 1, 3)
    return parts.reshape(height // factor, width // factor, channels * factor**2)


def silu(x, factor):
    x = np.where(np.isnan(x), np.float32(0), x)
    return x * sigmoid(x * np.float32(factor))


def rms_norm(model, node, x):
    root = np.sqrt(total(x * x) / np.float32(x.shape[2]) + np.float32(node["epsilon"]))
    return x / root * model.tensor(node["weights"]["weight"])


def round_halves(model, form, x):
    factor = model.tensor(form["factor"]) if "factor" in form else np.float32(1)
    most = np.float32(form.get("max", 65504))
    halves = np.clip(np.where(np.isnan(x), np.float32(0), x / factor), -most, most).astype(np.float16)
    return halves.astype(np.float32) * factor


# ---- integers -------------------------------------------------------------------------------------------------

def step_at(steps, t):
    at = min(max((t + 1) / 2 * (len(steps) - 1), 0), len(steps) - 1)
    k = min(int(at), max(len(steps) - 2, 0))
    return steps[0] if len(steps) == 1 else math.exp(math.log(steps[k]) * (1 - (at - k)) + math.log(steps[k + 1]) * (at - k))


def quantise(model, kept, x, t, gains=None):
    """x as `tensors` of a graph keep it -> (q - zero, step, the floats that this stands for). `gains`: x is still to be multiplied by them"""
    factor = model.tensor(kept["factor"]).astype(np.float64) if "factor" in kept else np.ones(x.shape[2])
    if kept["scales"] == "dynamic":
        most = np.nan_to_num(np.abs(x), nan=np.inf).max((0, 1)) / factor
        step = min(max(most.max() / kept["max"], 1e-12), 1e12)
    else:
        step = step_at(kept["scales"], t)
    low, high = (-kept["max"], kept["max"]) if kept["type"] == "i16" else (-kept["zero"], 255 - kept["zero"])
    inverse = (1 / (step * factor)).astype(np.float32)
    scaled = np.where(np.isnan(x), np.float32(0), x) * (inverse if gains is None else gains * inverse)
    q = np.rint(np.clip(scaled, np.float32(low), np.float32(high)))
    return q.astype(np.float64), step, q * (step * factor).astype(np.float32)


def split_digits(node, kept, source):
    """(q, step) of int16 -> of bytes, sixteen times coarser, with the digits that some channels have besides"""
    q, step = source[0], source[1]
    first = np.clip(np.floor((q + 8) / 16), -kept["zero"], 255 - kept["zero"])
    low, coarse = node["low"], node["coarse"]
    rest = np.clip(q[:, :, low] - 16 * first[:, :, low], -8, 7)
    return np.concatenate([first, rest, np.floor((first[:, :, coarse] + 8) / 16)], 2), 16 * step


def root_norm(model, node, q, matrix, scale):
    """Of a GDN of form sqrt: squares have as many bits as the greatest one of their pixel leaves them."""
    most = np.abs(q).max(2, keepdims=True) ** 2
    shift = np.zeros_like(most)
    while (most > 32767 * 2 ** shift).any():
        shift += most > 32767 * 2 ** shift
    squares = np.floor((q * q + np.floor(2 ** shift / 2)) / 2 ** shift)
    total = (squares @ matrix.T).astype(np.float32) * (2 ** shift).astype(np.float32)
    return np.sqrt(total * scale + model.tensor(node["weights"]["beta"]))


def integer_sums(model, node, parts):
    """The node up to its bias, or the norm of a GDN. Sums of integers below 2^31 are exact in float64, in any order."""
    q, role = np.concatenate([part[0] for part in parts], 2), "gamma" if node["op"] == "gdn" else "weight"
    matrix = model.tensor(node["weights"][role]).astype(np.float64)
    scale = model.tensor(node["weights"]["scale"]).astype(np.float64)
    if node["op"] == "gdn" and node["form"] == "sqrt":
        return root_norm(model, node, q, matrix, (parts[0][1] ** 2 * scale).astype(np.float32))
    if node["op"] == "gdn":
        total = np.abs(q) @ matrix.T
    elif node["op"] == "depthwise_conv2d":
        total = depthwise_conv2d(q, matrix, np.zeros(matrix.shape[0]), node)
    else:
        outputs = matrix.shape[0 if node["op"] == "conv2d" else 1]
        total = (conv2d if node["op"] == "conv2d" else conv_transpose2d)(q, matrix, np.zeros(outputs), node, False)
    total = total.astype(np.float32) * (parts[0][1] * scale).astype(np.float32)
    bias = "beta" if node["op"] == "gdn" else "bias"
    return total + model.tensor(node["weights"][bias]) if bias in node["weights"] else total


def run_graph(model, name, inputs, t=0.0):
    """Tensors by input name -> the output. `t` is what gains and steps depend on."""
    graph = model.doc["graphs"][name]
    values, waiting, kept, parts = {}, list(graph["nodes"]), {}, {}
    forms, makers = graph.get("tensors", {}), {n["output"]: n for n in graph["nodes"]}
    readers = lambda tensor: sum(n["inputs"].count(tensor) for n in graph["nodes"])

    def joined_to_integers(tensor):
        """Is it what a node of integers makes, with no other reader on the way?"""
        if tensor not in makers or tensor in forms or readers(tensor) != 1:
            return False
        node = makers[tensor]
        return node["precision"] in ("i16", "i8") or (node["op"] in ("add", "leaky_relu", "relu") and
                                                      any(joined_to_integers(i) for i in node["inputs"]))

    def store(tensor, x, gains=None):
        form = forms.get(tensor)
        if form and form["type"] == "f16":
            x = round_halves(model, form, x)
        elif form:
            kept[tensor] = quantise(model, form, x, t, gains)
            x = kept[tensor][2]
        values[tensor] = x

    for tensor, x in inputs.items():
        store(tensor, x)
    while waiting:
        node = next(n for n in waiting if all(i in values for i in n["inputs"]))
        waiting.remove(node)
        x = [values[i] for i in node["inputs"]]
        op = node["op"]
        form = forms.get(node["output"], {})
        if op == "gain" and form.get("type") in ("i16", "u8") and form["scales"] != "dynamic" and joined_to_integers(node["inputs"][0]):
            store(node["output"], x[0], gain(model, node, t))     # joined: one factor
            continue
        if op == "digits":       # read as integers only
            kept[node["output"]] = split_digits(node, graph["tensors"][node["output"]], kept[node["inputs"][0]])
            values[node["output"]] = None
            continue
        if node["precision"] in ("i16", "i8"):
            source = node["inputs"][0]
            sums = integer_sums(model, node, [kept[i] for i in ([source] if source in kept else parts[source])])
            y = gdn(node, x[0], sums) if op == "gdn" else sums
        elif op in ("conv2d", "conv_transpose2d", "depthwise_conv2d"):
            weight = model.tensor(node["weights"]["weight"]).astype(np.float32)
            outputs = weight.shape[1 if op == "conv_transpose2d" else 0]
            bias = model.tensor(node["weights"]["bias"]) if "bias" in node["weights"] else np.zeros(outputs, np.float32)
            if op == "depthwise_conv2d":
                y = depthwise_conv2d(x[0], weight, bias, node)
            else:
                y = (conv2d if op == "conv2d" else conv_transpose2d)(x[0], weight, bias, node, graph["class"] == "exact")
        elif op in ("leaky_relu", "relu"):
            y = np.maximum(x[0], x[0] * np.float32(node.get("slope", 0)))
        else:
            y = {"add": lambda: x[0] + x[1], "concat": lambda: np.concatenate(x, 2), "gdn": lambda: gdn(node, x[0], gdn_norm(model, node, x[0])),
                 "sigmoid": lambda: sigmoid(x[0]),
                 "multiply": lambda: x[0] * x[1],
                 "pixel_shuffle": lambda: pixel_shuffle(x[0], node["factor"], node.get("order", "crd")),
                 "layer_norm": lambda: layer_norm(model, node, x[0]),
                 "abs": lambda: np.abs(x[0]),
                 "affine": lambda: affine(model, node, x[0]),
                 "slice": lambda: x[0][:, :, node["begin"]:node["end"]],
                 "pixel_unshuffle": lambda: pixel_unshuffle(x[0], node["factor"]),
                 "silu": lambda: silu(x[0], node["factor"]),
                 "rms_norm": lambda: rms_norm(model, node, x[0]),
                 "gelu": lambda: gelu(x[0]),
                 "gain": lambda: x[0] * gain(model, node, t)}[op]()
        store(node["output"], y)
        parts[node["output"]] = node["inputs"]     # of a concatenation: its reader has one step for all of them
    return values[graph["output"]]
